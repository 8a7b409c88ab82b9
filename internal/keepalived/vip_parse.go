package keepalived

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParseVIP is the inverse of Render: address and services are the texts of
// the VIP's Path and VIPServicesPath. Order and indentation do not matter; a
// statement that Render never writes is an error that names its line. A service
// whose comment with the name was lost is named after its protocol and port
// ("tcp-6379"), a real server after its address.
//
// What it returns is valid; services and real servers are in the file's order.
func ParseVIP(address, services []byte) (VIP, error) {
	var v VIP
	nodes, err := Parse(address)
	if err != nil {
		return VIP{}, fmt.Errorf("address: %w", err)
	}
	if len(nodes) == 1 && nodes[0].Keyword == "vrrp_instance" {
		instance := nodes[0]
		if nodes[0], err = v.readInstance(instance); err == nil {
			err = v.readAddress(nodes)
		}
		if err == nil {
			err = v.fits(instance)
		}
	} else {
		err = v.readAddress(nodes)
	}
	if err != nil {
		return VIP{}, fmt.Errorf("address: %w", err)
	}
	if nodes, err = Parse(services); err != nil {
		return VIP{}, fmt.Errorf("services: %w", err)
	}
	for _, n := range nodes {
		s, err := parseVirtualServer(n, v.Address.Addr())
		if err != nil {
			return VIP{}, fmt.Errorf("services: %w", at(n, err))
		}
		v.Services = append(v.Services, s)
	}
	if err := v.Validate(); err != nil {
		return VIP{}, err
	}
	return v, nil
}

// readAddress reads the line that has the address.
func (v *VIP) readAddress(nodes []Node) (err error) {
	if len(nodes) != 1 || nodes[0].HasBlock {
		return fmt.Errorf("expected one line with one address")
	}
	if v.Address, err = netip.ParsePrefix(nodes[0].Keyword); err != nil {
		return fmt.Errorf("line %d: %q is no address with the length of its network", nodes[0].Line, nodes[0].Keyword)
	}
	if args := nodes[0].Args; len(args) > 1 && args[0] == "dev" {
		v.Interface = args[1]
	}
	if want := v.where(); !nodes[0].says(want) {
		return fmt.Errorf("line %d: expected %q behind the address, found %q", nodes[0].Line, want.Args, nodes[0].Args)
	}
	return nil
}

func parseVirtualServer(n Node, vip netip.Addr) (VirtualServer, error) {
	s, err := n.virtualServer(vip)
	if err != nil {
		return VirtualServer{}, err
	}
	var settings, realServers []Node
	for _, child := range n.Block {
		if child.Keyword == "real_server" {
			realServers = append(realServers, child)
		} else {
			settings = append(settings, child)
		}
	}
	schedulerFlag := func(n Node) error {
		s.SchedulerFlags = append(s.SchedulerFlags, n.Keyword)
		return flag(n)
	}
	s.Quorum.Weight = 1
	required := []string{"delay_loop", "lvs_sched", "lvs_method", "protocol"}
	if s.FWMark != 0 {
		s.Protocol, required = TCP, required[:3]
	}
	var alpha bool // follows from the check
	err = fields{
		"delay_loop":              intoDuration(&s.DelayLoop),
		"lvs_sched":               into(&s.Scheduler),
		"sh-fallback":             schedulerFlag,
		"sh-port":                 schedulerFlag,
		"mh-fallback":             schedulerFlag,
		"mh-port":                 schedulerFlag,
		"ops":                     intoFlag(&s.OnePacket),
		"lvs_method":              into((*string)(&s.Forwarding)),
		"protocol":                into((*string)(&s.Protocol)),
		"persistence_timeout":     intoDuration(&s.Persistence.Timeout),
		"persistence_granularity": into(&s.Persistence.Mask),
		"alpha":                   intoFlag(&alpha),
		"inhibit_on_failure":      intoFlag(&s.InhibitOnFailure),
		"quorum":                  intoInt(&s.Quorum.Weight),
		"hysteresis":              intoInt(&s.Quorum.Hysteresis),
		"quorum_up":               into(&s.Quorum.Up),
		"quorum_down":             into(&s.Quorum.Down),
		"sorry_server": func(n Node) error {
			address, port, err := s.addressAndPort(n)
			s.SorryServer = netip.AddrPortFrom(address, uint16(port))
			return err
		},
	}.read(settings, required...)
	if err != nil {
		return VirtualServer{}, err
	}
	if s.Name = n.name("service"); s.Name == "" {
		s.Name = strings.ToLower(string(s.Protocol)) + "-" + strconv.Itoa(s.Port)
		if s.FWMark != 0 {
			s.Name = "fwmark-" + strconv.Itoa(int(s.FWMark))
		}
	}
	var checks []Check
	ownPort := true
	for _, child := range realServers {
		r, check, err := s.parseRealServer(vip, child)
		if err != nil {
			return VirtualServer{}, at(child, err)
		}
		ownPort = ownPort && (check.Port == r.Port || check.Kind == CheckNone)
		s.RealServers, checks = append(s.RealServers, r), append(checks, check)
	}
	for i := range checks {
		if ownPort {
			checks[i].Port = 0
		}
		if checks[i] != checks[0] {
			return VirtualServer{}, at(realServers[i], fmt.Errorf("%q is checked otherwise than those before it", s.RealServers[i].Name))
		}
	}
	if len(checks) > 0 {
		s.Check = checks[0]
	}
	return s, nil
}

