package ipvs

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Protocol of a virtual service. The zero value is TCP, which is also what
// ipvsadm sends to the kernel for a firewall-mark service (ipvsadm.c,
// parse_options, case 'f').
type Protocol uint8

// The protocols for which the kernel keeps virtual services
// (net/netfilter/ipvs/ip_vs_ctl.c, do_ip_vs_set_ctl).
const (
	TCP Protocol = iota
	UDP
	SCTP
)

// String is "tcp", "udp" or "sctp".
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case SCTP:
		return "sctp"
	}
	return fmt.Sprintf("protocol(%d)", uint8(p))
}

// Key finds a service in the table. It is comparable. A service is keyed either
// by Protocol, Address and Port, or, if FWMark is not 0, by FWMark and IPv6
// alone.
type Key struct {
	Protocol Protocol
	Address  netip.Addr
	Port     uint16
	FWMark   uint32
	// IPv6 tells the two services apart that may share one firewall mark. It
	// is only for marks: an address says its own family.
	IPv6 bool
}

// String is "tcp 192.0.2.229:6379", "udp [2001:db8::1]:53", "fwmark 3" or
// "fwmark 3 ipv6".
func (k Key) String() string {
	switch {
	case k.FWMark != 0 && k.IPv6:
		return fmt.Sprintf("fwmark %d ipv6", k.FWMark)
	case k.FWMark != 0:
		return fmt.Sprintf("fwmark %d", k.FWMark)
	}
	return k.Protocol.String() + " " + netip.AddrPortFrom(k.Address, k.Port).String()
}

func (k Key) compare(o Key) int {
	return cmp.Or(
		cmp.Compare(k.FWMark, o.FWMark),
		k.Address.Compare(o.Address),
		cmp.Compare(k.Port, o.Port),
		cmp.Compare(k.Protocol, o.Protocol),
		cmp.Compare(b2i(k.IPv6), b2i(o.IPv6)),
	)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Forwarding is how packets reach a real server. The zero value is DR, as in
// ipvsadm.
type Forwarding uint8

// The forwarding methods of ipvsadm(8): -g, -m and -i.
const (
	DR Forwarding = iota
	NAT
	TUN
)

// String is keepalived's word for it: "DR", "NAT" or "TUN".
func (f Forwarding) String() string {
	switch f {
	case DR:
		return "DR"
	case NAT:
		return "NAT"
	case TUN:
		return "TUN"
	}
	return fmt.Sprintf("forwarding(%d)", uint8(f))
}

// Service is one virtual service with its real servers.
type Service struct {
	Key
	// Scheduler is the kernel's name: rr, wrr, lc, wlc, mh, …, or "none".
	Scheduler string
	// SchedulerFlags are those that `ipvsadm -b` takes, e.g. mh-port. Their
	// order does not matter. /proc/net/ip_vs does not show them.
	SchedulerFlags []string
	// Persistent services send a client back to the same real server.
	Persistent bool
	// PersistenceTimeout has whole seconds. 0 in a Persistent service means
	// unknown: /proc/net/ip_vs says it in jiffies, whose length it does not
	// say. [Merge] fills it in.
	PersistenceTimeout time.Duration
	// PersistenceMask groups clients: a dotted netmask for IPv4, a prefix
	// length for IPv6. Empty is the default: each client address by itself.
	PersistenceMask string
	// PersistenceEngine is the name given to `ipvsadm --pe`.
	PersistenceEngine string
	// OnePacket is `ipvsadm -o`. /proc/net/ip_vs shows it for IPv4 only.
	OnePacket    bool
	Destinations []Destination
}

// Destination is one real server of a service.
type Destination struct {
	Address    netip.Addr
	Port       uint16
	Forwarding Forwarding
	// Weight is 0 to 65535 for ipvsadm; 0 takes no new connections.
	Weight int
	// UpperThreshold and LowerThreshold bound the number of connections; 0 is
	// none. Neither /proc/net/ip_vs nor `ipvsadm -Sn` shows them: see
	// [Table.AddThresholds].
	UpperThreshold, LowerThreshold uint32
	// Tunnel holds the options of a TUN destination as `ipvsadm -Sn` prints
	// them, without the default `--tun-type ipip`.
	Tunnel string
	// ActiveConns and InactConns are counters, from /proc/net/ip_vs only. They
	// never make a difference in a comparison.
	ActiveConns, InactConns int
}

// Endpoint is what finds a destination within its service.
func (d Destination) Endpoint() netip.AddrPort { return netip.AddrPortFrom(d.Address, d.Port) }

// Destination finds a real server of s.
func (s Service) Destination(endpoint netip.AddrPort) (Destination, bool) {
	i := slices.IndexFunc(s.Destinations, func(d Destination) bool { return d.Endpoint() == endpoint })
	if i < 0 {
		return Destination{}, false
	}
	return s.Destinations[i], true
}

// Equal says whether both are the same service in the same words.
func (s Service) Equal(o Service) bool { return s.Canonical() == o.Canonical() }

// Table is the whole of a machine's services, in no particular order.
type Table []Service

// Service finds a service by its key.
func (t Table) Service(k Key) (Service, bool) {
	i := slices.IndexFunc(t, func(s Service) bool { return s.Key == k })
	if i < 0 {
		return Service{}, false
	}
	return t[i], true
}

// Equal says whether both tables hold the same services in the same words.
func (t Table) Equal(o Table) bool { return t.Canonical() == o.Canonical() }
