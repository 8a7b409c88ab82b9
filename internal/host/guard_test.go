package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
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
		{redisDirector(), swapDirector(), []string{"set_sysctl net/ipv4/vs/backup_only 0"},
			[]string{"restore_sysctl net/ipv4/vs/sync_threshold", "restore_sysctl net/ipv4/vs/sync_refresh_period", "restore_sysctl net/ipv4/vs/sync_retries"}, "none"},
		{swapDirector(), redisDirector(), []string{"set_sysctl net/ipv4/vs/backup_only 1"}, nil, "on eth0, syncid 51, in the role of the VRRP instance"},
		{hashDirector(), swapDirector(), nil, []string{"restore_sysctl net/ipv4/vs/sloppy_tcp"}, "none"},
		{redisDirector(), macDirector(), []string{"set_sysctl net/ipv4/vs/backup_only 0"}, nil, "master and backup on eth0, syncid 51"},
		{macDirector(), redisDirector(), []string{"set_sysctl net/ipv4/vs/backup_only 1"}, nil, "on eth0, syncid 51, in the role of the VRRP instance"},
		{hashDirector(), macDirector(), []string{"set_sysctl net/ipv4/vs/sync_refresh_period 10"}, []string{"restore_sysctl net/ipv4/vs/sloppy_tcp"}, "master and backup on eth0, syncid 51"},
		{macDirector(), swapDirector(), nil, []string{"restore_sysctl net/ipv4/vs/sync_retries"}, "none"},
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
		equal(t, "swap.sh", Wanted(c.to.Artifacts())["file "+keepalived.SwapScript] != "", c.to.Guard == ConfigSwap)
		equal(t, "services by way of another file", strings.Contains(file, "\ninclude "+keepalived.ServicesPath+"\n"), c.to.Guard == ConfigSwap)
		equal(t, "services at once", strings.Contains(file, "\ninclude /etc/keepalived/redislb/vip-*.services.conf\n"), c.to.Guard != ConfigSwap)
		equal(t, "a start without services", strings.Contains(Wanted(c.to.Artifacts())["file "+keepalivedDropIn], "\nExecStartPre=-/etc/keepalived/redislb/swap.sh START\n"), c.to.Guard == ConfigSwap)
		equal(t, "lvs_sync_daemon", strings.Contains(file, "lvs_sync_daemon"), c.to.Guard == BackupOnly || c.to.Guard == SourceMAC)
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
		"ipvs sync daemon":               func(m *machine) { m.hold([]Artifact{SyncRole{Interface: "eth0", ID: 51}}) },
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
			[]string{"without net.ipv4.vs.backup_only", `Set loop_guard = "source_mac"`}},
		"backup_only, kernel without": {BackupOnly, func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.backup_only") },
			[]string{"without net.ipv4.vs.backup_only", `Set loop_guard = "source_mac"`}},
		"source_mac":                             {SourceMAC, func(*Snapshot) {}, nil},
		"source_mac, kernel without backup_only": {SourceMAC, func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.backup_only") }, nil},
		"source_mac, kernel without sync": {SourceMAC, func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.sync_retries") },
			[]string{"without net.ipv4.vs.sync_retries", `Set loop_guard = "hash"`, `scheduler_flags = ["mh-port"]`}},
		"backup_only, kernel without sysctls": {BackupOnly, func(s *Snapshot) { clear(s.Sysctls) },
			[]string{"without net.ipv4.vs.backup_only, net.ipv4.vs.sync_threshold", `Set loop_guard = "config_swap"`, "or let the host run a kernel that has it"}},
		"config_swap, kernel without any":  {ConfigSwap, func(s *Snapshot) { clear(s.Sysctls) }, nil},
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
		"config_swap":     {service("rr"), ConfigSwap, ""},
		"mh, other guard": {service("mh", "mh-port"), BackupOnly, ""},
		"guard not known": {service("rr"), "", ""},
		"source_mac":      {service("rr"), SourceMAC, ""},
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
		"config_swap": {bareMachine().hold(swapDirector().Artifacts()), ConfigSwap},
		"source_mac":  {bareMachine().hold(macDirector().Artifacts()), SourceMAC},
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
		"marked":      {macDirector(), macVIP(t).Artifacts(), ""},
		"not marked":  {macDirector(), redisVIP().Artifacts(), "192.0.2.229: nothing marks what other directors send to it"},
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

// What is in the kernel of a director with the guard config_swap follows its role, and so
// does what is drift.
func TestSwappedServicesAreOnTheMasterAlone(t *testing.T) {
	holds := func(m *machine) {
		m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: redisVIP().Address, Label: "eth0"})
	}
	none := func(m *machine) { m.table = nil }
	other := func(m *machine) { m.table = ipvs.Table{redisRow(without(serverB))} }
	unconfigured := func(m *machine) { delete(m.files, keepalived.VIPServicesPath(vip)) }
	rows := redisRow().Canonical()
	for name, c := range map[string]struct {
		change  []func(*machine)
		found   string // empty: absent
		healing string // what ipvsadm is told
	}{
		"master with rows":                {[]func(*machine){holds}, "# on the master, not on a backup\n" + rows, ""},
		"master without":                  {[]func(*machine){holds, none}, "", "-A -t 192.0.2.229:6379 -s rr"},
		"master with others":              {[]func(*machine){holds, other}, "# on the master, not on a backup\n" + redisRow(without(serverB)).Canonical(), "-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1"},
		"backup without":                  {[]func(*machine){none}, "# on the master, not on a backup\n" + rows, ""},
		"backup with rows":                {nil, "# on a backup\n" + rows, "-D -t 192.0.2.229:6379"},
		"backup without, not configured":  {[]func(*machine){none, unconfigured}, "", ""},
		"master with, no more configured": {[]func(*machine){holds, unconfigured}, "# on the master, not on a backup\n" + rows, ""},
	} {
		m := bareMachine().hold(swapDirector().Artifacts()).hold(swapVIP().Artifacts())
		for _, change := range c.change {
			change(m)
		}
		s := m.snapshot(t)
		row := swapVIP().virtualService(swapVIP().Services[0])
		found, ok := row.Found(s)
		equal(t, name, found, c.found)
		equal(t, name+": is there", ok, c.found != "")
		if c.healing != "" {
			if text := rendered(steps(s, deviating([]Artifact{row}, s), nil)); !strings.Contains(text, "edit_ipvs") || !strings.Contains(text, "#   "+c.healing+"\n") {
				t.Errorf("%s: healed by\n%s", name, text)
			}
		} else if c.found == row.Want() {
			equal(t, name+": drift", len(deviating([]Artifact{row}, s)), 0)
		}
		for _, excuse := range []func(*Snapshot){func(s *Snapshot) { s.Moving = true }} {
			excuse(s)
			if slices.Contains([]string{"master without", "backup with rows", "backup without", "master with rows"}, name) {
				equal(t, name+", on its way: drift", len(deviating([]Artifact{row}, s)), 0)
			}
		}
	}
}

