//go:build acceptance

package acceptance

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// What the real server b needs for connections that do not come by direct routing: its
// answers to the client go by way of the director where that has to translate them, which
// is the gateway of a network of their own, and it unpacks what comes by a tunnel. And a
// Redis on the port of the tunnelled service.
const (
	behind     = `modprobe 8021q; ip link add link eth0 name inside type vlan id 7; ip link set inside up; ip address add 198.51.100.%d/24 dev inside`
	translated = `ip route replace 192.0.2.20/32 via 198.51.100.1 dev inside`
	tunnelled  = `modprobe ipip && ip link set tunl0 up && sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0
		redis-server --port 6380 --bind 0.0.0.0 --protected-mode no --save '' --dir /tmp --daemonize yes >/dev/null`
	marked = `nft -f - <<'RULES'
		add table ip marks
		add chain ip marks prerouting { type filter hook prerouting priority -150; }
		add rule ip marks prerouting ip daddr 192.0.2.229 tcp dport 6379 meta mark set 9
RULES`
	undone = `ip route del 192.0.2.20/32; redis-cli -p 6380 shutdown nosave; ip link set tunl0 down; true`
)

// Traffic by address translation, by a tunnel, by a firewall mark, and to an IPv6 VIP.
func everyWayOfForwarding(t *testing.T) {
	vip6 := netip.MustParseAddr("2001:db8::229")
	server6 := func(h *lab.Host) netip.Addr {
		return netip.MustParseAddr(map[string]string{"a": "2001:db8::11", "b": "2001:db8::12", "client": "2001:db8::20"}[h.Name])
	}
	for _, h := range append(hosts(), client()) {
		h.MustExec(t, "ip -6 address replace "+server6(h).String()+"/64 dev eth0 nodad")
	}
	for _, h := range hosts() {
		// Redis 6 takes another address only with a restart.
		h.MustExec(t, "redis-cli config set bind '* -::*' | grep -q OK || { sed -i 's/^bind .*/bind 0.0.0.0 ::/' /etc/redis/redis.conf; systemctl restart redis-server; }; sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0")
	}
	for _, h := range hosts() {
		h.MustExec(t, fmt.Sprintf(behind, h.Addr.As4()[3]))
	}
	hostB().MustExec(t, tunnelled)

	four := goldenVIP(t, "redis")
	before := slices.Concat(four.Artifacts(), host.RealServer{VIPs: []netip.Addr{vip}}.Artifacts())
	service := func(name string, forwarding keepalived.Forwarding, port int, servers ...keepalived.RealServer) keepalived.VirtualServer {
		s := four.Services[0]
		s.Name, s.Forwarding, s.Port, s.RealServers = name, forwarding, port, servers
		return s
	}
	b := keepalived.RealServer{Name: "b", Address: hostB().Addr, Port: 6379, Weight: 1}
	b2, bInside := b, b
	b2.Port, bInside.Address = 6380, netip.MustParseAddr("198.51.100.12")
	all := four
	all.Services = append(slices.Clone(four.Services), service("nat", keepalived.NAT, 7000, bInside), service("tun", keepalived.TUN, 6380, b2))
	byMark := four.Services[0]
	byMark.Name, byMark.FWMark, byMark.Port, byMark.Check.Port = "mark", 9, 9000, 6379
	byMark.RealServers = slices.Clone(byMark.RealServers)
	for i := range byMark.RealServers {
		byMark.RealServers[i].Port = byMark.Port
	}
	all.Services = append(all.Services, byMark)
	six := host.VIP{VIP: keepalived.VIP{Address: netip.PrefixFrom(vip6, 64), Services: []keepalived.VirtualServer{
		service("redis6", keepalived.DR, 6379,
			keepalived.RealServer{Name: "a", Address: server6(hostA()), Port: 6379, Weight: 1},
			keepalived.RealServer{Name: "b", Address: server6(hostB()), Port: 6379, Weight: 1}),
	}}}
	gateway := host.VIP{VIP: keepalived.VIP{Address: netip.MustParsePrefix("198.51.100.1/24"), Interface: "inside"}}
	want := slices.Concat(all.Artifacts(), six.Artifacts(), gateway.Artifacts(), host.RealServer{VIPs: []netip.Addr{vip, vip6}}.Artifacts())
	for _, h := range []*lab.Host{hostB(), hostA()} { // the master last
		directly(t, h).must(t, want, nil)
	}

	onB := serverID(t, hostB().Addr.String())
	for _, c := range []struct {
		what    string
		service netip.AddrPort
		onB     bool   // alone
		first   string // on b
	}{
		{"IPv6", netip.AddrPortFrom(vip6, 6379), false, "true"},
		{"a tunnel", netip.AddrPortFrom(vip, 6380), true, "true"},
		// From here on b's answers to the client by direct routing would go astray.
		{"address translation", netip.AddrPortFrom(vip, 7000), true, translated},
	} {
		hostB().MustExec(t, c.first)
		const n = 40
		got := connectTo(t, n, c.service)
		t.Logf("%s: connections to each server: %v", c.what, got)
		switch {
		case got[""] > 0:
			t.Errorf("%s: %d of %d connections failed", c.what, got[""], n)
		case !c.onB && (len(got) != 2 || got[onB] == 0):
			t.Errorf("%s: not both servers were used: %v", c.what, got)
		case c.onB && len(got) != 1:
			t.Errorf("%s: there is one server, and these were used: %v", c.what, got)
		}
		if c.service.Port() == 7000 && got[onB] != n {
			t.Errorf("%s: it does not lead to b's Redis on port 6379 (%s): %v", c.what, onB, got)
		}
	}
	hostB().MustExec(t, undone)
	throughAMark(t)
	bothMove(t, gateway)
	for _, h := range []*lab.Host{hostB(), hostA()} {
		directly(t, h).must(t, before, host.Obsolete(want, before))
	}
}

