package host

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

const (
	// countInterval is the time between two looks at the connections that are left.
	countInterval = time.Second
	// progressInterval is the time between two reports of them.
	progressInterval = 5 * time.Second
)

// Departure is the real servers that a change takes out of the services of a VIP. Taken
// out at once, the connections that they have would get no answer any more; with the
// weight 0 they get no new ones, and those that they have come to their end.
//
// Services over UDP are left out: the kernel cannot tell when a client has done with a
// real server there.
type Departure struct {
	Servers []DepartingServer
	drained VIP // as it was, but for them
}

// DepartingServer is a real server of a Departure.
type DepartingServer struct {
	Service, Name string // as the user called them
	RealServerKey
}

// Departure compares the VIP with what it is to become; the zero VIP has no services. A
// service is what has its protocol and port, a real server what has its address and
// port, whatever they are called.
func (v VIP) Departure(next VIP) Departure {
	stays := map[RealServerKey]bool{}
	for _, s := range next.Services {
		row := virtualService(v.Address.Addr(), s).Service
		for _, d := range row.Destinations {
			stays[RealServerKey{row.Key, d.Endpoint()}] = true
		}
	}
	d := Departure{drained: v}
	d.drained.Services = slices.Clone(v.Services)
	for i := range d.drained.Services {
		if s := &d.drained.Services[i]; s.Protocol == keepalived.TCP {
			d.Servers = append(d.Servers, drain(v.Address.Addr(), s, stays)...)
		}
	}
	return d
}

// drain gives the real servers of the service that do not stay the weight 0, and
// returns them.
func drain(vip netip.Addr, s *keepalived.VirtualServer, stays map[RealServerKey]bool) []DepartingServer {
	key := ServiceKey(vip, *s)
	var servers []DepartingServer
	left := 0
	s.RealServers = slices.Clone(s.RealServers)
	for i := range s.RealServers {
		rs := &s.RealServers[i]
		name := RealServerKey{key, netip.AddrPortFrom(rs.Address, s.RowPort(rs.Port))}
		if !stays[name] {
			rs.Weight = 0
			servers = append(servers, DepartingServer{s.Name, rs.Name, name})
		}
		left += rs.Weight
	}
	// A lost quorum brings the sorry server in and takes all the others out of the table,
	// with their connections (keepalived's ipwrapper.c, update_quorum_state).
	if len(servers) > 0 && (left == 0 || left < s.Quorum.Weight-s.Quorum.Hysteresis) {
		s.SorryServer = netip.AddrPort{}
	}
	return servers
}

// Artifacts is what a director with that guard has on it while the connections come to their end.
// Passwords and the programs of checks are as they were and not looked at: what they
// lack must not hinder that their service is removed.
func (d Departure) Artifacts(guard LoopGuard) []Artifact {
	d.drained.Guard = guard
	vip := d.drained.Address.Addr()
	_, services := d.drained.Render()
	artifacts := []Artifact{File{Path: keepalived.VIPServicesPath(vip), Mode: 0o644, Content: services}}
	for _, s := range d.drained.Services {
		row := d.drained.virtualService(s)
		if slices.ContainsFunc(d.Servers, func(left DepartingServer) bool { return left.RealServerKey.Service == row.Service.Key }) {
			artifacts = append(artifacts, row)
		}
	}
	return artifacts
}

// Concerns reports whether the host balances the VIP: it is configured there, and
// keepalived runs.
func (d Departure) Concerns(s *Snapshot) bool {
	return s.managed(keepalived.VIPServicesPath(d.drained.Address.Addr())) && s.Units[keepalivedUnit].Active == "active"
}

// Left is what a director counts of a departing real server's connections: active ones
// are open or being opened (net/netfilter/ipvs/ip_vs_proto_tcp.c,
// tcp_state_active_table), inactive ones have ended in the last minutes, or are ending.
type Left struct {
	DepartingServer
	Director         string
	Active, Inactive int
}

// String says which real server has how many active connections.
func (l Left) String() string {
	return fmt.Sprintf("service %q, real server %q (%s): %d active connections on the director %q", l.Service, l.Name, l.Server, l.Active, l.Director)
}

