package host

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestWhatIsNeitherDriftNorAsItShouldBeIsTold(t *testing.T) {
	type hosts = map[string]*machine
	down := "[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 DOWN"
	for name, c := range map[string]struct {
		change func(hosts)
		vip    func(*VIP)
		want   string // summaries
		says   []string
	}{
		"all is well":      {func(hosts) {}, nil, "", nil},
		"a server is down": {func(h hosts) { h["a"].health, h["b"].health = down, down }, nil, "Real Server Is Down", []string{`"b" (192.0.2.12:6379)`, `the directors ["a" "b"]`, "(tcp)"}},
		"since when": {func(h hosts) {
			h["a"].health, h["b"].health = "now 1795702200\n"+down+" 1795701787", "now 1795709999\n"+down+" 1795709998"
		}, nil, "Real Server Is Down", []string{`(tcp) on the directors ["a" "b"], down since 2026-11-26 14:03:07 UTC (6m). keepalived`}},
		"since when, by a clock that was set back": {func(h hosts) { h["a"].health = "now 1795701786\n" + down + " 1795701787" }, nil, "Real Server Is Down", []string{`(tcp) on the director "a". keepalived`}},
		"on one director":                          {func(h hosts) { h["b"].health = down }, nil, "Real Server Is Down", []string{`the director "b"`}},
		"not checked yet":                          {func(h hosts) { h["a"].health = strings.Replace(down, "DOWN", "NEW 4000000000", 1) }, nil, "", nil},
		"of another VIP":                           {func(h hosts) { h["a"].health = strings.Replace(down, "229", "230", 1) }, nil, "", nil},
		"drained":                                  {func(h hosts) { h["a"].health = down }, func(v *VIP) { v.Services[0].RealServers[1].Weight = 0 }, "", nil},
		"no quorum":                                {func(h hosts) { h["a"].health = "[192.0.2.229]:tcp:6379 DOWN" }, nil, "Service Has Lost Its Quorum", []string{"nothing stands in"}},
		"a sorry server":                           {func(h hosts) { h["a"].health = "[192.0.2.229]:tcp:6379 DOWN" }, func(v *VIP) { v.Services[0].SorryServer = netip.MustParseAddrPort("192.0.2.13:6379") }, "Service Has Lost Its Quorum", []string{"the sorry server 192.0.2.13:6379 stands in"}},
		"two masters":                              {func(h hosts) { h["b"].become(Master) }, nil, "VIP Held by Several Directors", []string{"192.0.2.229", "split brain", `["a" "b"]`}},
		"no master":                                {func(h hosts) { h["a"].become(Backup) }, nil, "VIP Held by No Director", []string{"192.0.2.229", `["a" "b"]`}},
		"no master right after a start":            {func(h hosts) { h["a"].become(Backup); h["b"].keepalivedSince = time.Now().Add(-5 * time.Second) }, nil, "", nil},
		"no master, nor keepalived": {func(h hosts) {
			h["a"].become(Backup)
			h["a"].units[keepalivedUnit] = UnitState{Load: "loaded", Active: "failed"}
		}, nil, "", nil},
		"no master where there is no VIP": {func(h hosts) { h["a"].become(Backup); delete(h["b"].files, keepalived.VIPAddressPath(vip)) }, nil, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := hosts{}
			for _, name := range []string{"a", "b"} {
				h[name] = director().hold(redisVIP().Artifacts())
			}
			h["a"].become(Master)
			h["b"].become(Backup)
			c.change(h)
			v := redisVIP()
			if c.vip != nil {
				c.vip(&v)
			}
			var summaries, details []string
			for _, p := range v.Live(map[string]*Snapshot{"a": h["a"].snapshot(t), "b": h["b"].snapshot(t)}) {
				summaries, details = append(summaries, p.Summary), append(details, p.Detail)
			}
			equal(t, "summaries", strings.Join(summaries, ", "), c.want)
			for _, s := range c.says {
				if !strings.Contains(strings.Join(details, "\n"), s) {
					t.Errorf("%q is not in %q", s, details)
				}
			}
		})
	}
}

func TestAgeIsToldRoughly(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", 60 * time.Second: "1m", 59*time.Minute + 59*time.Second: "59m",
		time.Hour: "1h0m", 23*time.Hour + 59*time.Minute: "23h59m", 24 * time.Hour: "1d0h", 50 * time.Hour: "2d2h",
	} {
		equal(t, age.String(), roughly(age), want)
	}
}

// What passes while a server is down is for the warning alone: a plan of it is the same today
// and tomorrow.
func TestTimeThatAServerIsDownIsInNoArtifact(t *testing.T) {
	const down = "[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 DOWN"
	seen := func(health string) (*Snapshot, string) {
		m := director()
		m.hold(redisVIP().Artifacts())
		m.table[0] = redisRow(without(serverB))
		m.health = health
		s := m.snapshot(t)
		var b strings.Builder
		for _, p := range redisVIP().Live(map[string]*Snapshot{"a": s}) {
			b.WriteString(p.Detail)
		}
		return s, b.String()
	}
	today, said := seen("now 1795702200\n" + down + " 1795701787")
	tomorrow, saidThen := seen("now 1795788600\n" + down + " 1795701787")
	failed, saidAgain := seen("now 1795788600\n" + down + " 1795788599")
	if said == saidThen || saidThen == saidAgain || !strings.Contains(said, "14:03:07 UTC (6m)") {
		t.Errorf("positive control: the warnings are\n%s\n%s\n%s", said, saidThen, saidAgain)
	}
	artifacts := slices.Concat(redisDirector().Artifacts(), redisVIP().Artifacts())
	want := Found(artifacts, today)
	for _, s := range []*Snapshot{tomorrow, failed} {
		if got := Found(artifacts, s); !maps.Equal(got, want) {
			t.Errorf("what is found became\n%v\nfrom\n%v", got, want)
		}
	}
	if _, there := today.Service(redisKey).Destination(serverB); there {
		t.Error("positive control: the server is in the table")
	}
}

// A switch that swallows multicast, say: both daemons run, and the backup hears nothing.
func TestBackupThatIsNotToldOfConnectionsIsFound(t *testing.T) {
	const old = 11 * time.Minute
	for name, c := range map[string]struct {
		onMaster, onBackup int
		guard              LoopGuard
		since              time.Duration
		want               string
	}{
		"deaf":                 {onMaster: 5, since: old, want: `The director "a" has 5 established connections to services of 192.0.2.229, and none of them is known to the director "b": they`},
		"told of":              {onMaster: 5, onBackup: 1, since: old},
		"too few to tell":      {onMaster: 4, since: old},
		"just started":         {onMaster: 5, since: time.Minute},
		"a guard without them": {onMaster: 5, since: old, guard: Hash},
	} {
		t.Run(name, func(t *testing.T) {
			directors := map[string]*Snapshot{}
			for host, active := range map[string]int{"a": c.onMaster, "b": c.onBackup} {
				d := redisDirector()
				d.Guard = c.guard
				m := bareMachine().hold(d.Artifacts()).hold(redisVIP().Artifacts())
				m.keepalivedSince = time.Now().Add(-c.since)
				m.booted = m.keepalivedSince.Add(-time.Minute)
				m.become(map[string]Role{"a": Master, "b": Backup}[host])
				m.table[0].Destinations[0].ActiveConns = active
				directors[host] = m.snapshot(t)
			}
			expect(t, redisVIP().Live(directors), "directors", c.want)
		})
	}
}
