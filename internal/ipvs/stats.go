package ipvs

import (
	"fmt"
	"strconv"
	"strings"
)

// Stats are the counters of all services together, since IPVS was loaded or they were
// set to zero (ipvsadm(8), --zero).
type Stats struct {
	Connections                      uint64
	IncomingPackets, OutgoingPackets uint64
	IncomingBytes, OutgoingBytes     uint64
}

// ParseStats reads /proc/net/ip_vs_stats (net/netfilter/ipvs/ip_vs_ctl.c,
// ip_vs_stats_show): two lines of titles, and the counters in hex. With direct routing
// nothing goes out by way of the director, and what counts that is 0.
func ParseStats(data []byte) (Stats, error) {
	lines := strings.Split(string(data), "\n")
	if len(lines) < 3 {
		return Stats{}, fmt.Errorf("/proc/net/ip_vs_stats has %d lines, and the third has the counters", len(lines))
	}
	var s Stats
	into := []*uint64{&s.Connections, &s.IncomingPackets, &s.OutgoingPackets, &s.IncomingBytes, &s.OutgoingBytes}
	words := strings.Fields(lines[2])
	if len(words) != len(into) {
		return Stats{}, fmt.Errorf("/proc/net/ip_vs_stats line 3: %q: expected %d counters", lines[2], len(into))
	}
	for i, word := range words {
		var err error
		if *into[i], err = strconv.ParseUint(word, 16, 64); err != nil {
			return Stats{}, fmt.Errorf("/proc/net/ip_vs_stats line 3: %q is no counter in hex", word)
		}
	}
	return s, nil
}
