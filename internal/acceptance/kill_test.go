//go:build acceptance

package acceptance

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// strike is a fault that hits while the script on the host stands before a step.
type strike struct {
	name string
	do   func(t *testing.T, v *victim, d *driver, script int)
}

var (
	// The connection breaks, and can be made again.
	connectionCut = strike{"connection cut", func(t *testing.T, v *victim, _ *driver, _ int) {
		v.wire.cut()
		release(t, v.machine)
	}}
	providerKilled = strike{"provider killed", func(t *testing.T, v *victim, d *driver, _ int) {
		if err := d.cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-d.ended
		release(t, v.machine)
	}}
	scriptKilled = strike{"script killed", func(t *testing.T, v *victim, _ *driver, script int) {
		v.machine.MustExec(t, fmt.Sprintf("kill -9 %d", script))
		release(t, v.machine)
	}}
	powerLost = strike{"power lost", func(t *testing.T, v *victim, _ *driver, _ int) {
		if err := v.machine.PowerOff(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := v.machine.PowerOn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := v.machine.WaitSSH(t.Context()); err != nil {
			t.Fatal(err)
		}
	}}
	strikes = []strike{connectionCut, providerKilled, scriptKilled, powerLost}
	// The connection breaks before each step of one change: as soon as the provider
	// has made it again and waits for the outcome, the script goes on to the next.
	connectionCutEverywhere = strike{"connection cut", func(t *testing.T, v *victim, d *driver, _ int) {
		var struck []string
		eventually(t, 5*time.Minute, "the driver ends although its connection is cut again and again", func() bool {
			if pid, step := standing(v.machine); pid != 0 {
				struck = append(struck, step)
				v.wire.cut()
				eventually(t, time.Minute, "the provider comes back", func() bool { return v.wire.commands() || !d.running() })
				release(t, v.machine)
			}
			return !d.running()
		})
		var sent []string
		for _, step := range d.steps(t) {
			at, _, _ := strings.Cut(step, " ")
			sent = append(sent, at)
		}
		if !slices.Equal(struck, sent) {
			t.Errorf("the connection was cut before the steps %v, and these were done: %v", struck, sent)
		}
	}}
)

// blow is one case of the matrix.
type blow struct {
	step string // COMMIT.INDEX FUNCTION
	strike
}

// ledger collects what became of all blows.
type ledger struct {
	mu   sync.Mutex
	rows []string
}

func (l *ledger) add(columns ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = append(l.rows, strings.Join(columns, "\t"))
}

func (l *ledger) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "resource\toperation\tbefore step\tfault\thost is\tprovider said")
	for _, row := range l.rows {
		fmt.Fprintln(w, row)
	}
	_ = w.Flush()
	return b.String()
}

// victim is a host whose provider meets its end again and again.
type victim struct {
	machine *lab.Host
	direct
	wire   *proxy
	ledger *ledger
}

// TestKilledAtEveryStep stops the change of each resource before each of its
// steps, as a run that nobody disturbs tells them, and lets something break there.
// The host must come out wholly old or wholly new. The normal run takes a real server:
// it cuts the connection before each step of one operation, and kills a provider or a
// script in each; the full one takes every resource and deals each step each strike,
// the loss of power among them. (That a script may die at every call is in the unit
// tests of package host.)
func TestKilledAtEveryStep(t *testing.T) {
	victims := map[*lab.Host][]string{hostB(): {"realserver"}}
	if full {
		victims[hostA()] = []string{"director", "vip"}
	}
	alone(t, slices.Collect(maps.Keys(victims))...)
	for h := range victims {
		furnished(t, h.Name)
	}
	all := new(ledger)
	t.Cleanup(func() { t.Logf("%d cases:\n%s", len(all.rows), all) })
	for h, resources := range victims {
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			wire := newProxy(t, net.JoinHostPort("127.0.0.1", fmt.Sprint(h.SSHPort)))
			v := &victim{machine: h, direct: directly(t, h), wire: wire, ledger: all}
			for _, name := range resources {
				t.Run(name, func(t *testing.T) { v.suffer(t, resourcesOn(h.Name)[name]) })
			}
			if full && h == hostB() {
				t.Run("packages", v.sufferWhilePackagesAreInstalled)
			}
		})
	}
}

// suffer goes round through the states of a resource, and on every way from one to
// the next deals out one of the blows that are left for it, until none is left.
func (v *victim) suffer(t *testing.T, r resourceOn) {
	if len(r.below) > 0 {
		v.must(t, r.below, nil)
	}
	left, looks := v.rehearse(t, r)
	state := life[0]
	for len(left[life[0]])+len(left[life[1]])+len(left[life[2]]) > 0 {
		to := after(state)
		if len(left[state]) > 0 {
			b := left[state][0]
			left[state] = left[state][1:]
			outcome := v.strike(t, r, state, b, looks)
			if outcome == "old" && !full {
				continue // the next apply is that of the next blow
			}
		}
		want, gone := r.change(state, to)
		v.must(t, want, gone)
		isAsBefore(t, v.machine, looks[to])
		v.hasNothingToDo(t, want)
		state = to
	}
	// Back to nothing, for the next resource.
	v.must(t, nil, slices.Concat(r.states["one"], r.states["two"]))
	isAsBefore(t, v.machine, looks["absent"])
	if len(r.below) > 0 {
		v.must(t, nil, r.below)
	}
}

