package keepalived_test

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aymanbagabas/go-udiff"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := udiff.Unified(path, "got", string(want), string(got)); diff != "" {
		t.Errorf("%s\nIf it is meant, run go test with -update and read the diff of %s.", diff, path)
	}
}

func director() keepalived.Director {
	return keepalived.Director{
		RouterID: "a", Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: 100,
		AdvertInterval: time.Second, PreemptDelay: 15 * time.Second,
		Auth: true, SyncInterface: "eth0", SyncID: 51,
	}
}

// everything is a director with all that can be said of one.
func everything(version3 bool) keepalived.Director {
	d := director()
	d.Unicast = &keepalived.Unicast{
		Source: netip.MustParseAddr("192.0.2.11"),
		Peers:  []netip.Addr{netip.MustParseAddr("192.0.2.12"), netip.MustParseAddr("192.0.2.13")},
	}
	d.GARP = &keepalived.GARP{
		MasterDelay: time.Second, MasterRepeat: 3, MasterRefresh: time.Minute, MasterRefreshRepeat: 2, LowerPrioDelay: 0, LowerPrioRepeat: 0,
	}
	d.Track = keepalived.Track{
		Interfaces: []keepalived.TrackedInterface{{Name: "eth1", Weight: -50}, {Name: "eth2", Weight: 0}},
		Processes: []keepalived.TrackedProcess{
			{Name: "redis", Process: "redis-server", Quorum: 2, Delay: 1500 * time.Millisecond, Weight: -50},
			{Name: "sshd", Process: "sshd", Quorum: 1, Weight: 10},
		},
		Scripts: []keepalived.TrackedScript{
			{Name: "ping", Command: "/usr/local/bin/check-gateway -c 1 192.0.2.1", Interval: 5 * time.Second, Timeout: 2 * time.Second, Fall: 3, Rise: 2, User: "nobody", Weight: -50},
			{Name: "ready", Command: "/usr/local/bin/ready", Interval: time.Second, Fall: 1, Rise: 1, Weight: 0},
		},
		Files: []keepalived.TrackedFile{{Name: "drain", Path: "/run/redislb.drain", Weight: 1}, {Name: "lean", Path: "/run/lean", Initial: -3, Weight: 10}},
	}
	d.Notify = keepalived.Notify{
		Master: "/usr/local/bin/notify --state=master", Backup: "/usr/local/bin/notify --state=backup",
		Fault: "/usr/local/bin/notify", Stop: "/usr/local/bin/notify stop",
	}
	d.Timeouts = keepalived.IPVSTimeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute}
	if d.Version3 = version3; version3 {
		d.Auth, d.AdvertInterval = false, 300*time.Millisecond
	} else {
		d.NoPreempt, d.PreemptDelay = true, 0
	}
	return d
}

func redis() keepalived.VIP {
	return keepalived.VIP{
		Address: netip.MustParsePrefix("192.0.2.229/24"),
		Services: []keepalived.VirtualServer{{
			Name: "redis", Port: 6379, Protocol: keepalived.TCP, Scheduler: "rr", Forwarding: keepalived.DR,
			DelayLoop: 6 * time.Second,
			Check:     keepalived.Check{Kind: keepalived.CheckTCP, Timeout: 3 * time.Second, Retries: 2, RetryDelay: time.Second},
			Quorum:    keepalived.Quorum{Weight: 1},
			RealServers: []keepalived.RealServer{
				{Name: "b", Address: netip.MustParseAddr("192.0.2.12"), Port: 6379, Weight: 1},
				{Name: "a", Address: netip.MustParseAddr("192.0.2.11"), Port: 6379, Weight: 1},
			},
		}},
	}
}

// several has two services, fractions of a second, weight 0, all that is in a
// comment by force, and NAT to another port.
func several() keepalived.VIP {
	vip := redis()
	vip.Address = netip.MustParsePrefix("192.0.2.230/32")
	second := vip.Services[0]
	second.Name, second.Port, second.Scheduler = "odd \"}\n#!$(x) ä\\", 6380, "wlc"
	second.DelayLoop, second.Check = 500*time.Millisecond, keepalived.Check{Kind: keepalived.CheckTCP, Timeout: 100 * time.Millisecond}
	second.RealServers = []keepalived.RealServer{{Name: "draining {", Address: netip.MustParseAddr("192.0.2.11"), Port: 6380, Weight: 0},
		{Name: "b", Address: netip.MustParseAddr("192.0.2.12"), Port: 6380, Weight: 65535}}
	nat := vip.Services[0]
	nat.Name, nat.Port, nat.Forwarding, nat.Protocol, nat.Scheduler = "nat", 53, keepalived.NAT, keepalived.UDP, "mh"
	vip.Services = append(vip.Services, second, nat)
	return vip
}

