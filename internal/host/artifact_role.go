package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Role is what a host is in VRRP; empty: not known.
type Role string

// The roles. An instance in FAULT or stopped holds no VIP: it is a backup here.
const (
	Master Role = "master"
	Backup Role = "backup"
)

// Role is the host's role in the director's own VRRP instance. Three things tell it: what keepalived said
// last, whether a VIP is on an interface, and which sync daemon runs. Where one of
// them was changed by hand, or lags behind while the role changes, the other two
// are right. It is not known where there is no VIP to tell by, or one on its way.
func (s *Snapshot) Role() Role {
	d := s.derive()
	if len(d.vips) == len(d.own) || s.Moving {
		return ""
	}
	byVIP := Backup
	if d.holdsShared {
		byVIP = Master
	}
	if s.noted == "" || s.noted == byVIP {
		return byVIP
	}
	if len(s.SyncDaemons) == 1 && s.SyncDaemons[0].Role == byVIP {
		return byVIP
	}
	return s.noted
}

// RoleOf is the host's role in the VRRP instance of the VIP. In one of its own, keepalived's
// word and the VIP itself tell, and where they differ, keepalived's word.
func (s *Snapshot) RoleOf(vip netip.Addr) Role {
	switch {
	case !s.OwnInstance(vip):
		return s.Role()
	case s.Moving:
		return ""
	case roles[s.stateOf[vip]] != "":
		return roles[s.stateOf[vip]]
	case s.Holds(vip):
		return Master
	}
	return Backup
}

// SyncRole is the rule that the IPVS sync daemon follows the VRRP role: the
// master daemon on the VRRP master, the backup daemon on a backup. On a backup
// it is what makes backup_only hold; both at once would switch the director off
// on the master too. Without an interface no daemon is to run.
type SyncRole struct {
	Interface string
	ID        int // 0–255
	// Both is another rule: both daemons run, whatever the role is.
	Both bool
}

// Key implements [Artifact].
func (r SyncRole) Key() string { return "ipvs sync daemon" }

func (r SyncRole) phase() phase { return phaseSyncDaemon }

// Want implements [Artifact].
func (r SyncRole) Want() string {
	if r.Interface == "" {
		return "none"
	}
	if r.Both {
		return fmt.Sprintf("master and backup on %s, syncid %d", r.Interface, r.ID)
	}
	return fmt.Sprintf("on %s, syncid %d, in the role of the VRRP instance", r.Interface, r.ID)
}

// Found implements [Artifact].
func (r SyncRole) Found(s *Snapshot) (string, bool) {
	if len(s.SyncDaemons) == 0 {
		// keepalived starts both with its first virtual server (check_daemon.c, start_check).
		if r.Interface == "" || r.Both && len(s.IPVS) == 0 {
			return r.Want(), true
		}
		return "", false
	}
	var texts []string
	for _, d := range s.SyncDaemons {
		texts = append(texts, fmt.Sprintf("%s on %s, syncid %d", d.Role, d.Interface, d.ID))
	}
	role := s.Role()
	fits := !slices.ContainsFunc(s.SyncDaemons, func(d SyncDaemon) bool { return d.Interface != r.Interface || d.ID != r.ID })
	switch {
	case r.Both && fits && len(s.SyncDaemons) == 2,
		!r.Both && fits && len(s.SyncDaemons) == 1 && (role == "" || s.SyncDaemons[0].Role == role):
		return r.Want(), true
	}
	text := strings.Join(texts, "; ")
	if role != "" && r.Interface != "" && !r.Both {
		text += "; VRRP is " + string(role)
	}
	return text, true
}

// establish starts the daemon of the role. keepalived does it by itself where a reload
// brings lvs_sync_daemon (vrrp_scheduler.c, vrrp_init_state), but does not stop one
// where a reload takes it away (vrrp_daemon.c, reload_vrrp_thread: only if the new
// configuration has one).
func (r SyncRole) establish(s *Snapshot) []step {
	var before []string
	for _, d := range s.SyncDaemons {
		before = append(before, fmt.Sprintf("%s %s %d", d.Role, d.Interface, d.ID))
	}
	role := string(s.Role())
	switch {
	case r.Both:
		role = "both"
	case role == "":
		role = string(Backup)
	}
	change := call("start_sync_daemon", role, r.Interface, strconv.Itoa(r.ID), stagedContent)
	if r.Interface == "" {
		change = call("stop_sync_daemons", stagedContent)
	}
	change.staged = [][]byte{lines(before)}
	return []step{change}
}

// remove leaves the daemon to keepalived, which stops it when it ends (see removable);
// one that still runs then is somebody else's.
func (r SyncRole) remove(*Snapshot) []step { return nil }

// HeldAddress is the rule that a VIP is on an interface of the master of its VRRP instance,
// and of no backup.
type HeldAddress struct {
	Prefix netip.Prefix
	// Interface is which one; empty: that of the VRRP instance, wherever that is.
	Interface string
}

// Key implements [Artifact].
func (h HeldAddress) Key() string { return "address " + h.Prefix.Addr().String() + " by VRRP" }

func (h HeldAddress) phase() phase { return phaseHeldAddress }

// Want implements [Artifact].
func (h HeldAddress) Want() string {
	if h.Interface != "" {
		return fmt.Sprintf("%s on %s of the master, not on a backup", h.Prefix, h.Interface)
	}
	return h.Prefix.String() + " on the master, not on a backup"
}

func (h HeldAddress) fits(a Address) bool {
	return a.Prefix == h.Prefix && (h.Interface == "" || a.Device == h.Interface)
}

// Found implements [Artifact].
func (h HeldAddress) Found(s *Snapshot) (string, bool) {
	held := h.held(s)
	if len(held) == 0 && !slices.Contains(s.ManagedVIPs(), h.Prefix.Addr()) {
		return "", false
	}
	var texts []string
	fits := len(held) == 1 && h.fits(held[0])
	for _, a := range held {
		texts = append(texts, fmt.Sprintf("%s on %s", a.Prefix, a.Device))
	}
	switch role := s.RoleOf(h.Prefix.Addr()); {
	case role == "", role == Master && fits, role == Backup && len(held) == 0:
		return h.Want(), true
	case len(held) == 0:
		return "on no interface of the master", true
	default:
		return strings.Join(texts, ", ") + " of the " + string(role), true
	}
}

// held returns where the VIP is, apart from lo.
func (h HeldAddress) held(s *Snapshot) []Address {
	return slices.DeleteFunc(slices.Clone(s.Addresses), func(a Address) bool {
		return a.Device == "lo" || a.Prefix.Addr() != h.Prefix.Addr()
	})
}

// establish takes away what should not be there. A VIP that is missing on the
// master comes back without us: keepalived sees it go and elects again
// (keepalived_netlink.c, netlink_if_address_filter).
func (h HeldAddress) establish(s *Snapshot) []step {
	var wrong []step
	for _, a := range h.held(s) {
		if s.RoleOf(h.Prefix.Addr()) == Backup || !h.fits(a) {
			wrong = append(wrong, deleteAddress(a))
		}
	}
	return wrong
}

func (h HeldAddress) remove(s *Snapshot) []step {
	var all []step
	for _, a := range h.held(s) {
		all = append(all, deleteAddress(a))
	}
	return all
}
