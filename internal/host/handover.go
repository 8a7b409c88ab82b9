package host

import (
	"context"
	"slices"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// DrainFile is the file by which keepalived gives the VIPs to another director.
//
// Where a change brings it about on a host that holds a VIP, the change is done when
// the host holds none any more; if that does not happen, it is taken back, so that
// nobody stops a machine that only seems to be drained.
func DrainFile(drain bool) File {
	return File{Path: keepalived.DrainPath, Mode: 0o644, Content: keepalived.RenderDrain(drain)}
}

// drains reports whether the host's own file says that it is to give up its VIPs.
func (s *Snapshot) drains() bool {
	return keepalived.ParseDrain(s.Files[keepalived.DrainPath].Content)
}

// Drain gives the VIPs that the host holds to another director, and returns true when
// they have gone. It returns false where there is nothing to give: the host holds no
// VIP, was drained before and holds one because the others are down, or does not run
// keepalived. On an error nothing has changed, as with [Host.Apply].
func (h *Host) Drain(ctx context.Context) (bool, error) {
	s, err := h.lookAt(ctx, freshness)
	if err != nil || !s.HoldsVIP() || s.drains() || s.Units[keepalivedUnit].Active != "active" {
		return false, err
	}
	_, err = h.Apply(ctx, []Artifact{DrainFile(true)}, nil)
	return err == nil, err
}

// takeover is how long another director waits, by default, before it takes the VIPs
// from one of a lower priority.
const takeover = 15 * time.Second

// withHandover adds to what is wanted that no VIP is left, if it begins a drain, and
// returns how long the host may stay other than wanted. A host that drained before,
// and holds a VIP because the others are down, is as it should be.
//
// What the others wait is not known here; in one group it is mostly the same.
func withHandover(want []Artifact, s *Snapshot) ([]Artifact, time.Duration) {
	begins := slices.ContainsFunc(want, func(a Artifact) bool {
		f, ok := a.(File)
		return ok && f.Path == keepalived.DrainPath && keepalived.ParseDrain(f.Content)
	})
	if !begins || s.drains() {
		return want, settling
	}
	limit := settling + takeover
	if c, err := keepalived.ParseDirector(s.Files[keepalived.ConfigPath].Content); err == nil {
		limit = max(limit, settling+c.PreemptDelay)
	}
	return append(slices.Clone(want), handover{}), limit
}

// handover is the rule that the host holds no VIP. It is wanted while a drain is
// verified and by no resource: a VIP that comes back later is no drift.
type handover struct{}

// Key implements [Artifact].
func (handover) Key() string { return "drain" }

func (handover) phase() phase { return phaseHeldAddress }

// Want implements [Artifact].
func (handover) Want() string { return "another director holds the VIPs" }

// Found implements [Artifact].
func (h handover) Found(s *Snapshot) (string, bool) {
	if s.HoldsVIP() {
		return "this host still holds the VIPs", true
	}
	return h.Want(), true
}

// establish leaves it to keepalived. To take the VIP away from it would break the
// connections that a drain is there to keep.
func (handover) establish(*Snapshot) []step { return nil }
func (handover) remove(*Snapshot) []step    { return nil }

// noHandover is what to do about it.
const noHandover = "No other director has taken the VIPs, so this host is not drained: do not stop it. Look whether another redislb_director of the same virtual_router_id runs and reaches this one, may preempt (not preempt = false), has a preempt_delay that ends by then, and is not drained itself; and whether something that this one tracks, with a weight above 0, keeps its priority above the other's.\n"
