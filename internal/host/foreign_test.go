package host

import (
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// seed is a host that was set up by hand, as the article does it whose system this project
// sets up: notify scripts put one of two files in place.
func seed(t *testing.T, name string) *Snapshot {
	t.Helper()
	text, err := os.ReadFile("testdata/seed-" + name + ".conf")
	if err != nil {
		t.Fatal(err)
	}
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file(string(text))
	return m.snapshot(t)
}

func TestForeignSystemIsReadAsWhatAdoptsItWithTheLeastChange(t *testing.T) {
	a, b := seed(t, "master"), seed(t, "backup")
	d, err := DirectorOn(a)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "adopts", d.Adopt, true)
	equal(t, "guard", d.Guard, BackupOnly)
	equal(t, "instance", string(d.VRRP.Render()), string((keepalived.Director{RouterID: "adopted", Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: 99, AdvertInterval: time.Second, PreemptDelay: 15 * time.Second}).Render()))
	if _, ours := MemberOn("a", a); ours {
		t.Error("it counts as a director of ours")
	}
	v, err := VIPOn(map[string]*Snapshot{"a": a, "b": b}, vip)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "address", v.Address, netip.MustParsePrefix("192.0.2.229/24"))
	equal(t, "services", len(v.Services), 1)
	equal(t, "row", v.virtualService(v.Services[0]).Want(), "-A -t 192.0.2.229:6379 -s rr\n-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n")
	equal(t, "check", v.Services[0].Check, keepalived.Check{Kind: keepalived.CheckTCP, Timeout: 3 * time.Second, Retries: 2, RetryDelay: time.Second})
	if _, err := VIPOn(map[string]*Snapshot{"a": a}, netip.MustParseAddr("192.0.2.1")); err == nil || !strings.Contains(err.Error(), "no such VIP") {
		t.Errorf("a VIP that is not there: %v", err)
	}
}

func TestForeignConfigurationIsAdoptedWithItsVIPsOrNotAtAll(t *testing.T) {
	a := seed(t, "master")
	d, err := DirectorOn(a)
	if err != nil {
		t.Fatal(err)
	}
	d.Name = "a"
	files := map[string]string{}
	for _, s := range steps(a, d.Artifacts(), nil) {
		for _, f := range s.files {
			files[f.path] = string(f.content)
		}
	}
	v, err := VIPOn(map[string]*Snapshot{"a": a}, vip)
	if err != nil {
		t.Fatal(err)
	}
	address, services := v.Render()
	equal(t, "address", files[keepalived.VIPAddressPath(vip)], string(address))
	equal(t, "services", files[keepalived.VIPServicesPath(vip)], string(services))

	warnings := d.Warnings(a)
	equal(t, "warnings", len(warnings), 1)
	for _, word := range []string{"192.0.2.229@a", "notify_master /etc/keepalived/notify_master.sh", "notify_backup", "auth_pass_wo", "router_id LVS_DEVEL"} {
		if !strings.Contains(warnings[0].Detail, word) {
			t.Errorf("the warning lacks %q: %s", word, warnings[0].Detail)
		}
	}
	if strings.Contains(warnings[0].Detail, "1111") {
		t.Errorf("the warning tells the password: %s", warnings[0].Detail)
	}
	d.Adopt = false
	problems := d.Check(a, false)
	equal(t, "problems of an import without adopt", len(problems), 1)
	equal(t, "problem", problems[0].Summary, "Foreign keepalived.conf")
}

func TestWhatHasNoCounterpartInAForeignConfigurationIsTold(t *testing.T) {
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file(`
vrrp_instance A { interface eth0
 virtual_router_id 7
 unknown_word 1
 virtual_ipaddress { 192.0.2.229 } }
virtual_server 192.0.2.229 80 {
	protocol TCP
	lvs_method DR
	real_server 192.0.2.11 80 { HTTP_GET { connect_timeout 5 } }
	real_server 192.0.2.12 80 { TCP_CHECK { connect_timeout 3 } }
}
virtual_server fwmark 3 { real_server 192.0.2.11 80 { weight 1 } }
`)
	vips, lost := m.snapshot(t).foreignVIPs()
	equal(t, "VIPs", len(vips), 1)
	equal(t, "address", vips[0].Address.String(), "192.0.2.229/32")
	for _, word := range []string{"unknown_word", "HTTP_GET of real server 192.0.2.11", "the check of real server 192.0.2.12", "fwmark: it is on no VIP"} {
		if !strings.Contains(strings.Join(lost, "\n"), word) {
			t.Errorf("%q is not told:\n%s", word, strings.Join(lost, "\n"))
		}
	}
	m.files[keepalived.ConfigPath] = file("include /etc/keepalived/more.conf\n")
	if _, err := DirectorOn(m.snapshot(t)); err == nil || !strings.Contains(err.Error(), "line 1, include: names other files") {
		t.Errorf("an instance behind an include: %v", err)
	}
	m.files[keepalived.ConfigPath] = file("vrrp_instance A {\n}\nvrrp_instance B {\n}\n")
	if _, err := DirectorOn(m.snapshot(t)); err == nil || !strings.Contains(err.Error(), "2 VRRP instances") {
		t.Errorf("two instances: %v", err)
	}
}

