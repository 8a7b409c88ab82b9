package host

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// heardTable is what nft of Debian 12 lists.
const heardTable = `table inet redislb {
	set strangers_51 {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		elements = { 192.0.2.77 timeout 1m expires 59s760ms, 192.0.2.12 timeout 1m expires 1s,
			     192.0.2.78 timeout 1m expires 3s }
	}

	set strangers_52 {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
	}

	chain output {
		type filter hook output priority raw; policy accept;
	}

	chain prerouting {
		type filter hook prerouting priority -140; policy accept;
	}
}`

func TestTableOfTheGuardIsReadByItsParts(t *testing.T) {
	var s Snapshot
	s.parseNft(heardTable)
	equal(t, "reset guard", *s.ResetGuard, "chain output {\n\t\ttype filter hook output priority raw; policy accept;\n}\n")
	equal(t, "marks", s.Marks, "chain prerouting {\n\t\ttype filter hook prerouting priority -140; policy accept;\n}\n")
	equal(t, "instances with strangers", len(s.Strangers), 1)
	var heard []string
	for _, addr := range s.Strangers[51] {
		heard = append(heard, addr.String())
	}
	equal(t, "strangers", strings.Join(heard, " "), "192.0.2.77 192.0.2.12 192.0.2.78")

	var none Snapshot
	none.parseNft("")
	equal(t, "reset guard of no table", *none.ResetGuard, "")
}

// A director whose VIPs are being changed is none, which the other one hears.
func TestAnotherGroupWithTheSameVirtualRouterIDIsToldOf(t *testing.T) {
	on := func(strangers map[int][]netip.Addr) map[string]*Snapshot {
		a, b := director().hold(redisVIP().Artifacts()), director().hold(redisVIP().Artifacts())
		a.become(Master)
		b.become(Backup)
		b.addresses = append(b.addresses, Address{Device: "eth0", Prefix: netip.MustParsePrefix("192.0.2.12/24")})
		all := map[string]*Snapshot{"a": a.snapshot(t), "b": b.snapshot(t)}
		all["a"].Strangers = strangers
		return all
	}
	stranger := netip.MustParseAddr("192.0.2.77")
	said := redisVIP().Live(on(map[int][]netip.Addr{51: {stranger, serverB.Addr()}}))
	expect(t, said, "directors", `192.0.2.77 advertises the virtual router id 51 for other addresses than the VIPs of the directors, as was heard within the last minute by the director "a".`)
	expect(t, redisVIP().Live(on(map[int][]netip.Addr{52: {stranger}})), "", "")
	own := redisVIP()
	own.VRRP = &keepalived.VIPInstance{VirtualRouterID: 52}
	said = own.Live(on(map[int][]netip.Addr{52: {stranger}}))
	expect(t, said, "directors", "virtual router id 52")
}

// Somebody's first address is compared with all of ours, since the order of our VIPs may be
// another one on another director.
func TestAdvertisementsOfStrangersAreNoted(t *testing.T) {
	rules, _ := becomes(t, "GUARD", true, "vip-192.0.2.229.address.conf", "vip-192.0.2.230.address.conf", "vip-192.0.2.231.vrrp.conf", "vip6-2001:db8::1.address.conf")
	for _, want := range []string{
		"iifname \"eth0\" ip protocol 112 @th,8,8 51 @th,64,32 != { 2138046515, 3221226213, 3221226214 } update @strangers_51 { ip saddr timeout 60s }\n",
		"iifname \"eth0\" ip protocol 112 @th,8,8 52 @th,64,32 != { 2138046516, 3221226215 } update @strangers_52 { ip saddr timeout 60s }\n",
	} {
		if !strings.Contains(rules, want) {
			t.Errorf("nft is not told %q:\n%s", want, rules)
		}
	}
}
