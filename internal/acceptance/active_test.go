//go:build acceptance

package acceptance

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// ownVIP has a VRRP instance of its own, in which b has the higher priority.
var ownVIP = netip.MustParseAddr("192.0.2.230")

// activeActive is what a host has on it with a VIP in the directors' instance and one in its own.
func activeActive(t *testing.T, h *lab.Host, drain bool) (director []host.Artifact, shared, own host.VIP) {
	t.Helper()
	d := directorOf(h, drain)
	d.Guard = host.Hash
	shared, own = goldenVIP(t, "redis"), goldenVIP(t, "redis")
	for _, v := range []*host.VIP{&shared, &own} {
		v.Guard = host.Hash
		// So that both kernels have the real servers in one order, whichever passes its check
		// first: what mh draws depends on it, for one of a thousand connections.
		v.Services[0].Scheduler, v.Services[0].SchedulerFlags = "mh", []string{"mh-fallback", "mh-port"}
		v.Services[0].InhibitOnFailure = true
	}
	own.Address = netip.PrefixFrom(ownVIP, 24)
	own.VRRP, own.Priorities = &keepalived.VIPInstance{VirtualRouterID: 52}, map[string]int{"a": 90, "b": 100}
	return d.Artifacts(), shared, own.On(h.Name)
}

// eachIsMaster waits until a holds the one VIP and b the other.
func eachIsMaster(t *testing.T) {
	t.Helper()
	eventually(t, 90*time.Second, "a holds the VIP of the directors' instance, b the other", func() bool {
		return holds(hostA(), "eth0", vip) && !holds(hostA(), "eth0", ownVIP) && !holds(hostB(), "eth0", vip) && holds(hostB(), "eth0", ownVIP)
	})
}

// bothServe opens connections through each VIP, none of which may fail or go to and fro, and
// both real servers must be among those that answer. TestPairKeepsConnections/hash has the
// proof that a loop would be seen.
func bothServe(t *testing.T) {
	t.Helper()
	died := expired(t)
	for _, address := range []netip.Addr{vip, ownVIP} {
		if counts := connectTo(t, 200, netip.AddrPortFrom(address, 6379)); counts[""] > 0 || len(counts) != 2 {
			t.Errorf("of 200 connections through %s to each server (none: failed): %v", address, counts)
		}
	}
	if died = expired(t) - died; died != 0 {
		t.Errorf("%d packets died of old age", died)
	}
}

// Active/active: each of two directors is the master of one VIP and a backup of the other.
func TestEachDirectorHoldsAVIPAndTakesTheOthers(t *testing.T) {
	furnished(t)
	everything := func(h *lab.Host) []host.Artifact {
		all, shared, own := activeActive(t, h, false)
		return append(append(all, shared.Artifacts()...), own.Artifacts()...)
	}
	together(t, hosts(), func(h *lab.Host) error {
		artifacts := append(host.RealServer{VIPs: []netip.Addr{vip, ownVIP}}.Artifacts(), everything(h)...)
		_, err := directly(t, h).Apply(t.Context(), artifacts, nil)
		return err
	})
	eachIsMaster(t)
	for _, h := range hosts() {
		eventually(t, 60*time.Second, h.Name+" has passed its checks", func() bool {
			return strings.Count(exec(h, "ipvsadm -Sn")+"\n", " -w 1\n") == 4
		})
		directly(t, h).hasNothingToDo(t, everything(h))
	}
	bothServe(t)

	// A VIP on a backup of its instance is drift, also where the host is master of the other.
	hostA().MustExec(t, "ip address add 192.0.2.230/24 dev eth0")
	_, _, own := activeActive(t, hostA(), false)
	directly(t, hostA()).must(t, own.Artifacts(), nil)
	if holds(hostA(), "eth0", ownVIP) {
		t.Error("the VIP stays on a backup of its instance")
	}
	eachIsMaster(t)

	drained, _, _ := activeActive(t, hostB(), true)
	directly(t, hostB()).must(t, drained, nil)
	if holds(hostB(), "eth0", ownVIP) || !holds(hostA(), "eth0", ownVIP) || !holds(hostA(), "eth0", vip) {
		t.Error("the drain of b is done, and a does not hold both VIPs")
	}
	undrained, _, _ := activeActive(t, hostB(), false)
	directly(t, hostB()).must(t, undrained, nil)
	eachIsMaster(t)
	bothServe(t)
	strangersAreHeard(t)

	if full { // it takes a boot, and source_mac has a failover below
		if err := hostA().PowerOff(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, 30*time.Second, "b holds both VIPs", func() bool { return holds(hostB(), "eth0", vip) && holds(hostB(), "eth0", ownVIP) })
		directly(t, hostB()).hasNothingToDo(t, everything(hostB())) // a failover is no drift
		for _, address := range []netip.Addr{vip, ownVIP} {
			eventually(t, 60*time.Second, "b alone serves "+address.String(), func() bool {
				return connectTo(t, 10, netip.AddrPortFrom(address, 6379))[""] == 0
			})
		}
		if err := restart((*lab.Host).PowerOn)(hostA(), t.Context()); err != nil {
			t.Fatal(err)
		}
		eachIsMaster(t)
		eventually(t, 60*time.Second, "both real servers are back", func() bool {
			return strings.Count(exec(hostA(), "ipvsadm -Sn")+"\n", " -w 1\n") == 4 && strings.Count(exec(hostB(), "ipvsadm -Sn")+"\n", " -w 1\n") == 4
		})
		bothServe(t)
	}

	if full { // TestPairKeepsConnections has source_mac with one VIP
		activeActiveBySourceMAC(t, own, everything)
	}
}

