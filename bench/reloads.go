package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// reloads counts how often keepalived is reloaded on a host, from systemd's lines
// in the journal. They are followed while they are written: keepalived itself
// writes so much about many services that the journal drops its beginning.
type reloads struct {
	mu    sync.Mutex
	begun bool
	lines int
	rest  []byte
	end   context.CancelFunc
	ended chan error
}

// following is what the host says when it begins.
const following = "following"

// followReloads begins with what happens from now on.
func followReloads(ctx context.Context, h *lab.Host) (*reloads, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &reloads{end: cancel, ended: make(chan error, 1)}
	go func() {
		_, err := h.Run(ctx, "echo "+following+"; exec journalctl -q -f -n 0 -o cat _PID=1 UNIT=keepalived.service", lab.Streams{Stdout: r})
		r.ended <- err
	}()
	for range 600 {
		if r.hasBegun() {
			// journalctl has been started, and needs a moment to open the journal.
			time.Sleep(2 * time.Second)
			return r, nil
		}
		select {
		case err := <-r.ended:
			cancel()
			return nil, fmt.Errorf("follow the journal of %s: it ended: %w", h.Name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
	cancel()
	return nil, fmt.Errorf("follow the journal of %s: no answer", h.Name)
}

func (r *reloads) hasBegun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun
}

// Write takes what journalctl prints.
func (r *reloads) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest = append(r.rest, p...)
	for {
		line, rest, found := bytes.Cut(r.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		r.rest = rest
		switch {
		case string(line) == following:
			r.begun = true
		case bytes.HasPrefix(line, []byte("Reloaded keepalived")):
			r.lines++
		}
	}
}

// stop ends the count and returns it.
func (r *reloads) stop() (int, error) {
	time.Sleep(2 * time.Second) // the last line is still under way
	select {
	case err := <-r.ended:
		return 0, errors.Join(errors.New("the journal was not followed to the end"), err)
	default:
	}
	r.end()
	<-r.ended //nolint:errcheck // it was told to end
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines, nil
}
