package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

const (
	// The names sort behind every other file of sysctl.d(5), Debian's link to
	// /etc/sysctl.conf (99-sysctl.conf) among them, so that ours hold at boot.
	realServerSysctlFile = "/etc/sysctl.d/99-zz-redislb-realserver.conf"
	realServerUnit       = "redislb-realserver.service"
	realServerUnitFile   = "/etc/systemd/system/" + realServerUnit
)

// RealServer is a host that answers for VIPs.
type RealServer struct {
	VIPs    []netip.Addr
	Redis   []Redis // servers that it runs, by different ports
	Install bool    // install the package of Redis where it is missing
}

const arpIgnore = "net.ipv4.conf.all.arp_ignore"

// arpSysctls keep a host silent about the VIPs on its loopback interface. The
// kernel takes the higher of conf/all and conf/INTERFACE (ip-sysctl, arp_ignore
// and arp_announce), so "all" does the work; lo is set as the usual recipe has it.
func arpSysctls() []Sysctl {
	return []Sysctl{
		{"net.ipv4.conf.lo.arp_ignore", "1"},
		{"net.ipv4.conf.lo.arp_announce", "2"},
		{arpIgnore, "1"},
		{"net.ipv4.conf.all.arp_announce", "2"},
	}
}

// Artifacts returns what a real server has on it.
func (r RealServer) Artifacts() []Artifact {
	artifacts := []Artifact{
		File{Path: realServerSysctlFile, Mode: 0o644, Content: sysctlFile(keepalived.Header("redislb_realserver"), arpSysctls())},
	}
	for _, y := range arpSysctls() {
		if y.Name == arpIgnore {
			artifacts = append(artifacts, ARPIgnore{y, r.VIPs})
			continue
		}
		artifacts = append(artifacts, y)
	}
	for _, vip := range r.VIPs {
		artifacts = append(artifacts, LoopbackAddress{vip})
	}
	artifacts = append(artifacts,
		File{Path: realServerUnitFile, Mode: 0o644, Content: r.unit()},
		Unit{realServerUnit},
	)
	if len(r.Redis) > 0 {
		artifacts = append(artifacts, Package{redisPackage})
	}
	for _, instance := range r.Redis {
		artifacts = append(artifacts, instance.Artifacts()...)
	}
	return artifacts
}

// unit renders the unit that puts the VIPs on lo at boot: after the ARP sysctls
// and before the network, so that the host never answers for them.
func (r RealServer) unit() []byte {
	var b strings.Builder
	b.WriteString(keepalived.Header("redislb_realserver"))
	b.WriteString(`[Unit]
Description=VIPs on the loopback interface
DefaultDependencies=no
After=systemd-sysctl.service local-fs.target
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
`)
	// Once more, since another file of sysctl.d(5) may have come behind ours.
	for _, y := range arpSysctls() {
		fmt.Fprintf(&b, "ExecStart=/bin/sh -c 'echo %s >/proc/sys/%s'\n", y.Value, y.path())
	}
	for _, vip := range r.VIPs {
		l := LoopbackAddress{vip}
		options := "label " + l.label()
		if vip.Is6() {
			options = "nodad" // it is the host's alone on lo, and other hosts' too
		}
		fmt.Fprintf(&b, "ExecStart=/sbin/ip address replace %s dev lo %s\n", l.prefix(), options)
	}
	b.WriteString("\n[Install]\nWantedBy=multi-user.target\n")
	return []byte(b.String())
}

// RealServerOn reads a real server back from what is on a host: the VIPs of the
// unit that we wrote, or else those that lie on lo under a label, as people set
// them up by hand.
func RealServerOn(s *Snapshot) (RealServer, error) {
	r := RealServer{Install: true}
	var err error
	if r.Redis, err = redisOn(s); err != nil {
		return r, err
	}
	if r.VIPs = s.unitVIPs(); len(r.VIPs) > 0 {
		return r, nil
	}
	for _, a := range s.Addresses {
		labelled := strings.HasPrefix(a.Label, "lo:") || a.Prefix.Addr().Is6() // which has no labels
		if a.Device == "lo" && labelled && !a.Prefix.Addr().IsLoopback() && !a.Prefix.Addr().IsLinkLocalUnicast() {
			r.VIPs = append(r.VIPs, a.Prefix.Addr())
		}
	}
	return r, nil
}

