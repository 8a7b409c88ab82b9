package host

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// usualRedisPort is the one of which the probe asks whether Redis is in protected mode.
const usualRedisPort = 6379

// CheckListeners looks, on those of the hosts that are real servers, for a server that
// does not answer for the VIP. It may yet be started or set right, so these are no errors.
// Hosts are by name; the directors are among them, if they were looked at.
func (v VIP) CheckListeners(hosts map[string]*Snapshot) []Problem {
	var problems []Problem
	for _, service := range v.Services {
		if service.Protocol != keepalived.TCP {
			continue
		}
		for _, r := range service.RealServers {
			name := owner(r.Address, hosts)
			if name == "" || r.Weight == 0 {
				continue
			}
			if summary, detail := v.unheard(service, r, name, hosts); summary != "" {
				problems = append(problems, Problem{[]string{"services"}, summary, fmt.Sprintf("Service %q, real server %q on host %q: %s", service.Name, r.Name, name, detail)})
			}
		}
	}
	return problems
}

// owner is the host that has the address; empty: none that was looked at.
func owner(addr netip.Addr, hosts map[string]*Snapshot) string {
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		if s := hosts[name]; s.Has(addr) && len(s.Listeners) > 0 {
			return name
		}
	}
	return ""
}

func (v VIP) unheard(service keepalived.VirtualServer, r keepalived.RealServer, name string, hosts map[string]*Snapshot) (summary, detail string) {
	s := hosts[name]
	target := v.Address.Addr()
	if service.Forwarding == keepalived.NAT {
		target = r.Address
	}
	at := s.listenersOn(uint16(r.Port))
	switch {
	case slices.ContainsFunc(at, func(l netip.Addr) bool { return l == target || accepts(l, target) }):
		if r.Port == usualRedisPort && s.RedisProtected {
			return "Redis Is in Protected Mode", "Redis turns everyone away but the host itself, since it has no password: clients get \"-DENIED\". Set a password (requirepass) or protected-mode no, in redis.conf and by CONFIG SET."
		}
	case len(at) > 0:
		return "Real Server Does Not Listen on the VIP", fmt.Sprintf("on port %d it listens at %s alone. What %s sends it is addressed to %s, and is refused there: let it listen at that address too, or at all (for Redis: bind with 0.0.0.0 or %s, and a password or protected-mode no).",
			r.Port, joined(at), service.Forwarding, target, target)
	case !v.answers(service, r, hosts):
		return "Nothing Listens", fmt.Sprintf("nothing listens on TCP port %d. Start the server, if the same plan does not: until then its check takes it out of the service.", r.Port)
	}
	return "", ""
}

// accepts reports whether a listener at an unspecified address is one for the target. An
// IPv6 one may be for IPv6 alone, which /proc does not tell.
func accepts(listener, target netip.Addr) bool {
	return listener.IsUnspecified() && (listener.Is6() || target.Is4())
}

// listenersOn are the addresses at which the port is listened on.
func (s *Snapshot) listenersOn(port uint16) []netip.Addr {
	var at []netip.Addr
	for _, l := range s.Listeners {
		if l.Port() == port {
			at = append(at, l.Addr())
		}
	}
	return at
}

// answers reports whether the check of a director finds the real server well. Then
// something answers there that does not listen on the host itself, such as a container
// behind a rule of netfilter.
func (v VIP) answers(service keepalived.VirtualServer, r keepalived.RealServer, hosts map[string]*Snapshot) bool {
	if service.Check.Kind == keepalived.CheckNone || service.Check.Kind == keepalived.CheckScript {
		return false
	}
	key := ServiceKey(v.Address.Addr(), service)
	server := netip.AddrPortFrom(r.Address, service.RowPort(r.Port))
	for _, s := range hosts {
		row := s.Service(key)
		if row != nil && !s.CheckedOut[RealServerKey{Service: key, Server: server}] &&
			slices.ContainsFunc(row.Destinations, func(d ipvs.Destination) bool { return d.Endpoint() == server && d.Weight > 0 }) {
			return true
		}
	}
	return false
}

func joined(addrs []netip.Addr) string {
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, " and ")
}
