package ipvs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Canonical is the service as `ipvsadm -Sn` prints it (ipvsadm.c,
// print_service_entry), one line per row, each ended by a newline: the service
// first, then its destinations by address and port. Counters are left out. It
// is what a plan shows, and it is the input of `ipvsadm -R`.
//
// A persistence timeout that is not known is printed as "-p ?", which
// ipvsadm refuses.
func (s Service) Canonical() string {
	var b strings.Builder
	b.WriteString("-A " + s.words() + "\n")
	for _, d := range s.sorted() {
		b.WriteString("-a " + s.destinationWords(d) + "\n")
	}
	return b.String()
}

// String is Canonical.
func (s Service) String() string { return s.Canonical() }

// Canonical is every service's canonical text, ordered by key: addresses first,
// then firewall marks.
func (t Table) Canonical() string {
	sorted := slices.Clone(t)
	slices.SortStableFunc(sorted, func(a, b Service) int { return a.compare(b.Key) })
	var b strings.Builder
	for _, s := range sorted {
		b.WriteString(s.Canonical())
	}
	return b.String()
}

// String is Canonical.
func (t Table) String() string { return t.Canonical() }

func (s Service) sorted() []Destination {
	return slices.SortedStableFunc(slices.Values(s.Destinations), func(a, b Destination) int {
		return a.Endpoint().Compare(b.Endpoint())
	})
}

// option is the key as ipvsadm takes it.
func (k Key) option() string {
	switch {
	case k.FWMark != 0 && k.IPv6:
		return fmt.Sprintf("-f %d -6", k.FWMark)
	case k.FWMark != 0:
		return fmt.Sprintf("-f %d", k.FWMark)
	}
	flag := map[Protocol]string{TCP: "-t", UDP: "-u", SCTP: "--sctp-service"}[k.Protocol]
	return flag + " " + netip.AddrPortFrom(k.Address, k.Port).String()
}

func (s Service) words() string {
	words := []string{s.option(), "-s", s.Scheduler}
	if s.Persistent {
		timeout := "?"
		if s.PersistenceTimeout > 0 {
			timeout = fmt.Sprint(int64(s.PersistenceTimeout / time.Second))
		}
		words = append(words, "-p", timeout)
		if s.PersistenceMask != "" {
			words = append(words, "-M", s.PersistenceMask)
		}
	}
	if s.PersistenceEngine != "" {
		words = append(words, "--pe", s.PersistenceEngine)
	}
	if s.OnePacket {
		words = append(words, "-o")
	}
	if len(s.SchedulerFlags) > 0 {
		flags := slices.Sorted(slices.Values(s.SchedulerFlags))
		words = append(words, "-b", strings.Join(slices.Compact(flags), ","))
	}
	return strings.Join(words, " ")
}

func (s Service) destinationWords(d Destination) string {
	flag := map[Forwarding]string{DR: "-g", NAT: "-m", TUN: "-i"}[d.Forwarding]
	words := []string{s.option(), "-r", d.Endpoint().String(), flag, "-w", fmt.Sprint(d.Weight)}
	if d.UpperThreshold != 0 {
		words = append(words, "-x", fmt.Sprint(d.UpperThreshold))
	}
	if d.LowerThreshold != 0 {
		words = append(words, "-y", fmt.Sprint(d.LowerThreshold))
	}
	if d.Tunnel != "" {
		words = append(words, d.Tunnel)
	}
	return strings.Join(words, " ")
}