// A failover by itself changes what is found of no artifact.
func TestFailoverUnderConfigSwapIsNoDrift(t *testing.T) {
	all := slices.Concat(swapDirector().Artifacts(), swapVIP().Artifacts())
	master := bareMachine().hold(all)
	master.addresses = append(master.addresses, Address{Device: "eth0", Prefix: redisVIP().Address, Label: "eth0"})
	backup := bareMachine().hold(all)
	backup.table = nil
	for name, m := range map[string]*machine{"master": master, "backup": backup} {
		s := m.snapshot(t)
		equal(t, name, string(s.Role()), name)
		for _, a := range deviating(all, s) {
			found, _ := a.Found(s)
			t.Errorf("%s: %s is %q", name, a.Key(), found)
		}
	}
}

// The service goes on both, and nothing of it is left to wait for on the backup, which
// never had it.
func TestSwappedServiceThatIsRemovedLeavesNothing(t *testing.T) {
	m := bareMachine().hold(swapDirector().Artifacts()).hold(swapVIP().Artifacts())
	m.table = nil
	row := []Artifact{swapVIP().virtualService(swapVIP().Services[0])}
	equal(t, "before", len(remains(row, m.snapshot(t))), 1)
	equal(t, "steps", len(steps(m.snapshot(t), nil, row)), 0)
	bare := swapVIP()
	bare.Services = nil
	equal(t, "after", len(remains(row, m.hold(bare.Artifacts()).snapshot(t))), 0)
}

