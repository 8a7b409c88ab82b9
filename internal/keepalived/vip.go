package keepalived

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Protocol of a virtual server.
type Protocol string

// The protocols of a VirtualServer, in keepalived's words.
const (
	TCP Protocol = "TCP"
	UDP Protocol = "UDP"
)

// Forwarding is keepalived's lvs_method.
type Forwarding string

// The forwarding methods: direct routing, address translation, tunnelling.
const (
	DR  Forwarding = "DR"
	NAT Forwarding = "NAT"
	TUN Forwarding = "TUN"
)

// VIP is a virtual IP address and the services on it.
type VIP struct {
	// Address is the VIP with the length of its network: 192.0.2.229/24.
	Address  netip.Prefix
	Services []VirtualServer
}

// VirtualServer is a service on a VIP.
type VirtualServer struct {
	// Name is the user's; it is kept in a comment.
	Name       string
	Port       int
	Protocol   Protocol
	Scheduler  string
	Forwarding Forwarding
	// DelayLoop is the time between two checks of a real server.
	DelayLoop   time.Duration
	Check       TCPCheck
	RealServers []RealServer
}

// TCPCheck takes a real server out that does not accept connections.
type TCPCheck struct {
	// Timeout bounds the wait for an answer.
	Timeout time.Duration
	// Retries is how many more failures it takes after the first.
	Retries int
	// RetryDelay is the time between these.
	RetryDelay time.Duration
}

// RealServer is one machine behind a VirtualServer. DR and TUN cannot change
// the port: it is the service's.
type RealServer struct {
	Name    string
	Address netip.Addr
	Port    int
	Weight  int
}

// Validate says everything that is wrong.
func (v VIP) Validate() error {
	if !v.Address.IsValid() || v.Address.Addr().Is4In6() || v.Address.Bits() == 0 {
		return fmt.Errorf("%s: a VIP is an address and the length of its network, like 192.0.2.229/24", v.Address)
	}
	var errs []error
	names, ports := map[string]bool{}, map[string]bool{}
	for _, s := range v.Services {
		errs = append(errs, wrap(fmt.Sprintf("service %.140q", s.Name), s.validate(v.Address.Addr())))
		port := fmt.Sprintf("%s port %d", s.Protocol, s.Port)
		if names[s.Name] || ports[port] {
			errs = append(errs, fmt.Errorf("service %.140q, %s: another service of the VIP has its name or port", s.Name, port))
		}
		names[s.Name], ports[port] = true, true
	}
	return errors.Join(errs...)
}

func (s VirtualServer) validate(vip netip.Addr) error {
	errs := []error{
		ValidateKey(s.Name),
		ValidatePort(s.Port),
		ValidateScheduler(s.Scheduler),
		ValidateDelayLoop(s.DelayLoop),
		ValidateConnectTimeout(s.Check.Timeout),
		ValidateRetries(s.Check.Retries),
		ValidateRetryDelay(s.Check.RetryDelay),
	}
	if s.Protocol != TCP && s.Protocol != UDP {
		errs = append(errs, fmt.Errorf("%q: the protocol is TCP or UDP", s.Protocol))
	}
	if s.Forwarding != DR && s.Forwarding != NAT && s.Forwarding != TUN {
		errs = append(errs, fmt.Errorf("%q: the forwarding method is DR, NAT or TUN", s.Forwarding))
	}
	if len(s.RealServers) == 0 {
		// check_data.c: "has no real servers - ignoring", and -t returns 5.
		errs = append(errs, fmt.Errorf("a service has at least one real server; give it weight 0 to send it nothing"))
	}
	names, endpoints := map[string]bool{}, map[netip.AddrPort]bool{}
	for _, r := range s.RealServers {
		what := fmt.Sprintf("real server %.140q", r.Name)
		errs = append(errs, wrap(what, errors.Join(ValidateKey(r.Name), ValidatePort(r.Port), ValidateWeight(r.Weight))))
		switch {
		case !r.Address.IsValid() || r.Address.Zone() != "" || r.Address.Is4In6():
			errs = append(errs, fmt.Errorf("%s: %s is no address of a real server", what, r.Address))
		case s.Forwarding != TUN && r.Address.Is4() != vip.Is4():
			errs = append(errs, fmt.Errorf("%s: %s and the VIP %s are of two families, which %s cannot bridge", what, r.Address, vip, s.Forwarding))
		case s.Forwarding != NAT && r.Port != s.Port:
			errs = append(errs, fmt.Errorf("%s: port %d, but %s cannot change the port: give the service's, %d", what, r.Port, s.Forwarding, s.Port))
		}
		endpoint := netip.AddrPortFrom(r.Address, uint16(r.Port))
		if names[r.Name] || endpoints[endpoint] {
			errs = append(errs, fmt.Errorf("%s, %s: another real server of the service has its name or address", what, endpoint))
		}
		names[r.Name], endpoints[endpoint] = true, true
	}
	return errors.Join(errs...)
}

// Render is the text of VIPAddressPath and of VIPServicesPath for a valid VIP.
// Services and real servers are ordered by name. Everything that keepalived has
// a default for is written out.
func (v VIP) Render() (address, services []byte) {
	head := []byte(Header("redislb_vip"))
	address = append(slices.Clone(head), Print([]Node{statement(v.Address.String())})...)
	services = head
	for _, s := range slices.SortedFunc(slices.Values(v.Services), func(a, b VirtualServer) int { return cmp.Compare(a.Name, b.Name) }) {
		services = append(services, '\n')
		services = append(services, Print([]Node{s.node(v.Address.Addr())})...)
	}
	return address, services
}

func (s VirtualServer) node(vip netip.Addr) Node {
	node := blockOf("virtual_server", []string{vip.String(), strconv.Itoa(s.Port)},
		statement("delay_loop", seconds(s.DelayLoop)),
		statement("lvs_sched", s.Scheduler),
		statement("lvs_method", string(s.Forwarding)),
		statement("protocol", string(s.Protocol)),
	)
	node.Comments = []string{nameComment("service", s.Name)}
	for _, r := range slices.SortedFunc(slices.Values(s.RealServers), func(a, b RealServer) int { return cmp.Compare(a.Name, b.Name) }) {
		node.Block = append(node.Block, s.realServerNode(r))
	}
	return node
}

func (s VirtualServer) realServerNode(r RealServer) Node {
	node := blockOf("real_server", []string{r.Address.String(), strconv.Itoa(r.Port)},
		statement("weight", strconv.Itoa(r.Weight)),
		blockOf("TCP_CHECK", nil,
			statement("connect_port", strconv.Itoa(r.Port)),
			statement("connect_timeout", seconds(s.Check.Timeout)),
			statement("retry", strconv.Itoa(s.Check.Retries)),
			statement("delay_before_retry", seconds(s.Check.RetryDelay)),
		),
	)
	node.Comments = []string{nameComment("real_server", r.Name)}
	return node
}

func nameComment(kind, name string) string { return kind + " " + strconv.QuoteToASCII(name) }
