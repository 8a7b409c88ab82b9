package host

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

//go:embed probe.sh
var probe string

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

	observing singleflight.Group
	requests  queue

	mu       sync.Mutex
	snapshot *Snapshot // nil: not observed since the last change
	observed time.Time
}

// New returns the host behind conn. Nothing is dialled.
func New(name string, conn Conn) *Host { return &Host{Name: name, conn: conn} }

// Target is user@host:port, for messages.
func (h *Host) Target() string { return h.conn.Target() }

// Observe returns what is on the host. However many resources ask, the host is
// asked once, until a change makes the answer stale.
func (h *Host) Observe(ctx context.Context) (*Snapshot, error) {
	h.mu.Lock()
	known := h.snapshot
	h.mu.Unlock()
	if known != nil {
		return known, nil
	}
	// One caller's cancellation must not fail the others that share the probe.
	shared := h.observing.DoChan("probe", func() (any, error) {
		return h.probe(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("unable to observe host %q (%s): %w", h.Name, h.Target(), context.Cause(ctx))
	case r := <-shared:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Snapshot), nil
	}
}

func (h *Host) probe(ctx context.Context) (*Snapshot, error) {
	result, err := h.conn.Run(ctx, remote.Command{Step: "observe the host", Script: probe})
	if err != nil {
		return nil, err
	}
	s, err := parseSnapshot(result.Stdout)
	if err != nil {
		return nil, fmt.Errorf("unable to understand what %s answered: %w", h.Target(), err)
	}
	h.remember(s)
	return s, nil
}

func (h *Host) remember(s *Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.snapshot, h.observed = s, time.Now()
}

func (h *Host) forget() { h.forgetOlderThan(0) }

// forgetOlderThan makes the next Observe look at the host again, unless it was
// looked at within that time.
func (h *Host) forgetOlderThan(age time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.observed) >= age {
		h.snapshot = nil
	}
}
