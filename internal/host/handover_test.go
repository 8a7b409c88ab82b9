package host

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// drained is the director that gives its VIPs away.
func drained() []Artifact {
	d := redisDirector()
	d.Drain = true
	return d.Artifacts()
}

// master is a host that holds the VIP. A commit puts the drain file in place, after
// which the VIP goes to the other director, if there is one that takes it.
func master(takenAfter time.Duration) (*Host, *scripted) {
	h, c := holding()
	c.become(Master)
	c.onCommit = func(string) error {
		c.machine.hold([]Artifact{DrainFile(true)})
		if takenAfter == 0 {
			return nil
		}
		go func() {
			time.Sleep(takenAfter)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.become(Backup)
		}()
		return nil
	}
	return h, c
}

// become changes the role of a machine that holds redisDirector.
func (m *machine) become(role Role) {
	held := Address{Device: "eth0", Prefix: netip.PrefixFrom(vip, 24), Label: "eth0", Secondary: true}
	kept := m.addresses[:0]
	for _, a := range m.addresses {
		if a != held {
			kept = append(kept, a)
		}
	}
	if m.addresses = kept; role == Master {
		m.addresses = append(m.addresses, held)
	}
	m.daemons = string(role) + " sync daemon (mcast=eth0, syncid=51, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
}

func TestDrainIsDoneWhenTheVIPHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const taken = 17 * time.Second
		h, c := master(taken)
		start := time.Now()
		s, err := h.Apply(t.Context(), drained(), nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "holds the VIP", s.HoldsVIP(), false)
		equal(t, "commits", len(c.commits), 1)
		equal(t, "taken back", c.reverted, 0)
		if took := time.Since(start); took < taken || took > taken+2*pollInterval {
			t.Errorf("took %v, the VIP was gone after %v", took, taken)
		}
	})
}

func TestDrainThatNobodyAnswersIsTakenBackAndSaysWhatToDo(t *testing.T) {
	for delay, limit := range map[time.Duration]time.Duration{0: time.Minute, 15 * time.Second: time.Minute, 100 * time.Second: settling + 100*time.Second} {
		inBubble(t, delay.String(), func(t *testing.T) {
			h, c := master(0)
			d := redisDirector()
			d.VRRP.PreemptDelay = delay
			c.machine.hold(d.Artifacts()[:len(d.Artifacts())-2]) // its configuration
			d.Drain = true
			start := time.Now()
			_, err := h.Apply(t.Context(), d.Artifacts(), nil)
			says(t, err, `host "a"`, "root@192.0.2.11:22", "-this host still holds the VIPs\n+another director holds the VIPs\n",
				"this host is not drained: do not stop it", "preempt = false", "Everything was put back as it was")
			equal(t, "commits", len(c.commits), 1)
			equal(t, "taken back", c.reverted, 1)
			if took := time.Since(start); took < limit || took > limit+2*pollInterval {
				t.Errorf("took %v, want %v", took, limit)
			}
		})
	}
}

func TestDrainOfAHostWithoutTheVIPWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := master(0)
		c.become(Backup)
		start := time.Now()
		if _, err := h.Apply(t.Context(), drained(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 1)
		if took := time.Since(start); took > 2*pollInterval {
			t.Errorf("took %v", took)
		}
	})
}

// The other director is down: that is no reason to refuse a change of something else.
func TestHostThatDrainedBeforeMayHoldTheVIP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := master(0)
		c.machine.hold([]Artifact{DrainFile(true)})
		c.machine.files[keepalived.RoleScript] = ours("older\n")
		c.onCommit = func(string) error {
			c.machine.hold(drained())
			c.become(Master)
			return nil
		}
		s, err := h.Apply(t.Context(), drained(), nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "holds the VIP", s.HoldsVIP(), true)
		equal(t, "commits (positive control)", len(c.commits), 1)
		equal(t, "drift", len(deviating(drained(), s)), 0)
	})
}

func TestEndOfADrainWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := master(0)
		c.machine.hold([]Artifact{DrainFile(true)})
		c.onCommit = func(string) error {
			c.machine.hold([]Artifact{DrainFile(false)})
			return nil
		}
		s, err := h.Apply(t.Context(), redisDirector().Artifacts(), nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "drains", s.drains(), false)
	})
}

func TestDrainIsReadBackFromTheHost(t *testing.T) {
	for _, on := range []bool{false, true} {
		d := redisDirector()
		d.Drain = on
		m := bareMachine().hold(d.Artifacts())
		got, err := DirectorOn(m.snapshot(t))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "drain", got.Drain, on)
	}
}

// It bears the mark, or a destroy would leave it.
func TestDrainFileIsRemovedWithTheDirector(t *testing.T) {
	m := bareMachine().hold(drained())
	if text := rendered(steps(m.snapshot(t), nil, removable(drained(), m.snapshot(t)))); !strings.Contains(text, " "+keepalived.DrainPath+"\n") {
		t.Error(text)
	}
}

func TestDrainOnTheWayOutTellsWhetherThereWasSomethingToGive(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*scripted)
		drained bool
	}{
		"master":                    {func(*scripted) {}, true},
		"backup":                    {func(c *scripted) { c.become(Backup) }, false},
		"drained before":            {func(c *scripted) { c.machine.hold([]Artifact{DrainFile(true)}) }, false},
		"keepalived does not run":   {func(c *scripted) { c.units[keepalivedUnit] = UnitState{Load: "loaded", Active: "failed"} }, false},
		"the others do not take it": {func(c *scripted) { c.onCommit = nil }, false},
	} {
		inBubble(t, name, func(t *testing.T) {
			h, way := master(time.Second)
			c.change(way)
			drained, err := h.Drain(t.Context())
			equal(t, "drained", drained, c.drained)
			if refused := way.onCommit == nil; refused != (err != nil) {
				t.Errorf("error %v", err)
			}
			if c.drained != (len(way.commits) == 1 && way.reverted == 0) {
				t.Errorf("%d commits, %d taken back", len(way.commits), way.reverted)
			}
			synctest.Wait()
		})
	}
}
