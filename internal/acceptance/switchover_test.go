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
		artifacts := append(host.RealServer{VIPs: []netip.Addr{vip}}.Artifacts(), directorOf(h, false).Artifacts()...)
		_, err := directly(t, h).Apply(t.Context(), append(artifacts, goldenVIP(t, "redis").Artifacts()...), nil)
		return err
	})
	aIsMaster(t)
}

func directorOf(h *lab.Host, drain bool) host.Director {
	return host.Director{Name: h.Name, Install: true, VRRP: keepalived.Director{
		Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: map[string]int{"a": 100, "b": 90}[h.Name],
		AdvertInterval: time.Second, PreemptDelay: 15 * time.Second,
	}, Drain: drain}
}

// Whatever is done to the pair, or befalls it, breaks no connection that could live.
func TestPairKeepsConnections(t *testing.T) {
	pair(t)
	t.Run("another VIP", anotherVIPComesAndGoes)
	t.Run("drain", drainHandsTheVIPOver)
	t.Run("director comes", directorComesToTheVIP)
	t.Run("keepalived stopped", stopAndStartOfKeepalived)
	if full { // what differs from a drain and a stop is in the unit tests
		t.Run("director removed", directorRemovedAndBack)
	}
	t.Run("real server taken out", realServerTakenOut)
	t.Run("unknown connections", unknownConnectionsAreReset)
	t.Run("forwarding", everyWayOfForwarding)
	for _, m := range mishaps {
		if m.long && !full {
			continue
		}
		t.Run(m.name, m.befall)
	}
	t.Run("config_swap", swapGuard)
	if full { // TestEachDirectorHoldsAVIPAndTakesTheOthers has it with two VIPs
		t.Run("hash", hashGuard)
	}
	t.Run("source_mac", macGuard)
}

// Where no VIP moves, a machine that was started anew tells the clients of its Redis so, the
// master like the others. Here its kernel forgets the connections without a word.
func unknownConnectionsAreReset(t *testing.T) {
	connections := hold(t, 12)
	defer connections.close()
	before := connections.alive()
	for _, h := range hosts() {
		its := leadingTo(t, h, before)
		if len(its) == 0 {
			t.Fatalf("none of the connections leads to %s", h.Name)
		}
		h.MustExec(t, `set -e
		nft -f - <<-END
			table ip silence {
				chain output {
					type filter hook output priority -310
					tcp sport 6379 counter drop
				}
			}
		END
		ss -HtnK state established 'sport = :6379' >/dev/null
		left=$(ss -Htn state established 'sport = :6379')
		said=$(nft list table ip silence)
		nft delete table ip silence
		[ -z "$left" ]
		case $said in *' packets 0 '*) exit 1 ;; esac`)
		told := func() int {
			n := 0
			s, _ := connections.state()
			for _, c := range s.Held {
				if its[c.Port] != "" && strings.Contains(c.Lost, "reset by peer") {
					n++
				}
			}
			return n
		}
		took := eventually(t, 30*time.Second, "the clients of "+h.Name+" are told", func() bool { return told() == len(its) })
		t.Logf("%d clients of %s were told by RST within %.1f s", len(its), h.Name, took.Seconds())
	}
}

func drainHandsTheVIPOver(t *testing.T) {
	connections, before := holdKnown(t)
	defer connections.close()
	drain := func(on bool) { directly(t, hostA()).must(t, directorOf(hostA(), on).Artifacts(), nil) }

	began := time.Now()
	drain(true)
	if holdsVIP(hostA()) || !holdsVIP(hostB()) {
		t.Error("the drain is done, and the VIP has not moved")
	}
	_, worst := connections.figures()
	t.Logf("the drain took %.1f s; the slowest answer took %.1f s", time.Since(began).Seconds(), worst.Seconds())
	connections.survive("a drain", before)
	hostA().MustExec(t, "systemctl restart keepalived")
	connections.survive("a restart of a drained director", before)
	if holdsVIP(hostA()) {
		t.Error("a drained director takes the VIP")
	}
	drain(false)
	eventually(t, 60*time.Second, "a holds the VIP again", func() bool { return holdsVIP(hostA()) && !holdsVIP(hostB()) })
	connections.survive("the end of a drain", before)
	connections.knownTo(before, hosts()...)
}

// The master is no director any more, and then one again.
func directorRemovedAndBack(t *testing.T) {
	connections, before := holdKnown(t)
	defer connections.close()
	a, all := directly(t, hostA()), append(directorOf(hostA(), false).Artifacts(), goldenVIP(t, "redis").Artifacts()...)
	began := time.Now()
	if drained, err := a.Drain(t.Context()); !drained || err != nil {
		t.Fatal("the master was not drained: ", err)
	}
	a.must(t, nil, all)
	_, worst := connections.figures()
	t.Logf("the removal took %.1f s; the slowest answer took %.1f s", time.Since(began).Seconds(), worst.Seconds())
	connections.survive("the removal of the director that was master", before)
	a.must(t, all, nil)
	eventually(t, 60*time.Second, "a holds the VIP again", func() bool { return holdsVIP(hostA()) && !holdsVIP(hostB()) })
	connections.survive("the director is back", before)
	connections.knownTo(before, hosts()...)
}

// holdKnown opens connections that both directors know of.
func holdKnown(t *testing.T) (held, map[int]string) {
	t.Helper()
	connections := hold(t, 50)
	before := connections.alive()
	connections.knownTo(before, hosts()...)
	connections.again()
	return connections, before
}

// Before there was the reset guard, this killed connections: keepalived takes the
// services away before the VIP, and the machine answers for it by RST.
func stopAndStartOfKeepalived(t *testing.T) {
	connections, before := holdKnown(t)
	defer connections.close()
	hostA().MustExec(t, "systemctl stop keepalived")
	eventually(t, 30*time.Second, "b holds the VIP", func() bool { return holdsVIP(hostB()) && !holdsVIP(hostA()) })
	connections.survive("the master's keepalived stopped", before)
	hostA().MustExec(t, "systemctl start keepalived")
	eventually(t, 60*time.Second, "a holds the VIP again", func() bool { return holdsVIP(hostA()) && !holdsVIP(hostB()) })
	connections.survive("the master came back", before)
	_, worst := connections.figures()
	t.Logf("the slowest answer took %.1f s", worst.Seconds())
	connections.knownTo(before, hosts()...)

	// What is not TCP, or is no pure RST, passes.
	if got := exec(client(), "ping -c 1 -W 5 192.0.2.229 >/dev/null && echo there; redis-cli -h 192.0.2.229 -p 1 ping 2>&1; true"); !strings.Contains(got, "there") || !strings.Contains(got, "refused") {
		t.Errorf("while the guard stands: %s", got)
	}
}
