package host

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Member is a director as one of several on a network segment.
type Member struct {
	Director
	// Snapshot is nil for a host that was not looked at: then nothing is known of its
	// addresses.
	Snapshot *Snapshot
}

// MemberOn reads back what a host is now; false: it is no director of ours.
func MemberOn(name string, s *Snapshot) (Member, bool) {
	d, err := DirectorOn(s)
	if err != nil || s.Foreign() {
		return Member{}, false
	}
	d.Name = name
	return Member{Director: d, Snapshot: s}, true
}

// Disagreements are the reasons for which two directors of one VIP do not take each
// other for such: each drops what the other advertises (keepalived's vrrp.c,
// vrrp_check_packet, of 2.2.7), so both hold the VIP.
func (m Member) Disagreements(o Member) []Problem {
	var problems []Problem
	problem := func(attribute []string, summary, detail string) {
		problems = append(problems, Problem{attribute, summary, detail})
	}
	differ := func(attribute, what string, mine, others any) {
		problem([]string{"vrrp", attribute}, "Directors of One VIP Differ",
			fmt.Sprintf("The directors %q and %q of one VIP have %s %v and %v. Each ignores what the other advertises, so both would hold the VIP: give them the same %s.", m.Name, o.Name, what, mine, others, attribute))
	}
	a, b := m.VRRP, o.VRRP
	switch {
	case a.VirtualRouterID != b.VirtualRouterID:
		differ("virtual_router_id", "the virtual router ids", a.VirtualRouterID, b.VirtualRouterID)
		return problems // the rest follows
	case a.Version3 != b.Version3:
		differ("version", "the VRRP versions", version(a), version(b))
	case !a.Version3 && a.AdvertInterval != b.AdvertInterval: // version 3 takes the master's
		differ("advert_interval", "the advertisement intervals", a.AdvertInterval, b.AdvertInterval)
	}
	if a.Priority == b.Priority {
		problem([]string{"vrrp", "priority"}, "Equal Priorities",
			fmt.Sprintf("The directors %q and %q of one VIP have the same priority %d, so it is the higher address that decides which of them holds the VIP. Give the one that is to hold it the higher priority, for example %d.", m.Name, o.Name, a.Priority, higher(a.Priority)))
	}
	problems = append(problems, m.authDisagreements(o)...)
	problems = append(problems, m.unicastDisagreements(o)...)
	if m.Guard != o.Guard {
		problem([]string{"loop_guard"}, "Directors of One VIP Differ",
			fmt.Sprintf("The directors %q and %q of one VIP have the loop guards %q and %q. A guard keeps packets from going to and fro between directors only where all of them have it: give them the same loop_guard, and write it out where it is left out, since it then follows the kernel of each host.", m.Name, o.Name, m.Guard, o.Guard))
	}
	return problems
}

func version(d keepalived.Director) int {
	if d.Version3 {
		return 3
	}
	return 2
}

// higher is another priority than that, the higher one where there is one.
func higher(priority int) int {
	if priority < 254 {
		return priority + 1
	}
	return priority - 1
}

func (m Member) authDisagreements(o Member) []Problem {
	with, without := m, o
	if m.PasswordVersion == nil {
		with, without = o, m
	}
	var detail string
	switch {
	case (m.HMACVersion == nil) != (o.HMACVersion == nil):
		detail = fmt.Sprintf("Of the directors %q and %q of one VIP, one signs what it advertises (auth_hmac) and one does not.", m.Name, o.Name)
	case m.HMACKey != "" && o.HMACKey != "" && m.HMACKey != o.HMACKey:
		detail = fmt.Sprintf("The directors %q and %q of one VIP have different keys of auth_hmac.", m.Name, o.Name)
	case (m.PasswordVersion == nil) != (o.PasswordVersion == nil):
		detail = fmt.Sprintf("Of the directors %q and %q of one VIP, %q has a password for VRRP and %q has none.", m.Name, o.Name, with.Name, without.Name)
	case m.Password != "" && o.Password != "" && m.Password != o.Password:
		detail = fmt.Sprintf("The directors %q and %q of one VIP have different passwords for VRRP.", m.Name, o.Name)
	default:
		return nil
	}
	return []Problem{{[]string{"vrrp"}, "Directors of One VIP Differ",
		detail + " Each ignores what the other advertises, so both would hold the VIP: give all of them the same password or key, or none."}}
}

func (m Member) unicastDisagreements(o Member) []Problem {
	attribute := []string{"vrrp", "unicast"}
	if (m.VRRP.Unicast == nil) != (o.VRRP.Unicast == nil) {
		return []Problem{{attribute, "Directors of One VIP Differ",
			fmt.Sprintf("Of the directors %q and %q of one VIP, one advertises by unicast and one by multicast. Each ignores what the other advertises, so both would hold the VIP: set unicast on all of them, or on none.", m.Name, o.Name)}}
	}
	var problems []Problem
	for _, pair := range [][2]Member{{m, o}, {o, m}} {
		if from, to := pair[0], pair[1]; !from.advertisesTo(to) {
			problems = append(problems, Problem{attribute, "Unicast Peer Missing",
				fmt.Sprintf("The unicast peers of the director %q are %v, and none of them is an address of %q (%s), a director of the same VIP, which would hear nothing of %q and hold the VIP too: add its address to the peers.", from.Name, from.VRRP.Unicast.Peers, to.Name, to.Snapshot.ownAddresses(), from.Name)})
		}
	}
	return problems
}

// advertisesTo reports whether the other one is among the peers, as far as is known.
func (m Member) advertisesTo(o Member) bool {
	return m.VRRP.Unicast == nil || o.Snapshot == nil ||
		slices.ContainsFunc(m.VRRP.Unicast.Peers, o.Snapshot.Has)
}