// bothMove takes the inner network from the master: the other one gets the gateway and what
// clients know.
func bothMove(t *testing.T, gateway host.VIP) {
	t.Helper()
	all := func(h *lab.Host) bool { return holdsVIP(h) && holds(h, "inside", gateway.Address.Addr()) }
	none := func(h *lab.Host) bool { return !holdsVIP(h) && !holds(h, "inside", gateway.Address.Addr()) }
	hostA().MustExec(t, "ip link set inside down")
	eventually(t, 30*time.Second, "b holds both VIPs, and a none", func() bool { return all(hostB()) && none(hostA()) })
	hostA().MustExec(t, "ip link set inside up")
	eventually(t, 60*time.Second, "a holds both VIPs, and b none", func() bool { return all(hostA()) && none(hostB()) })
}

// throughAMark opens connections to a port whose packets get a firewall mark, and has them
// counted by the service of the mark and not by that of the port.
func throughAMark(t *testing.T) {
	t.Helper()
	for _, h := range hosts() {
		h.MustExec(t, marked)
	}
	const n = 40
	died := expired(t)
	got := connect(t, n)
	died = expired(t) - died
	// The kernel sums its counters up every 2 s (ip_vs_est.c).
	var counts []string
	for range 10 {
		counts = strings.Fields(hostA().MustExec(t, "sleep 0.5; ipvsadm -Ln --stats --exact -f 9 | grep '^FWM'"))
		if len(counts) > 2 && counts[2] == strconv.Itoa(n) {
			break
		}
	}
	for _, h := range hosts() {
		h.MustExec(t, "nft delete table ip marks")
	}
	t.Logf("a firewall mark: connections to each server: %v", got)
	if got[""] > 0 || len(got) != 2 || died > 0 {
		t.Errorf("a firewall mark: %d of %d connections failed, servers %v, %d packets died of old age", got[""], n, got, died)
	}
	if len(counts) < 3 || counts[2] != strconv.Itoa(n) {
		t.Errorf("the service of the mark has counted %q, want %d connections", counts, n)
	}
}
