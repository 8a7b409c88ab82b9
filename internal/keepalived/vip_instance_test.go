package keepalived_test

import (
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestInstanceOfAVIPThatRenderNeverWritesIsRefused(t *testing.T) {
	reading := func(v keepalived.VIP, replace ...string) error {
		address, services := own(v).Render()
		_, err := keepalived.ParseVIP([]byte(strings.NewReplacer(replace...).Replace(string(address))), services)
		return err
	}
	four, six := addressOnly(), ipv6()
	six.Services = nil
	for _, v := range []keepalived.VIP{four, six} {
		if err := reading(v); err != nil {
			t.Errorf("positive control: %v", err)
		}
	}
	const line4, line6 = "192.0.2.231/24", "2001:db8::229/64 preferred_lft 0"
	for want, err := range map[string]error{
		"expected the name vip:192.0.2.231, found [\"VI_52\"]": reading(four, "vip:192.0.2.231", "VI_52"),
		"expected the name vip:192.0.2.231, found [\"vip":      reading(four, "vip:192.0.2.231", "vip:192.0.2.231 x"),
		"state: \"MASTER\", expected":                          reading(four, "BACKUP", "MASTER"),
		"include: \"/etc/other\", expected":                    reading(four, keepalived.InstancePath, "/etc/other"),
		"nopreempt: does not belong here":                      reading(four, "state BACKUP", "nopreempt"),
		"priority is missing":                                  reading(four, "priority 99", ""),
		"from 1 to 254":                                        reading(four, "priority 99", "priority 255"),
		"from 1 to 255":                                        reading(four, "router_id 52", "router_id 256"),
		"expected one address":                                 reading(four, line4, line4+"\n192.0.2.232/24"),
		"is no address with the length":                        reading(four, line4, "192.0.2.231"),
		"expected 127.112.0.52/32":                             reading(six, "127.112.0.52", "127.112.0.53"),
		"an IPv6 VIP belongs into virtual_ipaddress_excluded":  reading(four, "vip:192.0.2.231", "vip:2001:db8::229", line4, line6),
		"an IPv4 VIP into virtual_ipaddress":                   reading(six, "vip:2001:db8::229", "vip:192.0.2.231", line6, line4),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// What a director that an older redislb wrote lacks is no reason not to read it.
func TestDirectorWithoutInstancesOfVIPsIsRead(t *testing.T) {
	const line = "include /etc/keepalived/redislb/vip-*.vrrp.conf\n"
	text := string(director().Render())
	older := strings.Replace(text, line, "", 1)
	if older == text {
		t.Fatalf("%q is not in\n%s", line, text)
	}
	d, err := keepalived.ParseDirector([]byte(older))
	if err != nil || string(d.Render()) != text {
		t.Errorf("%+v, %v", d, err)
	}
}

// The instance of the director and those of VIPs must not differ in what they share.
func TestInstancesOfVIPsShareAllButTheirOwn(t *testing.T) {
	for _, d := range []keepalived.Director{director(), everything(false), everything(true)} {
		main := string(d.Render())
		for line := range strings.Lines(string(d.RenderInstance())) {
			if indented := "    " + line; !strings.HasPrefix(line, "#") && !strings.Contains(main, indented) {
				t.Errorf("%q is not in the director's instance:\n%s", line, main)
			}
		}
	}
}
