package host

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// VIP is a virtual address with its services, the same on each of its directors.
type VIP struct {
	keepalived.VIP
	// Passwords are those of the checks that have one, by the name of the service.
	Passwords map[string]Password
	// Guard is that of the directors; empty is BackupOnly.
	Guard LoopGuard
	// Peers is what one director knows of the others, for [SourceMAC].
	Peers *keepalived.Peers
	// Priorities are those of the directors, by their names, where the VIP has a VRRP instance
	// of its own; see On.
	Priorities map[string]int
}

// On is the VIP as the director of that name has it.
func (v VIP) On(name string) VIP {
	if v.VRRP != nil {
		v.VRRP = &keepalived.VIPInstance{VirtualRouterID: v.VRRP.VirtualRouterID, Priority: v.Priorities[name]}
	}
	return v
}

// Password is a secret that is written when its version changes. Text is needed only
// where it is to be written.
type Password struct {
	Version int64
	Text    string
	Kept    bool // Terraform's state keeps it, and the version is the provider's own count
}

// Artifacts returns what each director of the VIP has on it. One with a VRRP instance of its
// own is not the same on all of them: see On.
func (v VIP) Artifacts() []Artifact {
	vip := v.Address.Addr()
	address, services := v.Render()
	artifacts := []Artifact{
		File{Path: v.Path(), Mode: 0o644, Content: address},
		File{Path: keepalived.VIPServicesPath(vip), Mode: 0o644, Content: services, also: v.prerequisites()},
	}
	others := OtherProtocols{VIP: vip}
	for _, s := range v.Services {
		others.Configured = append(others.Configured, ServiceKey(vip, s))
		if p, ok := v.Passwords[s.Name]; ok {
			artifacts = append(artifacts, secretFile(keepalived.RedisPasswordPath(vip, s.Protocol, s.Port), p, keepalived.RenderRedisPassword))
		}
		artifacts = append(artifacts, v.virtualService(s))
	}
	if len(v.Services) > 0 {
		artifacts = append(artifacts, others)
	}
	if v.Peers != nil && len(v.Services) > 0 {
		artifacts = append(artifacts, v.guardedByMAC()...)
	}
	return append(artifacts, HeldAddress{v.Address, v.Interface})
}

// guardedByMAC is what [SourceMAC] has for the VIP on a director.
func (v VIP) guardedByMAC() []Artifact {
	services, marks := v.Peers.Render()
	own := ipvs.Service{
		Key:       ipvs.Key{FWMark: v.Peers.Mark(), IPv6: v.Peers.Own.Is6()},
		Scheduler: "rr",
		Destinations: []ipvs.Destination{{
			Address: v.Peers.Own, Forwarding: ipvs.DR, Weight: 1,
		}},
	}
	return []Artifact{
		File{Path: keepalived.VIPPeersPath(v.Peers.VIP), Mode: 0o644, Content: services},
		File{Path: keepalived.VIPMarksPath(v.Peers.VIP), Mode: 0o644, Content: marks},
		VirtualService{Service: own},
		PeerMarks{*v.Peers},
	}
}

// prerequisites look, on the host, for the programs that keepalived would only leave
// out with a word in its log: a real server that is never checked counts as well.
func (v VIP) prerequisites() []step {
	var steps []step
	done := map[string]bool{"": true}
	for _, s := range v.Services {
		for _, command := range []string{s.Check.Script, s.Quorum.Up, s.Quorum.Down} {
			check := checkScript(command, "root")
			if program := check.words[1]; !done[program] {
				steps, done[program] = append(steps, check), true
			}
		}
	}
	return steps
}

// ServiceKey is the key of a virtual server of the VIP in the IPVS table.
func ServiceKey(vip netip.Addr, s keepalived.VirtualServer) ipvs.Key {
	if s.FWMark != 0 {
		return ipvs.Key{FWMark: s.FWMark, IPv6: vip.Is6()}
	}
	return ipvs.Key{Protocol: protocols[s.Protocol], Address: vip, Port: uint16(s.Port)}
}

// virtualService is what a service of the VIP is in the kernel of a director.
func (v VIP) virtualService(s keepalived.VirtualServer) VirtualService {
	row := virtualService(v.Address.Addr(), s)
	row.OnMaster = v.Guard == ConfigSwap
	return row
}

