package host

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// pairOfDirectors are two of one VIP that agree, a at 192.0.2.11 and b at 192.0.2.12.
func pairOfDirectors(t *testing.T) (a, b Member) {
	a = Member{redisDirector(), director().snapshot(t)}
	other := director()
	for i, at := range other.addresses {
		if at.Device == "eth0" {
			other.addresses[i].Prefix = netip.MustParsePrefix("192.0.2.12/24")
		} else if at.Device == "eth1" {
			other.addresses[i].Prefix = netip.MustParsePrefix("198.51.100.12/24")
		}
	}
	b = Member{redisDirector(), other.snapshot(t)}
	b.Name, b.VRRP.Priority = "b", 99
	return a, b
}

func unicastTo(peers ...string) *keepalived.Unicast {
	u := &keepalived.Unicast{}
	for _, peer := range peers {
		u.Peers = append(u.Peers, netip.MustParseAddr(peer))
	}
	return u
}

func expect(t *testing.T, problems []Problem, at, words string) {
	t.Helper()
	if words == "" {
		if len(problems) > 0 {
			t.Errorf("%v", problems)
		}
		return
	}
	if len(problems) != 1 {
		t.Fatalf("want one problem: %v", problems)
	}
	equal(t, "attribute", strings.Join(problems[0].Attribute, "."), at)
	if !strings.Contains(problems[0].Detail, words) {
		t.Errorf("%q lacks %q", problems[0].Detail, words)
	}
}

func TestDirectorsOfOneVIPThatWouldIgnoreEachOtherAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(a, b *Member)
		at, words string // empty: there is no problem
	}{
		"as they are":    {change: func(*Member, *Member) {}},
		"equal priority": {func(_, b *Member) { b.VRRP.Priority = 100 }, "vrrp.priority", `"a" and "b" of one VIP have the same priority 100`},
		"highest, equal": {func(a, b *Member) { a.VRRP.Priority, b.VRRP.Priority = 254, 254 }, "vrrp.priority", "for example 253"},
		"id":             {func(_, b *Member) { b.VRRP.VirtualRouterID = 52 }, "vrrp.virtual_router_id", "virtual router ids 51 and 52"},
		"version":        {func(a, b *Member) { a.PasswordVersion, b.PasswordVersion, b.VRRP.Version3 = nil, nil, true }, "vrrp.version", "VRRP versions 2 and 3"},
		"advertisement":  {func(_, b *Member) { b.VRRP.AdvertInterval = 2 * time.Second }, "vrrp.advert_interval", "intervals 1s and 2s"},
		"advertisement of version 3": {change: func(a, b *Member) {
			a.PasswordVersion, b.PasswordVersion, a.VRRP.Version3, b.VRRP.Version3 = nil, nil, true, true
			b.VRRP.AdvertInterval = 300 * time.Millisecond
		}},
		"password on one":              {func(a, _ *Member) { a.PasswordVersion = nil }, "vrrp", `"b" has a password for VRRP and "a" has none`},
		"passwords":                    {func(_, b *Member) { b.Password = "0ther~7" }, "vrrp", "different passwords"},
		"a password that is not known": {change: func(_, b *Member) { b.Password = "" }},
		"key on one":                   {func(a, _ *Member) { a.PasswordVersion, a.HMACVersion = nil, a.PasswordVersion }, "vrrp", "one signs what it advertises (auth_hmac) and one does not"},
		"keys": {func(a, b *Member) {
			a.HMACVersion, b.HMACVersion, a.PasswordVersion, b.PasswordVersion = a.PasswordVersion, a.PasswordVersion, nil, nil
			a.HMACKey, b.HMACKey = "hUsh", "0ther"
		}, "vrrp", "different keys of auth_hmac"},
		"loop guard":     {func(a, b *Member) { a.Guard, b.Guard = BackupOnly, Hash }, "loop_guard", `loop guards "backup_only" and "hash"`},
		"unicast on one": {func(a, _ *Member) { a.VRRP.Unicast = unicastTo("192.0.2.12") }, "vrrp.unicast", "one advertises by unicast and one by multicast"},
		"unicast": {change: func(a, b *Member) {
			a.VRRP.Unicast, b.VRRP.Unicast = unicastTo("192.0.2.12"), unicastTo("198.51.100.11", "192.0.2.13")
		}},
		"unicast to another": {func(a, b *Member) {
			a.VRRP.Unicast, b.VRRP.Unicast = unicastTo("192.0.2.12"), unicastTo("192.0.2.13")
		}, "vrrp.unicast", `peers of the director "b" are [192.0.2.13], and none of them is an address of "a" (192.0.2.11/24 on eth0`},
		"unicast to a host that was not looked at": {change: func(a, b *Member) {
			a.VRRP.Unicast, b.VRRP.Unicast, a.Snapshot = unicastTo("192.0.2.12"), unicastTo("192.0.2.13"), nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pairOfDirectors(t)
			c.change(&a, &b)
			problems := a.Disagreements(b)
			expect(t, problems, c.at, c.words)
			for _, p := range problems {
				if strings.Contains(p.Detail, "0ther") || strings.Contains(p.Detail, "hUsh") {
					t.Error("a password is told")
				}
			}
		})
	}
}

