package host

import (
	"fmt"
	"slices"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Interruptions tell what of a planned change of a VIP breaks connections or keeps new
// ones from being made.
func (v VIP) Interruptions(planned VIP) []Problem {
	var problems []Problem
	for _, before := range v.Services {
		at := slices.IndexFunc(planned.Services, func(s keepalived.VirtualServer) bool {
			return s.Port == before.Port && s.Protocol == before.Protocol
		})
		if at < 0 {
			if before.TotalWeight() > 0 {
				problems = append(problems, Problem{[]string{"services"}, "Service Is Removed",
					fmt.Sprintf("The service %q (%s port %d) is taken out of the table, and its connections break.", before.Name, before.Protocol, before.Port)})
			}
			continue
		}
		problems = append(problems, interruptions(before, planned.Services[at])...)
	}
	return problems
}

func interruptions(before, after keepalived.VirtualServer) []Problem {
	var problems []Problem
	for _, r := range before.RealServers {
		stays := slices.ContainsFunc(after.RealServers, func(s keepalived.RealServer) bool {
			return s.Address == r.Address && s.Port == r.Port
		})
		if !stays && r.Weight > 0 {
			problems = append(problems, Problem{[]string{"services"}, "Real Server Is Removed without a Drain",
				fmt.Sprintf("Service %q: the real server %q (%s) is taken out of the table with the connections that it has, which break. To keep them, apply it with weight = 0 first, and take it out when its connections have ended.", before.Name, r.Name, r.Address)})
		}
	}
	if before.TotalWeight() > 0 && after.TotalWeight() == 0 {
		problems = append(problems, Problem{[]string{"services"}, "No Real Server Takes Connections",
			fmt.Sprintf("Service %q: no real server is left with a weight above 0, so new connections are refused or go to the sorry server, if it has one. Give one of them a weight.", after.Name)})
	}
	return problems
}
