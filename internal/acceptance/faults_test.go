//go:build acceptance

package acceptance

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// full asks for what takes long too: more and longer cases in the same tables.
var full = os.Getenv("REDISLB_TEST_FULL") != ""

// or chooses a number by it.
func or(normal, long int) int {
	if full {
		return long
	}
	return normal
}

//go:embed testdata/faults.sh
var faultsScript string

// fault is something wrong with a host: a function of faults.sh that causes it,
// and one heal_… that takes it away.
type fault struct {
	function string
	args     string
	// In the error, beside where and that everything was put back. None: there may
	// be no error, and the change made, for it may need nothing of what is missing.
	says []string
}

// TestFaults has its parts in one place because they begin with the same hosts: a
// director and real server each.
func TestFaults(t *testing.T) {
	furnished(t)
	for _, h := range hosts() {
		h.MustExec(t, "cat >/run/faults.sh <<'EOF'\n"+faultsScript+"\nEOF")
	}
	together(t, hosts(), func(h *lab.Host) error {
		d := directly(t, h)
		_, err := d.Apply(t.Context(), all(h.Name, "one", "director", "realserver"), nil)
		return err
	})
	t.Run("LeaveTheHostAsItWas", func(t *testing.T) {
		t.Run("a", func(t *testing.T) {
			t.Parallel()
			leaveTheHostAsItWas(t, hostA(),
				fault{"package_manager_locked", fmt.Sprint(or(1, 120)), []string{"install ipvsadm", "/var/lib/dpkg/lock-frontend", "held by process"}},
				fault{"sources_broken", "", []string{"install ipvsadm", "nowhere"}},
				fault{"nothing_installed", "", []string{"install ipvsadm", "ipvsadm is still missing"}},
				fault{"configuration_rejected", "", []string{"check the configuration of keepalived", "Unknown keyword 'frobnicate'"}},
				fault{"reload_hangs", fmt.Sprint(or(5, 65)), []string{"reload keepalived"}},
			)
		})
		t.Run("b", func(t *testing.T) {
			t.Parallel()
			leaveTheHostAsItWas(t, hostB(),
				fault{"full", "/etc/keepalived", []string{"No space left on device"}},
				fault{"full", "/var/lib/redislb", nil},
				fault{"full_root", "", []string{"full"}},
				fault{"read_only", "/etc", []string{"Read-only file system"}},
				fault{"read_only", "/var/lib", []string{"Read-only file system"}},
			)
			t.Run("ClockJumps", clockJumps)
		})
	})
	t.Run("AnotherHostKeyOnTheWire", anotherHostKeyOnTheWire)
	t.Run("ManyProvidersAtOnce", manyProvidersAtOnce)
}

// leaveTheHostAsItWas makes the same change under each fault, and at last without.
func leaveTheHostAsItWas(t *testing.T, h *lab.Host, faults ...fault) {
	d := directly(t, h)
	healthy := settled(t, h)
	old, want := all(h.Name, "one", "director", "realserver"), all(h.Name, "two", "director", "realserver")
	gone := host.Obsolete(old, want)
	for _, f := range faults {
		t.Run(strings.TrimSpace(f.function+" "+f.args), func(t *testing.T) {
			h.MustExec(t, ". /run/faults.sh; "+f.function+" "+f.args)
			heal := func() { h.MustExec(t, ". /run/faults.sh; heal_"+f.function+" "+f.args) }
			ill := fingerprintOf(t, h)
			started := time.Now()
			_, err := d.Apply(t.Context(), want, gone)
			t.Logf("after %.1f s: %v", time.Since(started).Seconds(), err)
			if err == nil {
				if f.says != nil {
					t.Error("the change was made all the same: this fault proves nothing")
				}
				heal()
				d.hasNothingToDo(t, want)
				d.must(t, old, host.Obsolete(want, old))
				isAsBefore(t, h, healthy)
				return
			}
			for _, words := range append(f.says, d.Target()) {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the error does not say %q", words)
				}
			}
			isAsBefore(t, h, ill)
			heal()
			isAsBefore(t, h, healthy)
		})
	}
	d.must(t, want, gone)
	d.hasNothingToDo(t, want)
	d.must(t, old, host.Obsolete(want, old))
	isAsBefore(t, h, healthy)
}

// clockJumps moves host b's clock in the middle of a change, and back between a
// plan and its apply.
func clockJumps(t *testing.T) {
	h := hostB()
	d := directly(t, h)
	director := resourcesOn(h.Name)["director"]
	one := settled(t, h)
	jump := func(d time.Duration) {
		h.MustExec(t, fmt.Sprintf("date -s @$(($(date +%%s) + %d))", int(d.Seconds())))
	}
	const year = 365 * 24 * time.Hour
	jumps := []time.Duration{-year}
	if full {
		jumps = append(jumps, -time.Hour, time.Hour, year)
	}
	var two fingerprint
	for _, by := range jumps {
		t.Run(fmt.Sprintf("%vh", by.Hours()), func(t *testing.T) {
			j := newJob(t, h, h.SSHPort)
			j.Resource, j.From, j.To = director.name, "one", "two"
			process, _ := stopAt(t, h, j, "0.1")
			jump(by)
			release(t, h)
			if err := process.verdict(2 * time.Minute); err != nil {
				t.Errorf("the clock jumped by %v during an apply: %v", by, err)
			}
			if two == (fingerprint{}) {
				two = settled(t, h)
			}
			isAsBefore(t, h, two)

			if _, err := d.Observe(t.Context()); err != nil {
				t.Fatal(err)
			}
			jump(-by)
			want, gone := director.change("two", "one")
			d.must(t, want, gone)
			isAsBefore(t, h, one)
			d.hasNothingToDo(t, want)
		})
	}
}