// strangersAreHeard has the client advertise the id of one of the instances for an address of
// its own. Until then nobody was taken for a stranger.
func strangersAreHeard(t *testing.T) {
	t.Helper()
	strangers := func(h *lab.Host) string {
		s, err := directly(t, h).Observe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(s.Strangers)
	}
	for _, h := range hosts() {
		if got := strangers(h); got != "map[]" {
			t.Errorf("%s takes its own group for strangers: %s", h.Name, got)
		}
	}
	c := client()
	c.MustExec(t, furnishScript)
	c.MustExec(t, `printf 'vrrp_instance THEIRS {\n interface eth0\n virtual_router_id 52\n priority 10\n virtual_ipaddress {\n 198.51.100.77/24\n }\n}\n' >/root/theirs.conf
		keepalived -f /root/theirs.conf -p /run/theirs.pid -r /run/theirs.vrrp.pid -c /run/theirs.checkers.pid --vrrp`)
	for _, h := range hosts() {
		eventually(t, 30*time.Second, h.Name+" hears the stranger", func() bool { return strangers(h) == "map[52:["+c.Addr.String()+"]]" })
	}
	c.MustExec(t, "kill $(cat /run/theirs.pid)")
}

// activeActiveBySourceMAC changes the guard of the pair: with this one any scheduler will do,
// and connections outlive a failover.
func activeActiveBySourceMAC(t *testing.T, own host.VIP, everything func(*lab.Host) []host.Artifact) {
	t.Helper()
	seen := directorsNow(t)
	byMAC := func(h *lab.Host) []host.Artifact {
		d := directorOf(h, false)
		d.Guard = host.SourceMAC
		shared := goldenVIP(t, "redis")
		other := shared
		other.Address = own.Address
		other.VRRP, other.Priorities = own.VRRP, map[string]int{"a": 90, "b": 100}
		return slices.Concat(d.Artifacts(), shared.Among(h.Name, d.Guard, seen).Artifacts(), other.Among(h.Name, d.Guard, seen).Artifacts())
	}
	together(t, hosts(), func(h *lab.Host) error {
		_, err := directly(t, h).Apply(t.Context(), byMAC(h), host.Obsolete(everything(h), byMAC(h)))
		return err
	})
	eachIsMaster(t)
	for _, h := range hosts() {
		directly(t, h).hasNothingToDo(t, byMAC(h))
	}
	bothServe(t)
	connections := hold(t, 20)
	defer connections.close()
	surviving := leadingTo(t, hostB(), connections.alive())
	if err := hostA().PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "b holds both VIPs", func() bool { return holds(hostB(), "eth0", vip) && holds(hostB(), "eth0", ownVIP) })
	directly(t, hostB()).hasNothingToDo(t, byMAC(hostB()))
	connections.survive("a failover: those on the surviving machine", surviving)
}
