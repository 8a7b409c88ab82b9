package host

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

// VirtualService is a virtual service of the IPVS table with its real servers.
type VirtualService struct {
	Service ipvs.Service
	// Sorry is the real server that stands in for all of them while keepalived finds
	// too few well; the zero AddrPort is none.
	Sorry netip.AddrPort
	// Inhibit says that one which fails its check stays, with the weight 0.
	Inhibit bool
	// OnMaster says that only the VRRP master has it, by [ConfigSwap].
	OnMaster bool
}

// Key implements [Artifact].
func (v VirtualService) Key() string { return "ipvs " + v.Service.Key.String() }

func (v VirtualService) phase() phase { return phaseIPVS }

const (
	onMaster = "# on the master, not on a backup\n"
	onBackup = "# on a backup\n"
)

// Want implements [Artifact].
func (v VirtualService) Want() string {
	if v.OnMaster {
		return onMaster + v.Service.Canonical()
	}
	return v.Service.Canonical()
}

// Found implements [Artifact].
func (v VirtualService) Found(s *Snapshot) (string, bool) {
	have := v.excused(s)
	switch {
	case have == nil && v.OnMaster && s.Role() != Master && s.configures(v.Service.Key):
		return v.Want(), true
	case have == nil:
		return "", false
	case !v.OnMaster:
		return have.Canonical(), true
	case s.Role() == Backup:
		return onBackup + have.Canonical(), true
	}
	return onMaster + have.Canonical(), true
}

// excused returns the service as the table holds it, but for what keepalived itself
// did to its real servers because of their health: it takes out, or gives the weight
// 0, who fails the check, and all of them while the sorry server stands in.
func (v VirtualService) excused(s *Snapshot) *ipvs.Service {
	row := s.Service(v.Service.Key)
	if row == nil {
		return nil
	}
	have := *row
	have.Destinations = slices.Clone(row.Destinations)
	_, there := have.Destination(v.Sorry)
	sorry := there && s.QuorumLost[v.Service.Key]
	if sorry {
		have.Destinations = slices.DeleteFunc(have.Destinations, func(d ipvs.Destination) bool { return d.Endpoint() == v.Sorry })
	}
	for _, want := range v.Service.Destinations {
		server := want.Endpoint()
		out := s.CheckedOut[RealServerKey{Service: v.Service.Key, Server: server}]
		i := slices.IndexFunc(have.Destinations, func(d ipvs.Destination) bool { return d.Endpoint() == server })
		switch {
		case i < 0 && (out || sorry):
			have.Destinations = append(have.Destinations, want)
		case i >= 0 && (out || sorry) && v.Inhibit && have.Destinations[i].Weight == 0:
			have.Destinations[i].Weight = want.Weight
		}
	}
	return &have
}

// establish changes the table row by row: a reload of keepalived does not repair
// it, and deleting a row that can be edited would break connections.
func (v VirtualService) establish(s *Snapshot) []step {
	if v.OnMaster && s.Role() == Backup {
		return v.remove(s)
	}
	want := v.Service
	have := v.excused(s)
	if have == nil {
		want = v.well(s)
	}
	return editTable(have, &want)
}

// well is the service as keepalived would have it now: without the real servers that it took
// out, which it does not take out once more.
func (v VirtualService) well(s *Snapshot) ipvs.Service {
	want := v.Service
	want.Destinations = nil
	sorry := v.Sorry.IsValid() && s.QuorumLost[v.Service.Key]
	for _, d := range v.Service.Destinations {
		if sorry || s.CheckedOut[RealServerKey{Service: v.Service.Key, Server: d.Endpoint()}] {
			if !v.Inhibit {
				continue
			}
			d.Weight = 0
		}
		want.Destinations = append(want.Destinations, d)
	}
	if sorry {
		d := v.Service.Destinations[0]
		want.Destinations = append(want.Destinations, ipvs.Destination{Address: v.Sorry.Addr(), Port: v.Sorry.Port(), Forwarding: d.Forwarding, Weight: 1})
	}
	return want
}

func (v VirtualService) remove(s *Snapshot) []step {
	return editTable(s.Service(v.Service.Key), nil)
}

// editTable turns one service, nil for none, into another.
func editTable(from, to *ipvs.Service) []step {
	forth, back := ipvs.Changes(from, to), ipvs.Changes(to, from)
	if len(forth) == 0 {
		return nil
	}
	edit := call("edit_ipvs", stagedContent, stagedContent)
	edit.staged = [][]byte{lines(forth), lines(back)}
	return []step{edit}
}

func lines(of []string) []byte { return []byte(strings.Join(of, "\n") + "\n") }