// unitVIPs are those of the unit that a real server has.
func (s *Snapshot) unitVIPs() []netip.Addr {
	var vips []netip.Addr
	for line := range strings.Lines(string(s.Files[realServerUnitFile].Content)) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(line, "ExecStart=") {
			continue
		}
		if p, err := netip.ParsePrefix(words[3]); err == nil {
			vips = append(vips, p.Addr())
		}
	}
	return vips
}

// onlyOnLo reports whether the host is a real server of ours for the VIP already, and no
// keepalived there can have put it on another interface than lo.
func (s *Snapshot) onlyOnLo(vip netip.Addr) bool {
	return s.managed(realServerUnitFile) && slices.Contains(s.unitVIPs(), vip) && !s.serves(vip) && !s.Foreign()
}

// OwnAddress returns the host's own address on the network of the first VIP;
// false: no interface has one.
func (r RealServer) OwnAddress(s *Snapshot) (netip.Addr, bool) {
	for _, vip := range r.VIPs {
		for _, a := range s.Addresses {
			own := a.Prefix.Addr()
			if a.Device != "lo" && !a.Secondary && a.Prefix.Contains(vip) && !slices.Contains(r.VIPs, own) && !s.serves(own) {
				return own, true
			}
		}
	}
	return netip.Addr{}, false
}

// Has reports whether the address is on any interface of the host.
func (s *Snapshot) Has(addr netip.Addr) bool {
	return slices.ContainsFunc(s.Addresses, func(a Address) bool { return a.Prefix.Addr() == addr })
}

// Check looks for what keeps the host from being this real server. Address is
// the one that the user gave, or empty.
func (r RealServer) Check(s *Snapshot, address string) []Problem {
	var problems []Problem
	if own, err := netip.ParseAddr(address); err == nil && !s.Has(own) {
		problems = append(problems, Problem{[]string{"address"}, "Address Not on the Host",
			fmt.Sprintf("None of the host's interfaces has the address %s. It has: %s.", own, s.ownAddresses())})
	}
	if _, ok := r.OwnAddress(s); !ok && address == "" {
		problems = append(problems, Problem{[]string{"vips"}, "VIP Not on the Host's Network",
			fmt.Sprintf("None of the host's interfaces is in the subnet of %s, so by direct routing no packet can reach it. It has: %s. If its network holds the VIP all the same, give its address.", r.VIPs[0], s.ownAddresses())})
	}
	for _, vip := range r.VIPs {
		for _, a := range s.Addresses {
			if a.Device != "lo" && a.Prefix.Addr() == vip && !s.serves(vip) && !s.onlyOnLo(vip) {
				problems = append(problems, Problem{[]string{"vips"}, "VIP Is the Host's Own Address",
					fmt.Sprintf("%s is on %s of the host. A VIP is an address that belongs to no machine.", vip, a.Device)})
			}
		}
	}
	if len(s.Units) == 0 {
		problems = append(problems, Problem{nil, "No systemd", "The host does not run systemd, which keeps the VIP across reboots."})
	}
	if _, ok := (Package{redisPackage}).Found(s); len(r.Redis) > 0 && !ok && !r.Install {
		problems = append(problems, Problem{[]string{"install"}, "Package Missing",
			"redis-server is not installed on the host and install is false: install it by hand, or leave install out."})
	}
	for _, instance := range r.Redis {
		problems = append(problems, instance.check(s)...)
	}
	return problems
}

// ownAddresses lists the addresses of the host's interfaces, for messages.
func (s *Snapshot) ownAddresses() string {
	var texts []string
	for _, a := range s.Addresses {
		if a.Device != "lo" && !a.Prefix.Addr().IsLinkLocalUnicast() {
			texts = append(texts, a.Prefix.String()+" on "+a.Device)
		}
	}
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, ", ")
}
