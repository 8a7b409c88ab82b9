package keepalived

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Peers is how a director delivers to itself what other directors of a VIP send to it:
// an nftables rule knows them by their MAC addresses and sets a firewall mark, whose
// virtual server has one real server, the director itself. IPVS looks for a firewall
// mark first (net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_service_find), so the virtual servers
// of the VIP do not schedule such a packet a second time.
type Peers struct {
	VIP netip.Addr
	// Own is an address of the director that others may reach its real server by. What
	// the sync daemon tells of such a connection names it.
	Own netip.Addr
	// MACs are those of the other directors, in lower case.
	MACs []string
}

// Mark is the director's own for the VIP. It differs between directors: one that is told
// of a connection with a mark that it does not know finds the real server among those
// of the VIP, where it counts (ip_vs_ctl.c, ip_vs_find_dest).
func (p Peers) Mark() uint32 {
	h := fnv.New32a()
	_, _ = h.Write(append(p.VIP.AsSlice(), p.Own.AsSlice()...))
	return h.Sum32()&(1<<30-1) | 1<<30 // none of the small numbers that people take, and no negative one
}

// Render is the text of VIPPeersPath and of VIPMarksPath.
func (p Peers) Render() (services, marks []byte) {
	head := Header("redislb_vip")
	// Nothing checks it: what would make the director's own real server ill for this
	// one makes it so for the other director too, which sends it nothing then.
	node := blockOf("virtual_server", []string{"fwmark", strconv.FormatUint(uint64(p.Mark()), 10)},
		statement("lvs_sched", "rr"),
		statement("lvs_method", string(DR)),
		blockOf("real_server", []string{p.Own.String()}, number("weight", 1)),
	)
	node.Comments = []string{"what other directors send is for this host"}
	return append([]byte(head+"\n"), Print([]Node{node})...), []byte(head + "add rule inet redislb prerouting " + p.rule() + "\n")
}

func (p Peers) rule() string {
	family := "ip"
	if p.VIP.Is6() {
		family = "ip6"
	}
	return fmt.Sprintf("ether saddr { %s } %s daddr %s meta mark set 0x%08x", strings.Join(slices.Sorted(slices.Values(p.MACs)), ", "), family, p.VIP, p.Mark())
}
