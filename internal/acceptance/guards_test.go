//go:build acceptance

package acceptance

import (
	"net/netip"
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

// hashed is the artifacts of a host of the pair whose directors guard by hash.
func hashed(t *testing.T, h *lab.Host) (director, vip []host.Artifact) {
	t.Helper()
	d, v := directorOf(h, false), goldenVIP(t, "redis")
	d.Guard = host.Hash
	v.Services[0].Scheduler, v.Services[0].SchedulerFlags = "mh", []string{"mh-port"}
	return d.Artifacts(), v.Artifacts()
}

func noSyncDaemon(t *testing.T) {
	t.Helper()
	for _, h := range hosts() {
		if daemons := h.MustExec(t, "ipvsadm -L --daemon"); daemons != "" {
			t.Errorf("on %s there runs %s", h.Name, daemons)
		}
	}
}

func TestHashGuardKeepsPacketsFromLoopingAndConnectionsAlive(t *testing.T) {
	furnished(t)
	together(t, hosts(), func(h *lab.Host) error {
		director, service := hashed(t, h)
		artifacts := append(host.RealServer{VIPs: []netip.Addr{vip}}.Artifacts(), director...)
		_, err := directly(t, h).Apply(t.Context(), append(artifacts, service...), nil)
		return err
	})
	aIsMaster(t)
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
	if looped == 0 && unguarded[""] == 0 {
		t.Errorf("without the guard no packet died of old age (%v): the check above proves nothing", unguarded)
	}
	t.Logf("without the guard %d of 60 connections failed, and %d packets died of old age", unguarded[""], looped)

	connections := hold(t, 20)
	defer connections.close()
	held := connections.alive()
	survivor := serverID(t, hostB().Addr.String())
	if err := hostA().PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The machine is as the other tests expect it, whatever becomes of this one.
	defer func() {
		if err := hostA().PowerOn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := hostA().WaitSSH(t.Context()); err != nil {
			t.Fatal(err)
		}
	}()
	eventually(t, 30*time.Second, "b holds the VIP", func() bool { return holdsVIP(hostB()) })
	there := 0
	for _, server := range held {
		if server == survivor {
			there++
		}
	}
	if there == 0 {
		t.Fatalf("none of %d connections is to the server that survives", len(held))
	}
	connections.survive("a failover: those on the surviving machine", held, survivor)
	t.Logf("%d of %d connections are to the surviving machine", there, len(held))
}

// The way from each guard to the other one, and back.
func TestGuardOfADirectorChangesInPlace(t *testing.T) {
	pair(t)
	change := func(from, to func(h *lab.Host) []host.Artifact) {
		together(t, hosts(), func(h *lab.Host) error {
			_, err := directly(t, h).Apply(t.Context(), to(h), host.Obsolete(from(h), to(h)))
			return err
		})
	}
	backupOnly := func(h *lab.Host) []host.Artifact { return directorOf(h, false).Artifacts() }
	hash := func(h *lab.Host) []host.Artifact {
		director, _ := hashed(t, h)
		return director
	}
	change(backupOnly, hash)
	noSyncDaemon(t)
	hostB().MustExec(t, "ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 51")
	change(backupOnly, hash) // drift is seen and healed
	noSyncDaemon(t)
	for _, h := range hosts() {
		if got := h.MustExec(t, "cat /proc/sys/net/ipv4/vs/backup_only /proc/sys/net/ipv4/vs/sloppy_tcp | tr '\\n' ' '"); got != "0 1" && got != "0 1 " {
			t.Errorf("backup_only and sloppy_tcp on %s are %q", h.Name, got)
		}
	}
	change(hash, backupOnly)
	for _, h := range hosts() {
		directly(t, h).hasNothingToDo(t, backupOnly(h)) // the daemons of the roles run
		if got := h.MustExec(t, "cat /proc/sys/net/ipv4/vs/backup_only /proc/sys/net/ipv4/vs/sloppy_tcp | tr '\\n' ' '"); got != "1 0" && got != "1 0 " {
			t.Errorf("backup_only and sloppy_tcp on %s are %q", h.Name, got)
		}
	}
}
