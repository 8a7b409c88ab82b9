package provider

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/topology"
)

// seen is a host that was looked at.
type seen struct {
	*host.Snapshot
	target string // user@host:port
}

// picture is what is to be seen of the directors' VIPs. Of each VIP it shows the table of
// the director that holds it, which is the one that balances; where none does, or several,
// that of the first. Names are those of real servers by their address; where there is none,
// it is that of the VIP's own configuration.
func picture(directors map[string]seen, names map[netip.Addr]string) (topology.Picture, error) {
	var p topology.Picture
	vips := map[netip.Addr]*topology.VIP{}
	for _, name := range slices.Sorted(maps.Keys(directors)) {
		s := directors[name]
		instance, err := s.Instance()
		if err != nil {
			return topology.Picture{}, fmt.Errorf("host %q (%s): %w", name, s.target, err)
		}
		d := topology.Director{Name: name}
		if instance != nil {
			d.State, d.Drain = instance.State, instance.Drain
		}
		// In the picture a backup is who has nothing to do.
		if slices.ContainsFunc(s.VIPInstances(), func(own host.VIPInstance) bool { return own.State == string(host.Master) }) {
			d.State = string(host.Master)
		}
		p.Directors = append(p.Directors, d)
		for _, address := range s.ManagedVIPs() {
			v := vips[address]
			if v == nil {
				v = &topology.VIP{Address: address}
				vips[address] = v
			}
			v.Directors = append(v.Directors, name)
			if s.Holds(address) {
				v.Holders = append(v.Holders, name)
			}
		}
	}
	for _, v := range vips {
		shown := v.Directors[0]
		if len(v.Holders) > 0 {
			shown = v.Holders[0]
		}
		v.Services = drawnServices(directors[shown].Snapshot, v.Address, names)
		p.VIPs = append(p.VIPs, *v)
	}
	return p, nil
}

// drawnServices are the services of a VIP on a director: those of its table, and those that
// are configured and missing from it.
func drawnServices(s *host.Snapshot, vip netip.Addr, names map[netip.Addr]string) []topology.Service {
	configured := map[ipvs.Key]keepalived.VirtualServer{}
	// Files that were edited by hand name nothing; their own resource shows them.
	if c, err := s.VIP(vip); err == nil {
		for _, service := range c.Services {
			configured[host.ServiceKey(vip, service)] = service
		}
	}
	var drawn []topology.Service
	for _, row := range s.IPVS {
		if _, ours := configured[row.Key]; ours || row.FWMark == 0 && row.Address == vip {
			drawn = append(drawn, drawnService(s, row, configured[row.Key], names))
		}
	}
	for key, service := range configured {
		if s.Service(key) == nil {
			drawn = append(drawn, topology.Service{Name: service.Name, Protocol: key.Protocol.String(), Port: service.Port, FWMark: key.FWMark, Missing: true})
		}
	}
	return drawn
}

func drawnService(s *host.Snapshot, row ipvs.Service, configured keepalived.VirtualServer, names map[netip.Addr]string) topology.Service {
	drawn := topology.Service{
		Name: configured.Name, Protocol: row.Protocol.String(), Port: int(row.Port), FWMark: row.FWMark, Scheduler: row.Scheduler, QuorumLost: s.QuorumLost[row.Key],
	}
	known := map[netip.AddrPort]keepalived.RealServer{}
	for _, r := range configured.RealServers {
		known[netip.AddrPortFrom(r.Address, configured.RowPort(r.Port))] = r
	}
	add := func(server netip.AddrPort, weight int, d ipvs.Destination) {
		at := host.RealServerKey{Service: row.Key, Server: server}
		drawn.RealServers = append(drawn.RealServers, topology.RealServer{
			Name: cmp.Or(names[server.Addr()], known[server].Name), Endpoint: server,
			Weight: weight, Active: d.ActiveConns, Inactive: d.InactConns, Down: s.CheckedOut[at] && !s.Unchecked[at], Unchecked: s.Unchecked[at],
		})
	}
	for _, d := range row.Destinations {
		add(d.Endpoint(), d.Weight, d)
	}
	// One that a check took out, or has not let in yet, is not in the table.
	for key := range s.CheckedOut {
		if _, there := row.Destination(key.Server); key.Service == row.Key && !there {
			add(key.Server, known[key.Server].Weight, ipvs.Destination{})
		}
	}
	return drawn
}