func TestGroupsWithOneVirtualRouterIDAreRefusedOnOneSegmentAlone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a, b *Member)
		words  string
	}{
		"one segment":          {func(*Member, *Member) {}, `"a" and "b" share no VIP and have the same virtual router id 51 on one network segment (192.0.2.0/24)`},
		"two ids":              {func(_, b *Member) { b.VRRP.VirtualRouterID = 52 }, ""},
		"two segments":         {func(_, b *Member) { b.VRRP.Interface = "eth1" }, ""},
		"one that is not seen": {func(a, _ *Member) { a.Snapshot = nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pairOfDirectors(t)
			c.change(&a, &b)
			expect(t, a.Interferes(b), "vrrp.virtual_router_id", c.words)
		})
	}
}

func TestSuccessorIsTheHighestThatMayPreempt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a, b, c *Member)
		want   string
	}{
		"the holder is the highest": {func(_, _, _ *Member) {}, "a"},
		"another is higher":         {func(_, b, _ *Member) { b.VRRP.Priority = 150 }, "b"},
		"the highest of two":        {func(_, b, c *Member) { b.VRRP.Priority, c.VRRP.Priority = 150, 151 }, "c"},
		"the holder is drained":     {func(a, _, _ *Member) { a.Drain = true }, "b"},
		"all are drained":           {func(a, b, c *Member) { a.Drain, b.Drain, c.Drain = true, true, true }, "a"},
		"the higher is drained":     {func(_, b, _ *Member) { b.VRRP.Priority, b.Drain = 150, true }, "a"},
		"it may not preempt":        {func(a, b, _ *Member) { a.Drain, b.VRRP.NoPreempt = true, true }, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pairOfDirectors(t)
			third := b
			third.Name, third.VRRP.Priority = "c", 98
			c.change(&a, &b, &third)
			next, moves := Successor(a, []Member{a, b, third})
			equal(t, "successor", next.Name, c.want)
			equal(t, "moves", moves, c.want != "a")
		})
	}
}

func TestHolderIsKnownWhereOneDirectorHasTheVIP(t *testing.T) {
	a, b := pairOfDirectors(t)
	equal(t, "nobody", Holder([]Member{a, b}, vip) == nil, true)
	b.Snapshot = holdingDirector().snapshot(t)
	equal(t, "one", Holder([]Member{a, b}, vip).Name, "b")
	a.Snapshot = b.Snapshot
	equal(t, "two", Holder([]Member{a, b}, vip) == nil, true)
}

// holdingDirector is the director that holds the VIP.
func holdingDirector() *machine {
	m := director().hold(redisVIP().Artifacts())
	m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: netip.PrefixFrom(vip, 24), Secondary: true, Label: "eth0"})
	return m
}