func TestForeignInstanceIsAdoptedAsKeepalivedRunsIt(t *testing.T) {
	const vip = "virtual_ipaddress {\n192.0.2.229/24\n}\n"
	for name, c := range map[string]struct {
		global, instance string
		noPreempt        bool
		version3         bool
		told             string // of the warning
	}{
		"nopreempt":          {instance: "state BACKUP\nnopreempt\n" + vip, noPreempt: true},
		"nopreempt, master":  {instance: "state MASTER\npriority 100\nnopreempt\n" + vip, told: "line 4, vrrp_instance V: nopreempt: keepalived passes over it in the state MASTER"},
		"fraction":           {instance: "advert_int 0.3\n" + vip, told: "line 4, vrrp_instance V: advert_int: keepalived rounds it to 1s in VRRP version 2"},
		"version of all":     {global: "vrrp_version 3", instance: vip, version3: true, told: "line 4, vrrp_instance V: directors advertise other addresses than it does"},
		"excluded VIPs":      {instance: vip + "virtual_ipaddress_excluded {\n198.51.100.1\n}\n", told: "line 4, vrrp_instance V: directors advertise other addresses than it does"},
		"VIP twice":          {instance: vip + "virtual_ipaddress_excluded {\n192.0.2.229 dev eth1\n}\n", told: "line 4, vrrp_instance V: the VIP 192.0.2.229/32 is there a second time"},
		"two families":       {instance: "virtual_ipaddress {\n192.0.2.229/24\n2001:db8::229/64\n}\n", told: "line 4, vrrp_instance V: the VIP 2001:db8::229/64: keepalived passes over it, since the first VIP is of the other family"},
		"excluded, of IPv6":  {instance: vip + "virtual_ipaddress_excluded {\n2001:db8::229\n}\n"},
		"password of none":   {instance: "version 3\nauthentication {\nauth_type PASS\nauth_pass hUsh\n}\n" + vip, version3: true, told: "line 4, authentication: keepalived passes over it"},
		"password, strictly": {global: "vrrp_strict", instance: "authentication {\nauth_type PASS\nauth_pass hUsh\n}\n" + vip, told: "line 4, authentication: keepalived passes over it"},
		"strict, nopreempt":  {instance: "strict_mode\nstate MASTER\npriority 100\nnopreempt\n" + vip, noPreempt: true, told: "strict_mode: has no counterpart in redislb"},
		"strict after all":   {global: "vrrp_strict", instance: "strict_mode off\nstate MASTER\npriority 100\nnopreempt\n" + vip, told: "nopreempt: keepalived passes over it"},
		"VIP of IPv6":        {instance: "virtual_ipaddress {\n2001:db8::229/64\n}\n", told: "line 4, vrrp_instance V: its first VIP makes it speak VRRP by IPv6"},
		"same daemon":        {global: "lvs_sync_daemon eth0 V", instance: vip},
		"daemon elsewhere":   {global: "lvs_sync_daemon eth1 V", instance: vip, told: "lvs_sync_daemon on eth1: that of redislb is on the VRRP instance's interface, eth0, with its virtual router id, 51"},
		"daemon's other id":  {global: "lvs_sync_daemon eth0 V id 7", instance: vip, told: "lvs_sync_daemon on eth0: "},
		"daemon's old way":   {instance: "lvs_sync_daemon_interface eth1\n" + vip, told: "lvs_sync_daemon on eth1: "},
		"daemon's both ways": {global: "lvs_sync_daemon eth0 V", instance: "lvs_sync_daemon_interface eth1\n" + vip, told: "lvs_sync_daemon_interface: lvs_sync_daemon is there too"},
	} {
		t.Run(name, func(t *testing.T) {
			m := bareMachine()
			m.files[keepalived.ConfigPath] = file("global_defs {\n" + c.global + "\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 51\n" + c.instance + "}\n")
			s := m.snapshot(t)
			d, err := DirectorOn(s)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "nopreempt", d.VRRP.NoPreempt, c.noPreempt)
			equal(t, "has a delay of preemption", d.VRRP.PreemptDelay > 0, !c.noPreempt)
			equal(t, "version 3", d.VRRP.Version3, c.version3)
			_, told, _ := strings.Cut(d.Warnings(s)[0].Detail, "Not taken over:\n")
			if c.told == "" {
				equal(t, "told", told, "")
			} else if !strings.Contains(told, c.told) || strings.Contains(told, "auth_pass_wo") {
				t.Errorf("told %q, want %q", told, c.told)
			}
		})
	}
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file("vrrp_instance V {\nstate MASTER\ninterface eth0\nvirtual_router_id 51\n" + vip + "}\n")
	if _, err := DirectorOn(m.snapshot(t)); err == nil || !strings.Contains(err.Error(), "no priority keepalived takes 255") {
		t.Errorf("a master without a priority: %v", err)
	}
}

