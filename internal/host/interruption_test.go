package host

import (
	"net/netip"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

func TestChangeOfARealServerThatInterruptsTrafficIsFound(t *testing.T) {
	own, other := serverA.Addr(), netip.MustParseAddr("192.0.2.230")
	before := RealServer{VIPs: []netip.Addr{vip, other}, Redis: []Redis{{Instance: redisconf.Instance{Name: "main", Port: 6380}}}}
	without := func(change func(*RealServer)) RealServer {
		after := RealServer{VIPs: before.VIPs, Redis: before.Redis}
		change(&after)
		return after
	}
	less := without(func(r *RealServer) { r.VIPs = []netip.Addr{other} })
	for name, c := range map[string]struct {
		after     RealServer
		row       ipvs.Destination
		at, words string
	}{
		"none":                      {after: before, row: ipvs.Destination{Address: own, Weight: 1}},
		"a VIP":                     {after: less, row: ipvs.Destination{Address: own, Weight: 1}, at: "vips", words: `The host (192.0.2.11) no longer answers for 192.0.2.229, to which the director "d" may still send`},
		"a VIP, drained":            {after: less, row: ipvs.Destination{Address: own}},
		"a VIP, not yet drained":    {after: less, row: ipvs.Destination{Address: own, ActiveConns: 1}, at: "vips", words: "they break"},
		"a VIP, by NAT":             {after: less, row: ipvs.Destination{Address: own, Weight: 1, Forwarding: ipvs.NAT}},
		"a VIP of another server":   {after: less, row: ipvs.Destination{Address: serverB.Addr(), Weight: 1}},
		"a VIP without connections": {after: without(func(r *RealServer) { r.VIPs = []netip.Addr{vip} }), row: ipvs.Destination{Address: own, Weight: 1}},
		"a Redis":                   {after: without(func(r *RealServer) { r.Redis = nil }), at: "redis", words: `The Redis "main" on port 6380 is stopped and removed`},
		"a Redis of another name":   {after: without(func(r *RealServer) { r.Redis = []Redis{{Instance: redisconf.Instance{Name: "m", Port: 6380}}} })},
	} {
		t.Run(name, func(t *testing.T) {
			director := &Snapshot{IPVS: ipvs.Table{{Key: ipvs.Key{Protocol: ipvs.TCP, Address: vip, Port: 6379}, Destinations: []ipvs.Destination{c.row}}}}
			expect(t, before.Interruptions(c.after, own, map[string]*Snapshot{"d": director, "e": {}}), c.at, c.words)
		})
	}
	equal(t, "never looked at", len(before.Interruptions(less, own, nil)), 0)
}
