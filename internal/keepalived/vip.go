package keepalived

import (
	"cmp"
	"errors"
	"fmt"
	"math"
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
	Address netip.Prefix
	// Interface is where the master has it; empty: where the VRRP instance is.
	Interface string
	// VRRP is the instance of the VIP's own; nil: it is in the director's.
	VRRP     *VIPInstance
	Services []VirtualServer
}

// VirtualServer is a service on a VIP.
type VirtualServer struct {
	// Name is the user's; it is kept in a comment.
	Name string
	// Port is that on the VIP, and of the real servers' checks.
	Port     int
	Protocol Protocol
	// FWMark, where it is not 0, is the firewall mark of the packets that the service
	// takes, whatever their protocol, address and port are; Protocol is TCP then.
	FWMark    uint32
	Scheduler string
	// SchedulerFlags are of those that SchedulerFlags (the function) lists.
	SchedulerFlags []string
	// OnePacket schedules each packet by itself; for UDP (ipvsadm(8), --ops).
	OnePacket   bool
	Forwarding  Forwarding
	Persistence Persistence
	// DelayLoop is the time between two checks of a real server.
	DelayLoop time.Duration
	// Check is also what a real server has to pass before it is sent anything
	// (keepalived.conf(5), alpha).
	Check Check
	// InhibitOnFailure gives a real server that fails its check the weight 0
	// instead of taking it out: what it has stays connected.
	InhibitOnFailure bool
	Quorum           Quorum
	// SorryServer is sent the connections while the quorum is lost; none if its
	// Address is the zero Addr.
	SorryServer netip.AddrPort
	RealServers []RealServer
}

// Persistence sends a client back to the real server that it had before.
type Persistence struct {
	// Timeout has whole seconds, up to 31 days; 0 is no persistence.
	Timeout time.Duration
	// Mask makes one client of many: a netmask for IPv4 ("255.255.255.0"), a prefix
	// length for IPv6 ("64"). Empty: each address is a client.
	Mask string
}

// Quorum is the total weight that the healthy real servers of a service must have.
type Quorum struct {
	// Weight is at least 1.
	Weight int
	// Hysteresis, less than Weight, is how far below it the total may fall before
	// the quorum is lost, and how far above it has to rise before it is gained.
	Hysteresis int
	// Up and Down are commands for the director, run as root when the quorum is
	// gained and lost; empty is none.
	Up, Down string
}

// RealServer is one machine behind a VirtualServer. DR and TUN cannot change
// the port: it is the service's.
type RealServer struct {
	Name    string
	Address netip.Addr
	Port    int
	Weight  int
	// UpperThreshold is the number of connections at which it gets no new ones, until
	// there are LowerThreshold or fewer; 0 is no threshold (ipvsadm(8), -x and -y).
	UpperThreshold, LowerThreshold int
}

// Validate says everything that is wrong.
func (v VIP) Validate() error {
	if !v.Address.IsValid() || v.Address.Addr().Is4In6() || v.Address.Bits() == 0 {
		return fmt.Errorf("%s: a VIP is an address and the length of its network, like 192.0.2.229/24", v.Address)
	}
	errs := []error{v.VRRP.validate()}
	if v.Interface != "" {
		errs = append(errs, wrap("interface", ValidateInterface(v.Interface)))
	}
	names, ports, marks := map[string]bool{}, map[string]bool{}, map[uint32]bool{}
	for _, s := range v.Services {
		errs = append(errs, wrap(fmt.Sprintf("service %.140q", s.Name), s.validate(v.Address.Addr())))
		port := fmt.Sprintf("%s port %d", s.Protocol, s.Port)
		if names[s.Name] || ports[port] {
			errs = append(errs, fmt.Errorf("service %.140q, %s: another service of the VIP has its name or port", s.Name, port))
		}
		if s.FWMark != 0 && marks[s.FWMark] {
			errs = append(errs, fmt.Errorf("service %.140q: another service of the VIP has its firewall mark %d", s.Name, s.FWMark))
		}
		names[s.Name], ports[port], marks[s.FWMark] = true, true, true
	}
	return errors.Join(errs...)
}

