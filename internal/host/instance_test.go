package host

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

var vip2 = netip.MustParseAddr("192.0.2.230")

// ownVIP is a VIP with a VRRP instance of its own on the directors a and b.
func ownVIP() VIP {
	v := redisVIP()
	v.Address = netip.PrefixFrom(vip2, 24)
	v.VRRP = &keepalived.VIPInstance{VirtualRouterID: 52}
	v.Priorities = map[string]int{"a": 99, "b": 100}
	v.Services[0].Scheduler, v.Services[0].SchedulerFlags = "mh", []string{"mh-port"}
	return v
}

// activeActive is the director of that name, with a VIP in its own instance and one in
// another, the states of both, and of the VIPs those that are held.
func activeActive(t *testing.T, name, states string, held ...netip.Addr) *Snapshot {
	t.Helper()
	d := redisDirector()
	d.Guard = Hash
	m := bareMachine().hold(d.Artifacts()).hold(redisVIP().Artifacts()).hold(ownVIP().On(name).Artifacts())
	m.state = states
	for _, addr := range held {
		m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: netip.PrefixFrom(addr, 24), Label: "eth0"})
	}
	return m.snapshot(t)
}

func TestRoleIsThatOfTheInstanceOfTheVIP(t *testing.T) {
	const aMaster, bMaster = "MASTER\n192.0.2.230 BACKUP", "BACKUP\n192.0.2.230 MASTER"
	for name, c := range map[string]struct {
		states   string
		held     []netip.Addr
		one, two Role   // in the instance of each VIP
		deviates string // HeldAddress of which VIPs
		removed  string
	}{
		"master of the director's":     {aMaster, []netip.Addr{vip}, Master, Backup, "", ""},
		"master of the VIP's":          {bMaster, []netip.Addr{vip2}, Backup, Master, "", ""},
		"master of both":               {"MASTER\n192.0.2.230 MASTER", []netip.Addr{vip, vip2}, Master, Master, "", ""},
		"put there by hand":            {aMaster, []netip.Addr{vip, vip2}, Master, Backup, "192.0.2.230", "delete_address eth0 192.0.2.230/24 eth0"},
		"the director's, by hand":      {bMaster, []netip.Addr{vip, vip2}, Backup, Master, "192.0.2.229", "delete_address eth0 192.0.2.229/24 eth0"},
		"taken away by hand":           {bMaster, nil, Backup, Master, "192.0.2.230", ""},
		"keepalived has not said":      {"", []netip.Addr{vip2}, Backup, Master, "", ""},
		"said of the director's alone": {"MASTER", []netip.Addr{vip}, Master, Backup, "", ""},
		"in fault":                     {"MASTER\n192.0.2.230 FAULT", []netip.Addr{vip}, Master, Backup, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := activeActive(t, "a", c.states, c.held...)
			equal(t, "role", s.Role(), c.one)
			equal(t, "role of its VIP", s.RoleOf(vip), c.one)
			equal(t, "role of the VIP's own", s.RoleOf(vip2), c.two)
			var deviating, removed []string
			for _, addr := range []netip.Addr{vip, vip2} {
				h := HeldAddress{Prefix: netip.PrefixFrom(addr, 24)}
				if text, ok := h.Found(s); !ok || text != h.Want() {
					deviating = append(deviating, addr.String())
					removed = append(removed, words(h.establish(s)))
				}
			}
			equal(t, "deviating", strings.Join(deviating, " "), c.deviates)
			equal(t, "steps", strings.Join(removed, " "), c.removed)
		})
	}
}

// The sync daemon, and with it the director's role, knows nothing of other instances.
func TestVIPOfAnotherInstanceTellsNothingOfTheDirectorsRole(t *testing.T) {
	d := redisDirector()
	d.Guard = Hash
	m := bareMachine().hold(d.Artifacts()).hold(ownVIP().On("a").Artifacts())
	m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: netip.PrefixFrom(vip2, 24), Label: "eth0"})
	s := m.snapshot(t)
	equal(t, "role", s.Role(), "")
	equal(t, "holds a VIP", s.HoldsVIP(), true)
	equal(t, "is master for a VIP of the director's instance", s.HoldsAsMasterOf(vip), false)
	equal(t, "is master for its own", s.HoldsAsMasterOf(vip2), true)
}

func TestStatesOfInstancesChangeWhileTheHostIsLookedAt(t *testing.T) {
	m := director()
	m.state = "MASTER\n192.0.2.230 BACKUP"
	before := "== role before\nMASTER\n192.0.2.230 "
	for was, moving := range map[string]bool{"BACKUP": false, "MASTER": true} {
		s, err := parseSnapshot([]byte(strings.Replace(string(m.probe()), "== health\n", before+was+"\n== health\n", 1)))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, was+": moving", s.Moving, moving)
		equal(t, was+": state", s.state, "MASTER")
	}
}

func TestMasterOfTheVIPsOwnInstanceComesLast(t *testing.T) {
	snapshots := map[string]*Snapshot{"a": activeActive(t, "a", "", vip), "b": activeActive(t, "b", "", vip2)}
	equal(t, "of the director's", strings.Join(BackupsFirst(snapshots, vip), " "), "b a")
	equal(t, "of the VIP's", strings.Join(BackupsFirst(snapshots, vip2), " "), "a b")
	var members []Member
	for _, name := range []string{"a", "b"} {
		m, ok := MemberOn(name, snapshots[name])
		equal(t, name+" is a director", ok, true)
		members = append(members, m)
	}
	equal(t, "holder of the director's", Holder(members, vip).Name, "a")
	equal(t, "holder of the VIP's", Holder(members, vip2).Name, "b")
}

