package keepalived

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Unicast sends the advertisements to each peer by itself instead of to the
// multicast group 224.0.0.18. The peers are the other directors of the group.
type Unicast struct {
	// Source is the address that they come from; the zero Addr: the first one of
	// the instance's interface.
	Source netip.Addr
	Peers  []netip.Addr
}

// Validate says everything that is wrong.
func (u *Unicast) Validate() error {
	if u == nil {
		return nil
	}
	var errs []error
	if len(u.Peers) == 0 {
		// keepalived 2.1 and 2.2 fall back to multicast (vrrp.c, vrrp_complete_instance).
		errs = append(errs, errors.New("unicast has at least one peer: name the other directors' addresses, or leave unicast out"))
	}
	for _, peer := range append(slices.Clone(u.Peers), u.Source) {
		if peer.IsValid() && (!peer.Is4() || peer.IsUnspecified() || peer.IsLoopback() || peer.IsMulticast()) {
			errs = append(errs, fmt.Errorf("unicast: %s is no IPv4 address of a director", peer))
		}
	}
	if slices.ContainsFunc(u.Peers, func(peer netip.Addr) bool { return !peer.IsValid() }) {
		errs = append(errs, errors.New("unicast: a peer without an address"))
	}
	if sorted := slices.SortedFunc(slices.Values(u.Peers), netip.Addr.Compare); len(slices.Compact(sorted)) != len(u.Peers) {
		errs = append(errs, errors.New("unicast: one peer is there twice"))
	}
	if slices.Contains(u.Peers, u.Source) && u.Source.IsValid() {
		errs = append(errs, fmt.Errorf("unicast: %s is both the source and a peer: the peers are the other directors", u.Source))
	}
	return errors.Join(errs...)
}

func (u *Unicast) nodes() []Node {
	if u == nil {
		return nil
	}
	var nodes []Node
	if u.Source.IsValid() {
		nodes = append(nodes, statement("unicast_src_ip", u.Source.String()))
	}
	peers := slices.SortedFunc(slices.Values(u.Peers), netip.Addr.Compare)
	return append(nodes, blockOf("unicast_peer", nil, names(peers, func(peer netip.Addr) Node { return statement(peer.String()) })...))
}

func (u *Unicast) readSource(n Node) error {
	text, err := n.value()
	if err == nil {
		u.Source, err = netip.ParseAddr(text)
	}
	return err
}

func (u *Unicast) readPeers(n Node) error {
	for _, peer := range n.Block {
		addr, err := netip.ParseAddr(peer.Keyword)
		if err == nil {
			err = flag(peer)
		}
		if err != nil {
			return at(peer, err)
		}
		u.Peers = append(u.Peers, addr)
	}
	return nil
}
