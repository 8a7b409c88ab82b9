package host

import (
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

// VirtualService is a virtual service of the IPVS table with its real servers.
type VirtualService struct{ Service ipvs.Service }

// Key implements [Artifact].
func (v VirtualService) Key() string { return "ipvs " + v.Service.Key.String() }

func (v VirtualService) phase() phase { return phaseIPVS }

// Want implements [Artifact].
func (v VirtualService) Want() string { return v.Service.Canonical() }

// Found implements [Artifact].
func (v VirtualService) Found(s *Snapshot) (string, bool) {
	have := v.excused(s)
	if have == nil {
		return "", false
	}
	return have.Canonical(), true
}

// excused returns the service as the table holds it, with those real servers put
// back that keepalived itself took out because their health check fails.
func (v VirtualService) excused(s *Snapshot) *ipvs.Service {
	row := s.Service(v.Service.Key)
	if row == nil {
		return nil
	}
	have := *row
	have.Destinations = append([]ipvs.Destination{}, row.Destinations...)
	for _, want := range v.Service.Destinations {
		server := want.Endpoint()
		if !s.CheckedOut[RealServerKey{Service: v.Service.Key, Server: server}] {
			continue
		}
		if _, there := have.Destination(server); !there {
			have.Destinations = append(have.Destinations, want)
		}
	}
	return &have
}

// establish changes the table row by row: a reload of keepalived does not repair
// it, and deleting a row that can be edited would break connections.
func (v VirtualService) establish(s *Snapshot) []step {
	want := v.Service
	return editTable(v.excused(s), &want)
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