func (s VirtualServer) parseRealServer(vip netip.Addr, n Node) (RealServer, Check, error) {
	if n.Keyword != "real_server" || !n.HasBlock {
		return RealServer{}, Check{}, fmt.Errorf("expected a block of real_server")
	}
	address, port, err := s.addressAndPort(n)
	if err != nil {
		return RealServer{}, Check{}, err
	}
	r := RealServer{Name: n.name("real_server"), Address: address, Port: port}
	if r.Name == "" {
		r.Name = address.String()
	}
	check := Check{Kind: CheckNone}
	checked := func(n Node) (err error) {
		if check.Kind != CheckNone {
			return fmt.Errorf("is a second check")
		}
		check, err = s.parseCheck(vip, r, n)
		return err
	}
	err = fields{
		"weight":     intoInt(&r.Weight),
		"uthreshold": intoInt(&r.UpperThreshold),
		"lthreshold": intoInt(&r.LowerThreshold),
		"TCP_CHECK":  checked,
		"HTTP_GET":   checked,
		"SSL_GET":    checked,
		"MISC_CHECK": checked,
	}.read(n.Block, "weight")
	return r, check, err
}

// virtualServer reads "virtual_server 192.0.2.229 6379 {" or "virtual_server fwmark 7 {".
func (n Node) virtualServer(vip netip.Addr) (VirtualServer, error) {
	if n.Keyword != "virtual_server" || !n.HasBlock || len(n.Args) != 2 {
		return VirtualServer{}, fmt.Errorf("expected a block of virtual_server with an address and a port, or fwmark and a mark")
	}
	if n.Args[0] == "fwmark" {
		mark, err := strconv.ParseUint(n.Args[1], 10, 32)
		if err != nil || ValidateFWMark(int64(mark)) != nil {
			return VirtualServer{}, fmt.Errorf("%q is no firewall mark from 1 to %d", n.Args[1], MaxFWMark)
		}
		port, err := n.commentedPort()
		return VirtualServer{FWMark: uint32(mark), Port: port}, err
	}
	address, port, err := VirtualServer{}.addressAndPort(n)
	if err == nil && address != vip {
		err = fmt.Errorf("of %s in the file of %s", address, vip)
	}
	return VirtualServer{Port: port}, err
}

func (n Node) commentedPort() (int, error) {
	for _, comment := range n.Comments {
		if text, ok := strings.CutPrefix(comment, portComment); ok {
			if port, err := strconv.Atoi(text); err == nil && ValidatePort(port) == nil {
				return port, nil
			}
		}
	}
	return 0, fmt.Errorf("expected a comment with the port before it")
}

// addressAndPort are the arguments of a statement; of a service with a firewall mark the
// port may be left out, and is the service's.
func (s VirtualServer) addressAndPort(n Node) (netip.Addr, int, error) {
	marked := s.FWMark != 0 && len(n.Args) == 1
	if len(n.Args) != 2 && !marked {
		return netip.Addr{}, 0, fmt.Errorf("expected an address and a port")
	}
	address, err := netip.ParseAddr(n.Args[0])
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("%q is no address", n.Args[0])
	}
	if marked {
		return address, s.Port, nil
	}
	port, err := strconv.Atoi(n.Args[1])
	if err != nil || ValidatePort(port) != nil {
		return netip.Addr{}, 0, fmt.Errorf("%q is no port", n.Args[1])
	}
	return address, port, nil
}

// name is what nameComment wrote.
func (n Node) name(kind string) string {
	for _, comment := range n.Comments {
		if quoted, ok := strings.CutPrefix(comment, kind+" "); ok {
			if name, err := strconv.Unquote(quoted); err == nil {
				return name
			}
		}
	}
	return ""
}
