package provider

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/host/hosttest"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

// standingSystem is two directors that redislb made, NAME_a and NAME_b, with their VIPs; the
// first is the master, and a real server too.
type standingSystem struct {
	name     string
	guard    host.LoopGuard
	director func(d *host.Director, own, other netip.Addr) // what it has besides redisVRRP
	vips     []host.VIP
	server   host.RealServer
}

// standing is systems that have, together, whatever redislb can make.
func standing(t *testing.T) []standingHost {
	t.Helper()
	three := int64(3)
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	own := goldenVIP(t, "own")
	own.Services[0].Scheduler, own.Services[0].SchedulerFlags = "mh", []string{"mh-port"}
	full := goldenVIP(t, "full")
	for i := range full.Services {
		if full.Services[i].Check.Kind == keepalived.CheckNone {
			full.Services[i].DelayLoop = time.Second
		}
	}
	var hosts []standingHost
	for i, s := range []standingSystem{{
		name: "minimal", guard: host.BackupOnly, vips: []host.VIP{goldenVIP(t, "redis")}, server: serving("192.0.2.229"),
	}, {
		name: "services", guard: host.BackupOnly, vips: []host.VIP{full, goldenVIP(t, "several")},
		director: func(d *host.Director, _, _ netip.Addr) { d.PasswordVersion = &three },
		server: serving("192.0.2.231", host.Redis{
			Instance: redisconf.Instance{
				Name: "main", Port: 6380, Bind: []netip.Addr{any4}, Protected: true, Password: true, Databases: 1, MaxMemory: "512mb",
				MaxMemoryPolicy: "allkeys-lru", AppendOnly: true, Save: redisconf.Never, Settings: map[string]string{"tcp-keepalive": "60"},
			},
			Client: host.Password{Version: 2},
		}, host.Redis{
			Instance: redisconf.Instance{
				Name: "copy", Port: 17380, Bind: []netip.Addr{any4, any6}, Password: true, Databases: redisconf.DefaultDatabases, MaxMemory: redisconf.DefaultMaxMemory,
				MaxMemoryPolicy: redisconf.DefaultMaxMemoryPolicy, Save: redisconf.DefaultSave,
				ReplicaOf: &redisconf.Replica{Master: netip.MustParseAddrPort("192.0.2.12:6380"), Password: true},
			},
			Client: host.Password{Version: 3, Kept: true}, Master: host.Password{Version: 3, Kept: true},
		}),
	}, {
		name: "tracking", guard: host.BackupOnly, vips: []host.VIP{goldenVIP(t, "ipv6")}, server: serving("2001:db8::229"),
		director: func(d *host.Director, own, other netip.Addr) {
			d.PasswordVersion, d.PasswordKept = &three, true
			d.VRRP.NoPreempt, d.VRRP.PreemptDelay = true, 0
			d.VRRP.Unicast = &keepalived.Unicast{Source: own, Peers: []netip.Addr{other}}
			d.VRRP.GARP = &keepalived.GARP{MasterDelay: time.Second, MasterRepeat: 3, MasterRefresh: time.Minute, MasterRefreshRepeat: 2}
			d.VRRP.Track = keepalived.Track{
				Interfaces: []keepalived.TrackedInterface{{Name: "eth1", Weight: -50}},
				Processes:  []keepalived.TrackedProcess{{Name: "redis", Process: "redis-server", Quorum: 2, Delay: 1500 * time.Millisecond, Weight: -50}},
				Scripts: []keepalived.TrackedScript{
					{Name: "ping", Command: "/usr/local/bin/check-gateway -c 1 192.0.2.1", Interval: 5 * time.Second, Timeout: 2 * time.Second, Fall: 3, Rise: 2, User: "nobody", Weight: -50},
					{Name: "ready", Command: "/usr/local/bin/ready", Interval: time.Second, Fall: 1, Rise: 1},
				},
				Files: []keepalived.TrackedFile{{Name: "lean", Path: "/run/lean", Initial: -3, Weight: 10}},
			}
			d.VRRP.Notify = keepalived.Notify{Master: "/usr/local/bin/notify --state=master", Stop: "/usr/local/bin/notify stop"}
			d.VRRP.Timeouts = keepalived.IPVSTimeouts{TCP: 15 * time.Minute, UDP: 5 * time.Minute}
		},
	}, {
		name: "version3", guard: host.BackupOnly, vips: []host.VIP{goldenVIP(t, "address-only")},
		director: func(d *host.Director, _, _ netip.Addr) {
			d.HMACVersion = &three
			d.VRRP.Version3, d.VRRP.AdvertInterval, d.VRRP.PreemptDelay = true, 300*time.Millisecond, 90*time.Second
			d.Drain = d.VRRP.Priority == 99
		},
	}, {
		name: "active", guard: host.Hash, vips: []host.VIP{own},
	}, {
		name: "remote", guard: host.ConfigSwap, vips: []host.VIP{goldenVIP(t, "redis")}, server: serving("203.0.113.229"),
	}} {
		hosts = append(hosts, s.hosts(t, 51+i)...)
	}
	return hosts
}

