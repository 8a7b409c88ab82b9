package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

const (
	pollInterval = 500 * time.Millisecond
	// patience is how long keepalived gets to bring its part of the kernel's
	// tables about by itself after it was started or reloaded. Measured on an
	// emulated host: 1 s.
	patience = 4 * time.Second
	// freshness is how old an observation may be by which there is nothing to do, or
	// on which a change is based; see basis.
	freshness = 10 * time.Second
	// staleness is how old it may be on which a change is based that compares all that
	// it replaces once more.
	staleness = 2 * time.Minute
	// firstChecks is how long a change waits for keepalived to check the real servers
	// that came in with it, and to send them their share. It checks each within the
	// service's interval and a second.
	firstChecks = 15 * time.Second
	// settling is how long the host may stay other than what was wanted without
	// coming nearer to it: a thousand services take their time.
	settling = 45 * time.Second
)

// errOutdated says that a host is not any more as it was observed, before anything
// was changed.
var errOutdated = errors.New("the host was changed since it was observed")

// basis is how old an observation may be on which a change of these is based. The
// content of files is compared at the change, and rows of the table are edited after
// another look; addresses, sysctls, units and the file with a secret are not.
func basis(artifacts []Artifact) time.Duration {
	for _, a := range artifacts {
		switch a := a.(type) {
		case VirtualService, HeldAddress:
		case File:
			if a.Label != "" {
				return freshness
			}
		default:
			return freshness
		}
	}
	return staleness
}

// bring brings the artifacts wanted about, takes away those that must be gone, and
// returns what is on the host afterwards. Files, sysctls, addresses and units
// change in one transaction with one reload. Rows of the IPVS table that keepalived
// does not bring about itself are then edited one by one. Where the host does not
// become what was wanted, all is put back.
func (h *Host) bring(ctx context.Context, s *Snapshot, want, gone []Artifact) (*Snapshot, error) {
	gone = removable(gone, s)
	want, limit := withHandover(want, s)
	var committed []*transaction
	over := orphans(s.ended)
	defer func() { h.settle(append(over, ids(committed)...)...) }()
	var lastCommit, moved time.Time // moved: when the host last came nearer to what is wanted
	before := ""
	for {
		wrong, left := deviating(want, s), remains(gone, s)
		if now := differences(wrong, left, s); now != before {
			moved, before = time.Now(), now
		}
		if len(wrong)+len(left) == 0 && (len(committed) > 0 || len(present(gone, s)) == 0) {
			fresh, err := h.lookAt(ctx, freshness)
			if err != nil {
				return nil, err
			}
			if fresh == s {
				if len(committed) > 0 {
					err = h.awaitFirstChecks(ctx, s, want)
				}
				return s, err
			}
			if len(committed) == 0 {
				return nil, errOutdated
			}
			s = fresh
			continue
		}
		settled, kept := splitByKeeper(wrong)
		settledGone, _ := splitByKeeper(present(gone, s))
		var todo []step
		switch {
		case len(committed) == 0 && len(settled)+len(settledGone) > 0:
			todo = steps(s, settled, settledGone)
		case time.Since(moved) > limit:
			err := h.differs(ctx, s, wrong, left, limit)
			return nil, h.putBack(committed, err)
		case len(settled) == 0 && time.Since(moved) > patience && time.Since(lastCommit) > patience && s.leavesTable(kept):
			todo = steps(s, kept, left)
		}
		if len(todo) > 0 {
			t, err := h.transact(ctx, todo, risksTheWay(todo, s))
			if err != nil {
				return nil, h.putBack(committed, err)
			}
			if len(committed) == 0 { // it may have taken minutes: packages
				moved = time.Now()
			}
			h.noteKept(s)
			committed = append(committed, t)
			lastCommit = time.Now()
		} else {
			if err := sleep(ctx, pollInterval); err != nil {
				return nil, h.putBack(committed, fmt.Errorf("unable to verify the change on %s: %w", h.Target(), err))
			}
			h.forget()
		}
		var err error
		if s, err = h.Observe(ctx); err != nil {
			return nil, fmt.Errorf("unable to verify the change, which was made: %w", err)
		}
	}
}