func TestVIPWithAnInstanceOfItsOwnIsReadBack(t *testing.T) {
	a, b := activeActive(t, "a", "", vip), activeActive(t, "b", "", vip2)
	equal(t, "VIPs", len(a.ManagedVIPs()), 2)
	v, err := VIPOn(map[string]*Snapshot{"a": a, "b": b}, vip2)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		got, _ := v.On(name).Render()
		want, _ := ownVIP().On(name).Render()
		equal(t, "on "+name, string(got), string(want))
	}
	other := func(change func(*VIP)) *Snapshot {
		v := ownVIP()
		change(&v)
		return bareMachine().hold(v.On("b").Artifacts()).snapshot(t)
	}
	for what, c := range map[string]struct {
		b     *Snapshot
		words string
	}{
		"another id":           {other(func(v *VIP) { v.VRRP.VirtualRouterID = 53 }), `vip-192.0.2.230.vrrp.conf differs between the hosts "a" and "b"`},
		"other services":       {other(func(v *VIP) { v.Services = nil }), `vip-192.0.2.230.services.conf differs`},
		"the director's there": {other(func(v *VIP) { v.VRRP = nil }), `host "b" has no /etc/keepalived/redislb/vip-192.0.2.230.vrrp.conf`},
	} {
		if _, err := VIPOn(map[string]*Snapshot{"a": a, "b": c.b}, vip2); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestGuardOfOneRoleTakesNoVIPWithAnInstanceOfItsOwn(t *testing.T) {
	for guard, want := range map[LoopGuard]string{Hash: "", "": "", BackupOnly: "Loop Guard Knows One Role", ConfigSwap: "Loop Guard Knows One Role"} {
		equal(t, string(guard), summariesOf(ownVIP().CheckGuard("a", guard)), want)
	}
	shared := ownVIP()
	shared.VRRP = nil
	equal(t, "in the director's instance", summariesOf(shared.CheckGuard("a", BackupOnly)), "")
	says(t, errors.New(ownVIP().CheckGuard("a", BackupOnly)[0].Detail), `host "a"`, `loop_guard = "backup_only"`, `loop_guard = "hash"`, "leave vrrp out")

	d := redisDirector()
	d.Name = "a"
	s := activeActive(t, "a", "")
	// redisVIP's services are not for hash either.
	equal(t, "the director gets backup_only", summariesOf(d.unguarded(s)), "VIPs on the Host Do Not Fit the Loop Guard")
	d.Guard = Hash
	equal(t, "the director gets hash", summariesOf(d.unguarded(s)), "Services on the Host Do Not Fit the Loop Guard")
}

func TestDirectorThatCannotHaveTheInstanceOfAVIPIsRefusedAtApply(t *testing.T) {
	s := activeActive(t, "a", "")
	equal(t, "as it is", summariesOf(ownVIP().CheckDirector("a", s)), "")
	v := ownVIP()
	v.VRRP.VirtualRouterID = 51
	equal(t, "the director's id", summariesOf(v.CheckDirector("a", s)), "Virtual Router ID Taken")
	delete(s.Files, keepalived.InstancePath)
	equal(t, "of an older redislb", summariesOf(ownVIP().CheckDirector("a", s)), "Director of an Older Version")
	shared := ownVIP()
	shared.VRRP = nil
	equal(t, "of an older redislb, in its own instance", summariesOf(shared.CheckDirector("a", s)), "")
}

func TestVIPThatGoesToAnotherInstanceIsGivenUpForAMoment(t *testing.T) {
	shared, other, higher := ownVIP(), ownVIP(), ownVIP()
	shared.VRRP, other.VRRP = nil, &keepalived.VIPInstance{VirtualRouterID: 53}
	higher.Priorities = map[string]int{"a": 200, "b": 100}
	for what, c := range map[string]struct {
		from, to VIP
		want     string
	}{
		"into its own":   {shared, ownVIP(), "VIP Is Given Up for a Moment"},
		"out of its own": {ownVIP(), shared, "VIP Is Given Up for a Moment"},
		"another id":     {ownVIP(), other, "VIP Is Given Up for a Moment"},
		"priorities":     {ownVIP(), higher, ""},
	} {
		equal(t, what, summariesOf(c.from.Interruptions(c.to, time.Second)), c.want)
	}
}

func TestInstancesOfVIPsGoOnWhenTheDirectorsGetsAnotherID(t *testing.T) {
	for what, c := range map[string]struct {
		held   netip.Addr
		change func(*Director)
		want   string
	}{
		"its id, and it holds its VIP":       {vip, func(d *Director) { d.VRRP.VirtualRouterID = 53 }, "VIPs Are Given Up for a Moment"},
		"its id, and it holds the other VIP": {vip2, func(d *Director) { d.VRRP.VirtualRouterID = 53 }, "Two Hold the VIPs for a Moment"},
		"the interface":                      {vip2, func(d *Director) { d.VRRP.Interface = "eth1" }, "VIPs Are Given Up for a Moment"},
	} {
		d := redisDirector()
		d.Guard = Hash
		c.change(&d)
		equal(t, what, summariesOf(d.Interruptions(activeActive(t, "a", "", c.held))), c.want)
	}
}

func TestDrainIsNotDoneWhileTheHostHoldsAVIPOfAnyInstance(t *testing.T) {
	for what, held := range map[string][]netip.Addr{"its own": {vip}, "the other": {vip2}} {
		text, _ := handover{}.Found(activeActive(t, "a", "", held...))
		equal(t, what, text, "this host still holds the VIPs")
	}
	text, _ := handover{}.Found(activeActive(t, "a", ""))
	equal(t, "none", text, handover{}.Want())
}

func summariesOf(problems []Problem) string {
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Summary)
	}
	return strings.Join(texts, ", ")
}
