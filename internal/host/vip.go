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
type VIP keepalived.VIP

// Artifacts returns what each director of the VIP has on it.
func (v VIP) Artifacts() []Artifact {
	vip := v.Address.Addr()
	address, services := keepalived.VIP(v).Render()
	artifacts := []Artifact{
		File{Path: keepalived.VIPAddressPath(vip), Mode: 0o644, Content: address},
		File{Path: keepalived.VIPServicesPath(vip), Mode: 0o644, Content: services},
	}
	for _, s := range v.Services {
		artifacts = append(artifacts, VirtualService{tableRow(vip, s)})
	}
	return append(artifacts, HeldAddress{v.Address})
}

// tableRow is what keepalived makes of a virtual server in the kernel.
func tableRow(vip netip.Addr, s keepalived.VirtualServer) ipvs.Service {
	row := ipvs.Service{
		Key:       ipvs.Key{Protocol: ipvs.TCP, Address: vip, Port: uint16(s.Port)},
		Scheduler: s.Scheduler,
	}
	for _, rs := range s.RealServers {
		row.Destinations = append(row.Destinations, ipvs.Destination{
			Address: rs.Address, Port: uint16(rs.Port), Forwarding: ipvs.DR, Weight: rs.Weight,
		})
	}
	return row
}

// VIPOn reads a VIP back from what is on its directors, which must agree.
func VIPOn(snapshots map[string]*Snapshot, address netip.Addr) (VIP, error) {
	addressFile, servicesFile := keepalived.VIPAddressPath(address), keepalived.VIPServicesPath(address)
	var names []string
	for name := range snapshots {
		names = append(names, name)
	}
	slices.Sort(names)
	first := snapshots[names[0]]
	for _, name := range names {
		for _, file := range []string{addressFile, servicesFile} {
			if !snapshots[name].managed(file) {
				return VIP{}, fmt.Errorf("host %q has no %s of redislb's: the VIP is not configured there", name, file)
			}
			if !bytes.Equal(snapshots[name].Files[file].Content, first.Files[file].Content) {
				return VIP{}, fmt.Errorf("%s differs between the hosts %q and %q: make them the same, or import the VIP from one of them alone", file, names[0], name)
			}
		}
	}
	vip, err := keepalived.ParseVIP(first.Files[addressFile].Content, first.Files[servicesFile].Content)
	if err != nil {
		return VIP{}, fmt.Errorf("the files of %s on host %q: %w", address, names[0], err)
	}
	return VIP(vip), nil
}

// Check looks for what keeps the host from being a director of this VIP; name is
// the host's.
func (v VIP) Check(name string, s *Snapshot) []Problem {
	var problems []Problem
	vip := v.Address.Addr()
	if !slices.Contains(s.ManagedVIPs(), vip) {
		for _, a := range s.Addresses {
			if a.Device != "lo" && a.Prefix.Addr() == vip {
				problems = append(problems, Problem{[]string{"address"}, "VIP Is a Host's Own Address",
					fmt.Sprintf("%s is on %s of host %q. A VIP is an address that belongs to no machine.", vip, a.Device, name)})
			}
		}
	}
	for _, service := range v.Services {
		if len(s.Schedulers) > 0 && !slices.Contains(s.Schedulers, service.Scheduler) {
			problems = append(problems, Problem{[]string{"services"}, "Scheduler Missing from the Kernel",
				fmt.Sprintf("Service %q: the kernel of host %q (%s) has no module ip_vs_%s. It has: %s.", service.Name, name, s.Kernel, service.Scheduler, strings.Join(s.Schedulers, ", "))})
		}
		for _, rs := range service.RealServers {
			if !s.reachesDirectly(rs.Address) {
				problems = append(problems, Problem{[]string{"services"}, "Real Server on Another Network",
					fmt.Sprintf("Service %q: the real server %q (%s) is in no subnet of host %q (%s). Direct routing rewrites the MAC address only, so a director reaches real servers on its own network segment and no others.", service.Name, rs.Name, rs.Address, name, s.ownAddresses())})
			}
		}
	}
	return problems
}

func (s *Snapshot) reachesDirectly(addr netip.Addr) bool {
	return slices.ContainsFunc(s.Addresses, func(a Address) bool {
		return a.Device != "lo" && a.Prefix.Contains(addr)
	})
}

// CheckDirector is Check at the time of the apply, when the host must have become
// a director.
func (v VIP) CheckDirector(name string, s *Snapshot) []Problem {
	problems := v.Check(name, s)
	if !s.managed(keepalived.ConfigPath) {
		problems = append(problems, Problem{[]string{"directors"}, "Not a Director",
			fmt.Sprintf("Host %q has no %s of redislb's: add a redislb_director for it, and refer to its host attribute so that it comes first.", name, keepalived.ConfigPath)})
	}
	return problems
}
