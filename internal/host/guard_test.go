package host

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Each guard undoes what the other one left, in the file and live.
func TestGuardsAreTheOppositeOfEachOther(t *testing.T) {
	for _, c := range []struct {
		from, to    Director
		sets, lifts []string
		daemon      string
	}{
		{redisDirector(), hashDirector(), []string{"set_sysctl net/ipv4/vs/backup_only 0", "set_sysctl net/ipv4/vs/sloppy_tcp 1"},
			[]string{"restore_sysctl net/ipv4/vs/sync_threshold", "restore_sysctl net/ipv4/vs/sync_refresh_period", "restore_sysctl net/ipv4/vs/sync_retries"}, "none"},
		{hashDirector(), redisDirector(), []string{"set_sysctl net/ipv4/vs/backup_only 1", "set_sysctl net/ipv4/vs/sync_refresh_period 10"},
			[]string{"restore_sysctl net/ipv4/vs/sloppy_tcp"}, "on eth0, syncid 51, in the role of the VRRP instance"},
	} {
		s := bareMachine().hold(c.from.Artifacts()).snapshot(t)
		equal(t, "guard on the host", s.LoopGuard(), c.from.Guard)
		text := strings.ReplaceAll(rendered(steps(s, deviating(c.to.Artifacts(), s), Obsolete(c.from.Artifacts(), c.to.Artifacts()))), "'", "")
		for _, want := range slices.Concat(c.sets, c.lifts) {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("to %s: no %q:\n%s", c.to.Guard, want, text)
			}
		}
		file := string(c.to.config().Render())
		equal(t, "lvs_sync_daemon", strings.Contains(file, "lvs_sync_daemon"), c.to.Guard == BackupOnly)
		equal(t, "daemon", Wanted(c.to.Artifacts())["ipvs sync daemon"], c.daemon)
	}
	if text := string(sysctlFile("", Hash.sysctls())); text != "net.ipv4.vs.backup_only = 0\nnet.ipv4.vs.sloppy_tcp = 1\n" {
		t.Errorf("the file is\n%s", text)
	}
}

func TestDriftOfTheHashGuardIsSeen(t *testing.T) {
	for key, change := range map[string]func(*machine){
		"sysctl net.ipv4.vs.backup_only": func(m *machine) { m.sysctls["net/ipv4/vs/backup_only"] = "1" },
		"sysctl net.ipv4.vs.sloppy_tcp":  func(m *machine) { m.sysctls["net/ipv4/vs/sloppy_tcp"] = "0" },
		"ipvs sync daemon":               func(m *machine) { m.hold([]Artifact{SyncRole{"eth0", 51}}) },
		"":                               func(*machine) {},
	} {
		m := bareMachine().hold(hashDirector().Artifacts())
		change(m)
		var keys []string
		for _, a := range deviating(hashDirector().Artifacts(), m.snapshot(t)) {
			keys = append(keys, a.Key())
		}
		equal(t, "drift", strings.Join(keys, ", "), key)
	}
}

func TestGuardThatTheKernelDoesNotKnowIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		guard  LoopGuard
		change func(*Snapshot)
		words  []string // empty: there is no problem
	}{
		"backup_only": {BackupOnly, func(*Snapshot) {}, nil},
		"no guard is backup_only": {"", func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.backup_only") },
			[]string{"without net.ipv4.vs.backup_only", `Set loop_guard = "hash"`, `scheduler_flags = ["mh-port"]`}},
		"backup_only, kernel without": {BackupOnly, func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.backup_only") },
			[]string{"without net.ipv4.vs.backup_only", `Set loop_guard = "hash"`}},
		"backup_only, kernel without sysctls": {BackupOnly, func(s *Snapshot) { clear(s.Sysctls) },
			[]string{"without net.ipv4.vs.backup_only, net.ipv4.vs.sync_threshold", "Let the host run a kernel that has it"}},
		"before ip_vs is loaded":           {BackupOnly, func(s *Snapshot) { clear(s.Sysctls); s.IPVSLoaded = false }, nil},
		"hash":                             {Hash, func(*Snapshot) {}, nil},
		"hash, kernel without backup_only": {Hash, func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.backup_only") }, nil},
		"hash, kernel without":             {Hash, func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.sloppy_tcp") }, []string{"without net.ipv4.vs.sloppy_tcp", "Let the host run a kernel"}},
		"hash, no mh":                      {Hash, func(s *Snapshot) { s.Schedulers = []string{"rr"} }, []string{"no module ip_vs_mh"}},
		"hash, schedulers not known":       {Hash, func(s *Snapshot) { s.Schedulers = nil }, nil},
	} {
		s := bareMachine().hold(hashDirector().Artifacts()).hold(redisDirector().Artifacts()).snapshot(t)
		c.change(s)
		d := redisDirector()
		d.Guard = c.guard
		problems := d.Check(s, false)
		equal(t, name+": problems", len(problems), min(len(c.words), 1))
		for _, p := range problems {
			equal(t, name+": attribute", strings.Join(p.Attribute, "."), "loop_guard")
			for _, w := range c.words {
				if !strings.Contains(p.Detail, w) {
					t.Errorf("%s: %q lacks %q", name, p.Detail, w)
				}
			}
		}
	}
}

func TestServiceMustHaveTheSchedulerOfTheHashGuard(t *testing.T) {
	service := func(scheduler string, flags ...string) VIP {
		v := redisVIP()
		v.Services[0].Scheduler, v.Services[0].SchedulerFlags = scheduler, flags
		return v
	}
	udp := service("mh", "mh-port")
	udp.Services[0].Protocol = keepalived.UDP
	for name, c := range map[string]struct {
		vip   VIP
		guard LoopGuard
		said  string // how the scheduler is called; empty: it fits
	}{
		"rr":              {service("rr"), Hash, "its scheduler is rr,"},
		"mh":              {service("mh"), Hash, "its scheduler is mh,"},
		"mh, other flag":  {service("mh", "mh-fallback"), Hash, "its scheduler is mh (mh-fallback),"},
		"sh":              {service("sh", "sh-port"), Hash, "its scheduler is sh (sh-port),"},
		"mh with port":    {service("mh", "mh-port"), Hash, ""},
		"both flags":      {service("mh", "mh-fallback", "mh-port"), Hash, ""},
		"UDP":             {udp, Hash, ""},
		"no services":     {VIP{VIP: keepalived.VIP{Address: redisVIP().Address}}, Hash, ""},
		"other guard":     {service("rr"), BackupOnly, ""},
		"mh, other guard": {service("mh", "mh-port"), BackupOnly, ""},
		"guard not known": {service("rr"), "", ""},
	} {
		problems := c.vip.CheckGuard("b", c.guard)
		equal(t, name+": problems", len(problems), map[bool]int{true: 1}[c.said != ""])
		for _, p := range problems {
			equal(t, name, p.Summary, "Scheduler Does Not Fit the Loop Guard")
			for _, w := range []string{c.said, `"redis"`, `host "b"`, `scheduler = "mh" and scheduler_flags = ["mh-port"]`} {
				if !strings.Contains(p.Detail, w) {
					t.Errorf("%s: %q lacks %q", name, p.Detail, w)
				}
			}
		}
	}
}

// At the apply the director is what it has become, whatever the plan saw of it.
func TestGuardOfTheDirectorOnTheHostIsHeldToAtTheApply(t *testing.T) {
	foreign := bareMachine().hold(hashDirector().Artifacts())
	foreign.files[keepalived.ConfigPath] = file("vrrp_instance theirs {\n}\n")
	edited := bareMachine().hold(hashDirector().Artifacts())
	edited.files[keepalived.ConfigPath] = ours("nonsense\n")
	for name, c := range map[string]struct {
		m     *machine
		guard LoopGuard
	}{
		"backup_only": {director(), BackupOnly},
		"hash":        {bareMachine().hold(hashDirector().Artifacts()), Hash},
		"no director": {bareMachine(), ""},
		"foreign":     {foreign, ""},
		"edited":      {edited, ""},
	} {
		s := c.m.snapshot(t)
		equal(t, name, s.LoopGuard(), c.guard)
		refused := slices.ContainsFunc(redisVIP().CheckDirector("a", s), func(p Problem) bool { return strings.Contains(p.Summary, "Loop Guard") })
		equal(t, name+": rr is refused", refused, c.guard == Hash)
		for _, p := range hashVIP().CheckDirector("a", s) {
			equal(t, name+": mh is refused for", p.Summary, "Not a Director")
		}
	}
}

func TestDirectorTellsOfServicesThatItsGuardDoesNotHoldFor(t *testing.T) {
	for name, c := range map[string]struct {
		d    Director
		on   []Artifact
		want string
	}{
		"no VIP":      {hashDirector(), nil, ""},
		"fits":        {hashDirector(), hashVIP().Artifacts(), ""},
		"other guard": {redisDirector(), redisVIP().Artifacts(), ""},
		"does not":    {hashDirector(), redisVIP().Artifacts(), `192.0.2.229: service "redis" with the scheduler rr`},
	} {
		warnings := c.d.Warnings(director().hold(c.on).snapshot(t))
		equal(t, name+": warnings", len(warnings), map[bool]int{true: 1}[c.want != ""])
		for _, w := range warnings {
			if !strings.Contains(w.Detail, c.want) {
				t.Errorf("%s: %q lacks %q", name, w.Detail, c.want)
			}
		}
	}
}

// A reload does not stop the daemon; keepalived's time is over, and it is stopped by
// hand.
func TestSyncDaemonThatAReloadLeavesIsStopped(t *testing.T) {
	inBubble(t, "hash", func(t *testing.T) {
		way := &scripted{machine: director()}
		way.onCommit = func(calls string) error {
			daemons := way.daemons
			way.machine = bareMachine().hold(hashDirector().Artifacts())
			if !strings.Contains(calls, "stop_sync_daemons") {
				way.daemons = daemons
			}
			return nil
		}
		want, gone := hashDirector().Artifacts(), Obsolete(redisDirector().Artifacts(), hashDirector().Artifacts())
		if _, err := New("a", way).Apply(t.Context(), want, gone); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(way.commits), 2)
		equal(t, "the first one reloads", strings.Contains(way.commits[0], "reload_keepalived"), true)
		equal(t, "the second one does not", fmt.Sprint(strings.Contains(way.commits[1], "reload_keepalived"), strings.Contains(way.commits[1], "stop_sync_daemons")), "false true")
	})
}