// stopAt starts a driver and waits until its script on the host stands before the
// step, or the first of every step; it returns the script's process there too.
func stopAt(t *testing.T, h *lab.Host, j job, step string) (*driver, int) {
	t.Helper()
	h.MustExec(t, "rm -f "+host.FaultReached)
	process := j.start(t, step)
	pid := 0
	eventually(t, 2*time.Minute, "the script on "+h.Name+" stops before step "+step, func() bool {
		pid, _ = standing(h)
		if pid == 0 && !process.running() {
			t.Fatalf("the driver ended before step %s: %v", step, process.verdict(0))
		}
		return pid != 0
	})
	return process, pid
}

// standing waits for a script that stands on the host, and returns it and the step
// that it stands before; 0 where there is none for some seconds. The host does the
// waiting: a command there takes an emulated machine half a second.
func standing(h *lab.Host) (pid int, step string) {
	_, _ = fmt.Sscan(exec(h, fmt.Sprintf("for i in 1 2 3 4 5 6 7 8 9 10; do [ ! -e %s ] || exec cat %s; sleep 0.3; done", host.FaultHold, host.FaultReached)), &pid, &step)
	return pid, step
}

// release lets the script go on.
func release(t *testing.T, h *lab.Host) {
	t.Helper()
	h.MustExec(t, "rm -f "+host.FaultHold)
}

// Another machine may answer at the host's address, from the beginning or when a
// connection is made again: it gets no credential.
func anotherHostKeyOnTheWire(t *testing.T) {
	impostor := remotetest.NewServer(t, remotetest.Options{Password: "s3cret"})
	h := hostA()
	before := settled(t, h)
	wire := newProxy(t, net.JoinHostPort("127.0.0.1", fmt.Sprint(h.SSHPort)))
	j := newJob(t, h, wire.port())
	cfg := sshConfig(t, h)
	cfg.Port, cfg.KnownHosts, cfg.KnownHostsFiles, cfg.Password = j.Port, []byte(j.KnownHosts), nil, "s3cret"
	d := reach(cfg)
	defer d.conn.Close()
	if _, err := d.Observe(t.Context()); err != nil {
		t.Fatalf("the host itself is not reached: %v", err)
	}
	wire.lead(impostor.Addr())
	wire.cut()
	anew := reach(cfg)
	defer anew.conn.Close()
	for name, d := range map[string]direct{"a connection made again": d, "a first connection": anew} {
		_, err := d.Apply(t.Context(), all(h.Name, "two", "realserver"), nil)
		if err == nil || !strings.Contains(err.Error(), "THE HOST KEY IS NOT THE KNOWN ONE") || !strings.Contains(err.Error(), d.Target()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if impostor.Connections() < 2 {
		t.Errorf("the impostor got %d connections: this proves nothing", impostor.Connections())
	}
	if n := impostor.AuthAttempts() + impostor.Passwords(); n != 0 {
		t.Errorf("the impostor got %d attempts to log in", n)
	}
	isAsBefore(t, h, before)
}

// Many plans and some applies of several providers meet on one host: each comes
// to its end, and no change is lost.
func manyProvidersAtOnce(t *testing.T) {
	h := hostA()
	applies, plans := or(3, 5), or(10, 50)
	h.MustExec(t, "journalctl --rotate -q; journalctl -q --vacuum-time=1s; true")
	var drivers []*driver
	var want []host.Artifact
	for i := range plans + applies {
		j := newJob(t, h, h.SSHPort)
		j.DialTimeout = 10 * time.Minute // an emulated host takes a second for each handshake
		if i%(plans/applies+1) == 0 && len(want) < applies*len(all(h.Name, "one", "vip-0")) {
			j.Resource, j.From, j.To = fmt.Sprintf("vip-%d", len(want)/len(all(h.Name, "one", "vip-0"))), "absent", "one"
			want = append(want, all(h.Name, "one", j.Resource)...)
		}
		drivers = append(drivers, j.start(t, ""))
	}
	started := time.Now()
	for _, d := range drivers {
		if err := d.verdict(10 * time.Minute); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d plans and %d applies at once took %.0f s; sshd said: %s", plans, applies, time.Since(started).Seconds(),
		h.MustExec(t, "journalctl -q -u ssh -o cat | grep -c -i -e 'drop connection' -e MaxStartups; true"))
	settled(t, h)
	if got := h.MustExec(t, "ipvsadm -Sn | grep -c -- '^-A'; ls /etc/keepalived/redislb/vip-*.services.conf | wc -l"); got != fmt.Sprintf("%d\n%d", applies, applies) {
		t.Errorf("of %d VIPs there are these services and files: %s", applies, got)
	}
	d := directly(t, h)
	d.hasNothingToDo(t, want)
	if left := fingerprintOf(t, h).left; left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}