func serving(vip string, redis ...host.Redis) host.RealServer {
	return host.RealServer{VIPs: []netip.Addr{netip.MustParseAddr(vip)}, Redis: redis}
}

// goldenVIP is a VIP of the golden files of package keepalived.
func goldenVIP(t *testing.T, name string) host.VIP {
	t.Helper()
	file := func(kind string) []byte {
		text, err := os.ReadFile("../keepalived/testdata/vip-" + name + "." + kind + ".conf")
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	vip, err := keepalived.ParseVIP(file("address"), file("services"))
	if err != nil {
		t.Fatal(err)
	}
	v := host.VIP{VIP: vip, Passwords: map[string]host.Password{}}
	for _, s := range vip.Services {
		if s.Check.Redis.Password {
			v.Passwords[s.Name] = host.Password{Version: 7}
		}
	}
	return v
}

// standingHost answers the probe with what is on it.
type standingHost struct {
	name    string
	output  []byte
	imports map[string]string // ids of resources by their addresses
}

func (s standingSystem) hosts(t *testing.T, router int) []standingHost {
	t.Helper()
	first := standingHost{name: s.name + "_a", imports: map[string]string{}}
	second := standingHost{name: s.name + "_b", imports: map[string]string{}}
	ours, theirs := "192.0.2.11", "192.0.2.12"
	for i, h := range []*standingHost{&first, &second} {
		role := []host.Role{host.Master, host.Backup}[i]
		d := host.Director{Name: h.name, Install: true, Guard: s.guard, VRRP: redisVRRP()}
		d.VRRP.VirtualRouterID, d.VRRP.Priority = router, 100-i
		if s.director != nil {
			s.director(&d, netip.MustParseAddr(ours), netip.MustParseAddr(theirs))
		}
		h.imports["redislb_director."+h.name] = h.name
		artifacts := d.Artifacts()
		for n, v := range s.vips {
			v.Guard, v.Priorities = s.guard, map[string]int{first.name: 10, second.name: 20}
			artifacts = append(artifacts, v.On(h.name).Artifacts()...)
			if role == host.Master {
				h.imports[fmt.Sprintf("redislb_vip.%s_%d", s.name, n)] = fmt.Sprintf("%s@%s,%s", v.Address.Addr(), first.name, second.name)
			}
		}
		if role == host.Master && s.server.VIPs != nil {
			artifacts = append(artifacts, s.server.Artifacts()...)
			h.imports["redislb_realserver."+h.name] = h.name
		}
		bare := strings.NewReplacer("192.0.2.11/24", ours+"/24", "fe80::5054:ff:fe00:20b/64 scope link", fmt.Sprintf("2001:db8::1%d/64 scope global", i+1),
			"Keepalived v2.2.7", "Keepalived v2.4.0").Replace(string(bareHost(t)))
		var err error
		if h.output, err = hosttest.Holding([]byte(bare), role, artifacts); err != nil {
			t.Fatal(err)
		}
		ours, theirs = theirs, ours
	}
	return []standingHost{first, second}
}
