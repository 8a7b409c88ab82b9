package host

import (
	"context"
	"errors"
	"net/netip"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// changed is redisVIP with another service.
func changed(change func(*keepalived.VIP)) VIP {
	v := redisVIP()
	change(&v.VIP)
	return v
}

func withoutB(v *keepalived.VIP) { v.Services[0].RealServers = v.Services[0].RealServers[:1] }

func connected(server netip.AddrPort, active, inactive int) func(*ipvs.Service) {
	return func(s *ipvs.Service) {
		for i, d := range s.Destinations {
			if d.Endpoint() == server {
				s.Destinations[i].ActiveConns, s.Destinations[i].InactConns = active, inactive
			}
		}
	}
}

func TestDepartureIsWhatNoServiceOfTheSamePortHasAnyMore(t *testing.T) {
	for name, c := range map[string]struct {
		next    VIP
		leaving string
	}{
		"nothing changes":       {redisVIP(), ""},
		"a real server goes":    {changed(withoutB), "b"},
		"the address changes":   {changed(func(v *keepalived.VIP) { v.Services[0].RealServers[0].Address = netip.MustParseAddr("192.0.2.13") }), "a"},
		"other names":           {changed(func(v *keepalived.VIP) { v.Services[0].Name, v.Services[0].RealServers[0].Name = "x", "y" }), ""},
		"another weight":        {changed(func(v *keepalived.VIP) { v.Services[0].RealServers[0].Weight = 0 }), ""},
		"the service moves":     {changed(func(v *keepalived.VIP) { v.Services[0].Port = 6380 }), "a b"},
		"the service goes":      {changed(func(v *keepalived.VIP) { v.Services = nil }), "a b"},
		"the protocol changes":  {changed(func(v *keepalived.VIP) { v.Services[0].Protocol = keepalived.UDP }), "a b"},
		"the VIP goes":          {VIP{}, "a b"},
		"the scheduler changes": {changed(func(v *keepalived.VIP) { v.Services[0].Scheduler = "wlc" }), ""},
	} {
		d := redisVIP().Departure(c.next)
		var leaving []string
		for _, s := range d.Servers {
			leaving = append(leaving, s.Name)
		}
		equal(t, name, strings.Join(leaving, " "), c.leaving)
		for i, rs := range d.drained.Services[0].RealServers {
			want := 1
			if strings.Contains(c.leaving, rs.Name) {
				want = 0
			}
			equal(t, name+": weight", rs.Weight, want)
			equal(t, name+": weight of the original", redisVIP().Services[0].RealServers[i].Weight, 1)
		}
	}
	udp := changed(func(v *keepalived.VIP) { v.Services[0].Protocol = keepalived.UDP })
	equal(t, "over UDP", len(udp.Departure(VIP{}).Servers), 0)
}

// keepalived takes all real servers out of the table when it brings the sorry server in.
func TestSorryServerStaysOutWhereADrainLosesTheQuorum(t *testing.T) {
	sorry := netip.MustParseAddrPort("192.0.2.99:6379")
	for name, c := range map[string]struct {
		quorum keepalived.Quorum
		next   func(*keepalived.VIP)
		stays  bool
	}{
		"enough is left":           {keepalived.Quorum{Weight: 1}, withoutB, true},
		"nothing is left":          {keepalived.Quorum{Weight: 1}, func(v *keepalived.VIP) { v.Services = nil }, false},
		"too little is left":       {keepalived.Quorum{Weight: 2}, withoutB, false},
		"the hysteresis allows it": {keepalived.Quorum{Weight: 2, Hysteresis: 1}, withoutB, true},
		"no real server leaves":    {keepalived.Quorum{Weight: 5}, func(*keepalived.VIP) {}, true},
	} {
		before := changed(func(v *keepalived.VIP) { v.Services[0].SorryServer, v.Services[0].Quorum = sorry, c.quorum })
		d := before.Departure(changed(c.next))
		equal(t, name, d.drained.Services[0].SorryServer.IsValid(), c.stays)
	}
}

// What a drain writes is the service with another weight, and nothing of passwords.
func TestArtifactsOfADepartureAreTheServicesFileAndTheRowsConcerned(t *testing.T) {
	before := changed(func(v *keepalived.VIP) {
		other := v.Services[0]
		other.Name, other.Port = "other", 6380
		v.Services[0].Check = keepalived.Check{Kind: keepalived.CheckRedis, Timeout: time.Second, Redis: keepalived.RedisCheck{Mode: "ping", Password: true}}
		v.Services = append(v.Services, other)
	})
	before.Passwords = map[string]Password{"redis": {Version: 1}}
	next := changed(func(v *keepalived.VIP) { v.Services = before.Services[1:] })
	var keys []string
	for _, a := range before.Departure(next).Artifacts(BackupOnly) {
		keys = append(keys, a.Key())
	}
	equal(t, "artifacts", strings.Join(keys, ", "), "file "+keepalived.VIPServicesPath(vip)+", ipvs tcp 192.0.2.229:6379")
	equal(t, "rows before and after", virtualService(vip, before.Services[0]).Want() == before.Departure(next).Artifacts(BackupOnly)[1].Want(), false)
}

// draining is a master and a backup, and the departure of b. Each count of the master's
// connections of b gets the next of the numbers, then the last.
func draining(active ...int) (Departure, *scripted, *scripted, []*Host) {
	h, master := holding()
	master.become(Master)
	other, backup := holding()
	other.Name = "b"
	backup.become(Backup)
	backup.table = ipvs.Table{redisRow(connected(serverB, 77, 77))} // by the sync daemon
	master.onCount = func(n int) error {
		master.table = ipvs.Table{redisRow(weighing(serverB, 0), connected(serverA, 9, 9), connected(serverB, active[min(n, len(active))-1], 3))}
		return nil
	}
	return redisVIP().Departure(changed(withoutB)), master, backup, []*Host{other, h}
}

func quiet([]Left, time.Duration) {}

func TestWaitEndsWhenTheHolderOfTheVIPCountsNoActiveConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, master, backup, hosts := draining(3, 3, 2, 0)
		start := time.Now()
		left, err := d.Await(t.Context(), hosts, time.Minute, quiet)
		if err != nil || len(left) > 0 {
			t.Fatal(left, err)
		}
		equal(t, "took", time.Since(start), 3*countInterval)
		equal(t, "counts of the master", master.counts, 4)
		equal(t, "counts of the backup: which of them holds the VIP", backup.counts, 1)
		equal(t, "order of the caller's hosts", hosts[0].Name, "b")
	})
}

func TestWaitEndsAtItsLimitWithWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, _, hosts := draining(3)
		var told []string
		start := time.Now()
		left, err := d.Await(t.Context(), hosts, 12500*time.Millisecond, func(left []Left, remaining time.Duration) {
			told = append(told, strings.TrimSpace(Listed(left))+" "+remaining.String())
		})
		if err != nil || len(left) != 1 {
			t.Fatal(left, err)
		}
		equal(t, "took", time.Since(start), 12500*time.Millisecond)
		const text = `service "redis", real server "b" (192.0.2.12:6379): 3 active connections on the director "a"`
		equal(t, "left", left[0].String(), text)
		equal(t, "told", strings.Join(told, "\n"), text+" 12.5s\n"+text+" 7.5s\n"+text+" 2.5s")
	})
}

func TestWaitFollowsTheVIP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, master, backup, hosts := draining(3)
		onCount := master.onCount
		master.onCount = func(n int) error {
			if n == 3 {
				master.become(Backup)
			}
			return onCount(n)
		}
		backup.onCount = func(n int) error {
			if n == 4 { // nobody holds it for a while
				backup.become(Master)
				backup.table = ipvs.Table{redisRow()}
			}
			return nil
		}
		start := time.Now()
		left, err := d.Await(t.Context(), hosts, time.Minute, quiet)
		if err != nil || len(left) > 0 {
			t.Fatal(left, err)
		}
		equal(t, "took", time.Since(start), 4*countInterval)
	})
}

func TestCancelEndsTheWaitWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, _, hosts := draining(3)
		stop := errors.New("stopped by the user")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(4500*time.Millisecond, func() { cancel(stop) })
		start := time.Now()
		_, err := d.Await(ctx, hosts, time.Minute, quiet)
		says(t, err, "stopped by the user", "weight 0", "next apply", "3 active connections")
		equal(t, "took", time.Since(start), 4500*time.Millisecond)
	})
}

func TestCancelDuringACountSaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, master, _, hosts := draining(3)
		ctx, cancel := context.WithCancel(t.Context())
		onCount := master.onCount
		master.onCount = func(n int) error {
			if n < 3 {
				return onCount(n)
			}
			cancel()
			return errors.New("the session ended")
		}
		_, err := d.Await(ctx, hosts, time.Minute, quiet)
		says(t, err, "context canceled", "weight 0", "3 active connections")
	})
}

func TestCountThatFailsEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, master, _, hosts := draining(3)
		gone := errors.New("no route to host")
		master.onCount = func(int) error { return gone }
		if _, err := d.Await(t.Context(), hosts, time.Minute, quiet); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
		if _, err := d.Busy(t.Context(), hosts); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
	})
}

func TestThereIsSomethingToWaitForWhereTheHolderHadConnections(t *testing.T) {
	for name, c := range map[string]struct {
		row    func(*ipvs.Service)
		holder Role
		busy   bool
	}{
		"active":                   {connected(serverB, 1, 0), Master, true},
		"ended lately":             {connected(serverB, 0, 1), Master, true},
		"none":                     {connected(serverB, 0, 0), Master, false},
		"only of another":          {connected(serverA, 5, 5), Master, false},
		"its check fails":          {without(serverB), Master, false},
		"this is not the director": {connected(serverB, 1, 0), Backup, false},
	} {
		h, way := holding()
		way.become(c.holder)
		way.table = ipvs.Table{redisRow(c.row)}
		busy, err := redisVIP().Departure(changed(withoutB)).Busy(t.Context(), []*Host{h})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, busy, c.busy)
	}
}

func TestDepartureConcernsDirectorsThatBalanceTheVIP(t *testing.T) {
	d := redisVIP().Departure(VIP{})
	_, way := holding()
	equal(t, "a director", d.Concerns(way.snapshot(t)), true)
	way.units[keepalivedUnit] = UnitState{Load: "loaded", Active: "failed"}
	equal(t, "whose keepalived is dead", d.Concerns(way.snapshot(t)), false)
	equal(t, "a new one", d.Concerns(bareMachine().hold(redisDirector().Artifacts()).snapshot(t)), false)
}

// By a real shell: an answer that was cut off is no empty table.
func TestScriptThatCountsTellsAnEmptyTableFromNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ip"), []byte("#!/bin/sh\necho \"9: eth0    inet 192.0.2.229/24 scope global eth0\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for proc, want := range map[string]string{"absent": "==\n9: ", "table": "TCP\n==\n9: ", "folder": ""} {
		switch path := filepath.Join(dir, proc); proc {
		case "table":
			_ = os.WriteFile(path, []byte("TCP\n"), 0o644)
		case "folder":
			_ = os.Mkdir(path, 0o755) // cat fails
		}
		sh := osexec.Command("sh", "-c", strings.ReplaceAll(tableAndAddresses, "/proc/net/ip_vs", filepath.Join(dir, proc)))
		sh.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
		out, err := sh.Output()
		if (err != nil) != (want == "") || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s: %q, %v", proc, out, err)
		}
	}
}