// adopted are the services of a VIP with these virtual servers, each with its statements and
// real servers, and what is lost of them.
func adopted(t *testing.T, virtualServers ...string) ([]keepalived.VirtualServer, string) {
	t.Helper()
	text := "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.229/24\n}\n}\n"
	for n, s := range virtualServers {
		text += fmt.Sprintf("virtual_server 192.0.2.229 %d {\n%s\n}\n", 80+n, s)
	}
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file(text)
	vips, lost := m.snapshot(t).foreignVIPs()
	if len(vips) != 1 {
		t.Fatalf("%s\ngot %v\nlost %s", text, vips, strings.Join(lost, "\n"))
	}
	again, err := keepalived.ParseVIP(vips[0].Render())
	if err != nil || len(again.Services) != len(vips[0].Services) {
		t.Errorf("%s\nis adopted as %+v, and read back as %+v, %v", text, vips[0].VIP, again, err)
	}
	return vips[0].Services, strings.Join(lost, "\n")
}

func TestForeignServiceThatCannotBeTakenOverLeavesItsVIPAndTheOthers(t *testing.T) {
	services, lost := adopted(t, "protocol SCTP\nreal_server 192.0.2.11 80 {\n}", "protocol TCP\nreal_server 192.0.2.11 81 {\n}", "protocol TCP")
	equal(t, "services", len(services), 1)
	equal(t, "service", services[0].Name, "tcp-81")
	for _, want := range []string{`line 8, virtual_server 192.0.2.229/24: it ends with the adoption: service "sctp-80": "SCTP": the protocol is TCP or UDP`, "line 18, virtual_server 192.0.2.229/24: it ends with the adoption: service \"tcp-82\": quorum 1: it is from 1 to the total weight of the real servers, 0\na service has at least one"} {
		if !strings.Contains(lost, want) {
			t.Errorf("%q is not told:\n%s", want, lost)
		}
	}
}

func TestForeignServiceOfAGroupIsOnEachVIPOfIt(t *testing.T) {
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file(`vrrp_instance V {
	interface eth0
	virtual_router_id 51
	virtual_ipaddress {
		192.0.2.229/24
		192.0.2.230/24
	}
}
virtual_server_group web {
	192.0.2.229 80
	192.0.2.230 80
	192.0.2.230 81
}
virtual_server group web {
	lvs_method NAT
	protocol TCP
	real_server 192.0.2.11 80 {
	}
}
`)
	vips, lost := m.snapshot(t).foreignVIPs()
	equal(t, "lost", strings.Join(lost, "\n"), "")
	equal(t, "VIPs", len(vips), 2)
	for n, services := range []int{1, 2} {
		equal(t, "services", len(vips[n].Services), services)
		for port, s := range vips[n].Services {
			equal(t, "port", s.Port, 80+port)
			equal(t, "real server", s.RealServers[0].Port, 80)
		}
	}
}

