//go:build acceptance

package acceptance

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// pair makes the seed's system of hosts a and b, a with the higher priority.
func pair(t *testing.T) {
	t.Helper()
	furnished(t)
	together(t, hosts(), func(h *lab.Host) error {
		d := host.Director{Name: h.Name, Install: true, VRRP: keepalived.Director{
			Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: map[string]int{"a": 100, "b": 90}[h.Name],
			AdvertInterval: time.Second, PreemptDelay: 15 * time.Second,
		}}
		artifacts := append(host.RealServer{VIPs: []netip.Addr{vip}}.Artifacts(), d.Artifacts()...)
		_, err := directly(t, h).Apply(t.Context(), append(artifacts, goldenVIP(t, "redis").Artifacts()...), nil)
		return err
	})
	aIsMaster(t)
}

// Each of these killed connections before there was the reset guard: keepalived takes
// the services away before the VIP, and the machine answers for it by RST.
func TestSwitchOverLosesNoConnection(t *testing.T) {
	pair(t)
	connections := hold(t, 8)
	defer connections.close()
	before := connections.alive()
	eventually(t, 30*time.Second, "b was told of the connections", func() bool {
		return strings.Count(exec(hostB(), "ipvsadm -Lnc"), " ESTABLISHED ") >= len(before)
	})
	hostA().MustExec(t, "systemctl stop keepalived")
	eventually(t, 30*time.Second, "b holds the VIP", func() bool { return holdsVIP(hostB()) && !holdsVIP(hostA()) })
	connections.survive("the master's keepalived stopped", before)
	hostA().MustExec(t, "systemctl start keepalived")
	eventually(t, 60*time.Second, "a holds the VIP again", func() bool { return holdsVIP(hostA()) && !holdsVIP(hostB()) })
	connections.survive("the master came back", before)

	// What is not TCP, or is no pure RST, passes.
	if got := exec(client(), "ping -c 1 -W 5 192.0.2.229 >/dev/null && echo there; redis-cli -h 192.0.2.229 -p 1 ping 2>&1; true"); !strings.Contains(got, "there") || !strings.Contains(got, "refused") {
		t.Errorf("while the guard stands: %s", got)
	}
}
