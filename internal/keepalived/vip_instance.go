package keepalived

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// VIPInstance is the VRRP instance that a VIP has to itself on one director, so that another
// host can be its master than that of the director's own instance (active/active). All but
// this is as in the director's.
type VIPInstance struct {
	VirtualRouterID int
	Priority        int
}

func (i *VIPInstance) validate() error {
	if i == nil {
		return nil
	}
	return errors.Join(ValidateVirtualRouterID(i.VirtualRouterID), ValidatePriority(i.Priority))
}

// VIPInstanceName is what keepalived calls the instance of a VIP. No director's can be called
// so (ValidateName): role.sh knows the one from the other by it.
func VIPInstanceName(vip netip.Addr) string { return "vip:" + vip.String() }

// node is the instance as a block; address is the statement of the VIP.
func (i *VIPInstance) node(vip netip.Addr, address Node) Node {
	advertised, excluded := address, []Node(nil)
	if vip.Is6() { // as in the director's instance, which speaks IPv4
		advertised = placeholder(i.VirtualRouterID)
		excluded = []Node{blockOf("virtual_ipaddress_excluded", nil, address)}
	}
	return blockOf("vrrp_instance", []string{VIPInstanceName(vip)}, append([]Node{
		statement("state", "BACKUP"),
		number("virtual_router_id", i.VirtualRouterID),
		number("priority", i.Priority),
		statement("include", InstancePath),
		blockOf("virtual_ipaddress", nil, advertised),
	}, excluded...)...)
}

// readInstance is the inverse of node.
func (v *VIP) readInstance(n Node) (address Node, err error) {
	v.VRRP = &VIPInstance{}
	var advertised, excluded []Node
	err = fields{
		"state":             exactly("BACKUP"),
		"include":           exactly(InstancePath),
		"virtual_router_id": intoInt(&v.VRRP.VirtualRouterID),
		"priority":          intoInt(&v.VRRP.Priority),
		"virtual_ipaddress": func(n Node) error {
			advertised = n.Block
			return nil
		},
		"virtual_ipaddress_excluded": func(n Node) error {
			excluded = n.Block
			return nil
		},
	}.read(n.Block, "state", "virtual_router_id", "priority", "include", "virtual_ipaddress")
	if err != nil {
		return Node{}, err
	}
	addresses := advertised
	if excluded != nil {
		if want := placeholder(v.VRRP.VirtualRouterID); len(advertised) != 1 || !advertised[0].says(want) {
			return Node{}, fmt.Errorf("line %d: virtual_ipaddress: expected %s %q alone, beside virtual_ipaddress_excluded", n.Line, want.Keyword, want.Args)
		}
		addresses = excluded
	}
	if len(addresses) != 1 {
		return Node{}, fmt.Errorf("line %d: vrrp_instance: expected one address", n.Line)
	}
	return addresses[0], nil
}

// fits compares the name and the place of the address with those that node would write.
func (v *VIP) fits(n Node) error {
	if vip := v.Address.Addr(); len(n.Args) != 1 || n.Args[0] != VIPInstanceName(vip) {
		return fmt.Errorf("line %d: vrrp_instance: expected the name %s, found %q", n.Line, VIPInstanceName(vip), n.Args)
	}
	if there := slices.ContainsFunc(n.Block, func(n Node) bool { return n.Keyword == "virtual_ipaddress_excluded" }); there != v.Address.Addr().Is6() {
		return fmt.Errorf("line %d: vrrp_instance: an IPv6 VIP belongs into virtual_ipaddress_excluded, an IPv4 VIP into virtual_ipaddress", n.Line)
	}
	return nil
}

// says reports whether the statements are the same.
func (n Node) says(other Node) bool {
	return n.Keyword == other.Keyword && slices.Equal(n.Args, other.Args) && !n.HasBlock && !other.HasBlock
}