func TestGuardThatIsLeftOutFollowsTheKernel(t *testing.T) {
	none := func(s *Snapshot) { delete(s.Sysctls, "net.ipv4.vs.backup_only") }
	hidden := func(s *Snapshot) { clear(s.Sysctls) }
	notLoaded := func(s *Snapshot) { clear(s.Sysctls); s.IPVSLoaded = false }
	for name, c := range map[string]struct {
		change func(*Snapshot) // nil: the host was not looked at
		before LoopGuard
		want   LoopGuard
		said   bool
	}{
		"kernel with":                          {func(*Snapshot) {}, "", BackupOnly, false},
		"kernel with, another before":          {func(*Snapshot) {}, Hash, BackupOnly, false},
		"kernel with, chosen before":           {func(*Snapshot) {}, ConfigSwap, BackupOnly, false},
		"kernel without":                       {none, BackupOnly, ConfigSwap, true},
		"kernel without, chosen before":        {none, ConfigSwap, ConfigSwap, false},
		"kernel without any":                   {hidden, BackupOnly, ConfigSwap, true},
		"before ip_vs is loaded":               {notLoaded, BackupOnly, BackupOnly, false},
		"ip_vs not loaded, chosen before":      {notLoaded, ConfigSwap, ConfigSwap, false},
		"host not looked at":                   {nil, BackupOnly, BackupOnly, false},
		"host not looked at, chosen before":    {nil, ConfigSwap, ConfigSwap, false},
		"host not looked at, another one then": {nil, Hash, BackupOnly, false},
	} {
		var s *Snapshot
		if c.change != nil {
			s = director().snapshot(t)
			c.change(s)
		}
		got, warnings := GuardLeftOut(s, c.before)
		equal(t, name, got, c.want)
		equal(t, name+": warnings", len(warnings), boolInt(c.said))
		for _, w := range warnings {
			for _, words := range []string{"without net.ipv4.vs.backup_only", `gets "config_swap"`, `loop_guard = "source_mac"`, "write it out"} {
				if !strings.Contains(w.Detail, words) {
					t.Errorf("%s: %q lacks %q", name, w.Detail, words)
				}
			}
		}
		if s != nil && s.IPVSLoaded { // what is chosen is not refused
			equal(t, name+": problems", len(got.check(s)), 0)
		}
	}
}

func TestTunnelsDoNotFitSourceMAC(t *testing.T) {
	v := redisVIP()
	v.Services[0].Forwarding = keepalived.TUN
	for _, guard := range []LoopGuard{SourceMAC, BackupOnly} {
		problems := v.CheckGuard("b", guard)
		equal(t, string(guard)+": problems", len(problems), boolInt(guard == SourceMAC))
		for _, p := range problems {
			equal(t, "summary", p.Summary, "Forwarding Does Not Fit the Loop Guard")
		}
	}
}