// full has every keyword that a VIP can have, one kind of check a service.
func full() keepalived.VIP {
	vip := redis()
	vip.Address = netip.MustParsePrefix("192.0.2.231/24")
	service := func(port int, check keepalived.Check, change func(*keepalived.VirtualServer)) {
		s := redis().Services[0]
		s.Name, s.Port = fmt.Sprint(check.Kind, " on ", port), port
		check.Retries, check.RetryDelay = s.Check.Retries, s.Check.RetryDelay
		if check.Timeout == 0 && check.Kind != keepalived.CheckNone {
			check.Timeout = s.Check.Timeout
		}
		if check.Kind == keepalived.CheckNone {
			check.Retries, check.RetryDelay = 0, 0
		}
		s.Check = check
		for i := range s.RealServers {
			s.RealServers[i].Port = port
		}
		change(&s)
		vip.Services = append(vip.Services, s)
	}
	vip.Services = nil
	service(6379, keepalived.Check{Kind: keepalived.CheckRedis, Redis: keepalived.RedisCheck{Mode: "ping"}}, func(s *keepalived.VirtualServer) {
		s.Persistence = keepalived.Persistence{Timeout: 6 * time.Minute, Mask: "255.255.255.0"}
		s.InhibitOnFailure = true
		s.RealServers[0].UpperThreshold, s.RealServers[0].LowerThreshold = 1000, 900
	})
	service(6380, keepalived.Check{Kind: keepalived.CheckRedis, Timeout: 2500 * time.Millisecond, Port: 16380, Redis: keepalived.RedisCheck{
		Mode: "writable", User: "check", Password: true, TLS: true, CAFile: "/etc/ssl/certs/ca-certificates.crt", CertFile: "/etc/ssl/redis.pem", ServerName: "redis.example",
	}}, func(s *keepalived.VirtualServer) {
		s.Scheduler, s.SchedulerFlags = "mh", []string{"mh-fallback", "mh-port"}
		s.Quorum = keepalived.Quorum{Weight: 2, Hysteresis: 1, Up: "/usr/bin/logger -t redis up", Down: "/usr/bin/logger -t redis down"}
		s.SorryServer = netip.MustParseAddrPort("192.0.2.13:6380")
	})
	service(80, keepalived.Check{Kind: keepalived.CheckHTTP, HTTP: keepalived.HTTPCheck{Path: "/health?deep=1", Host: "www.example", Status: "200-299 304"}}, func(s *keepalived.VirtualServer) {
		s.Scheduler, s.SchedulerFlags = "sh", []string{"sh-fallback", "sh-port"}
		s.Forwarding = keepalived.NAT
		s.RealServers[0].Port, s.RealServers[1].Port = 8080, 8081
	})
	service(443, keepalived.Check{Kind: keepalived.CheckHTTP, HTTP: keepalived.HTTPCheck{Path: "/", Host: "www.example", TLS: true, Status: "200"}}, func(s *keepalived.VirtualServer) {
		s.Forwarding = keepalived.TUN
	})
	service(53, keepalived.Check{Kind: keepalived.CheckScript, Script: "/usr/local/bin/check-dns -q"}, func(s *keepalived.VirtualServer) {
		s.Protocol, s.OnePacket = keepalived.UDP, true
	})
	service(514, keepalived.Check{Kind: keepalived.CheckNone}, func(s *keepalived.VirtualServer) { s.Protocol = keepalived.UDP })
	service(8000, keepalived.Check{Kind: keepalived.CheckTCP}, func(s *keepalived.VirtualServer) {
		s.FWMark, s.SorryServer = 7, netip.MustParseAddrPort("192.0.2.13:8000")
	})
	service(8001, keepalived.Check{Kind: keepalived.CheckNone}, func(s *keepalived.VirtualServer) {
		s.FWMark, s.Forwarding, s.RealServers[0].Port = 8, keepalived.NAT, 8080
	})
	return vip
}

