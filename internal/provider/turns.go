package provider

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

const (
	// plannedTogether is for how long a change that a walk of Terraform has planned may
	// take to begin: it is planned once more right before, which may take a look at the
	// host.
	plannedTogether = 10 * time.Second
	turnInterval    = 100 * time.Millisecond
)

// turns has the directors of a VIP changed one after the other where one apply changes
// several: those that do not hold it first. So a backup that refuses the change, or does
// not live through it, keeps it from the one that serves.
//
// Terraform plans each change once more when it comes to it, in the process that makes
// the change, and works on up to ten at once. With -parallelism=1 there is no order but
// Terraform's own.
type turns struct {
	mu      sync.Mutex
	changes map[string]*turn // by host
}

// turn is the change of one director.
type turn struct {
	announced time.Time
	stage     turnStage
	vips      []netip.Addr
	holds     bool
}

type turnStage int

const (
	planned turnStage = iota
	begun
	done
	failed
)

// announce says that the change of a director is being planned.
func (t *turns) announce(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changes == nil {
		t.changes = map[string]*turn{}
	}
	t.changes[name] = &turn{announced: time.Now()}
}

// withdraw says that it comes to no change.
func (t *turns) withdraw(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.changes, name)
}

// end says how the change ended.
func (t *turns) end(name string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own := t.changes[name]; own != nil {
		own.stage = done
		if !ok {
			own.stage = failed
		}
	}
}

// await returns when it is the director's turn. An error means that its change is not to
// be made; s is what is on its host.
func (t *turns) await(ctx context.Context, name string, s *host.Snapshot) error {
	t.mu.Lock()
	own := t.changes[name]
	if own == nil { // it was not planned in this process, and the others do not wait for it
		own = &turn{}
	}
	own.stage, own.vips = begun, s.ServedVIPs()
	own.holds = slices.ContainsFunc(own.vips, s.Holds)
	t.mu.Unlock()
	if !own.holds {
		return nil
	}
	for {
		before, refusing := t.before(name, own)
		if len(refusing) > 0 {
			return fmt.Errorf("the change of %s has failed, which stands by for the VIPs that host %q holds; so this host was not touched: see what is said of that one, and apply again", list(refusing), name)
		}
		if len(before) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the change of %s comes first, which stands by for the VIPs that host %q holds, and was not over when this one's time was (%w); this host was not touched: apply again, with a longer timeout", list(before), name, context.Cause(ctx))
		case <-time.After(turnInterval):
		}
	}
}

// before tells the directors whose change comes before one of a director that holds VIPs,
// and those of them that failed.
func (t *turns) before(name string, own *turn) (waiting, refusing []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range sortedKeys(t.changes) {
		o := t.changes[other]
		if other == name {
			continue
		}
		if o.stage == planned {
			if time.Since(o.announced) < plannedTogether {
				waiting = append(waiting, other)
			}
			continue
		}
		// Of two that both hold VIPs, as those with instances of their own are spread, the
		// first by name goes first.
		if o.holds && other > name || !slices.ContainsFunc(o.vips, func(vip netip.Addr) bool { return slices.Contains(own.vips, vip) }) {
			continue
		}
		switch o.stage {
		case begun:
			waiting = append(waiting, other)
		case failed:
			refusing = append(refusing, other)
		}
	}
	return waiting, refusing
}

// list is for messages.
func list(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }
