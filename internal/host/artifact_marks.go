package host

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// PeerMarks is the live nftables rule of the loop guard source_mac for a VIP; see
// [keepalived.Peers]. role.sh makes it of the file that the VIP has for it.
type PeerMarks struct{ keepalived.Peers }

// Key implements [Artifact].
func (m PeerMarks) Key() string { return "nftables mark of peers of " + m.VIP.String() }

func (m PeerMarks) phase() phase { return phaseMarks }

// Want implements [Artifact].
func (m PeerMarks) Want() string {
	return peerText(m.MACs, fmt.Sprintf("0x%08x", m.Mark()))
}

func peerText(macs []string, mark string) string {
	var b strings.Builder
	for _, mac := range slices.Sorted(slices.Values(macs)) {
		fmt.Fprintf(&b, "from %s: mark %s\n", mac, mark)
	}
	return b.String()
}

// peerRule takes apart what nft says of a rule: "ether saddr { 52:54:00:00:00:0b,
// 52:54:00:00:00:0c } ip daddr 192.0.2.229 meta mark set 0x6b8b4567". One address stands
// without braces.
var (
	peerRule = regexp.MustCompile(`^ether saddr (.*) ip6? daddr (\S+) meta mark set (0x[0-9a-f]{8})$`)
	macText  = regexp.MustCompile(`[0-9a-f]{2}(?::[0-9a-f]{2}){5}`)
)

// Found implements [Artifact]. Rules that are not of this form are shown as they are.
func (m PeerMarks) Found(s *Snapshot) (string, bool) {
	var text string
	for line := range strings.Lines(s.Marks) {
		line = strings.TrimSpace(line)
		if !strings.Contains(line, " daddr "+m.VIP.String()+" ") {
			continue
		}
		if f := peerRule.FindStringSubmatch(line); f != nil && f[2] == m.VIP.String() {
			text += peerText(macText.FindAllString(f[1], -1), f[3])
		} else {
			text += line + "\n"
		}
	}
	return text, text != ""
}

func (m PeerMarks) establish(*Snapshot) []step { return []step{call("guard_resets")} }

// remove makes the rules of the files that are left.
func (m PeerMarks) remove(*Snapshot) []step { return []step{call("guard_resets")} }

// peersOf is what a director of the VIP knows of the others; unknown says which of them, or
// of itself, has no address on a network of the VIP or of its real servers, by which they
// are reached.
func (v VIP) peersOf(name string, directors map[string]*Snapshot) (p keepalived.Peers, unknown []string) {
	p.VIP = v.Address.Addr()
	names := make([]string, 0, len(directors))
	for other := range directors {
		names = append(names, other)
	}
	slices.Sort(names)
	for _, other := range names {
		s := directors[other]
		var macs []string
		for _, a := range s.Addresses {
			if a.Device == "lo" || a.Prefix.Addr() == p.VIP || a.Prefix.Addr().Is4() != p.VIP.Is4() || a.Prefix.Addr().IsLinkLocalUnicast() || !v.isOn(a.Prefix) {
				continue
			}
			if other == name && !p.Own.IsValid() && !a.Secondary && !s.serves(a.Prefix.Addr()) {
				p.Own = a.Prefix.Addr()
			}
			if mac, ok := s.MACs[a.Device]; ok && !slices.Contains(macs, mac) {
				macs = append(macs, mac)
			}
		}
		if len(macs) == 0 || other == name && !p.Own.IsValid() {
			unknown = append(unknown, other)
		}
		if other != name {
			p.MACs = append(p.MACs, macs...)
		}
	}
	slices.Sort(p.MACs)
	p.MACs = slices.Compact(p.MACs)
	return p, unknown
}

// isOn reports whether the network has the VIP or one of its real servers.
func (v VIP) isOn(network netip.Prefix) bool {
	return network.Contains(v.Address.Addr()) || slices.ContainsFunc(v.Services, func(s keepalived.VirtualServer) bool {
		return slices.ContainsFunc(s.RealServers, func(rs keepalived.RealServer) bool { return network.Contains(rs.Address) })
	})
}

// Among is the VIP as a director with that guard has it, beside the others: directors has a
// snapshot of each of them, and of itself, by name. CheckPeers says what is missing.
func (v VIP) Among(name string, guard LoopGuard, directors map[string]*Snapshot) VIP {
	v = v.On(name)
	v.Guard, v.Peers = guard, nil
	if guard == SourceMAC && len(directors) > 1 {
		if peers, unknown := v.peersOf(name, directors); len(unknown) == 0 {
			v.Peers = &peers
		}
	}
	return v
}

// CheckPeers looks for directors whose MAC addresses the director with that guard needs
// and that are not known.
func (v VIP) CheckPeers(name string, guard LoopGuard, directors map[string]*Snapshot) []Problem {
	if guard != SourceMAC || len(directors) < 2 {
		return nil
	}
	var problems []Problem
	_, unknown := v.peersOf(name, directors)
	for _, other := range unknown {
		problems = append(problems, Problem{[]string{"directors"}, "Director on Another Network",
			fmt.Sprintf("The director on host %q has loop_guard = %q, by which directors know each other's packets by their MAC address, and host %q has no Ethernet interface with an address on the network of the VIP %s or of its real servers (it has %s). Give the VIP the length of that network, or the directors another loop_guard.", name, SourceMAC, other, v.Address, directors[other].ownAddresses())})
	}
	return problems
}
