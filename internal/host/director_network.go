package host

import (
	"fmt"
	"slices"
	"strings"
)

// checkNetwork looks for the interfaces and addresses that the VRRP instance names.
func (d Director) checkNetwork(s *Snapshot) []Problem {
	var problems []Problem
	problem := func(summary, detail string, at ...string) {
		problems = append(problems, Problem{append([]string{"vrrp"}, at...), summary, detail})
	}
	there := strings.Join(s.Interfaces, ", ")
	if !slices.Contains(s.Interfaces, d.VRRP.Interface) {
		problem("No Such Interface", fmt.Sprintf("The host has no network interface %q. It has: %s.", d.VRRP.Interface, there), "interface")
	}
	for _, i := range d.VRRP.Track.Interfaces {
		if !slices.Contains(s.Interfaces, i.Name) {
			problem("No Such Interface", fmt.Sprintf("The host has no network interface %q to track. It has: %s.", i.Name, there), "track_interfaces")
		}
	}
	unicast := d.VRRP.Unicast
	if unicast == nil {
		return problems
	}
	for _, peer := range unicast.Peers {
		if s.Has(peer) {
			problem("Unicast Peer Is the Host Itself", fmt.Sprintf("%s is an address of this host: the peers are the other directors of the group. Leave the host's own address out.", peer), "unicast", "peers")
		}
	}
	if unicast.Source.IsValid() && !s.Has(unicast.Source) {
		problem("Unicast Source Not on the Host", fmt.Sprintf("%s is not an address of this host (%s): give the one by which the other directors know it, or leave source out.", unicast.Source, s.ownAddresses()), "unicast", "source")
	}
	return problems
}
