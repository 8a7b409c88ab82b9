package host

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// insideVIP is on another interface than the VRRP instance.
func insideVIP() VIP {
	return VIP{VIP: keepalived.VIP{Address: netip.MustParsePrefix("198.51.100.1/24"), Interface: "eth1"}}
}

func TestVIPIsHeldOnTheInterfaceThatItBelongsOn(t *testing.T) {
	v := insideVIP()
	held := HeldAddress{v.Address, v.Interface}
	for device, want := range map[string]struct{ found, steps string }{
		"eth1": {held.Want(), ""},
		"eth0": {"198.51.100.1/24 on eth0 of the master", "delete_address eth0 198.51.100.1/24 -"},
	} {
		s := &Snapshot{
			noted: Master, Files: fileMap{v.Path(): ours("")}, SyncDaemons: []SyncDaemon{{Master, "eth0", 51}},
			Addresses: []Address{{Device: device, Prefix: v.Address}},
		}
		text, _ := held.Found(s)
		equal(t, "found on "+device, text, want.found)
		equal(t, "steps on "+device, words(held.establish(s)), want.steps)
	}
	equal(t, "want", held.Want(), "198.51.100.1/24 on eth1 of the master, not on a backup")
}

func TestVIPIsReadBackWithItsInterface(t *testing.T) {
	v := insideVIP()
	on := func(v VIP) *Snapshot { return director().hold(v.Artifacts()).snapshot(t) }
	got, err := VIPOn(map[string]*Snapshot{"a": on(v), "b": on(v)}, v.Address.Addr())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "interface", got.Interface, "eth1")
	other := v
	other.Interface = ""
	if _, err := VIPOn(map[string]*Snapshot{"a": on(v), "b": on(other)}, v.Address.Addr()); err == nil {
		t.Error("directors that have it on different interfaces are taken to agree")
	}
}

func TestVIPOnAnInterfaceThatIsNotThereIsRefused(t *testing.T) {
	s := director().snapshot(t)
	v := insideVIP()
	v.Interface = "eth7"
	expect(t, v.Check("a", s), "interface", `Host "a" has no network interface "eth7" for the VIP. It has: eth0,`)
	v.Interface = "eth0"
	expect(t, v.Check("a", s), "", "")
}

func TestVIPThatChangesItsInterfaceIsAnInterruption(t *testing.T) {
	before, after := insideVIP(), insideVIP()
	after.Interface = ""
	expect(t, before.Interruptions(after, time.Second), "interface", "from eth1 to the interface of the VRRP instance of its directors")
	expect(t, before.Interruptions(before, time.Second), "", "")
}

// A sync group of people's, for NAT: the gateway of the real servers moves with the address
// for clients.
func TestInstancesOfOneSyncGroupAreAdoptedAsOne(t *testing.T) {
	instance := func(name, device string, id int, vip string) string {
		return fmt.Sprintf("vrrp_instance %s {\n interface %s\n virtual_router_id %d\n notify /root/%s.sh\n virtual_ipaddress {\n  %s\n }\n}\n", name, device, id, name, vip)
	}
	group := "vrrp_sync_group NAT {\n group {\n  OUT\n  IN\n }\n smtp_alert\n}\n"
	two := instance("OUT", "eth0", 7, "192.0.2.229/24") + instance("IN", "eth1", 8, "198.51.100.1/24")
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file(group + two)
	s := m.snapshot(t)
	d, err := DirectorOn(s)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "instance", d.VRRP.Instance+" "+d.VRRP.Interface, "OUT eth0")
	vips, lost := s.foreignVIPs()
	equal(t, "VIPs", len(vips), 2)
	equal(t, vips[0].Address.String(), vips[0].Interface, "")
	equal(t, vips[1].Address.String(), vips[1].Interface, "eth1")
	for _, word := range []string{"vrrp_instance IN: its VIPs are in OUT", "vrrp_sync_group NAT: smtp_alert", "vrrp_instance OUT: directors advertise other addresses", "/root/OUT.sh", "/root/IN.sh"} {
		if !strings.Contains(strings.Join(lost, "\n"), word) {
			t.Errorf("%q is not told:\n%s", word, strings.Join(lost, "\n"))
		}
	}
	equal(t, "lost", len(lost), 5)

	m.files[keepalived.ConfigPath] = file(group + two + instance("OTHER", "eth0", 9, "192.0.2.230/24"))
	if _, err := DirectorOn(m.snapshot(t)); err == nil || !strings.Contains(err.Error(), "3 VRRP instances") {
		t.Errorf("one that moves by itself: %v", err)
	}
	m.files[keepalived.ConfigPath] = file(two)
	if _, err := DirectorOn(m.snapshot(t)); err == nil || !strings.Contains(err.Error(), "2 VRRP instances") {
		t.Errorf("no sync group: %v", err)
	}
}

func TestVIPOfAForeignConfigurationKeepsItsInterface(t *testing.T) {
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file(`
vrrp_instance A {
	interface eth0
	virtual_router_id 7
	virtual_ipaddress {
		192.0.2.229/24 dev eth0
		198.51.100.1/24 brd + dev eth1
		192.0.2.230/24
	}
}
`)
	vips, lost := m.snapshot(t).foreignVIPs()
	equal(t, "lost", len(lost), 1) // brd
	for i, want := range []string{"", "eth1", ""} {
		equal(t, vips[i].Address.String(), vips[i].Interface, want)
	}
}