// rehearse lets a driver go round undisturbed. It returns the blows to deal out on
// the way from each state, and what the host looks like in each.
func (v *victim) rehearse(t *testing.T, r resourceOn) (map[string][]blow, map[string]fingerprint) {
	t.Helper()
	blows, looks := map[string][]blow{}, map[string]fingerprint{}
	for i, state := range life {
		d := v.job(t, r, state).start(t, "")
		if err := d.verdict(5 * time.Minute); err != nil {
			t.Fatalf("%s %s, undisturbed: %v", operation[state], r.name, err)
		}
		looks[after(state)] = settled(t, v.machine)
		steps := d.steps(t)
		if full {
			for _, step := range steps {
				for _, s := range strikes {
					blows[state] = append(blows[state], blow{step, s})
				}
			}
			continue
		}
		// In turn, and from a third of the way on, each at a later one than the last.
		deadly := []strike{scriptKilled, providerKilled}[i%2]
		at := steps[(i+3)*len(steps)/9]
		blows[state] = []blow{{at, deadly}}
		if state == "one" {
			blows[state] = append(blows[state], blow{"every", connectionCutEverywhere})
		}
	}
	return blows, looks
}

func (v *victim) job(t *testing.T, r resourceOn, from string) job {
	j := newJob(t, v.machine, v.wire.port())
	j.Resource, j.From, j.To = r.name, from, after(from)
	return j
}

// strike deals out one blow, and returns whether the host is old or new then, or
// something in between, which fails the test.
func (v *victim) strike(t *testing.T, r resourceOn, from string, b blow, looks map[string]fingerprint) string {
	t.Helper()
	step, _, _ := strings.Cut(b.step, " ")
	started := time.Now()
	d, script := stopAt(t, v.machine, v.job(t, r, from), step)
	b.do(t, v, d, script)
	said := d.verdict(3 * time.Minute)
	outcome, now := v.outcome(t, script, looks[from], looks[after(from)])
	words := "(killed)"
	if b.name != providerKilled.name {
		words = "all is well"
		if said != nil {
			words = strings.Join(strings.Fields(said.Error()), " ")
		}
	}
	v.ledger.add(r.name, operation[from], b.step, b.name, outcome, words)
	name := fmt.Sprintf("%s %s, %s before step %s", operation[from], r.name, b.name, b.step)
	t.Logf("%s: after %.0f s %s; the provider said: %s", name, time.Since(started).Seconds(), outcome, words)
	switch {
	case outcome == "in between":
		t.Errorf("%s: host %s is neither old nor new. What is missing to new:\n%s\nto old:\n%s", name, v.Name, difference(now, looks[after(from)]), difference(now, looks[from]))
	case outcome == "old" && words == "all is well":
		t.Errorf("%s: the provider said that all is well, and the host is as it was", name)
	case said != nil && b.name != providerKilled.name && !strings.Contains(said.Error(), fmt.Sprintf("root@127.0.0.1:%d", v.wire.port())):
		t.Errorf("%s: the error does not say where: %v", name, said)
	}
	return outcome
}

// outcome waits until the script has ended, and then until the host is one or the
// other: keepalived takes some seconds for its part.
func (v *victim) outcome(t *testing.T, script int, before, afterwards fingerprint) (string, fingerprint) {
	t.Helper()
	over := fmt.Sprintf("[ ! -e %s ] || [ ! -d /proc/%d ] && echo over", host.FaultReached, script)
	eventually(t, 5*time.Minute, "the script on "+v.Name+" ends", func() bool { return exec(v.machine, over) == "over" })
	for deadline := time.Now().Add(settling); ; time.Sleep(300 * time.Millisecond) {
		now := fingerprintOf(t, v.machine)
		switch {
		case now.host == before.host:
			return "old", now
		case now.host == afterwards.host:
			return "new", now
		case time.Now().After(deadline):
			return "in between", now
		}
	}
}

// sufferWhilePackagesAreInstalled takes a minute for each blow, by the package
// manager alone. What that has done stays, so the host is neither old nor new; but
// the next apply must get on with it.
func (v *victim) sufferWhilePackagesAreInstalled(t *testing.T) {
	r := resourcesOn(v.Name)["director"]
	for _, s := range strikes {
		bare(t, v.Name)
		d, script := stopAt(t, v.machine, v.job(t, r, "absent"), "0.0")
		release(t, v.machine)
		eventually(t, 5*time.Minute, "packages are unpacked", func() bool { return exec(v.machine, "pgrep -x dpkg") != "" })
		s.do(t, v, d, script)
		said := d.verdict(5 * time.Minute)
		want, gone := r.change("absent", "one")
		v.must(t, want, gone)
		v.hasNothingToDo(t, want)
		if left := fingerprintOf(t, v.machine).left; left != "" {
			t.Errorf("%s while packages are installed: left behind:\n%s", s.name, left)
		}
		v.ledger.add(r.name, "create", "in install_packages", s.name, "new after the next apply", fmt.Sprint(said))
	}
}
