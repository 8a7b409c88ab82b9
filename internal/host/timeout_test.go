package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// timeoutsOf are the artifacts of them, as "KEY: FOUND of WANT".
func timeoutsOf(d Director, s *Snapshot) string {
	var lines []string
	for _, a := range d.Artifacts() {
		if timeout, ok := a.(IPVSTimeout); ok {
			found, _ := a.Found(s)
			lines = append(lines, strings.TrimPrefix(timeout.Key(), "ipvs timeout ")+": "+found+" of "+a.Want())
		}
	}
	return strings.Join(lines, ", ")
}

func TestOnlyTheTimeoutsThatAreNamedAreManaged(t *testing.T) {
	d := patientDirector()
	equal(t, "before the first apply", timeoutsOf(d, director().snapshot(t)), "tcp:  of 3600 s, udp:  of 30 s")
	m := bareMachine().hold(d.Artifacts())
	m.timeouts[1] = 7 // nobody's
	equal(t, "as wanted", timeoutsOf(d, m.snapshot(t)), "tcp: 3600 s of 3600 s, udp: 30 s of 30 s")
	equal(t, "differences", len(deviating(d.Artifacts()[:len(d.Artifacts())-1], m.snapshot(t))), 0)
	m.timeouts = [3]int64{100, 7, 30}
	equal(t, "changed by hand", timeoutsOf(d, m.snapshot(t)), "tcp: 100 s of 3600 s, udp: 30 s of 30 s")
	equal(t, "none is wanted", timeoutsOf(redisDirector(), m.snapshot(t)), "")
	d.VRRP.Timeouts.TCPFin = time.Minute
	equal(t, "a further one is not ours yet", timeoutsOf(d, m.snapshot(t)), "tcp: 100 s of 3600 s, tcpfin:  of 60 s, udp: 30 s of 30 s")
}

func TestTimeoutsThatNobodyCouldTellAreNone(t *testing.T) {
	var s Snapshot
	for text, bad := range map[string]bool{
		"/b/ipvs.timeout.tcp": false, "": false,
		"/b/ipvs.timeout.tcp\nTimeout (tcp tcpfin udp): 900 120": true, "/b/ipvs.timeout.tcp\nTimeout: 1 2 3": true,
	} {
		if err := s.parseTimeouts(text); (err != nil) != bad || len(s.IPVSTimeouts) > 0 {
			t.Errorf("%q: %v, %v", text, err, s.IPVSTimeouts)
		}
	}
}

