//go:build acceptance

package acceptance

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// expired is how many packets have died of old age on both hosts: what a loop leads
// to.
func expired(t *testing.T) int {
	t.Helper()
	sum := 0
	for _, h := range hosts() {
		n, err := strconv.Atoi(h.MustExec(t, `awk '/^Ip:/ && !h { for (i = 1; i <= NF; i++) if ($i == "InHdrErrors") c = i; h = 1; next } /^Ip:/ { print $c }' /proc/net/snmp`))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

func noSyncDaemon(t *testing.T) {
	t.Helper()
	for _, h := range hosts() {
		if daemons := h.MustExec(t, "ipvsadm -L --daemon"); daemons != "" {
			t.Errorf("on %s there runs %s", h.Name, daemons)
		}
	}
}

// guardedBy brings the pair from one loop guard to another.
func guardedBy(t *testing.T, from, to host.LoopGuard) {
	t.Helper()
	artifacts := func(h *lab.Host, guard host.LoopGuard) []host.Artifact {
		d := directorOf(h, false)
		d.Guard = guard
		return d.Artifacts()
	}
	together(t, hosts(), func(h *lab.Host) error {
		want := artifacts(h, to)
		_, err := directly(t, h).Apply(t.Context(), want, host.Obsolete(artifacts(h, from), want))
		return err
	})
	for _, h := range hosts() {
		directly(t, h).hasNothingToDo(t, artifacts(h, to)) // of the daemons too
		want := map[host.LoopGuard]string{host.BackupOnly: "1\n0", host.Hash: "0\n1", host.ConfigSwap: "0\n0", host.SourceMAC: "0\n0"}[to]
		if got := h.MustExec(t, "cat /proc/sys/net/ipv4/vs/backup_only /proc/sys/net/ipv4/vs/sloppy_tcp"); got != want {
			t.Errorf("backup_only and sloppy_tcp on %s are %q, want %q", h.Name, got, want)
		}
	}
}

// hashGuard changes the guard of the pair and back, with a failover between.
func hashGuard(t *testing.T) {
	service := goldenVIP(t, "redis")
	service.Services[0].Scheduler, service.Services[0].SchedulerFlags = "mh", []string{"mh-port"}
	for _, h := range hosts() {
		directly(t, h).must(t, service.Artifacts(), nil)
	}
	guardedBy(t, host.BackupOnly, host.Hash)
	noSyncDaemon(t)
	hostB().MustExec(t, "ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 51")
	guardedBy(t, host.BackupOnly, host.Hash) // drift is seen and healed
	noSyncDaemon(t)

	const n = 200
	before := expired(t)
	guarded := connect(t, n)
	if guarded[""] > 0 || len(guarded) != 2 {
		t.Errorf("with the guard, of %d connections to each server (none: failed): %v", n, guarded)
	}
	if died := expired(t) - before; died != 0 {
		t.Errorf("with the guard, %d packets died of old age", died)
	}

	// The proof that a loop would be seen.
	for _, h := range hosts() {
		h.MustExec(t, "ipvsadm -E -t 192.0.2.229:6379 -s rr")
	}
	before = expired(t)
	unguarded := connect(t, 60)
	looped := expired(t) - before
	for _, h := range hosts() {
		h.MustExec(t, "ipvsadm -E -t 192.0.2.229:6379 -s mh -b mh-port")
	}
	if looped == 0 {
		t.Errorf("without the guard no packet died of old age (%v): the check above proves nothing", unguarded)
	}
	t.Logf("without the guard %d of 60 connections failed, and %d packets died of old age", unguarded[""], looped)

	if full { // it takes a boot
		survivesAFailover(t)
	}
	guardedBy(t, host.Hash, host.BackupOnly)
}

// survivesAFailover is by a power cut of the master, and back.
func survivesAFailover(t *testing.T) {
	t.Helper()
	connections := hold(t, 20)
	defer connections.close()
	surviving := leadingTo(t, hostB(), connections.alive())
	t.Logf("%d of 20 connections are to the surviving machine", len(surviving))
	if err := hostA().PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "b holds the VIP", func() bool { return holdsVIP(hostB()) })
	connections.survive("a failover: those on the surviving machine", surviving)
	if err := restart((*lab.Host).PowerOn)(hostA(), t.Context()); err != nil {
		t.Fatal(err)
	}
	aIsMaster(t)
	connections.survive("a failback: those on the surviving machine", surviving)
}

// received is how many packets have come to both hosts by the network of the VIP.
func received(t *testing.T) int {
	t.Helper()
	sum := 0
	for _, h := range hosts() {
		n, err := strconv.Atoi(h.MustExec(t, "cat /sys/class/net/eth0/statistics/rx_packets"))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// withoutLoops opens connections under a guard, none of which may fail or go to and fro
// between the directors, and both real servers must be among those that answer.
func withoutLoops(t *testing.T, n int) {
	t.Helper()
	died, packets := expired(t), received(t)
	guarded := connect(t, n)
	if guarded[""] > 0 || len(guarded) != 2 {
		t.Errorf("with the guard, of %d connections to each server (none: failed): %v", n, guarded)
	}
	if died = expired(t) - died; died != 0 {
		t.Errorf("with the guard, %d packets died of old age", died)
	}
	// A connection has about ten packets from the client, half of which come to two
	// hosts; in a loop one packet comes to them 60 times.
	perConnection := float64(received(t)-packets) / float64(n)
	t.Logf("with the guard, %.1f packets came to the hosts for each connection", perConnection)
	if perConnection > 30 {
		t.Errorf("with the guard, %.1f packets came to the hosts for each connection", perConnection)
	}
}

// hasServices is whether the VIP's service is in the kernel of the host, with as many real
// servers at least, which come in when they have passed a check.
func hasServices(h *lab.Host, n int) bool {
	table := exec(h, "ipvsadm -Sn")
	return strings.Contains(table, "-A -t "+vip.String()+":6379 ") && strings.Count(table, "-a -t "+vip.String()+":6379 ") >= n
}

// swapGuard changes the guard of the pair and back. Between, the services go where the
// VIP goes: with a failover, after a crash of keepalived, and while it is restarted again
// and again.
func swapGuard(t *testing.T) {
	service := goldenVIP(t, "redis")
	swapped := service
	swapped.Guard = host.ConfigSwap
	for _, h := range hosts() {
		directly(t, h).must(t, service.Artifacts(), nil)
	}
	guardedBy(t, host.BackupOnly, host.ConfigSwap)
	noSyncDaemon(t)
	asItShouldBe := func(when string) {
		t.Helper()
		eventually(t, 60*time.Second, when+": a holds the VIP and the services, b neither", func() bool {
			return holdsVIP(hostA()) && hasServices(hostA(), 2) && !holdsVIP(hostB()) && !hasServices(hostB(), 0)
		})
		for _, h := range hosts() {
			directly(t, h).hasNothingToDo(t, swapped.Artifacts())
			d := directorOf(h, false)
			d.Guard = host.ConfigSwap
			directly(t, h).hasNothingToDo(t, d.Artifacts())
		}
	}
	asItShouldBe("after the change")
	withoutLoops(t, 200)

	// The proof that a loop would be seen, and that rows on a backup are.
	hostB().MustExec(t, `ipvsadm -A -t 192.0.2.229:6379 -s rr
ipvsadm -a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1
ipvsadm -a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1`)
	before := expired(t)
	unguarded := connect(t, 60)
	looped := expired(t) - before
	if looped == 0 {
		t.Errorf("with services on both no packet died of old age (%v): the check above proves nothing", unguarded)
	}
	t.Logf("with services on both %d of 60 connections failed, and %d packets died of old age", unguarded[""], looped)
	directly(t, hostB()).must(t, swapped.Artifacts(), nil)
	if hasServices(hostB(), 0) {
		t.Error("rows on a backup are not taken away")
	}

	if full { // it takes a boot
		if err := hostA().PowerOff(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, 30*time.Second, "b holds the VIP and the services", func() bool { return holdsVIP(hostB()) && hasServices(hostB(), 1) })
		directly(t, hostB()).hasNothingToDo(t, swapped.Artifacts()) // a failover is no drift
		eventually(t, 60*time.Second, "b serves alone", func() bool { return connect(t, 10)[""] == 0 })
		if err := restart((*lab.Host).PowerOn)(hostA(), t.Context()); err != nil {
			t.Fatal(err)
		}
		asItShouldBe("after a failback")
		withoutLoops(t, 60)
	}

	hostA().MustExec(t, "pkill -9 keepalived")
	asItShouldBe("after a crash of keepalived")
	if full {
		for range 3 {
			hostA().MustExec(t, "systemctl restart keepalived")
			time.Sleep(time.Second)
		}
		asItShouldBe("after restarts that follow each other")
		withoutLoops(t, 60)
	}
	guardedBy(t, host.ConfigSwap, host.BackupOnly)
	for _, h := range hosts() {
		eventually(t, 30*time.Second, h.Name+" has the services", func() bool { return hasServices(h, 2) })
		directly(t, h).hasNothingToDo(t, service.Artifacts())
	}
	aIsMaster(t)
}

// macGuard changes the guard of the pair and back, with a failover between.
func macGuard(t *testing.T) {
	service := goldenVIP(t, "redis")
	for _, h := range hosts() {
		directly(t, h).must(t, service.Artifacts(), nil)
	}
	guardedBy(t, host.BackupOnly, host.SourceMAC)
	seen := directorsNow(t)
	marked := func(h *lab.Host) []host.Artifact { return service.Among(h.Name, host.SourceMAC, seen).Artifacts() }
	asItShouldBe := func(when string) {
		t.Helper()
		for _, h := range hosts() {
			eventually(t, 60*time.Second, when+": "+h.Name+" has the services", func() bool { return hasServices(h, 2) })
			directly(t, h).hasNothingToDo(t, marked(h))
			daemons := h.MustExec(t, "ipvsadm -L --daemon")
			if !strings.Contains(daemons, "master sync daemon (mcast=eth0, syncid=51") || !strings.Contains(daemons, "backup sync daemon (mcast=eth0, syncid=51") {
				t.Errorf("%s: on %s the daemons are %q", when, h.Name, daemons)
			}
		}
	}
	for _, h := range hosts() {
		directly(t, h).must(t, marked(h), nil)
	}
	asItShouldBe("after the change")
	withoutLoops(t, 200)

	// The proof that a loop would be seen, and that rules that are flushed are.
	for _, h := range hosts() {
		h.MustExec(t, "nft flush chain inet redislb prerouting")
	}
	before := expired(t)
	unguarded := connect(t, 60)
	looped := expired(t) - before
	if looped == 0 {
		t.Errorf("without marks no packet died of old age (%v): the check above proves nothing", unguarded)
	}
	t.Logf("without marks %d of 60 connections failed, and %d packets died of old age", unguarded[""], looped)
	for _, h := range hosts() {
		directly(t, h).must(t, marked(h), nil)
	}
	withoutLoops(t, 60)

	if full { // it takes a boot
		survivesAFailover(t)
		asItShouldBe("after a failback")
		withoutLoops(t, 60)
	}
	hostA().MustExec(t, "pkill -9 keepalived")
	aIsMaster(t)
	asItShouldBe("after a crash of keepalived")

	guardedBy(t, host.SourceMAC, host.BackupOnly)
	for _, h := range hosts() {
		directly(t, h).must(t, service.Artifacts(), host.Obsolete(marked(h), service.Artifacts()))
		if left := h.MustExec(t, "ipvsadm -Sn | grep -e ' -f ' || true; nft list chain inet redislb prerouting 2>/dev/null || true; ls /etc/keepalived/redislb/*peers* 2>/dev/null || true"); left != "" {
			t.Errorf("on %s there is left\n%s", h.Name, left)
		}
	}
	aIsMaster(t)
}
