package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Picture is a load balancer at a moment.
type Picture struct {
	Directors []Director
	VIPs      []VIP
}

// Director is a host that can hold VIPs.
type Director struct {
	Name string
	// State is master, backup, fault or stopped; empty: it is not known, or the host is no
	// director. One with several VRRP instances is a master if it is in one of them.
	State string
	Drain bool
}

// VIP is a virtual address. It should have one holder; none or two are shown as what they are.
type VIP struct {
	Address netip.Addr
	// Directors are those that it is configured on, Holders those that hold it.
	Directors, Holders []string
	Services           []Service
}

// Service is one virtual service of a VIP.
type Service struct {
	Name      string // the user's; may be empty
	Protocol  string // tcp, udp or sctp
	Port      int
	FWMark    uint32 // where it is not 0, the service goes by it
	Scheduler string
	// Missing says that it is configured and the director's table does not have it.
	Missing bool
	// QuorumLost says that keepalived finds too few real servers well.
	QuorumLost  bool
	RealServers []RealServer
}

// RealServer is one destination of a service.
type RealServer struct {
	Name             string // the user's; may be empty
	Endpoint         netip.AddrPort
	Weight           int
	Active, Inactive int
	// Down says that its health check fails, Unchecked that it came in and awaits the first.
	Down, Unchecked bool
}

// health is how a part is drawn.
type health int

const (
	idle health = iota // nothing to say: a backup, a real server of weight 0
	well
	ill
)

// part is a box of the drawing: two lines of text.
type part struct {
	title, text string
	health      health
}

func (d Director) part() part {
	p := part{title: d.Name, text: cmp.Or(d.State, "state unknown"), health: map[string]health{"master": well, "backup": idle, "": idle}[d.State]}
	if d.State == "fault" || d.State == "stopped" {
		p.health = ill
	}
	if d.Drain {
		p.text += ", drained"
	}
	return p
}

func (v VIP) part() part {
	switch len(v.Holders) {
	case 1:
		return part{v.Address.String(), "held by " + v.Holders[0], well}
	case 0:
		return part{v.Address.String(), "held by nobody", ill}
	}
	return part{v.Address.String(), "held by " + strings.Join(v.Holders, " and "), ill}
}

func (s Service) part() part {
	p := part{title: cmp.Or(s.Name, s.endpoint()), text: fmt.Sprintf("%s, %s", s.endpoint(), s.Scheduler), health: well}
	switch {
	case s.Missing:
		p.text, p.health = s.endpoint()+", not in the table", ill
	case s.QuorumLost:
		p.text, p.health = p.text+", quorum lost", ill
	}
	return p
}

func (s Service) endpoint() string {
	if s.FWMark != 0 {
		return fmt.Sprintf("fwmark %d", s.FWMark)
	}
	return fmt.Sprintf("%s %d", s.Protocol, s.Port)
}

func (r RealServer) part() part {
	p := part{title: r.Endpoint.String(), text: fmt.Sprintf("weight %d, %d active, %d inactive", r.Weight, r.Active, r.Inactive), health: well}
	if r.Name != "" {
		p.title = r.Name + " " + p.title
	}
	switch {
	case r.Down:
		p.text, p.health = "down, "+p.text, ill
	case r.Unchecked:
		p.text, p.health = "not checked yet, "+p.text, idle
	case r.Weight == 0:
		p.health = idle
	}
	return p
}

// sorted is the picture in the order in which it is drawn.
func (p Picture) sorted() Picture {
	p.Directors = slices.SortedFunc(slices.Values(p.Directors), func(a, b Director) int { return cmp.Compare(a.Name, b.Name) })
	p.VIPs = slices.SortedFunc(slices.Values(p.VIPs), func(a, b VIP) int { return a.Address.Compare(b.Address) })
	for i, v := range p.VIPs {
		v.Holders = slices.Sorted(slices.Values(v.Holders))
		v.Services = slices.SortedFunc(slices.Values(v.Services), func(a, b Service) int {
			return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
		})
		for j, s := range v.Services {
			v.Services[j].RealServers = slices.SortedFunc(slices.Values(s.RealServers), func(a, b RealServer) int { return a.Endpoint.Compare(b.Endpoint) })
		}
		p.VIPs[i] = v
	}
	return p
}

// of reports whether the VIP is the director's, and whether it holds it.
func (d Director) of(v VIP) (configured, holds bool) {
	return slices.Contains(v.Directors, d.Name) || slices.Contains(v.Holders, d.Name), slices.Contains(v.Holders, d.Name)
}
