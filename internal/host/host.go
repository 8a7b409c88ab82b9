package host

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aymanbagabas/go-udiff"
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
	// Stage uploads files into a fresh private folder and returns its path.
	Stage(ctx context.Context, files []remote.StagedFile) (string, error)
}

// Host is one machine. Its methods may be called side by side: callers share one
// snapshot, and changes happen one after the other.
type Host struct {
	Name string // the name that the user gave it
	conn Conn

	observing singleflight.Group
	changing  sync.Mutex

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
	h.mu.Lock()
	h.snapshot, h.observed = s, time.Now()
	h.mu.Unlock()
	return s, nil
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

const (
	pollInterval = 500 * time.Millisecond
	// patience is how long keepalived gets to bring its part of the kernel's
	// tables about by itself after it was started or reloaded. Measured on an
	// emulated host: 1 s.
	patience = 4 * time.Second
	// freshness is how old an observation may be on which a change is based.
	freshness = 10 * time.Second
	// settling is how long the host gets to become what was wanted.
	settling = 45 * time.Second
)

// Apply brings the artifacts wanted about, takes away those that must be gone,
// and returns what is on the host afterwards. Files, sysctls, addresses and units
// change in one commit with one reload. Rows of the IPVS table that keepalived
// does not bring about itself are then edited one by one.
//
// An error means that the host does not hold what was wanted; it says which
// artifacts differ and how.
func (h *Host) Apply(ctx context.Context, want, gone []Artifact) (*Snapshot, error) {
	h.changing.Lock()
	defer h.changing.Unlock()

	h.forgetOlderThan(freshness)
	s, err := h.Observe(ctx)
	if err != nil {
		return nil, err
	}
	gone = removable(gone, s)
	var lastCommit time.Time
	deadline := time.Now().Add(settling)
	for {
		wrong, left := deviating(want, s), remains(gone, s)
		if len(wrong)+len(left) == 0 && (!lastCommit.IsZero() || len(present(gone, s)) == 0) {
			return s, nil
		}
		settled, kept := splitByKeeper(wrong)
		settledGone, _ := splitByKeeper(present(gone, s))
		var todo []step
		switch {
		case lastCommit.IsZero() && len(settled)+len(settledGone) > 0:
			todo = steps(s, settled, settledGone)
		case time.Now().After(deadline):
			return nil, h.differs(s, wrong, left)
		case len(settled) == 0 && time.Since(lastCommit) > patience && s.leavesTable(kept):
			todo = steps(s, kept, left)
		}
		if len(todo) > 0 {
			if err := h.commit(ctx, todo); err != nil {
				return nil, err
			}
			if lastCommit.IsZero() { // it may have taken minutes: packages
				deadline = time.Now().Add(settling)
			}
			lastCommit = time.Now()
		} else if err := sleep(ctx, pollInterval); err != nil {
			return nil, fmt.Errorf("unable to verify the change on %s: %w", h.Target(), err)
		}
		h.forget()
		if s, err = h.Observe(ctx); err != nil {
			return nil, err
		}
	}
}

// leavesTable reports whether what the kernel's tables lack now is left to us:
// keepalived runs, and has for so long that what it has not done by now it will not
// do; or it does not run, and nothing is wanted that it would have to keep.
func (s *Snapshot) leavesTable(wanted []Artifact) bool {
	if s.Units[keepalivedUnit].Active == "active" {
		return s.KeepalivedAge > patience
	}
	return len(wanted) == 0
}

// splitByKeeper tells the artifacts that stay as they are put from those that
// keepalived keeps in the kernel.
func splitByKeeper(artifacts []Artifact) (settled, kept []Artifact) {
	for _, a := range artifacts {
		if a.phase() < phaseIPVS {
			settled = append(settled, a)
		} else {
			kept = append(kept, a)
		}
	}
	return settled, kept
}

func (h *Host) differs(s *Snapshot, wrong, left []Artifact) error {
	var b strings.Builder
	fmt.Fprintf(&b, "unable to verify the change on host %q (%s): %v after the change the host still differs from what was wanted:\n", h.Name, h.Target(), settling)
	for _, a := range wrong {
		found, ok := a.Found(s)
		if !ok {
			found = ""
		}
		b.WriteString(udiff.Unified(a.Key()+" (found)", a.Key()+" (wanted)", line(found), line(a.Want())))
	}
	for _, a := range left {
		fmt.Fprintf(&b, "%s should be gone and is still there\n", a.Key())
	}
	_, kept := splitByKeeper(wrong)
	if state := s.Units[keepalivedUnit].Active; state != "active" && len(kept) > 0 {
		fmt.Fprintf(&b, "keepalived does not run there (%s): apply the host's redislb_director first, and let the redislb_vip refer to it.\n", state)
	}
	b.WriteString("Look at 'journalctl -u keepalived' on the host; the next apply tries again.")
	return fmt.Errorf("%s", b.String())
}

func line(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
