package ipvs

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// AddThresholds completes a table with the thresholds of its destinations as
// `ipvsadm -Ln --thresholds` tells them (ipvsadm.c, print_title and
// print_service_entry): no other output has them. A row that the table does not have
// is passed over: it came since the table was read.
//
// An error names the line by number and text; the table may be changed in part then.
func (t Table) AddThresholds(data []byte) error {
	index := make(map[Key]*Service, len(t))
	for i, s := range t {
		s.IPv6 = false // a line does not say the family of a mark
		index[s.Key] = &t[i]
	}
	var service *Service
	for n, line := range strings.Split(string(data), "\n") {
		if err := addThreshold(strings.Fields(line), index, &service); err != nil {
			return fmt.Errorf("ipvsadm -Ln --thresholds line %d: %q: %w", n+1, line, err)
		}
	}
	return nil
}

// addThreshold reads one line; service is the one that the lines before are about.
func addThreshold(words []string, index map[Key]*Service, service **Service) error {
	switch {
	case len(words) < 2, words[0] == "IP", words[0] == "Prot", words[1] == "RemoteAddress:Port":
		return nil
	case words[0] != "->":
		option, ok := map[string]string{"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service", "FWM": "-f"}[words[0]]
		if !ok {
			return fmt.Errorf("unknown protocol %q", words[0])
		}
		key, _, err := parseKey([]string{option, words[1]})
		if err != nil {
			return err
		}
		*service = index[key]
		return nil
	case len(words) < 4:
		return fmt.Errorf("a real server has two thresholds")
	case *service == nil:
		return nil
	}
	endpoint, err := netip.ParseAddrPort(words[1])
	if err != nil {
		return fmt.Errorf("%q is no address and port", words[1])
	}
	i := slices.IndexFunc((*service).Destinations, func(d Destination) bool { return d.Endpoint() == endpoint })
	var thresholds [2]uint64
	for j := range thresholds {
		if thresholds[j], err = strconv.ParseUint(words[2+j], 10, 32); err != nil {
			return fmt.Errorf("%q is no threshold", words[2+j])
		}
	}
	if i >= 0 {
		d := &(*service).Destinations[i]
		d.UpperThreshold, d.LowerThreshold = uint32(thresholds[0]), uint32(thresholds[1])
	}
	return nil
}
