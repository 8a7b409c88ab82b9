package host

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// election is how long after its start keepalived may take to settle which director
// holds a VIP.
const election = 20 * time.Second

// Live tells of what is neither drift nor as it should be on the directors of the VIP, by
// their names: real servers that fail their checks, services without enough of them, a VIP
// that several directors hold, or none, another group with its virtual router id, and a
// director that is not told of the connections.
func (v VIP) Live(directors map[string]*Snapshot) []Problem {
	problems := slices.Concat(v.holders(directors), v.strangers(directors), v.unsynced(directors))
	for _, service := range v.Services {
		key := ServiceKey(v.Address.Addr(), service)
		for _, r := range service.RealServers {
			at := RealServerKey{Service: key, Server: netip.AddrPortFrom(r.Address, service.RowPort(r.Port))}
			if out := where(directors, func(s *Snapshot) bool { return s.CheckedOut[at] && !s.Unchecked[at] }); len(out) > 0 && r.Weight > 0 {
				problems = append(problems, Problem{[]string{"services"}, "Real Server Is Down",
					fmt.Sprintf("Service %q: the real server %q (%s) fails its check (%s) on %s%s. keepalived sends it nothing until it passes, which is no drift: look after the server.", service.Name, r.Name, at.Server, service.Check.Kind, onDirectors(out), downSince(at, out, directors))})
			}
		}
		if out := where(directors, func(s *Snapshot) bool { return s.QuorumLost[key] }); len(out) > 0 {
			who := "nothing stands in for them"
			if sorry := service.SorryServer; sorry.IsValid() {
				who = fmt.Sprintf("the sorry server %s stands in for them", sorry)
			}
			problems = append(problems, Problem{[]string{"services"}, "Service Has Lost Its Quorum",
				fmt.Sprintf("Service %q: too few of its real servers pass their check on %s, and %s.", service.Name, onDirectors(out), who)})
		}
	}
	return problems
}

// downSince tells since when the real server is down, on the director that found it so
// first. How long ago that is goes by the clock of that host, whatever the time is here.
func downSince(at RealServerKey, names []string, directors map[string]*Snapshot) string {
	text, longest := "", time.Duration(-1)
	for _, name := range names {
		s := directors[name]
		since, ok := s.DownSince[at]
		if age := s.clock.Sub(since); ok && age > longest { // a clock may have been set back
			text, longest = fmt.Sprintf(", down since %s (%s)", since.Format("2006-01-02 15:04:05 MST"), roughly(age)), age
		}
	}
	return text
}

