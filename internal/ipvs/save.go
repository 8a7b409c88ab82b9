package ipvs

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultPersistence is what `ipvsadm -p` without a number means
// (ipvsadm(8), --persistent).
const defaultPersistence = 360 * time.Second

// ParseSave reads the output of `ipvsadm -Sn` (ipvsadm.c, print_service_entry
// and print_tunnel_rule): lines of -A and -a. Empty lines and lines that begin
// with # are passed over. Names instead of numbers, which `ipvsadm -S` prints
// without -n, are an error.
//
// An error names the line by number and text.
func ParseSave(data []byte) (Table, error) {
	var table Table
	for n, line := range strings.Split(string(data), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		var err error
		switch fields[0] {
		case "-A":
			table, err = table.addService(fields[1:])
		case "-a":
			err = table.addDestination(fields[1:])
		default:
			err = fmt.Errorf("expected -A or -a")
		}
		if err != nil {
			return nil, fmt.Errorf("ipvsadm -Sn line %d: %q: %w", n+1, line, err)
		}
	}
	return table, nil
}

func (t Table) addService(words []string) (Table, error) {
	key, words, err := parseKey(words)
	if err != nil {
		return nil, err
	}
	if _, ok := t.Service(key); ok {
		return nil, fmt.Errorf("%s is there twice", key)
	}
	s := Service{Key: key, Scheduler: "wlc"} // ipvsadm.c, DEF_SCHED
	for len(words) > 0 {
		option := words[0]
		words = words[1:]
		switch option {
		case "-o":
			s.OnePacket = true
			continue
		case "-p":
			s.Persistent, s.PersistenceTimeout = true, defaultPersistence
			if len(words) == 0 || strings.HasPrefix(words[0], "-") {
				continue
			}
		}
		if len(words) == 0 {
			return nil, fmt.Errorf("%s has no value", option)
		}
		value := words[0]
		words = words[1:]
		switch option {
		case "-s":
			s.Scheduler = value
		case "-p":
			seconds, err := strconv.ParseUint(value, 10, 32)
			if err != nil || seconds == 0 {
				return nil, fmt.Errorf("%q is no timeout in seconds", value)
			}
			s.PersistenceTimeout = time.Duration(seconds) * time.Second
		case "-M":
			if s.PersistenceMask, err = parseMask(value, key.Address.Is6() || key.IPv6); err != nil {
				return nil, err
			}
		case "--pe":
			s.PersistenceEngine = value
		case "-b":
			s.SchedulerFlags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
		default:
			return nil, fmt.Errorf("unknown option %s", option)
		}
	}
	if !s.Persistent && s.PersistenceMask != "" {
		return nil, fmt.Errorf("-M without -p")
	}
	return append(t, s), nil
}

func (t Table) addDestination(words []string) error {
	key, words, err := parseKey(words)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(t, func(s Service) bool { return s.Key == key })
	if i < 0 {
		return fmt.Errorf("no -A line for %s before it", key)
	}
	d := Destination{Weight: 1} // ipvsadm.c, process_options
	var tunnel []string
	for len(words) > 0 {
		option := words[0]
		words = words[1:]
		switch option {
		case "-g", "-m", "-i":
			d.Forwarding = map[string]Forwarding{"-g": DR, "-m": NAT, "-i": TUN}[option]
			continue
		case "--tun-nocsum", "--tun-csum", "--tun-remcsum":
			tunnel = append(tunnel, option)
			continue
		}
		if len(words) == 0 {
			return fmt.Errorf("%s has no value", option)
		}
		value := words[0]
		words = words[1:]
		switch option {
		case "-r":
			endpoint, err := parseEndpoint(value)
			if err != nil {
				return err
			}
			d.Address, d.Port = endpoint.Addr(), endpoint.Port()
		case "-w":
			if d.Weight, err = parseNumber(value); err != nil {
				return err
			}
		case "-x", "-y":
			number, err := parseNumber(value)
			if err != nil {
				return err
			}
			if option == "-x" {
				d.UpperThreshold = uint32(number)
			} else {
				d.LowerThreshold = uint32(number)
			}
		case "--tun-type", "--tun-port":
			if option != "--tun-type" || value != "ipip" {
				tunnel = append(tunnel, option, value)
			}
		default:
			return fmt.Errorf("unknown option %s", option)
		}
	}
	if !d.Address.IsValid() {
		return fmt.Errorf("no -r")
	}
	if _, ok := t[i].Destination(d.Endpoint()); ok {
		return fmt.Errorf("real server %s is there twice", d.Endpoint())
	}
	d.Tunnel = strings.Join(tunnel, " ")
	t[i].Destinations = append(t[i].Destinations, d)
	return nil
}

// parseKey reads the words that name a service and returns those after them.
func parseKey(words []string) (Key, []string, error) {
	if len(words) < 2 {
		return Key{}, nil, fmt.Errorf("no service")
	}
	option, value, rest := words[0], words[1], words[2:]
	protocols := map[string]Protocol{"-t": TCP, "-u": UDP, "--sctp-service": SCTP}
	if protocol, ok := protocols[option]; ok {
		endpoint, err := parseEndpoint(value)
		if err != nil {
			return Key{}, nil, err
		}
		return Key{Protocol: protocol, Address: endpoint.Addr(), Port: endpoint.Port()}, rest, nil
	}
	if option != "-f" {
		return Key{}, nil, fmt.Errorf("unknown service option %s", option)
	}
	// ipvsadm prints marks above 2^31 with %d, as negative numbers.
	mark, err := strconv.ParseInt(value, 10, 64)
	if err != nil || mark == 0 || mark < math.MinInt32 || mark > math.MaxUint32 {
		return Key{}, nil, fmt.Errorf("%q is no firewall mark", value)
	}
	key := Key{FWMark: uint32(mark)}
	if len(rest) > 0 && rest[0] == "-6" {
		key.IPv6, rest = true, rest[1:]
	}
	return key, rest, nil
}

func parseEndpoint(text string) (netip.AddrPort, error) {
	endpoint, err := netip.ParseAddrPort(text)
	if err != nil || endpoint.Addr().Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("%q is no numeric address and port", text)
	}
	return endpoint, nil
}

func parseNumber(text string) (int, error) {
	number, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is no number from 0 to %d", text, math.MaxInt32)
	}
	return int(number), nil
}

func parseMask(text string, v6 bool) (string, error) {
	if v6 {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 128 {
			return "", fmt.Errorf("%q is no prefix length from 1 to 128", text)
		}
		if n == 128 {
			return "", nil
		}
		return strconv.Itoa(n), nil
	}
	mask, err := netip.ParseAddr(text)
	if err != nil || !mask.Is4() {
		return "", fmt.Errorf("%q is no netmask", text)
	}
	if mask == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return "", nil
	}
	return mask.String(), nil
}
