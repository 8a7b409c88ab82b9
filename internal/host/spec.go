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

func managedVIPs(files map[string]FileState) []netip.Addr {
	var vips []netip.Addr
	for file := range files {
		name, _ := strings.CutSuffix(file, ".address.conf")
		_, name, _ = strings.Cut(strings.TrimPrefix(name, keepalived.Dir+"/"), "-")
		if addr, err := netip.ParseAddr(name); err == nil && file == keepalived.VIPAddressPath(addr) {
			vips = append(vips, addr)
		}
	}
	slices.SortFunc(vips, netip.Addr.Compare)
	return vips
}

// HoldsVIP reports whether the host is the VRRP master of one of the VIPs that
// redislb configured on it: whether a VIP is on an interface other than lo.
func (s *Snapshot) HoldsVIP() bool { return s.derive().holdsVIP }

// Holds reports whether the address is on an interface of the host, apart from lo.
func (s *Snapshot) Holds(addr netip.Addr) bool {
	return slices.ContainsFunc(s.Addresses, func(a Address) bool { return a.Device != "lo" && a.Prefix.Addr() == addr })
}

// BackupsFirst returns the names of the hosts in the order in which a change
// reaches them: those that hold a VIP come last.
func BackupsFirst(snapshots map[string]*Snapshot) []string {
	var names []string
	for name := range snapshots {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.SortStableFunc(names, func(a, b string) int {
		return boolInt(snapshots[a].HoldsVIP()) - boolInt(snapshots[b].HoldsVIP())
	})
	return names
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
