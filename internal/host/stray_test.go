package host

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// strayed is a real server on which somebody put the VIP on an interface too. The VIP on lo
// is its first address.
func strayed(t *testing.T) *Snapshot {
	m := bareMachine()
	own := m.addresses
	m.addresses = nil
	m.hold(redisServer().Artifacts())
	m.addresses = slices.Concat(m.addresses, own, []Address{{Device: "eth0", Prefix: netip.PrefixFrom(vip, 24), Label: "eth0", Secondary: true}})
	return m.snapshot(t)
}

// A VIP on an interface is drift of a real server that has it already, and for anybody else
// the host's own address. What a keepalived may hold stays where it is.
func TestVIPBesidesLoIsDriftOfItsRealServerAlone(t *testing.T) {
	const right, stray, gone = "192.0.2.229/32 label lo:1", "192.0.2.229/24 on eth0", "delete_address eth0 192.0.2.229/24 eth0"
	for name, c := range map[string]struct {
		change           func(*Snapshot)
		found, establish string
		refused          bool
	}{
		"real server": {change: func(*Snapshot) {}, found: right + ", " + stray, establish: gone},
		"real server that lost it on lo": {change: func(s *Snapshot) { s.Addresses = s.Addresses[1:] },
			found: stray, establish: gone + "\nadd_address lo 192.0.2.229/32 lo:1"},
		"real server with another label": {change: func(s *Snapshot) { s.Addresses[0].Label = "lo" },
			found: "192.0.2.229/32 label lo, " + stray, establish: "delete_address lo 192.0.2.229/32 lo\n" + gone + "\nadd_address lo 192.0.2.229/32 lo:1"},
		"no real server yet": {change: func(s *Snapshot) { delete(s.Files, realServerUnitFile) }, found: right, refused: true},
		"real server for another VIP": {change: func(s *Snapshot) {
			s.Files[realServerUnitFile] = file(string(RealServer{VIPs: []netip.Addr{netip.MustParseAddr("192.0.2.230")}}.unit()))
		}, found: right, refused: true},
		"unit of somebody else": {change: func(s *Snapshot) {
			s.Files[realServerUnitFile] = file(strings.ReplaceAll(string(redisServer().unit()), keepalived.ManagedMark, ""))
		}, found: right, refused: true},
		"keepalived of somebody else": {change: func(s *Snapshot) { s.Files[keepalived.ConfigPath] = file("include more.conf\n") }, found: right, refused: true},
		"director of other VIPs":      {change: func(s *Snapshot) { s.Files[keepalived.ConfigPath] = ours("") }, found: right + ", " + stray, establish: gone},
		"director of the VIP":         {change: func(s *Snapshot) { s.Files[keepalived.VIPAddressPath(vip)] = ours("") }, found: right},
		"director that lost the VIP's file": {change: func(s *Snapshot) {
			s.Loaded = map[string]string{keepalived.VIPAddressPath(vip): sumOfNothing}
		}, found: right},
		"director that lost the file of the VIP's instance": {change: func(s *Snapshot) {
			s.Loaded = map[string]string{keepalived.VIPInstancePath(vip): sumOfNothing}
		}, found: right},
	} {
		t.Run(name, func(t *testing.T) {
			s := strayed(t)
			c.change(s)
			found, _ := LoopbackAddress{vip}.Found(s)
			equal(t, "found", found, c.found)
			equal(t, "establish", words(LoopbackAddress{vip}.establish(s)), c.establish)
			words := ""
			if c.refused {
				words = "192.0.2.229 is on eth0 of the host"
			}
			expect(t, redisServer().Check(s, ""), "vips", words)
		})
	}
}

func TestDestroyOfARealServerTakesTheVIPFromLoAlone(t *testing.T) {
	s := strayed(t)
	all := redisServer().Artifacts()
	text := words(steps(s, nil, removable(all, s)))
	if !strings.Contains(text, "delete_address lo ") || strings.Contains(text, "eth0 192.0.2.229") {
		t.Errorf("steps:\n%s", text)
	}
	after := bareMachine().snapshot(t)
	after.Addresses = s.Addresses[1:]
	equal(t, "left to wait for", len(remains(all, after)), 0)
}
