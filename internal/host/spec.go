package host

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

const keepalivedUnit = "keepalived.service"

// Problem is something that keeps a host from being what a resource wants it to
// be, found by a look at the host before anything is changed.
type Problem struct {
	Attribute []string // path of names to the attribute that is to blame; empty: the resource
	Summary   string
	Detail    string
}

// ManagedVIPs returns the VIPs that redislb configured on the host, from the
// names of their files.
func (s *Snapshot) ManagedVIPs() []netip.Addr { return s.derive().vips }

func managedVIPs(files map[string]FileState) (vips []netip.Addr, own map[netip.Addr]bool) {
	own = map[netip.Addr]bool{}
	for file := range files {
		name, _ := strings.CutSuffix(strings.TrimPrefix(file, keepalived.Dir+"/"), ".address.conf")
		name, _ = strings.CutSuffix(name, ".vrrp.conf")
		_, name, _ = strings.Cut(name, "-")
		addr, err := netip.ParseAddr(name)
		if err != nil || file != keepalived.VIPAddressPath(addr) && file != keepalived.VIPInstancePath(addr) {
			continue
		}
		vips = append(vips, addr)
		if file == keepalived.VIPInstancePath(addr) {
			own[addr] = true
		}
	}
	slices.SortFunc(vips, netip.Addr.Compare)
	return slices.Compact(vips), own
}

// OwnInstance reports whether the VIP has a VRRP instance of its own on the host.
func (s *Snapshot) OwnInstance(vip netip.Addr) bool { return s.derive().own[vip] }

// vipPath is the file with the address of the VIP on the host.
func (s *Snapshot) vipPath(vip netip.Addr) string {
	if s.OwnInstance(vip) {
		return keepalived.VIPInstancePath(vip)
	}
	return keepalived.VIPAddressPath(vip)
}

// VIP reads a VIP of redislb's from its files.
func (s *Snapshot) VIP(vip netip.Addr) (keepalived.VIP, error) {
	return keepalived.ParseVIP(s.Files[s.vipPath(vip)].Content, s.Files[keepalived.VIPServicesPath(vip)].Content)
}

// HoldsVIP reports whether the host is the VRRP master of one of the VIPs that
// redislb configured on it: whether a VIP is on an interface other than lo.
func (s *Snapshot) HoldsVIP() bool { return s.derive().holdsVIP }

// HoldsAsMasterOf reports the same of the VRRP instance that the VIP is in, or would be in
// where it is not configured: its own, or the director's.
func (s *Snapshot) HoldsAsMasterOf(vip netip.Addr) bool {
	if s.OwnInstance(vip) {
		return s.Holds(vip)
	}
	return s.derive().holdsShared
}

// Holds reports whether the address is on an interface of the host, apart from lo.
func (s *Snapshot) Holds(addr netip.Addr) bool {
	return slices.ContainsFunc(s.Addresses, func(a Address) bool { return a.Device != "lo" && a.Prefix.Addr() == addr })
}

// BackupsFirst returns the names of the hosts in the order in which a change of the VIP
// reaches them: the master of its VRRP instance comes last.
func BackupsFirst(snapshots map[string]*Snapshot, vip netip.Addr) []string {
	var names []string
	for name := range snapshots {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.SortStableFunc(names, func(a, b string) int {
		return boolInt(snapshots[a].HoldsAsMasterOf(vip)) - boolInt(snapshots[b].HoldsAsMasterOf(vip))
	})
	return names
}

// Order is [BackupsFirst], but for a VIP that comes to the directors or goes from them: it
// reaches the master first, which its backups then go on to take for one (package keepalived,
// sameMaster). They compare the IPv4 VIPs of the director's own instance. Want is what the
// change wants of each director.
func Order(snapshots map[string]*Snapshot, vip netip.Addr, want map[string][]Artifact) []string {
	names := BackupsFirst(snapshots, vip)
	if len(names) == 0 || !vip.Is4() {
		return names
	}
	last := len(names) - 1
	s := snapshots[names[last]]
	_, stays := want[names[last]]
	comes, goes := stays && !slices.Contains(s.ManagedVIPs(), vip), len(want) == 0
	if !s.HoldsAsMasterOf(vip) || s.OwnInstance(vip) || !comes && !goes {
		return names
	}
	return append([]string{names[last]}, names[:last]...)
}

// Joins reports whether a director that has no VIP comes to one that another director holds.
func Joins(snapshots map[string]*Snapshot, name string, vip netip.Addr) bool {
	s := snapshots[name]
	if len(s.ManagedVIPs()) > 0 || s.drains() || s.Units[keepalivedUnit].Active != "active" {
		return false
	}
	for _, other := range snapshots {
		if other.HoldsAsMasterOf(vip) && slices.Contains(other.ManagedVIPs(), vip) && !other.OwnInstance(vip) {
			return true
		}
	}
	return false
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