func TestForeignServiceIsCorrectedAsKeepalivedDoes(t *testing.T) {
	services, lost := adopted(t, `protocol tpc
		lb_algo loadbalance
		lb_kind dr
		sh-port
		persistence_granularity 255.255.255.255
		quorum 9
		hysteresis 8
		sorry_server 192.0.2.11 81
		real_server 192.0.2.11 81 {
		weight 2
		}
		real_server 192.0.2.11 82 {
		}
		real_server 192.0.2.11 81 {
		weight 7
		}`, `protocol TCP
		ops
		lb_algo sh
		sh-port
		lb_kind DR
		persistence_granularity 255.255.255.0
		sorry_server 192.0.2.13
		real_server 192.0.2.11 8080 {
		weight 0
		TCP_CHECK {
		}
		}
		real_server 192.0.2.12 8080 {
		TCP_CHECK {
		connect_port 8080
		}
		}
		quorum 2`)
	tcp := keepalived.Check{Kind: keepalived.CheckTCP, Port: 8080, Timeout: 3 * time.Second, Retries: 2, RetryDelay: time.Second}
	one, two := netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("192.0.2.12")
	want := []keepalived.VirtualServer{
		{
			Name: "udp-80", Port: 80, Protocol: keepalived.UDP, Scheduler: "wlc", Forwarding: keepalived.NAT, DelayLoop: time.Minute,
			Persistence: keepalived.Persistence{Timeout: 6 * time.Minute}, Quorum: keepalived.Quorum{Weight: 3, Hysteresis: 2}, Check: keepalived.Check{Kind: keepalived.CheckNone},
			RealServers: []keepalived.RealServer{{Name: "192.0.2.11", Address: one, Port: 81, Weight: 2}, {Name: "192.0.2.11:82", Address: one, Port: 82, Weight: 1}},
		},
		{
			Name: "tcp-81", Port: 81, Protocol: keepalived.TCP, Scheduler: "sh", SchedulerFlags: []string{"sh-port"}, Forwarding: keepalived.DR, DelayLoop: time.Minute,
			Persistence: keepalived.Persistence{Timeout: 6 * time.Minute, Mask: "255.255.255.0"}, Quorum: keepalived.Quorum{Weight: 2}, Check: tcp,
			SorryServer: netip.MustParseAddrPort("192.0.2.13:81"),
			RealServers: []keepalived.RealServer{{Name: "192.0.2.11", Address: one, Port: 81}, {Name: "192.0.2.12", Address: two, Port: 81, Weight: 1}},
		},
	}
	if !reflect.DeepEqual(services, want) {
		t.Errorf("got  %+v\nwant %+v", services, want)
	}
	equal(t, "lost", strings.ReplaceAll(lost, "virtual_server 192.0.2.229/24: ", ""), strings.TrimSpace(`
line 8, protocol "TPC": keepalived does not know it, and takes UDP
line 8, lvs_sched "loadbalance": keepalived does not know it, and takes wlc
line 8, lvs_method "dr": keepalived does not know it, and takes NAT
line 8, sh-port: it is of another scheduler than wlc
line 8, line 22, real server 192.0.2.11:81: it is there already, and the first one counts
line 8, quorum 9: keepalived lowers it to the total weight of the real servers, 3
line 8, hysteresis 8: keepalived lowers it to less than the quorum, 3
line 8, sorry_server 192.0.2.11:81: it is a real server of the service too
line 26, ops: keepalived has it for UDP alone
line 26, line 34, the port of 192.0.2.11:8080: DR does not change that of a packet, so it goes to 81
line 26, line 39, the port of 192.0.2.12:8080: DR does not change that of a packet, so it goes to 81`))
}

func TestWhatAnAdoptionBroughtAlongIsNobodyElsesChange(t *testing.T) {
	foreign := seed(t, "master")
	v, err := VIPOn(map[string]*Snapshot{"a": foreign}, vip)
	if err != nil {
		t.Fatal(err)
	}
	adopted := director().hold(v.Artifacts()).snapshot(t)
	weighed := v
	weighed.Services = []keepalived.VirtualServer{v.Services[0]}
	weighed.Services[0].Scheduler = "wlc"
	for _, adopts := range []bool{true, false} {
		h := New("a", &scripted{machine: director()})
		if adopts {
			h.notOvertaken(nil, foreign)
		}
		r := &request{want: weighed.Artifacts(), seen: map[string]string{}, done: make(chan result, 1)}
		equal(t, "goes on", len(h.notOvertaken([]*request{r}, adopted)) == 1, adopts)
	}
}
