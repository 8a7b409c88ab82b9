package host

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Interruptions tell what of a planned change of a VIP breaks connections or keeps new
// ones from being made. Drain is how long the connections of what is taken out get to end.
// A VIP that is destroyed becomes none, and one with another address is another VIP.
func (v VIP) Interruptions(planned VIP, drain time.Duration) []Problem {
	var problems []Problem
	if v.Address != planned.Address {
		problems = append(problems, Problem{[]string{"address"}, "VIP Is Removed",
			fmt.Sprintf("The VIP %s is taken from its directors, and from then on clients reach nobody by it. Lead them elsewhere before.", v.Address)})
		planned.Services = nil
	} else if v.routerID() != planned.routerID() {
		problems = append(problems, Problem{[]string{"vrrp"}, "VIP Is Given Up for a Moment",
			fmt.Sprintf("The VIP %s changes to another VRRP instance. keepalived gives it up with the old one, and the new one begins with an election, some seconds in which clients reach nobody; between the change of one director and of the next, both may hold it. Connections may break. Apply it when that is no harm.", v.Address)})
	}
	if v.Address == planned.Address && v.Interface != planned.Interface {
		problems = append(problems, Problem{[]string{"interface"}, "VIP Changes Its Interface",
			fmt.Sprintf("The VIP %s goes from %s to %s of its directors: clients that reach it by the first no longer do.", v.Address, onInterface(v), onInterface(planned))})
	}
	for _, before := range v.Services {
		at := slices.IndexFunc(planned.Services, func(s keepalived.VirtualServer) bool {
			return ServiceKey(v.Address.Addr(), s) == ServiceKey(v.Address.Addr(), before)
		})
		if at < 0 {
			if before.TotalWeight() > 0 {
				problems = append(problems, Problem{[]string{"services"}, "Service Is Removed",
					fmt.Sprintf("The service %q (%s) is taken out of the table, and %s", before.Name, ServiceKey(v.Address.Addr(), before), fate(before, drain))})
			}
			continue
		}
		problems = append(problems, interruptions(before, planned.Services[at], drain)...)
	}
	return problems
}

func onInterface(v VIP) string {
	if v.Interface == "" {
		return "the interface of the VRRP instance"
	}
	return v.Interface
}

// routerID is that of the VIP's own VRRP instance; 0: it has none.
func (v VIP) routerID() int {
	if v.VRRP == nil {
		return 0
	}
	return v.VRRP.VirtualRouterID
}

func interruptions(before, after keepalived.VirtualServer, drain time.Duration) []Problem {
	var problems []Problem
	for _, r := range before.RealServers {
		stays := slices.ContainsFunc(after.RealServers, func(s keepalived.RealServer) bool {
			return s.Address == r.Address && s.Port == r.Port
		})
		if !stays && r.Weight > 0 {
			problems = append(problems, Problem{[]string{"services"}, "Real Server Is Removed",
				fmt.Sprintf("Service %q: the real server %q (%s) is taken out of the table, and %s", before.Name, r.Name, r.Address, fate(before, drain))})
		}
	}
	if before.TotalWeight() > 0 && after.TotalWeight() == 0 {
		problems = append(problems, Problem{[]string{"services"}, "No Real Server Takes Connections",
			fmt.Sprintf("Service %q: no real server is left with a weight above 0, so new connections are refused or go to the sorry server, if it has one. Give one of them a weight.", after.Name)})
	}
	return problems
}

// fate is what becomes of connections to what is taken out of a service.
func fate(s keepalived.VirtualServer, drain time.Duration) string {
	if s.Protocol != keepalived.TCP || drain == 0 {
		return "the connections that it has break at once. To keep them, give it weight = 0 first, and take it out when they have ended."
	}
	return fmt.Sprintf("the connections that it has get %s to end (drain_timeout), with weight 0 meanwhile. Those that are left then break.", drain)
}

// Interruptions tell what of a planned change of a real server breaks connections: the VIPs
// that it answers for no longer while one of the directors, which are hosts that were looked
// at, leads connections to its own address, and the servers of Redis that stop. A real
// server that is destroyed becomes none.
func (r RealServer) Interruptions(planned RealServer, own netip.Addr, directors map[string]*Snapshot) []Problem {
	var problems []Problem
	for _, vip := range r.VIPs {
		if slices.Contains(planned.VIPs, vip) {
			continue
		}
		if senders := where(directors, func(s *Snapshot) bool { return s.sends(vip, own) }); len(senders) > 0 {
			problems = append(problems, Problem{[]string{"vips"}, "Real Server No Longer Answers for a VIP",
				fmt.Sprintf("The host (%s) no longer answers for %s, to which %s may still send it connections: they break, and new ones find nobody. Take it out of the services of the VIP first, in an apply of its own: connections then get the VIP's drain_timeout to end.", own, vip, onDirectors(senders))})
		}
	}
	for _, before := range r.Redis {
		if !slices.ContainsFunc(planned.Redis, func(i Redis) bool { return i.Port == before.Port }) {
			problems = append(problems, Problem{[]string{"redis"}, "Redis Will Be Stopped",
				fmt.Sprintf("The Redis %q on port %d is stopped and removed: the connections to it break. Its data stays on the host.", before.Name, before.Port)})
		}
	}
	return problems
}

// sends reports whether a row of the table leads from the VIP to that server, which has to
// have the VIP itself: with NAT it does not. A drained one without connections gets nothing.
func (s *Snapshot) sends(vip, server netip.Addr) bool {
	return slices.ContainsFunc(s.IPVS, func(service ipvs.Service) bool {
		return service.Address == vip && slices.ContainsFunc(service.Destinations, func(d ipvs.Destination) bool {
			return d.Address == server && d.Forwarding != ipvs.NAT && (d.Weight > 0 || d.ActiveConns > 0)
		})
	})
}
