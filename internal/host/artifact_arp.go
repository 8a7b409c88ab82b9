package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// ARPIgnore is net.ipv4.conf.all.arp_ignore of a real server, and that no interface on the
// network of its VIPs has a higher value of its own: the kernel takes the higher of the
// two (ip-sysctl, arp_ignore), and of these some have it answer for the addresses on lo
// (3), or for none at all (8).
type ARPIgnore struct {
	Sysctl
	VIPs []netip.Addr
}

// Found implements [Artifact].
func (a ARPIgnore) Found(s *Snapshot) (string, bool) {
	text, ok := a.Sysctl.Found(s)
	for _, device := range a.devices(s) {
		if value := s.Sysctls[arpIgnoreOf(device)]; wins(value, a.Value) {
			text += fmt.Sprintf(", but %s on %s", value, device)
		}
	}
	return text, ok
}

func wins(value, than string) bool {
	v, _ := strconv.Atoi(value)
	w, _ := strconv.Atoi(than)
	return v > w
}

func arpIgnoreOf(device string) string { return "net.ipv4.conf." + device + ".arp_ignore" }

// devices are the interfaces on the network of a VIP.
func (a ARPIgnore) devices(s *Snapshot) []string {
	var devices []string
	for _, on := range s.Addresses {
		if on.Device != "lo" && slices.ContainsFunc(a.VIPs, on.Prefix.Contains) && !slices.Contains(devices, on.Device) {
			devices = append(devices, on.Device)
		}
	}
	return devices
}

func (a ARPIgnore) establish(s *Snapshot) []step {
	steps := a.Sysctl.establish(s)
	for _, device := range a.devices(s) {
		if wins(s.Sysctls[arpIgnoreOf(device)], a.Value) {
			steps = append(steps, call("set_sysctl", "net/ipv4/conf/"+device+"/arp_ignore", a.Value))
		}
	}
	return steps
}

// remove gives those back that were changed; of others nothing is remembered.
func (a ARPIgnore) remove(s *Snapshot) []step {
	steps := a.Sysctl.remove(s)
	for _, device := range a.devices(s) {
		steps = append(steps, call("restore_sysctl", "net/ipv4/conf/"+device+"/arp_ignore"))
	}
	return steps
}
