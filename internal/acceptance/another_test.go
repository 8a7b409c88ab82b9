//go:build acceptance

package acceptance

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

// A VIP comes to a pair that serves another one, and goes again, in the order of the provider.
// keepalived up to 2.2 compares what a master advertises with its own VIPs (vrrp.c,
// vrrp_check_packet): a backup that is the first to have it, or to have it no more, is
// master too until the master has caught up.
func anotherVIPComesAndGoes(t *testing.T) {
	connections, before := holdKnown(t)
	defer connections.close()
	directors := map[string]direct{"a": directly(t, hostA()), "b": directly(t, hostB())}
	second := goldenVIP(t, "redis")
	second.Address = netip.MustParsePrefix("192.0.2.230/24")
	for _, c := range []struct {
		what       string
		want, gone []host.Artifact
	}{{"came", second.Artifacts(), nil}, {"went", nil, second.Artifacts()}} {
		since := hostB().MustExec(t, "date +'%F %T'")
		began := time.Now()
		want := map[string][]host.Artifact{}
		if c.want != nil {
			want["a"], want["b"] = c.want, c.want
		}
		for _, name := range host.Order(directorsNow(t), second.Address.Addr(), want) {
			directors[name].must(t, c.want, c.gone)
			time.Sleep(5 * time.Second) // longer than it takes a backup to miss its master
		}
		t.Logf("it %s within %.1f s", c.what, time.Since(began).Seconds())
		if said := exec(hostB(), "journalctl -q -u keepalived -o cat --since '"+since+"'"); strings.Contains(said, "MASTER STATE") {
			t.Errorf("a VIP %s, and the backup became master:\n%s", c.what, said)
		}
		connections.survive("a VIP "+c.what, before)
	}
}

// A director that was taken out of the VIP's comes back, in the way of the provider. Its
// priority is the higher one. Up to 2.2 it is master of nothing meanwhile, since it does not
// take one with a VIP for its master, and would have the VIP with the reload that brings it.
func directorComesToTheVIP(t *testing.T) {
	a, vip := directly(t, hostA()), goldenVIP(t, "redis")
	if drained, err := a.Drain(t.Context()); !drained || err != nil {
		t.Fatal("the master was not drained: ", err)
	}
	a.must(t, nil, vip.Artifacts())
	a.must(t, []host.Artifact{host.DrainFile(false)}, nil)
	connections := hold(t, 50)
	defer connections.close()
	before := connections.alive()
	snapshots := directorsNow(t)
	if !host.Joins(snapshots, "a", vip.Address.Addr()) || host.Joins(snapshots, "b", vip.Address.Addr()) {
		t.Error("it is not a that comes to the VIP")
	}
	a.must(t, append(vip.Artifacts(), host.DrainFile(true)), nil)
	if holdsVIP(hostA()) || !holdsVIP(hostB()) {
		t.Error("the director that comes to the VIP has taken it")
	}
	a.must(t, []host.Artifact{host.DrainFile(false)}, nil)
	eventually(t, 60*time.Second, "a holds the VIP again", func() bool { return holdsVIP(hostA()) && !holdsVIP(hostB()) })
	connections.survive("a director that comes to the VIP", before)
	connections.knownTo(before, hosts()...)
}