// The part of probe.sh that asks for them, with a folder for a root.
func TestProbeAsksForTimeoutsWhereWeHaveSetOneAlone(t *testing.T) {
	root := t.TempDir()
	_, part, _ := strings.Cut(probe, "ipvsadm -Ln --thresholds\n\t\tfi\n")
	part, _, _ = strings.Cut(part, "echo '== address before'")
	part = "ipvsadm() { echo \"ipvsadm $*\"; }\n" + strings.ReplaceAll(part, "/var/", root+"/var/")
	told := func() string {
		out, err := exec.Command("sh", "-c", part).CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(out), root, "")
	}
	equal(t, "where none is set", told(), "")
	before := filepath.Join(root, "var/lib/redislb/before")
	if err := os.MkdirAll(before, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ipvs.timeout.udp", "ipvs.timeout.tcp", "unit.keepalived.service"} {
		if err := os.WriteFile(filepath.Join(before, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "where two are", told(), "== ipvs timeouts\n/var/lib/redislb/before/ipvs.timeout.tcp /var/lib/redislb/before/ipvs.timeout.udp\nipvsadm -L --timeout\n")
}

func TestTimeoutIsRememberedFromBeforeTheFirstChangeAndPutBackAtTheEnd(t *testing.T) {
	w := newWorld(t)
	w.write("proc/timeouts", "900 120 300\n", 0o644)
	before := w.tree()
	w.ok(call("note_ipvs_timeout", "tcp"))
	w.write("proc/timeouts", "3600 120 300\n", 0o644) // keepalived
	w.ok(call("set_ipvs_timeout", "tcp", "1800"), call("set_ipvs_timeout", "udp", "30"))
	equal(t, "live", w.read("proc/timeouts"), "1800 120 30\n")
	set := w.tree()
	w.fails([]string{"everything was put back"}, call("set_ipvs_timeout", "tcp", "60"), call("set_ipvs_timeout", "tcpfin", "1"), call("fail", "no"))
	w.same(set, w.tree())
	w.fails([]string{"everything was put back"}, call("restore_ipvs_timeout", "tcp"), call("fail", "no"))
	w.same(set, w.tree())
	w.write("proc/timeouts", "1800 7 30\n", 0o644) // by hand: that of nobody stays
	w.ok(call("restore_ipvs_timeout", "tcp"), call("restore_ipvs_timeout", "udp"))
	equal(t, "put back", w.read("proc/timeouts"), "900 7 300\n")
	w.ok(call("restore_ipvs_timeout", "tcp"), call("restore_ipvs_timeout", "tcpfin"))
	equal(t, "a second time changes nothing", w.read("proc/timeouts"), "900 7 300\n")
	w.write("proc/timeouts", "900 120 300\n", 0o644)
	w.same(before, w.tree())
}

func TestTimeoutIsNotSetWhereWhatItWasBeforeCannotBeTold(t *testing.T) {
	w := newWorld(t)
	w.write("bin/ipvsadm", "#!/bin/sh\nexit 0\n", 0o755)
	before := w.tree()
	w.fails([]string{"note the timeout udp of IPVS", "tells none"}, call("set_ipvs_timeout", "udp", "30"))
	w.same(before, w.tree())
}

func TestTimeoutsGoWithTheModuleAndAreForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		rmmod     string
		forgotten bool
	}{
		"it goes":        {`rm -f "$root/proc/net/ip_vs"`, true},
		"it is in use":   {"exit 1", false},
		"it is built in": {":", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ok(call("load_module", "ip_vs"), call("set_ipvs_timeout", "udp", "30"))
			w.write("bin/rmmod", "#!/bin/sh\nroot='"+w.root+"'\n"+c.rmmod+"\n", 0o755)
			w.ok(call("unload_module", "ip_vs"))
			equal(t, "forgotten", !w.exists("var/lib/redislb/before/ipvs.timeout.udp"), c.forgotten)
		})
	}
}

// keepalived sets them, or puts back what it found, at a reload, a moment after that was
// asked for: so it has the first word, and we the last.
func TestTimeoutsAreLeftToKeepalivedFirst(t *testing.T) {
	patient, plain := patientDirector().Artifacts(), redisDirector().Artifacts()
	for name, c := range map[string]struct {
		have, want []Artifact
		keepalived bool // does its part
		then       string
	}{
		"set by keepalived": {plain, patient, true, ""},
		"set by us":         {plain, patient, false, "set_ipvs_timeout tcp 3600\nset_ipvs_timeout udp 30\n"},
		"taken away":        {patient, plain, true, "restore_ipvs_timeout tcp\nrestore_ipvs_timeout udp\n"},
	} {
		inBubble(t, name, func(t *testing.T) {
			way := &scripted{machine: bareMachine().hold(c.have)}
			began := time.Now()
			way.onCommit = func(calls string) error {
				next := bareMachine().hold(c.want)
				switch {
				case strings.Contains(calls, "reload_keepalived"):
					if !c.keepalived {
						next.timeouts = way.timeouts
					}
					next.noted = slices.Concat(way.noted, next.noted)
					way.machine = next
				case time.Since(began) < patience:
					t.Errorf("after %v:\n%s", time.Since(began), calls)
				default:
					way.machine = next
				}
				return nil
			}
			if _, err := New("a", way).Apply(t.Context(), c.want, Obsolete(c.have, c.want)); err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(way.commits) > 1 {
				got = way.commits[1]
			}
			if len(way.commits) > 2 || !strings.Contains(got, c.then) || (got == "") != (c.then == "") {
				t.Errorf("commits %q, the second one wants %q", way.commits, c.then)
			}
		})
	}
}

func TestForeignTimeoutsAreAdopted(t *testing.T) {
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file("global_defs {\nlvs_timeouts tcp 3600\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.229/24\n}\n}\n")
	d, err := DirectorOn(m.snapshot(t))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "timeouts", d.VRRP.Timeouts, keepalived.IPVSTimeouts{TCP: time.Hour})
	if _, lost := m.snapshot(t).foreignVIPs(); len(lost) > 0 {
		t.Errorf("lost: %q", lost)
	}
}