// What a director has of source_mac is found again, and every change of it is seen.
func TestDriftOfTheSourceMACGuardIsSeen(t *testing.T) {
	v := macVIP(t)
	all := slices.Concat(macDirector().Artifacts(), v.Artifacts())
	mark := v.Peers.Mark()
	const marks = "nftables mark of peers of 192.0.2.229"
	for name, c := range map[string]struct {
		change func(*machine)
		keys   string
	}{
		"nothing":              {func(*machine) {}, ""},
		"one MAC among others": {func(m *machine) { m.marks = strings.ReplaceAll(m.marks, "{ 52:54:00:00:00:0c }", "52:54:00:00:00:0c") }, ""}, // as nft lists it
		"no rule":              {func(m *machine) { m.marks = "" }, marks},
		"another MAC":          {func(m *machine) { m.marks = strings.ReplaceAll(m.marks, ":0c", ":0d") }, marks},
		"a MAC more":           {func(m *machine) { m.marks = strings.ReplaceAll(m.marks, ":0c }", ":0c, 52:54:00:00:00:0d }") }, marks},
		"another mark":         {func(m *machine) { m.marks = strings.ReplaceAll(m.marks, "set 0x", "set 0x1") }, marks},
		"another rule":         {func(m *machine) { m.marks = strings.ReplaceAll(m.marks, "ether saddr", "tcp dport 1 ether saddr") }, marks},
		"no virtual server":    {func(m *machine) { m.table = m.table[:1] }, fmt.Sprintf("ipvs fwmark %d", mark)},
		"a server beside": {func(m *machine) {
			m.table[1].Destinations = append(slices.Clone(m.table[1].Destinations), ipvs.Destination{Address: serverB.Addr(), Weight: 1})
		}, fmt.Sprintf("ipvs fwmark %d", mark)},
		"one daemon":     {func(m *machine) { _, m.daemons, _ = strings.Cut(m.daemons, "\n") }, "ipvs sync daemon"},
		"no daemon":      {func(m *machine) { m.daemons = "" }, "ipvs sync daemon"},
		"another syncid": {func(m *machine) { m.daemons = strings.Replace(m.daemons, "syncid=51", "syncid=52", 1) }, "ipvs sync daemon"},
		"file":           {func(m *machine) { delete(m.files, keepalived.VIPMarksPath(vip)) }, "file " + keepalived.VIPMarksPath(vip)},
	} {
		m := bareMachine().hold(all)
		c.change(m)
		var keys []string
		for _, a := range deviating(all, m.snapshot(t)) {
			keys = append(keys, a.Key())
		}
		equal(t, name, strings.Join(keys, ", "), c.keys)
	}
}

func TestPeersAreKnownByTheirInterfacesOnTheNetworkOfTheVIP(t *testing.T) {
	on := func(change func(a, b *Snapshot)) (VIP, []Problem) {
		pair := pairOnTheWire(t)
		change(pair["a"], pair["b"])
		return redisVIP().Among("a", SourceMAC, pair), redisVIP().CheckPeers("a", SourceMAC, pair)
	}
	held := Address{Device: "eth0", Prefix: redisVIP().Address, Label: "eth0", Secondary: true}
	for name, c := range map[string]struct {
		change func(a, b *Snapshot)
		macs   string
		said   string
	}{
		"as they are":         {func(*Snapshot, *Snapshot) {}, "52:54:00:00:00:0c", ""},
		"the VIP on the peer": {func(_, b *Snapshot) { b.Addresses = append(b.Addresses, held) }, "52:54:00:00:00:0c", ""},
		"the VIP on itself":   {func(a, _ *Snapshot) { a.Addresses = append([]Address{held}, a.Addresses...) }, "52:54:00:00:00:0c", ""},
		"two interfaces there": {func(_, b *Snapshot) {
			b.Addresses = append(b.Addresses, Address{Device: "eth1", Prefix: netip.MustParsePrefix("192.0.2.13/24")})
		}, "52:54:00:00:00:0c 52:54:00:00:01:0c", ""},
		"peer without Ethernet": {func(_, b *Snapshot) { clear(b.MACs) }, "", `host "b" has no Ethernet interface`},
		"peer elsewhere":        {func(_, b *Snapshot) { b.Addresses = b.Addresses[2:] }, "", `host "b" has no Ethernet interface`},
		"itself elsewhere":      {func(a, _ *Snapshot) { a.Addresses = a.Addresses[2:] }, "", `host "a" has no Ethernet interface`},
	} {
		v, problems := on(c.change)
		equal(t, name+": problems", len(problems), boolInt(c.said != ""))
		for _, p := range problems {
			if !strings.Contains(p.Detail, c.said) {
				t.Errorf("%s: %q lacks %q", name, p.Detail, c.said)
			}
		}
		if equal(t, name+": known", v.Peers != nil, c.said == ""); v.Peers != nil {
			equal(t, name, strings.Join(v.Peers.MACs, " "), c.macs)
			equal(t, name+": own", v.Peers.Own, serverA.Addr())
		}
	}
	equal(t, "alone", redisVIP().Among("a", SourceMAC, map[string]*Snapshot{"a": pairOnTheWire(t)["a"]}).Peers == nil, true)
	equal(t, "another guard", redisVIP().Among("a", BackupOnly, pairOnTheWire(t)).Peers == nil, true)
}
