package host

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// parseRedis reads what the probe tells of an instance: "PORT ACTIVE", then "data
// USER:GROUP MODE" where there is a data directory, then, each line behind a blank, what
// redis-cli printed.
func (s *Snapshot) parseRedis(text string) error {
	head, rest, _ := strings.Cut(text, "\n")
	number, active, _ := strings.Cut(head, " ")
	port, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	state := RedisState{Running: active == "active"}
	for line := range strings.Lines(rest) {
		if said, ok := strings.CutPrefix(line, " "); ok {
			state.Said += said
		} else if data, ok := strings.CutPrefix(line, "data "); ok {
			state.Data = strings.TrimSpace(data)
		}
	}
	s.Redis[port] = state
	return nil
}

// parseListeners reads ss -Hltn: "LISTEN 0 511 0.0.0.0:6379 0.0.0.0:*". The address may
// be * (both families), in brackets, and have an interface behind a %.
func (s *Snapshot) parseListeners(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		colon := strings.LastIndexByte(f[3], ':')
		if colon < 0 {
			return fmt.Errorf("line %q has no port", line)
		}
		address, _, _ := strings.Cut(strings.Trim(f[3][:colon], "[]"), "%")
		if address == "*" {
			address = "::"
		}
		addr, err := netip.ParseAddr(address)
		if err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		port, err := strconv.ParseUint(f[3][colon+1:], 10, 16)
		if err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		s.Listeners = append(s.Listeners, netip.AddrPortFrom(addr.Unmap(), uint16(port)))
	}
	return nil
}
