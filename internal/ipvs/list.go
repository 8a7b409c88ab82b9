package ipvs

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseText reads what a person has of a table: the output of `ipvsadm -Sn`, or else
// that of `ipvsadm -Ln`, told apart by the first line that says something. Counted says
// that it is the second, which has the numbers of connections.
func ParseText(text string) (table Table, counted bool, err error) {
	for line := range strings.Lines(text) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" || word[0] == '#' {
			continue
		}
		if word == "->" || word[0] != '-' {
			table, err = ParseList([]byte(text))
			return table, true, err
		}
		break
	}
	table, err = ParseSave([]byte(text))
	return table, false, err
}

// ParseList reads the output of `ipvsadm -Ln` (ipvsadm.c, print_title and
// print_service_entry). Empty input is an empty table. It does not tell thresholds, nor
// the options of tunnels. Names instead of numbers, which `ipvsadm -L` prints without -n,
// are an error, and so are the other tables that it prints (--stats, --rate and such).
//
// An error names the line by number and text.
func ParseList(data []byte) (Table, error) {
	var table Table
	for n, line := range strings.Split(string(data), "\n") {
		var err error
		if table, err = table.addListed(strings.Fields(line)); err != nil {
			return nil, fmt.Errorf("ipvsadm -Ln line %d: %q: %w", n+1, line, err)
		}
	}
	return table, nil
}

func (t Table) addListed(words []string) (Table, error) {
	switch {
	case len(words) == 0, words[0] == "IP", words[0] == "Prot",
		len(words) > 1 && words[1] == "RemoteAddress:Port":
		return t, nil
	case words[0] == "->":
		return t, t.addListedDestination(words[1:])
	}
	option, ok := map[string]string{"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service", "FWM": "-f"}[words[0]]
	if !ok || len(words) < 3 {
		return nil, fmt.Errorf("expected TCP, UDP, SCTP or FWM with an address or mark and a scheduler, or -> and a real server")
	}
	name, rest := []string{option, words[1]}, words[2:]
	if rest[0] == "IPv6" {
		name, rest = append(name, "-6"), rest[1:]
	}
	key, _, err := parseKey(name)
	if err != nil {
		return nil, err
	}
	if _, ok := t.Service(key); ok {
		return nil, fmt.Errorf("%s is there twice", key)
	}
	if len(rest) == 0 {
		return nil, fmt.Errorf("no scheduler")
	}
	s := Service{Key: key, Scheduler: rest[0]}
	if err := s.readListedFlags(rest[1:]); err != nil {
		return nil, err
	}
	return append(t, s), nil
}

func (s *Service) readListedFlags(words []string) error {
	for len(words) > 0 {
		flag := words[0]
		words = words[1:]
		if flags, ok := strings.CutPrefix(flag, "("); ok {
			s.SchedulerFlags = strings.FieldsFunc(strings.TrimSuffix(flags, ")"), func(r rune) bool { return r == ',' })
			continue
		}
		if flag == "ops" {
			s.OnePacket = true
			continue
		}
		if len(words) == 0 {
			return fmt.Errorf("unknown flag %q", flag)
		}
		value := words[0]
		words = words[1:]
		switch flag {
		case "persistent":
			seconds, err := strconv.ParseUint(value, 10, 32)
			if err != nil || seconds == 0 {
				return fmt.Errorf("%q is no timeout in seconds", value)
			}
			s.Persistent, s.PersistenceTimeout = true, time.Duration(seconds)*time.Second
		case "mask":
			mask, err := parseMask(value, s.Address.Is6() || s.IPv6)
			if err != nil {
				return err
			}
			s.PersistenceMask = mask
		case "pe":
			s.PersistenceEngine = value
		default:
			return fmt.Errorf("unknown flag %q", flag)
		}
	}
	return nil
}

func (t Table) addListedDestination(words []string) error {
	if len(t) == 0 {
		return fmt.Errorf("a real server before any service")
	}
	if len(words) != 5 {
		return fmt.Errorf("a real server has an address, a forwarding method, a weight and two counters")
	}
	endpoint, err := parseEndpoint(words[0])
	if err != nil {
		return err
	}
	forwarding, ok := forwardingNames[words[1]]
	if !ok {
		return fmt.Errorf("unknown forwarding method %q", words[1])
	}
	var numbers [3]int
	for i, word := range words[2:] {
		if numbers[i], err = parseNumber(word); err != nil {
			return err
		}
	}
	s := &t[len(t)-1]
	if _, ok := s.Destination(endpoint); ok {
		return fmt.Errorf("real server %s is there twice", endpoint)
	}
	s.Destinations = append(s.Destinations, Destination{
		Address: endpoint.Addr(), Port: endpoint.Port(), Forwarding: forwarding,
		Weight: numbers[0], ActiveConns: numbers[1], InactConns: numbers[2],
	})
	return nil
}