// segment is the network of the VRRP instance; false: it is not known.
func (m Member) segment() (netip.Prefix, bool) {
	if m.Snapshot == nil {
		return netip.Prefix{}, false
	}
	vips := m.Snapshot.ManagedVIPs()
	for _, a := range m.Snapshot.Addresses {
		if a.Device == m.VRRP.Interface && a.Prefix.Addr().Is4() && !a.Secondary && !slices.Contains(vips, a.Prefix.Addr()) {
			return a.Prefix.Masked(), true
		}
	}
	return netip.Prefix{}, false
}

// Interferes says why a director of one group and one of another cannot be on the same
// segment; nothing where they can, or it is not known. That they are is only likely: two
// sites may use one subnet. With unicast the advertisements do not
// meet, but what the sync daemons say of connections does: it is multicast, and the
// virtual router id tells whose it is.
func (m Member) Interferes(o Member) []Problem {
	mine, known := m.segment()
	others, ok := o.segment()
	if !known || !ok || mine != others || m.VRRP.VirtualRouterID != o.VRRP.VirtualRouterID {
		return nil
	}
	return []Problem{{[]string{"vrrp", "virtual_router_id"}, "Virtual Router ID Taken",
		fmt.Sprintf("The directors %q and %q share no VIP and have the same virtual router id %d on one network segment (%s). By it directors know which of them belong together: these would fight over two VIPs, and mix their connections. Give each group an id of its own, unless these are two segments that use the same addresses.", m.Name, o.Name, m.VRRP.VirtualRouterID, mine)}}
}

// Clashes says why the director cannot have a VIP with an instance of its own that has this
// virtual router id.
func (m Member) Clashes(vip netip.Prefix, id int) []Problem {
	if m.VRRP.VirtualRouterID != id {
		return nil
	}
	return []Problem{{[]string{"vrrp", "virtual_router_id"}, "Virtual Router ID Taken",
		fmt.Sprintf("The VIP %s has the virtual router id %d for its own VRRP instance, and so has the director on host %q for the one of its other VIPs. By the id directors know which advertisement is of which instance: give the VIP one that nobody else on the network has.", vip, id, m.Name)}}
}

// priority is what the director stands for an election with, as far as its
// configuration tells: what it tracks may take from it or add to it.
func (m Member) priority() int {
	if m.Drain {
		return 1
	}
	return m.VRRP.Priority
}

// Holder returns the one of the directors that is the master of the VIP's instance; nil: none
// is, or more than one, as while VIPs move.
func Holder(members []Member, vip netip.Addr) *Member {
	var holder *Member
	for i, m := range members {
		if m.Snapshot == nil || !m.Snapshot.HoldsAsMasterOf(vip) {
			continue
		}
		if holder != nil {
			return nil
		}
		holder = &members[i]
	}
	return holder
}

// Successor returns the director that takes the VIPs from the holder; false: it keeps
// them. It is the highest of those that are higher and may preempt.
func Successor(holder Member, others []Member) (Member, bool) {
	best := holder
	for _, o := range others {
		if o.priority() > best.priority() && !o.VRRP.NoPreempt {
			best = o
		}
	}
	return best, best.Name != holder.Name
}

// Interruptions tell what of a planned change of a director, which runs on the host of the
// snapshot, interrupts the traffic by way of its VIPs.
//
// Nothing here takes a restart of keepalived: a reload changes the sync daemon, FIFOs,
// scripts and tracked things of a running instance too (vrrp_daemon.c,
// reload_vrrp_thread; check_daemon.c, reload_check_thread).
func (d Director) Interruptions(s *Snapshot) []Problem {
	before, err := DirectorOn(s)
	if err != nil || len(s.ManagedVIPs()) == 0 || s.Units[keepalivedUnit].Active != "active" {
		return nil
	}
	// The instances of VIPs have virtual router ids of their own, which stay.
	holds := s.derive().holdsShared
	if same := before.VRRP; s.HoldsVIP() {
		same.VirtualRouterID = d.VRRP.VirtualRouterID
		holds = holds || reelects(same, d.VRRP)
	}
	switch was, is := before.VRRP, d.VRRP; {
	case reelects(was, is) && holds:
		return []Problem{{[]string{"vrrp"}, "VIPs Are Given Up for a Moment",
			"The director holds the VIPs, and keepalived gives up those of an instance whose virtual router id, interface or unicast source is another one after a reload: they are on no host until the next election, and connections may break. To keep them, drain the director first, and take the drain back when all are changed."}}
	case reelects(was, is), was.Version3 != is.Version3, !is.Version3 && was.AdvertInterval != is.AdvertInterval, d.reauthenticates(before):
		return []Problem{{[]string{"vrrp"}, "Two Hold the VIPs for a Moment",
			"While one director has the new settings and another has not, each ignores what the other advertises, and both hold the VIPs: connections may break until all directors are changed. Apply it when that is no harm."}}
	}
	return nil
}

// reelects reports whether keepalived does not find the instance again in a reload
// (vrrp.c, vrrp_exist and clear_diff_vrrp).
func reelects(before, after keepalived.Director) bool {
	source := func(d keepalived.Director) netip.Addr {
		if d.Unicast == nil {
			return netip.Addr{}
		}
		return d.Unicast.Source
	}
	return before.VirtualRouterID != after.VirtualRouterID || before.Interface != after.Interface ||
		(before.Unicast == nil) != (after.Unicast == nil) || source(before) != source(after)
}

func (d Director) reauthenticates(before Director) bool {
	differ := func(a, b *int64) bool {
		if a == nil || b == nil {
			return a != b
		}
		return *a != *b
	}
	return differ(d.PasswordVersion, before.PasswordVersion) || differ(d.HMACVersion, before.HMACVersion)
}