// virtualService is what keepalived makes of a virtual server in the kernel.
func virtualService(vip netip.Addr, s keepalived.VirtualServer) VirtualService {
	row := ipvs.Service{
		Key:                ServiceKey(vip, s),
		Scheduler:          s.Scheduler,
		SchedulerFlags:     s.SchedulerFlags,
		OnePacket:          s.OnePacket,
		Persistent:         s.Persistence.Timeout > 0,
		PersistenceTimeout: s.Persistence.Timeout,
		PersistenceMask:    s.Persistence.Mask,
	}
	for _, rs := range s.RealServers {
		row.Destinations = append(row.Destinations, ipvs.Destination{
			Address: rs.Address, Port: s.RowPort(rs.Port), Forwarding: forwarding[s.Forwarding], Weight: rs.Weight,
			UpperThreshold: uint32(rs.UpperThreshold), LowerThreshold: uint32(rs.LowerThreshold),
		})
	}
	sorry := s.SorryServer
	if sorry.IsValid() {
		sorry = netip.AddrPortFrom(sorry.Addr(), s.RowPort(int(sorry.Port())))
	}
	return VirtualService{Service: row, Sorry: sorry, Inhibit: s.InhibitOnFailure}
}

var (
	protocols  = map[keepalived.Protocol]ipvs.Protocol{keepalived.TCP: ipvs.TCP, keepalived.UDP: ipvs.UDP}
	forwarding = map[keepalived.Forwarding]ipvs.Forwarding{keepalived.DR: ipvs.DR, keepalived.NAT: ipvs.NAT, keepalived.TUN: ipvs.TUN}
)

// VIPOn reads a VIP back from what is on its directors, which must agree.
func VIPOn(snapshots map[string]*Snapshot, address netip.Addr) (VIP, error) {
	servicesFile := keepalived.VIPServicesPath(address)
	var names []string
	for name := range snapshots {
		names = append(names, name)
	}
	slices.Sort(names)
	first := snapshots[names[0]]
	if first.Foreign() {
		return foreignVIP(snapshots, names, address)
	}
	addressFile := first.vipPath(address)
	var vip keepalived.VIP
	var priorities map[string]int
	for _, name := range names {
		s := snapshots[name]
		for _, file := range []string{addressFile, servicesFile} {
			if !s.managed(file) {
				return VIP{}, fmt.Errorf("host %q has no %s of redislb's: the VIP is not configured there", name, file)
			}
		}
		there, err := s.VIP(address)
		if err != nil {
			return VIP{}, fmt.Errorf("the files of %s on host %q: %w", address, name, err)
		}
		if there.VRRP != nil {
			if priorities == nil {
				priorities = map[string]int{}
			}
			priorities[name] = there.VRRP.Priority
			there.VRRP.Priority = 0 // the only thing in which they may differ
		}
		if name == names[0] {
			vip = there
		}
		for file, same := range map[string]bool{
			addressFile:  there.Address == vip.Address && there.Interface == vip.Interface && (there.VRRP == nil) == (vip.VRRP == nil) && (vip.VRRP == nil || *there.VRRP == *vip.VRRP),
			servicesFile: bytes.Equal(s.Files[servicesFile].Content, first.Files[servicesFile].Content),
		} {
			if !same {
				return VIP{}, fmt.Errorf("%s differs between the hosts %q and %q: make them the same, or import the VIP from one of them alone", file, names[0], name)
			}
		}
	}
	passwords := map[string]Password{}
	for _, s := range vip.Services {
		if path := keepalived.RedisPasswordPath(address, s.Protocol, s.Port); s.Check.Redis.Password {
			version, err := keepalived.ParseRedisPasswordVersion(first.Files[path].Content)
			if err != nil {
				return VIP{}, fmt.Errorf("%s on host %q: %w", path, names[0], err)
			}
			passwords[s.Name] = Password{Version: version}
		}
	}
	return VIP{VIP: vip, Passwords: passwords, Priorities: priorities}, nil
}