// putBack takes back what was committed before err, and tells what became of it.
func (h *Host) putBack(committed []*transaction, err error) error {
	if len(committed) == 0 {
		return err
	}
	if failed := h.revert(committed); failed != nil {
		return fmt.Errorf("%w\nThe change could not be taken back: %w", err, failed)
	}
	if slices.ContainsFunc(committed, func(t *transaction) bool { return t.installs }) {
		return fmt.Errorf("%w\nEverything was put back as it was, but for what the package manager did", err)
	}
	return fmt.Errorf("%w\nEverything was put back as it was", err)
}

const keepalivedJournal = "journalctl -q --no-pager -o cat -n 12 -u keepalived.service 2>&1"

func isStale(err error) bool {
	var said *remote.CommandError
	return errors.As(err, &said) && said.ExitCode == exitStale
}

func ids(transactions []*transaction) []string {
	var all []string
	for _, t := range transactions {
		all = append(all, t.id)
	}
	return all
}

// differences tells how far the host is from what is wanted.
func differences(wrong, left []Artifact, s *Snapshot) string {
	var b strings.Builder
	for _, a := range slices.Concat(wrong, left) {
		found, _ := a.Found(s)
		fmt.Fprintf(&b, "%s\n%s\n", a.Key(), found)
	}
	return b.String()
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

// awaitFirstChecks gives keepalived time to check the real servers that came in with a
// change, so that where the change is done they have their share. That one is not well
// is no fault of the change.
func (h *Host) awaitFirstChecks(ctx context.Context, s *Snapshot, wanted []Artifact) error {
	for began := time.Now(); s.isChecking(wanted) && time.Since(began) < firstChecks; {
		select {
		case <-ctx.Done():
			return nil // the change is done all the same
		case <-time.After(pollInterval):
		}
		h.forget()
		var err error
		if s, err = h.Observe(ctx); err != nil {
			return fmt.Errorf("unable to look at the checks of the real servers after the change, which was made: %w", err)
		}
	}
	return nil
}

// isChecking reports whether a real server of those wanted has not been checked yet.
func (s *Snapshot) isChecking(wanted []Artifact) bool {
	return slices.ContainsFunc(wanted, func(a Artifact) bool {
		v, ok := a.(VirtualService)
		return ok && slices.ContainsFunc(v.Service.Destinations, func(d ipvs.Destination) bool {
			return s.Unchecked[RealServerKey{Service: v.Service.Key, Server: d.Endpoint()}]
		})
	})
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

func (h *Host) differs(ctx context.Context, s *Snapshot, wrong, left []Artifact, limit time.Duration) error {
	var b strings.Builder
	fmt.Fprintf(&b, "unable to verify the change on host %q (%s): %v after the change the host still differs from what was wanted:\n", h.Name, h.Target(), limit)
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
	if slices.Contains(wrong, Artifact(handover{})) {
		b.WriteString(noHandover)
	}
	_, kept := splitByKeeper(wrong)
	if state := s.Units[keepalivedUnit].Active; state != "active" && len(kept) > 0 {
		fmt.Fprintf(&b, "keepalived does not run there (%s): apply the host's redislb_director first, and let the redislb_vip refer to it.\n", state)
	}
	// Before it is taken back, which keepalived has something to say to, too.
	if said, err := h.conn.Run(ctx, remote.Command{Step: "read keepalived's journal", Script: keepalivedJournal}); err == nil && len(said.Stdout) > 0 {
		fmt.Fprintf(&b, "keepalived said last:\n%s", said.Stdout)
	}
	b.WriteString("The next apply tries again.")
	return &differsError{b.String()}
}

// differsError is a change after which the host is not what was wanted.
type differsError struct{ said string }

func (e *differsError) Error() string { return e.said }

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