func TestChangeOfADirectorThatInterruptsTrafficIsFound(t *testing.T) {
	const givenUp, two = "keepalived gives up those of an instance", "both hold the VIPs"
	for name, c := range map[string]struct {
		change         func(*Director)
		master, backup string
	}{
		"none":                 {func(*Director) {}, "", ""},
		"priority":             {func(d *Director) { d.VRRP.Priority = 90 }, "", ""},
		"name of the instance": {func(d *Director) { d.VRRP.Instance = "VI_2" }, "", ""},
		"tracked":              {func(d *Director) { d.VRRP.Track.Interfaces = []keepalived.TrackedInterface{{Name: "lo", Weight: -50}} }, "", ""},
		"id":                   {func(d *Director) { d.VRRP.VirtualRouterID = 52 }, givenUp, two},
		"interface":            {func(d *Director) { d.VRRP.Interface = "eth1" }, givenUp, two},
		"unicast":              {func(d *Director) { d.VRRP.Unicast = unicastTo("192.0.2.12") }, givenUp, two},
		"advertisement":        {func(d *Director) { d.VRRP.AdvertInterval = 2 * time.Second }, two, two},
		"version":              {func(d *Director) { d.VRRP.Version3, d.PasswordVersion = true, nil }, two, two},
		"no password":          {func(d *Director) { d.PasswordVersion = nil }, two, two},
		"a key":                {func(d *Director) { d.PasswordVersion, d.HMACVersion = nil, d.PasswordVersion }, two, two},
		"another password":     {func(d *Director) { *d.PasswordVersion = 2 }, two, two},
	} {
		t.Run(name, func(t *testing.T) {
			backup, bare, stopped := director().hold(redisVIP().Artifacts()), director(), holdingDirector()
			stopped.units[keepalivedUnit] = UnitState{Load: "loaded", Active: "inactive", File: "enabled"}
			for _, on := range []struct {
				machine *machine
				words   string
			}{{holdingDirector(), c.master}, {backup, c.backup}, {bare, ""}, {stopped, ""}} {
				d := redisDirector()
				c.change(&d)
				expect(t, d.Interruptions(on.machine.snapshot(t)), "vrrp", on.words)
			}
		})
	}
}

func TestChangeOfAVIPThatInterruptsTrafficIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		before, after func(*keepalived.VirtualServer)
		words         string
		drain         time.Duration
	}{
		"none":                   {},
		"weight":                 {after: func(s *keepalived.VirtualServer) { s.RealServers[0].Weight = 0 }},
		"all weights":            {after: func(s *keepalived.VirtualServer) { s.RealServers[0].Weight, s.RealServers[1].Weight = 0, 0 }, words: "no real server is left with a weight above 0"},
		"all weights before":     {before: func(s *keepalived.VirtualServer) { s.RealServers[0].Weight, s.RealServers[1].Weight = 0, 0 }, after: func(s *keepalived.VirtualServer) { s.RealServers[0].Weight, s.RealServers[1].Weight = 0, 0 }},
		"real server":            {after: func(s *keepalived.VirtualServer) { s.RealServers = s.RealServers[:1] }, words: `the real server "b" (192.0.2.12) is taken out of the table, and the connections that it has break at once`},
		"real server, with time": {after: func(s *keepalived.VirtualServer) { s.RealServers = s.RealServers[:1] }, words: "get 30s to end (drain_timeout)", drain: 30 * time.Second},
		"real server over UDP": {
			before: func(s *keepalived.VirtualServer) { s.Protocol = keepalived.UDP },
			after:  func(s *keepalived.VirtualServer) { s.Protocol, s.RealServers = keepalived.UDP, s.RealServers[:1] }, words: "break at once", drain: 30 * time.Second,
		},
		"real server, drained":    {before: func(s *keepalived.VirtualServer) { s.RealServers[1].Weight = 0 }, after: func(s *keepalived.VirtualServer) { s.RealServers = s.RealServers[:1] }},
		"real server, other name": {after: func(s *keepalived.VirtualServer) { s.RealServers[1].Name = "c" }},
		"port":                    {after: func(s *keepalived.VirtualServer) { s.Port = 6380 }, words: `The service "redis" (tcp 192.0.2.229:6379) is taken out of the table`},
		"port, all drained":       {before: func(s *keepalived.VirtualServer) { s.RealServers[0].Weight, s.RealServers[1].Weight = 0, 0 }, after: func(s *keepalived.VirtualServer) { s.Port = 6380 }},
		"scheduler":               {after: func(s *keepalived.VirtualServer) { s.Scheduler = "wlc" }},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := redisVIP(), redisVIP()
			if c.before != nil {
				c.before(&before.Services[0])
			}
			if c.after != nil {
				c.after(&after.Services[0])
			}
			expect(t, before.Interruptions(after, c.drain), "services", c.words)
		})
	}
}