// Check looks for what keeps the host from being a director of this VIP; name is
// the host's.
func (v VIP) Check(name string, s *Snapshot) []Problem {
	var problems []Problem
	vip := v.Address.Addr()
	if !s.serves(vip) {
		for _, a := range s.Addresses {
			if a.Device != "lo" && a.Prefix.Addr() == vip {
				problems = append(problems, Problem{[]string{"address"}, "VIP Is a Host's Own Address",
					fmt.Sprintf("%s is on %s of host %q. A VIP is an address that belongs to no machine.", vip, a.Device, name)})
			}
		}
	}
	if v.Interface != "" && !slices.Contains(s.Interfaces, v.Interface) {
		problems = append(problems, Problem{[]string{"interface"}, "No Such Interface",
			fmt.Sprintf("Host %q has no network interface %q for the VIP. It has: %s.", name, v.Interface, strings.Join(s.Interfaces, ", "))})
	}
	for _, service := range v.Services {
		if other := s.marksOf(service.FWMark, vip); other.IsValid() {
			problems = append(problems, Problem{[]string{"services"}, "Firewall Mark Taken",
				fmt.Sprintf("Service %q: on host %q the firewall mark %d is of a service of the VIP %s already, and a mark leads to one service. Take another mark, for the rule that sets it too.", service.Name, name, service.FWMark, other)})
		}
		if len(s.Schedulers) > 0 && !slices.Contains(s.Schedulers, service.Scheduler) {
			problems = append(problems, Problem{[]string{"services"}, "Scheduler Missing from the Kernel",
				fmt.Sprintf("Service %q: the kernel of host %q (%s) has no module ip_vs_%s. It has: %s.", service.Name, name, s.Kernel, service.Scheduler, strings.Join(s.Schedulers, ", "))})
		}
		forwards := "net.ipv4.ip_forward"
		if vip.Is6() {
			forwards = "net.ipv6.conf.all.forwarding"
		}
		if service.Forwarding == keepalived.NAT && s.Sysctls[forwards] == "0" {
			problems = append(problems, Problem{[]string{"services"}, "Host Does Not Forward",
				fmt.Sprintf("Service %q: with NAT the director passes on what the real servers answer, and host %q does not forward packets: set the sysctl %s to 1 there, and let the real servers send their answers by way of the director.", service.Name, name, forwards)})
		}
		servers := service.RealServers
		if sorry := service.SorryServer; sorry.IsValid() {
			servers = append(slices.Clone(servers), keepalived.RealServer{Name: "sorry_server", Address: sorry.Addr()})
		}
		for _, rs := range servers {
			if service.Forwarding == keepalived.DR && !s.reachesDirectly(rs.Address) {
				problems = append(problems, Problem{[]string{"services"}, "Real Server on Another Network",
					fmt.Sprintf("Service %q: the real server %q (%s) is in no subnet of host %q (%s). Direct routing rewrites the MAC address only, so a director reaches real servers on its own network segment and no others.", service.Name, rs.Name, rs.Address, name, s.ownAddresses())})
			}
		}
	}
	return problems
}

// marksOf returns the other VIP on the host that has a service with the firewall mark; the
// zero Addr where there is none. The health notes of keepalived do not tell the family of
// a mark, so it counts for both.
func (s *Snapshot) marksOf(mark uint32, but netip.Addr) netip.Addr {
	for _, address := range s.ManagedVIPs() {
		vip, err := s.VIP(address)
		if err == nil && mark != 0 && address != but && slices.ContainsFunc(vip.Services, func(o keepalived.VirtualServer) bool { return o.FWMark == mark }) {
			return address
		}
	}
	return netip.Addr{}
}

// reachesDirectly reports whether the address is on a network of the host's own. An
// IPv6 host need not have an address that tells its network (DHCPv6 gives a /128, and a
// router says the rest): then anything may be.
func (s *Snapshot) reachesDirectly(addr netip.Addr) bool {
	tells := addr.Is4()
	for _, a := range s.Addresses {
		own := a.Prefix.Addr()
		if a.Device == "lo" || own.Is4() != addr.Is4() || own.IsLinkLocalUnicast() {
			continue
		}
		if a.Prefix.Contains(addr) {
			return true
		}
		tells = tells || !a.Prefix.IsSingleIP()
	}
	return !tells
}

// CheckDirector is Check at the time of the apply, when the host must have become
// a director.
func (v VIP) CheckDirector(name string, s *Snapshot) []Problem {
	problems := append(v.Check(name, s), v.CheckGuard(name, s.LoopGuard())...)
	if m, ok := MemberOn(name, s); ok && v.VRRP != nil {
		problems = append(problems, m.Clashes(v.Address, v.VRRP.VirtualRouterID)...)
	}
	switch {
	case v.VRRP != nil && s.managed(keepalived.ConfigPath) && !s.managed(keepalived.InstancePath):
		problems = append(problems, Problem{[]string{"directors"}, "Director of an Older Version",
			fmt.Sprintf("Host %q has no %s, which its redislb_director writes and the VRRP instance of the VIP goes by: apply that resource first.", name, keepalived.InstancePath)})
	case !s.managed(keepalived.ConfigPath):
		problems = append(problems, Problem{[]string{"directors"}, "Not a Director",
			fmt.Sprintf("Host %q has no %s of redislb's: add a redislb_director for it, and refer to its host attribute so that it comes first.", name, keepalived.ConfigPath)})
	}
	return problems
}
