//go:build acceptance

package acceptance

import (
	"maps"
	"strconv"
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
		want := map[host.LoopGuard]string{host.BackupOnly: "1\n0", host.Hash: "0\n1"}[to]
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

	connections := hold(t, 20)
	defer connections.close()
	surviving := connections.alive()
	survivor := serverID(t, hostB().Addr.String())
	maps.DeleteFunc(surviving, func(_ int, server string) bool { return server != survivor })
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
	guardedBy(t, host.Hash, host.BackupOnly)
}
