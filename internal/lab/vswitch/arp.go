package vswitch

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// arpKept is how many answers are remembered; the oldest go first.
const arpKept = 65536

// ARPAnswer is an ARP reply (RFC 826, opcode 2) that crossed the switch.
type ARPAnswer struct {
	Time time.Time `json:"time"`
	// Port is the name of the port the reply came in by.
	Port string `json:"port"`
	// IP and MAC are the binding that the reply claims: its sender protocol
	// and hardware addresses.
	IP  netip.Addr `json:"ip"`
	MAC string     `json:"mac"`
	// Gratuitous says that nobody had asked: the target is the sender's own
	// address.
	Gratuitous bool `json:"gratuitous"`
}

// ARPAnswers returns the replies that claimed ip since the given time, oldest
// first. Replies held back by a cut cable are not among them.
func (s *Switch) ARPAnswers(ip netip.Addr, since time.Time) []ARPAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []ARPAnswer{}
	for _, a := range s.arp {
		if a.IP == ip && !a.Time.Before(since) {
			found = append(found, a)
		}
	}
	return found
}

func (s *Switch) recordARP(now time.Time, port string, frame []byte) {
	a, ok := parseARPReply(frame)
	if !ok {
		return
	}
	a.Time, a.Port = now, port
	if len(s.arp) == arpKept {
		s.arp = append(s.arp[:0], s.arp[arpKept/2:]...)
	}
	s.arp = append(s.arp, a)
}

// parseARPReply reads an Ethernet frame that carries an ARP reply for IPv4.
func parseARPReply(frame []byte) (ARPAnswer, bool) {
	const (
		ethertypeARP = 0x0806
		opReply      = 2
	)
	if len(frame) < 42 || binary.BigEndian.Uint16(frame[12:]) != ethertypeARP {
		return ARPAnswer{}, false
	}
	arp := frame[14:42]
	ethernetIPv4 := [6]byte{0, 1, 8, 0, 6, 4}
	if [6]byte(arp[:6]) != ethernetIPv4 || binary.BigEndian.Uint16(arp[6:]) != opReply {
		return ARPAnswer{}, false
	}
	sender, target := netip.AddrFrom4([4]byte(arp[14:18])), netip.AddrFrom4([4]byte(arp[24:28]))
	return ARPAnswer{
		IP:         sender,
		MAC:        net.HardwareAddr(arp[8:14]).String(),
		Gratuitous: sender == target,
	}, true
}
