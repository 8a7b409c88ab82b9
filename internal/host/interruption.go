package host

import (
	"fmt"
	"slices"
	"time"

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
	}
	for _, before := range v.Services {
		at := slices.IndexFunc(planned.Services, func(s keepalived.VirtualServer) bool {
			return s.Port == before.Port && s.Protocol == before.Protocol
		})
		if at < 0 {
			if before.TotalWeight() > 0 {
				problems = append(problems, Problem{[]string{"services"}, "Service Is Removed",
					fmt.Sprintf("The service %q (%s port %d) is taken out of the table, and %s", before.Name, before.Protocol, before.Port, fate(before, drain))})
			}
			continue
		}
		problems = append(problems, interruptions(before, planned.Services[at], drain)...)
	}
	return problems
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