func ipv6() keepalived.VIP {
	vip := redis()
	vip.Address = netip.MustParsePrefix("2001:db8::229/64")
	vip.Services[0].Persistence = keepalived.Persistence{Timeout: time.Minute, Mask: "64"}
	vip.Services[0].RealServers = []keepalived.RealServer{
		{Name: "a", Address: netip.MustParseAddr("2001:db8::11"), Port: 6379, Weight: 65535},
	}
	return vip
}

func addressOnly() keepalived.VIP {
	return keepalived.VIP{Address: netip.MustParsePrefix("192.0.2.231/24")}
}

// inside is on another interface than its instance: the gateway of real servers.
func inside() keepalived.VIP {
	return keepalived.VIP{Address: netip.MustParsePrefix("198.51.100.1/24"), Interface: "eth1"}
}

// own is a VIP with an instance of its own.
func own(vip keepalived.VIP) keepalived.VIP {
	vip.VRRP = &keepalived.VIPInstance{VirtualRouterID: 52, Priority: 99}
	return vip
}

func TestDirectorIsWrittenAsTheGoldenFilesSay(t *testing.T) {
	golden(t, "director.conf", director().Render())
	golden(t, "instance.conf", director().RenderInstance())
	small := director()
	small.Auth, small.SyncInterface, small.SyncID, small.PreemptDelay = false, "", 0, 1500*time.Millisecond
	small.Timeouts.TCPFin = time.Second
	golden(t, "director-small.conf", small.Render())
	swapping := director()
	swapping.SyncInterface, swapping.SyncID, swapping.SwapServices = "", 0, true
	golden(t, "director-swap.conf", swapping.Render())
	both := director()
	both.SyncBoth = true
	golden(t, "director-source-mac.conf", both.Render())
	for name, d := range map[string]keepalived.Director{"2": everything(false), "3": everything(true)} {
		if err := d.Validate(); err != nil {
			t.Errorf("version %s: %v", name, err)
		}
		golden(t, "director-everything-v"+name+".conf", d.Render())
		golden(t, "instance-everything-v"+name+".conf", d.RenderInstance())
	}
}

func TestAuthIsWrittenAsTheGoldenFileSays(t *testing.T) {
	auth, err := keepalived.RenderAuth("a@~%(?=]", 3)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "auth.conf", auth)
}

func TestPeersAreWrittenAsTheGoldenFilesSay(t *testing.T) {
	two := keepalived.Peers{
		VIP: redis().Address.Addr(), Own: netip.MustParseAddr("192.0.2.11"), MACs: []string{"52:54:00:00:00:0d", "52:54:00:00:00:0c"},
	}
	services, marks := two.Render()
	golden(t, "vip-redis.peers.services.conf", services)
	golden(t, "vip-redis.peers.nft", marks)
	six := keepalived.Peers{VIP: ipv6().Address.Addr(), Own: netip.MustParseAddr("2001:db8::11"), MACs: two.MACs[:1]}
	services, marks = six.Render()
	golden(t, "vip-ipv6.peers.services.conf", services)
	golden(t, "vip-ipv6.peers.nft", marks)

	other := two
	other.Own = netip.MustParseAddr("192.0.2.12")
	if two.Mark() == other.Mark() || two.Mark() == six.Mark() || two.Mark() < 1<<30 || two.Mark() >= 1<<31 {
		t.Errorf("marks %x of one director, %x of the other, %x of another VIP", two.Mark(), other.Mark(), six.Mark())
	}
}

func TestVIPIsWrittenAsTheGoldenFilesSay(t *testing.T) {
	inside6 := own(inside())
	inside6.Address = netip.MustParsePrefix("2001:db8:1::1/64")
	for name, vip := range map[string]keepalived.VIP{
		"redis": redis(), "several": several(), "ipv6": ipv6(), "full": full(), "address-only": addressOnly(),
		"own": own(redis()), "own-ipv6": own(ipv6()), "inside": inside(), "inside-ipv6": inside6,
	} {
		if err := vip.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		address, services := vip.Render()
		golden(t, "vip-"+name+".address.conf", address)
		golden(t, "vip-"+name+".services.conf", services)
	}
}
