package ipvs

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// ParseProc reads /proc/net/ip_vs (net/netfilter/ipvs/ip_vs_ctl.c,
// ip_vs_info_seq_show). Empty input is an empty table. What the file does not
// say is left empty: scheduler flags, the length of persistence, thresholds,
// and the family of a firewall-mark service without destinations, which is
// taken for IPv4 unless its persistence mask says otherwise.
//
// `Local`, which older kernels print for a real server that is the director
// itself, is DR.
//
// An error names the line by number and text.
func ParseProc(data []byte) (Table, error) {
	p := procParser{}
	for n, line := range strings.Split(string(data), "\n") {
		if err := p.line(strings.Fields(line)); err != nil {
			return nil, fmt.Errorf("/proc/net/ip_vs line %d: %q: %w", n+1, line, err)
		}
	}
	return p.finish()
}

type procParser struct {
	services []procService
}

type procService struct {
	Service
	mask uint32
	line string
}

func (p *procParser) line(fields []string) error {
	switch {
	case len(fields) == 0,
		fields[0] == "IP",
		fields[0] == "Prot",
		fields[0] == "->" && len(fields) > 1 && strings.HasPrefix(fields[1], "RemoteAddress"):
		return nil
	case fields[0] == "->":
		return p.destination(fields[1:])
	}
	return p.service(fields)
}

func (p *procParser) service(fields []string) error {
	if len(fields) < 3 {
		return fmt.Errorf("a service has a protocol, an address and a scheduler")
	}
	s := procService{line: strings.Join(fields, " ")}
	s.Scheduler = fields[2]
	switch fields[0] {
	case "FWM":
		mark, err := strconv.ParseUint(fields[1], 16, 32)
		if err != nil || mark == 0 {
			return fmt.Errorf("%q is no firewall mark", fields[1])
		}
		s.FWMark = uint32(mark)
	case "TCP", "UDP", "SCTP":
		endpoint, err := hexEndpoint(fields[1])
		if err != nil {
			return err
		}
		s.Protocol = map[string]Protocol{"TCP": TCP, "UDP": UDP, "SCTP": SCTP}[fields[0]]
		s.Address, s.Port = endpoint.Addr(), endpoint.Port()
	default:
		return fmt.Errorf("unknown protocol %q", fields[0])
	}

	for rest := fields[3:]; len(rest) > 0; {
		switch {
		case rest[0] == "ops":
			s.OnePacket, rest = true, rest[1:]
		case rest[0] == "persistent" && len(rest) >= 3:
			if _, err := strconv.ParseInt(rest[1], 10, 64); err != nil {
				return fmt.Errorf("%q is no persistence timeout in jiffies", rest[1])
			}
			mask, err := strconv.ParseUint(rest[2], 16, 32)
			if err != nil {
				return fmt.Errorf("%q is no persistence mask", rest[2])
			}
			s.Persistent, s.mask, rest = true, uint32(mask), rest[3:]
		default:
			return fmt.Errorf("unknown flag %q", rest[0])
		}
	}
	p.services = append(p.services, s)
	return nil
}

// forwardingNames are those of ip_vs_fwd_name (include/net/ip_vs.h).
var forwardingNames = map[string]Forwarding{"Route": DR, "Local": DR, "Masq": NAT, "Tunnel": TUN}

func (p *procParser) destination(fields []string) error {
	if len(p.services) == 0 {
		return fmt.Errorf("a real server before any service")
	}
	if len(fields) != 5 {
		return fmt.Errorf("a real server has an address, a forwarding method, a weight and two counters")
	}
	endpoint, err := hexEndpoint(fields[0])
	if err != nil {
		return err
	}
	forwarding, ok := forwardingNames[fields[1]]
	if !ok {
		return fmt.Errorf("unknown forwarding method %q", fields[1])
	}
	weight, err := parseNumber(fields[2]) // the kernel refuses one below 0
	if err != nil {
		return err
	}
	var counters [2]int
	for i, f := range fields[3:] {
		if counters[i], err = strconv.Atoi(f); err != nil {
			return fmt.Errorf("%q is no number", f)
		}
	}
	s := &p.services[len(p.services)-1]
	s.Destinations = append(s.Destinations, Destination{
		Address: endpoint.Addr(), Port: endpoint.Port(), Forwarding: forwarding,
		Weight: weight, ActiveConns: counters[0], InactConns: counters[1],
	})
	return nil
}

func (p *procParser) finish() (Table, error) {
	table := make(Table, 0, len(p.services))
	for _, s := range p.services {
		v6 := s.Address.Is6()
		if s.FWMark != 0 {
			v6 = s.markIsIPv6()
			s.IPv6 = v6
		}
		if s.Persistent {
			mask, err := persistenceMask(s.mask, v6)
			if err != nil {
				return nil, fmt.Errorf("/proc/net/ip_vs: %q: %w", s.line, err)
			}
			s.PersistenceMask = mask
		}
		table = append(table, s.Service)
	}
	return table, nil
}

// markIsIPv6 guesses the family, which the file does not say. Only a tunnel may
// lead to the other family (ipvsadm.c, process_options).
func (s procService) markIsIPv6() bool {
	for _, d := range s.Destinations {
		if d.Forwarding != TUN {
			return d.Address.Is6()
		}
	}
	if s.Persistent {
		_, isLength := prefixLength(s.mask)
		return isLength
	}
	return len(s.Destinations) > 0 && s.Destinations[0].Address.Is6()
}

// persistenceMask turns the mask around: the kernel prints ntohl() of a netmask
// in network order for IPv4 and of a plain prefix length for IPv6.
func persistenceMask(raw uint32, v6 bool) (string, error) {
	if v6 {
		n, ok := prefixLength(raw)
		switch {
		case !ok:
			return "", fmt.Errorf("%08X is no IPv6 persistence mask", raw)
		case n == 128:
			return "", nil
		}
		return strconv.Itoa(n), nil
	}
	if raw == 0xffffffff {
		return "", nil
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, raw))).String(), nil
}

func prefixLength(raw uint32) (int, bool) {
	for _, n := range []uint32{bits.ReverseBytes32(raw), raw} {
		if n >= 1 && n <= 128 {
			return int(n), true
		}
	}
	return 0, false
}

// hexEndpoint reads "C00002E5:18EB" or "[2001:0db8:…]:18EB".
func hexEndpoint(text string) (netip.AddrPort, error) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return netip.AddrPort{}, fmt.Errorf("%q has no port", text)
	}
	host, portText := text[:i], text[i+1:]
	port, err := strconv.ParseUint(portText, 16, 16)
	if err != nil || len(portText) != 4 {
		return netip.AddrPort{}, fmt.Errorf("%q is no port in four hex digits", portText)
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		if !closed || err != nil || !address.Is6() || address.Zone() != "" {
			return netip.AddrPort{}, fmt.Errorf("%q is no IPv6 address", host)
		}
		return netip.AddrPortFrom(address, uint16(port)), nil
	}
	number, err := strconv.ParseUint(host, 16, 32)
	if err != nil || len(host) != 8 {
		return netip.AddrPort{}, fmt.Errorf("%q is no IPv4 address in eight hex digits", host)
	}
	address := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(number))))
	return netip.AddrPortFrom(address, uint16(port)), nil
}
