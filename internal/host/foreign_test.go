package host

import (
	"net/netip"
	"os"
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
