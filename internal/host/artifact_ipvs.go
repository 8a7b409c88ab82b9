package host

import (
	"fmt"
	"strconv"
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
	return editTable(ipvs.Changes(v.excused(s), &want))
}

func (v VirtualService) remove(s *Snapshot) []step {
	return editTable(ipvs.Changes(s.Service(v.Service.Key), nil))
}

func editTable(lines []string) []step {
	if len(lines) == 0 {
		return nil
	}
	edit := call("edit_ipvs", stagedContent)
	edit.content, edit.mode = []byte(strings.Join(lines, "\n")+"\n"), 0o600
	return []step{edit}
}

// SyncRole is the rule that the IPVS sync daemon follows the VRRP role: the
// master daemon on the VRRP master, the backup daemon on a backup. On a backup
// it is what makes backup_only hold; both at once would switch the director off
// on the master too.
type SyncRole struct {
	Interface string
	ID        int // 0–255
}

// Key implements [Artifact].
func (r SyncRole) Key() string { return "ipvs sync daemon" }

func (r SyncRole) phase() phase { return phaseSyncDaemon }

// Want implements [Artifact].
func (r SyncRole) Want() string {
	return fmt.Sprintf("on %s, syncid %d, in the role of the VRRP instance", r.Interface, r.ID)
}

// Found implements [Artifact].
func (r SyncRole) Found(s *Snapshot) (string, bool) {
	if len(s.SyncDaemons) == 0 {
		return "", false
	}
	var texts []string
	for _, d := range s.SyncDaemons {
		texts = append(texts, fmt.Sprintf("%s on %s, syncid %d", d.Role, d.Interface, d.ID))
	}
	role := r.role(s)
	if len(s.SyncDaemons) == 1 {
		d := s.SyncDaemons[0]
		if d.Interface == r.Interface && d.ID == r.ID && (role == "" || d.Role == role) {
			return r.Want(), true
		}
	}
	text := strings.Join(texts, "; ")
	if role != "" {
		text += "; VRRP is " + role
	}
	return text, true
}

// role is the VRRP role: master where one of our VIPs is on the interface, and
// unknown (empty) where there is no VIP to tell by, or one on its way.
func (r SyncRole) role(s *Snapshot) string {
	vips := s.ManagedVIPs()
	if len(vips) == 0 || s.Moving {
		return ""
	}
	for _, vip := range vips {
		if s.HasAddress(r.Interface, vip) {
			return "master"
		}
	}
	return "backup"
}

func (r SyncRole) establish(s *Snapshot) []step {
	role := r.role(s)
	if role == "" {
		role = "backup"
	}
	return []step{call("start_sync_daemon", role, r.Interface, strconv.Itoa(r.ID))}
}

// remove leaves the daemon to keepalived, which stops it when it ends; one that
// still runs then is somebody else's.
func (r SyncRole) remove(*Snapshot) []step { return nil }