// Listed is one line for each.
func Listed(left []Left) string {
	var b strings.Builder
	for _, l := range left {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

// Busy reports whether one of the real servers has, or had in the last minutes, any
// connection by the director that holds the VIP. One that is not in its table, since its
// check fails, has none.
func (d Departure) Busy(ctx context.Context, directors []*Host) (bool, error) {
	left, _, err := d.count(ctx, slices.Clone(directors))
	return slices.ContainsFunc(left, func(l Left) bool { return l.Active+l.Inactive > 0 }), err
}

// Await waits until the director that holds the VIP counts no active connections of the
// real servers any more, for at most limit. It returns those that have some left then, and
// tells of them every few seconds. When the context ends, so does the wait, with an error.
func (d Departure) Await(ctx context.Context, directors []*Host, limit time.Duration, tell func(left []Left, remaining time.Duration)) ([]Left, error) {
	directors = slices.Clone(directors)
	end := time.Now().Add(limit)
	var active []Left
	var told time.Time
	for {
		left, held, err := d.count(ctx, directors)
		if ctx.Err() != nil {
			return nil, givenUp(ctx, active)
		}
		if err != nil {
			return nil, err
		}
		remaining := time.Until(end)
		if held { // else the VIP is on its way to another director
			active = slices.DeleteFunc(left, func(l Left) bool { return l.Active == 0 })
			if len(active) == 0 {
				return nil, nil
			}
		}
		if remaining <= 0 {
			return active, nil
		}
		if time.Since(told) >= progressInterval {
			tell(active, remaining)
			told = time.Now()
		}
		if sleep(ctx, min(countInterval, remaining)) != nil {
			return nil, givenUp(ctx, active)
		}
	}
}

func givenUp(ctx context.Context, left []Left) error {
	return fmt.Errorf("the wait for the connections of real servers that are taken out was given up: %w. These servers stay, with the weight 0; the next apply goes on from there.\n%s", context.Cause(ctx), Listed(left))
}

// count counts on the director that holds the VIP, which it moves to the front; held
// is false where none does.
func (d Departure) count(ctx context.Context, directors []*Host) (left []Left, held bool, err error) {
	for i, h := range directors {
		table, holds, err := h.table(ctx, d.drained.Address)
		if err != nil {
			return nil, false, err
		}
		if !holds {
			continue
		}
		directors[0], directors[i] = directors[i], directors[0]
		for _, server := range d.Servers {
			service, _ := table.Service(server.RealServerKey.Service)
			if row, ok := service.Destination(server.Server); ok {
				left = append(left, Left{server, h.Name, row.ActiveConns, row.InactConns})
			}
		}
		return left, true, nil
	}
	return nil, false, nil
}

// tableAndAddresses is a small part of what the probe looks at.
const tableAndAddresses = "if [ -e /proc/net/ip_vs ]; then cat /proc/net/ip_vs || exit 1; fi; echo ==; ip -o address show"

// table returns the host's IPVS table, and whether it holds the VIP.
func (h *Host) table(ctx context.Context, vip netip.Prefix) (ipvs.Table, bool, error) {
	result, err := h.conn.Run(ctx, remote.Command{Step: "count connections", Script: tableAndAddresses})
	if err != nil {
		return nil, false, err
	}
	rows, rest, complete := bytes.Cut(result.Stdout, []byte("==\n"))
	if !complete {
		return nil, false, fmt.Errorf("unable to count connections on host %q (%s): its answer is incomplete (%d bytes)", h.Name, h.Target(), len(result.Stdout))
	}
	table, err := ipvs.ParseProc(rows)
	if err != nil {
		return nil, false, fmt.Errorf("unable to count connections on host %q (%s): %w", h.Name, h.Target(), err)
	}
	addresses, err := parseAddresses(string(rest))
	if err != nil {
		return nil, false, fmt.Errorf("unable to count connections on host %q (%s): %w", h.Name, h.Target(), err)
	}
	return table, len(HeldAddress{Prefix: vip}.held(&Snapshot{Addresses: addresses})) > 0, nil
}