func (s VirtualServer) validate(vip netip.Addr) error {
	errs := []error{
		ValidateKey(s.Name),
		ValidatePort(s.Port),
		ValidateScheduler(s.Scheduler),
		s.Persistence.validate(vip),
		ValidateDelayLoop(s.DelayLoop),
		wrap("check", s.Check.validate()),
		s.Quorum.validate(s.RealServers),
	}
	if s.Protocol != TCP && s.Protocol != UDP {
		errs = append(errs, fmt.Errorf("%q: the protocol is TCP or UDP", s.Protocol))
	}
	if s.FWMark != 0 {
		errs = append(errs, ValidateFWMark(int64(s.FWMark)))
		if s.Protocol != TCP {
			errs = append(errs, fmt.Errorf("a firewall mark is of any protocol: there is none to give but %s", TCP))
		}
	}
	if s.OnePacket && s.Protocol != UDP {
		errs = append(errs, fmt.Errorf("scheduling each packet by itself is for UDP"))
	}
	for i, flag := range s.SchedulerFlags {
		if !slices.Contains(SchedulerFlags(s.Scheduler), flag) || slices.Contains(s.SchedulerFlags[:i], flag) {
			errs = append(errs, fmt.Errorf("%q: the flags of the scheduler %s are, once each: %s", flag, s.Scheduler, list(SchedulerFlags(s.Scheduler))))
		}
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
		endpoint := netip.AddrPortFrom(r.Address, uint16(r.Port))
		errs = append(errs, wrap(what, errors.Join(ValidateKey(r.Name), ValidatePort(r.Port), ValidateWeight(r.Weight),
			r.validateThresholds(), s.reaches(vip, endpoint))))
		if names[r.Name] || endpoints[endpoint] {
			errs = append(errs, fmt.Errorf("%s, %s: another real server of the service has its name or address", what, endpoint))
		}
		names[r.Name], endpoints[endpoint] = true, true
	}
	if s.SorryServer.Addr().IsValid() {
		if endpoints[s.SorryServer] {
			// keepalived would have to keep one row of the table for both.
			errs = append(errs, fmt.Errorf("sorry server: %s is a real server of the service too", s.SorryServer))
		}
		errs = append(errs, wrap("sorry server", errors.Join(ValidatePort(int(s.SorryServer.Port())), s.reaches(vip, s.SorryServer))))
	}
	return errors.Join(errs...)
}

// reaches says why the service cannot send anything to the endpoint.
func (s VirtualServer) reaches(vip netip.Addr, endpoint netip.AddrPort) error {
	address := endpoint.Addr()
	switch {
	case !address.IsValid() || address.Zone() != "" || address.Is4In6():
		return fmt.Errorf("%s is no address of a real server", address)
	case s.Forwarding != TUN && address.Is4() != vip.Is4():
		return fmt.Errorf("%s and the VIP %s are of two families, which %s cannot bridge", address, vip, s.Forwarding)
	case s.Forwarding != NAT && int(endpoint.Port()) != s.Port:
		return fmt.Errorf("port %d, but %s cannot change the port: give the service's, %d", endpoint.Port(), s.Forwarding, s.Port)
	}
	return nil
}

func (r RealServer) validateThresholds() error {
	if r.UpperThreshold < 0 || r.LowerThreshold < 0 || r.UpperThreshold > math.MaxInt32 || (r.LowerThreshold > 0 && r.LowerThreshold >= r.UpperThreshold) {
		return fmt.Errorf("thresholds %d and %d: the upper is a number of connections, the lower a smaller one", r.UpperThreshold, r.LowerThreshold)
	}
	return nil
}

func (p Persistence) validate(vip netip.Addr) error {
	if p == (Persistence{}) {
		return nil
	}
	return errors.Join(ValidatePersistence(p.Timeout), ValidateMask(p.Mask, vip))
}

// RowPort is the port that a real server with this one has in the kernel's table. Under a
// firewall mark packets keep the port that they have, which is 0, unless NAT gives them
// another one than the service's.
func (s VirtualServer) RowPort(port int) uint16 {
	if s.FWMark != 0 && (s.Forwarding != NAT || port == s.Port) {
		return 0
	}
	return uint16(port)
}

// TotalWeight is that of the real servers; with 0 none of them gets new connections.
func (s VirtualServer) TotalWeight() int {
	total := 0
	for _, r := range s.RealServers {
		total += r.Weight
	}
	return total
}

func (q Quorum) validate(servers []RealServer) error {
	total, drained := 0, false
	for _, r := range servers {
		total += r.Weight
		drained = drained || r.Weight == 0
	}
	var errs []error
	// Where some are being drained, keepalived may lower the quorum: see HarmlessComplaint.
	if q.Weight < 1 || (q.Weight > total && !drained) {
		errs = append(errs, fmt.Errorf("quorum %d: it is from 1 to the total weight of the real servers, %d", q.Weight, total))
	}
	if q.Hysteresis < 0 || (q.Hysteresis > 0 && q.Hysteresis >= q.Weight) {
		errs = append(errs, fmt.Errorf("hysteresis %d: it is from 0 to less than the quorum, %d", q.Hysteresis, q.Weight))
	}
	for _, command := range []string{q.Up, q.Down} {
		if command != "" {
			errs = append(errs, ValidateCommand(command))
		}
	}
	return errors.Join(errs...)
}

// Path is the file with the address of the VIP: VIPAddressPath, or VIPInstancePath for one
// with an instance of its own.
func (v VIP) Path() string {
	if v.VRRP != nil {
		return VIPInstancePath(v.Address.Addr())
	}
	return VIPAddressPath(v.Address.Addr())
}

