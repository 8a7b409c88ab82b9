package host

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

//go:embed redis.sh
var redisLibrary string

//go:embed probe.sh
var probeScript string

var probe = redisLibrary + probeScript

// Conn is the way to a host; [remote.Client] is the real one.
type Conn interface {
	// Target is user@host:port.
	Target() string
	// Run runs a script as root; see [remote.Client.Run].
	Run(ctx context.Context, cmd remote.Command) (remote.Result, error)
	// RunFresh is Run over a connection of its own.
	RunFresh(ctx context.Context, cmd remote.Command) (remote.Result, error)
	// Stage uploads files into a fresh private folder and hands its path to use.
	Stage(ctx context.Context, files []remote.StagedFile, use func(dir string) error) error
}

// Host is one machine. Its methods may be called side by side: callers share one
// snapshot, and changes happen one after the other.
type Host struct {
	Name string // the name that the user gave it
	conn Conn

	requests queue

	mu        sync.Mutex
	observing *observation // nil: there is none
	snapshot  *Snapshot    // nil: not observed since the last change
	observed  time.Time

	// brought are the files that adopting directors brought along, by path: who comes to
	// them later in the same apply has not seen them. Of the one that commits at a time.
	brought map[string]string
	// kept are the sums of files that somebody had edited, as keepalived ran by them: a change
	// of something else may have put them back (commit.sh, keep_other_vips).
	kept map[string]string
}

// New returns the host behind conn. Nothing is dialled.
func New(name string, conn Conn) *Host { return &Host{Name: name, conn: conn} }

// Target is user@host:port, for messages.
func (h *Host) Target() string { return h.conn.Target() }

// Observe returns what is on the host. However many resources ask, the host is
// asked once, until a change makes the answer stale.
func (h *Host) Observe(ctx context.Context) (*Snapshot, error) {
	h.mu.Lock()
	if h.snapshot != nil {
		defer h.mu.Unlock()
		return h.snapshot, nil
	}
	o := h.observing
	if o == nil {
		// One caller's end must not fail the others that share the probe; the last
		// one's ends it.
		shared, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		o = &observation{done: make(chan struct{}), cancel: cancel}
		h.observing = o
		go func() {
			defer cancel(nil)
			defer close(o.done)
			o.snapshot, o.err = h.probe(shared, o)
		}()
	}
	o.callers++
	h.mu.Unlock()
	select {
	case <-o.done:
		return o.snapshot, o.err
	case <-ctx.Done():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if o.callers--; o.callers == 0 {
		o.cancel(context.Cause(ctx))
		if h.observing == o {
			h.observing = nil
		}
	}
	return nil, fmt.Errorf("unable to observe host %q (%s): %w", h.Name, h.Target(), context.Cause(ctx))
}

// Seen is what Observe returned last; nil where the host was not looked at, or was
// changed since.
func (h *Host) Seen() *Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.snapshot
}

// observation is one run of the probe, for all who ask meanwhile.
type observation struct {
	done     chan struct{} // closed: what follows is there
	snapshot *Snapshot
	err      error

	callers int // who wait for it
	cancel  context.CancelCauseFunc
}

func (h *Host) probe(ctx context.Context, o *observation) (*Snapshot, error) {
	result, err := h.conn.Run(ctx, remote.Command{Step: "observe the host", Script: probe})
	var s *Snapshot
	if err == nil {
		if s, err = parseSnapshot(result.Stdout); err != nil {
			err = fmt.Errorf("unable to understand what %s answered: %w", h.Target(), err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.observing == o { // else a change came in between, or nobody waits
		h.snapshot, h.observed, h.observing = s, time.Now(), nil
	}
	return s, err
}

// lookAt is Observe, where an answer older than that is stale.
func (h *Host) lookAt(ctx context.Context, age time.Duration) (*Snapshot, error) {
	h.mu.Lock()
	if time.Since(h.observed) >= age {
		h.snapshot = nil
	}
	h.mu.Unlock()
	return h.Observe(ctx)
}

func (h *Host) remember(s *Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.snapshot, h.observed = s, time.Now()
}

// forget makes the next Observe look at the host again.
func (h *Host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.snapshot, h.observing = nil, nil
}