// roughly is a duration by its largest units.
func roughly(d time.Duration) string {
	days, hours, minutes := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm", minutes)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// holders compares who holds the VIP. A host that is seen while addresses come and go, or
// whose keepalived has only just begun, says nothing.
func (v VIP) holders(directors map[string]*Snapshot) []Problem {
	vip := v.Address.Addr()
	settled := true
	for _, s := range directors {
		settled = settled && !s.Moving && slices.Contains(s.ManagedVIPs(), vip) &&
			s.Units[keepalivedUnit].Active == "active" && s.KeepalivedAge > election
	}
	if !settled {
		return nil
	}
	holding := where(directors, func(s *Snapshot) bool { return s.Holds(vip) })
	switch {
	case len(holding) > 1:
		return []Problem{{[]string{"directors"}, "VIP Held by Several Directors",
			fmt.Sprintf("%s is on an interface of %s at once (split brain): clients reach one or the other. Each finds itself the only director: see that VRRP (IP protocol 112, to 224.0.0.18 or the unicast peers) passes between them, and that virtual_router_id and password are the same.", vip, onDirectors(holding))}}
	case len(holding) == 0 && len(directors) > 0:
		return []Problem{{[]string{"directors"}, "VIP Held by No Director",
			fmt.Sprintf("%s is on no interface of %s: clients reach nobody. See what keepalived says there (journalctl -u keepalived), and whether what it tracks is up.", vip, onDirectors(where(directors, func(*Snapshot) bool { return true })))}}
	}
	return nil
}

// strangers are other groups with the virtual router id of the VIP. What one director of the
// VIP still advertises while another is changed already is not meant.
func (v VIP) strangers(directors map[string]*Snapshot) []Problem {
	heard := map[netip.Addr]int{}
	for name, s := range directors {
		if len(s.Strangers) == 0 { // as mostly: nothing has to be read for it
			continue
		}
		id := v.routerID()
		if m, ok := MemberOn(name, s); ok && id == 0 {
			id = m.VRRP.VirtualRouterID
		}
		for _, stranger := range s.Strangers[id] {
			if len(where(directors, func(s *Snapshot) bool { return s.Has(stranger) })) == 0 {
				heard[stranger] = id
			}
		}
	}
	var problems []Problem
	for _, stranger := range slices.SortedFunc(maps.Keys(heard), netip.Addr.Compare) {
		by := where(directors, func(s *Snapshot) bool { return slices.Contains(s.Strangers[heard[stranger]], stranger) })
		problems = append(problems, Problem{[]string{"directors"}, "Virtual Router ID Used by Others",
			fmt.Sprintf("%s advertises the virtual router id %d for other addresses than the VIPs of the directors, as was heard within the last minute by %s. By the id directors know which of them belong together, and their sync daemons whose connections they are told of: give one of the two groups another virtual_router_id.",
				stranger, heard[stranger], onDirectors(by))})
	}
	return problems
}

const (
	// synced is how long after the start of keepalived a backup knows of each connection
	// that lives: with every packet of it, it is told of anew, and Redis sends one every 300
	// seconds at least (tcp-keepalive).
	synced = 10 * time.Minute
	// notable is a number of connections of which a backup that is told of them knows one.
	notable = 5
)

// unsynced are directors whose sync daemon runs, and to which nothing comes through.
func (v VIP) unsynced(directors map[string]*Snapshot) []Problem {
	holding := where(directors, func(s *Snapshot) bool { return s.Holds(v.Address.Addr()) })
	if len(holding) != 1 {
		return nil
	}
	master := directors[holding[0]]
	known, _ := v.connections(master)
	deaf := where(directors, func(s *Snapshot) bool {
		active, inactive := v.connections(s)
		return s != master && s.Units[keepalivedUnit].Active == "active" && len(s.SyncDaemons) > 0 && s.KeepalivedAge > synced && active+inactive == 0
	})
	if known < notable || len(deaf) == 0 {
		return nil
	}
	if guard := master.LoopGuard(); guard != BackupOnly && guard != SourceMAC {
		return nil
	}
	return []Problem{{[]string{"directors"}, "Connections Are Not Synchronised",
		fmt.Sprintf("The director %q has %d established connections to services of %s, and none of them is known to %s: they would not survive a failover. The sync daemon of the one tells those of the others by UDP to 224.0.0.81, port 8848: see that switches and packet filters let that pass. A connection that has been silent since the other director started is told of with its next packet.", holding[0], known, v.Address.Addr(), onDirectors(deaf))}}
}

// connections counts those of the VIP's TCP services that the host knows of.
func (v VIP) connections(s *Snapshot) (active, inactive int) {
	for _, service := range v.Services {
		if row := s.Service(ServiceKey(v.Address.Addr(), service)); row != nil && service.Protocol == keepalived.TCP {
			for _, d := range row.Destinations {
				active, inactive = active+d.ActiveConns, inactive+d.InactConns
			}
		}
	}
	return active, inactive
}

// where tells the directors of which something is so, in order.
func where(directors map[string]*Snapshot, so func(*Snapshot) bool) []string {
	var names []string
	for name, s := range directors {
		if so(s) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func onDirectors(names []string) string {
	if len(names) == 1 {
		return fmt.Sprintf("the director %q", names[0])
	}
	return fmt.Sprintf("the directors %q", names)
}