// Render is the text of Path and of VIPServicesPath for a valid VIP.
// Services and real servers are ordered by name. Everything that keepalived has
// a default for is written out.
func (v VIP) Render() (address, services []byte) {
	head := []byte(Header("redislb_vip"))
	where := v.where()
	if v.VRRP != nil {
		where = v.VRRP.node(v.Address.Addr(), where)
	}
	address = append(slices.Clone(head), Print([]Node{where})...)
	services = head
	for _, s := range slices.SortedFunc(slices.Values(v.Services), func(a, b VirtualServer) int { return cmp.Compare(a.Name, b.Name) }) {
		services = append(services, '\n')
		services = append(services, Print([]Node{s.node(v.Address.Addr())})...)
	}
	return address, services
}

// where is the line that has the address. Its lifetime keeps the master from using an IPv6
// VIP as the source of its own connections, as to a real server that it checks: that has
// the VIP too, and would answer itself. Of IPv4 addresses of one network the first is the
// source, which is the host's own.
func (v VIP) where() Node {
	var args []string
	if v.Interface != "" {
		args = append(args, "dev", v.Interface)
	}
	if v.Address.Addr().Is6() {
		args = append(args, "preferred_lft", "0")
	}
	return statement(v.Address.String(), args...)
}

func (s VirtualServer) node(vip netip.Addr) Node {
	key := []string{vip.String(), strconv.Itoa(s.Port)}
	if s.FWMark != 0 {
		key = []string{"fwmark", strconv.FormatUint(uint64(s.FWMark), 10)}
	}
	node := blockOf("virtual_server", key,
		statement("delay_loop", seconds(s.DelayLoop)),
		statement("lvs_sched", s.Scheduler),
	)
	for _, flag := range slices.Sorted(slices.Values(s.SchedulerFlags)) {
		node.Block = append(node.Block, statement(flag)) // behind lvs_sched (check_parser.c, lbflags_handler)
	}
	add := func(wanted bool, keyword string, args ...string) {
		if wanted {
			node.Block = append(node.Block, statement(keyword, args...))
		}
	}
	add(s.OnePacket, "ops")
	add(true, "lvs_method", string(s.Forwarding))
	// keepalived complains of one with a firewall mark (check_data.c, validate_check_config).
	add(s.FWMark == 0, "protocol", string(s.Protocol))
	add(s.Persistence.Timeout > 0, "persistence_timeout", seconds(s.Persistence.Timeout))
	add(s.Persistence.Mask != "", "persistence_granularity", s.Persistence.Mask)
	add(s.Check.Kind != CheckNone, "alpha")
	add(s.InhibitOnFailure, "inhibit_on_failure")
	add(s.Quorum.Weight > 1, "quorum", strconv.Itoa(s.Quorum.Weight))
	add(s.Quorum.Hysteresis > 0, "hysteresis", strconv.Itoa(s.Quorum.Hysteresis))
	add(s.Quorum.Up != "", "quorum_up", s.Quorum.Up)
	add(s.Quorum.Down != "", "quorum_down", s.Quorum.Down)
	add(s.SorryServer.Addr().IsValid(), "sorry_server", s.endpoint(s.SorryServer.Addr(), int(s.SorryServer.Port()))...)
	node.Comments = []string{nameComment("service", s.Name)}
	if s.FWMark != 0 {
		node.Comments = append(node.Comments, portComment+strconv.Itoa(s.Port))
	}
	for _, r := range slices.SortedFunc(slices.Values(s.RealServers), func(a, b RealServer) int { return cmp.Compare(a.Name, b.Name) }) {
		node.Block = append(node.Block, s.realServerNode(vip, r))
	}
	return node
}

func (s VirtualServer) realServerNode(vip netip.Addr, r RealServer) Node {
	node := blockOf("real_server", s.endpoint(r.Address, r.Port), number("weight", r.Weight))
	if r.UpperThreshold > 0 {
		node.Block = append(node.Block, number("uthreshold", r.UpperThreshold))
	}
	if r.LowerThreshold > 0 {
		node.Block = append(node.Block, number("lthreshold", r.LowerThreshold))
	}
	if check, ok := s.checkNode(vip, r); ok {
		node.Block = append(node.Block, check)
	}
	node.Comments = []string{nameComment("real_server", r.Name)}
	return node
}

// endpoint is an address and a port, which is left out where there is none: 0 is an error
// (lib/utils.c, inet_stosockaddr).
func (s VirtualServer) endpoint(address netip.Addr, port int) []string {
	if s.RowPort(port) == 0 {
		return []string{address.String()}
	}
	return []string{address.String(), strconv.Itoa(port)}
}

// portComment keeps the port of a service that has a firewall mark.
const portComment = "port "

func nameComment(kind, name string) string { return kind + " " + strconv.QuoteToASCII(name) }
