package host

import (
	"fmt"
	"net/netip"
	"strings"
)

// Module is a kernel module that must be loaded. Only ip_vs is known.
type Module struct{ Name string }

// Key implements [Artifact].
func (m Module) Key() string { return "module " + m.Name }

func (m Module) phase() phase { return phaseModule }

// Want implements [Artifact].
func (m Module) Want() string { return "loaded" }

// Found implements [Artifact].
func (m Module) Found(s *Snapshot) (string, bool) {
	if !s.IPVSLoaded {
		return "", false
	}
	return m.Want(), true
}

func (m Module) establish(*Snapshot) []step { return []step{call("load_module", m.Name)} }
func (m Module) remove(*Snapshot) []step    { return []step{call("unload_module", m.Name)} }

// Sysctl is the live value of a kernel parameter, by its dotted name.
type Sysctl struct{ Name, Value string }

// Key implements [Artifact].
func (y Sysctl) Key() string { return "sysctl " + y.Name }

func (y Sysctl) phase() phase { return phaseSysctl }

// Want implements [Artifact].
func (y Sysctl) Want() string { return y.Value }

// Found implements [Artifact]. A switch of IPVS that its kernel does not have is off.
func (y Sysctl) Found(s *Snapshot) (string, bool) {
	value, ok := s.Sysctls[y.Name]
	if !ok && s.IPVSLoaded && y.Value == "0" {
		return y.Value, true
	}
	return value, ok
}

func (y Sysctl) path() string { return strings.ReplaceAll(y.Name, ".", "/") }

func (y Sysctl) establish(*Snapshot) []step { return []step{call("set_sysctl", y.path(), y.Value)} }
func (y Sysctl) remove(*Snapshot) []step    { return []step{call("restore_sysctl", y.path())} }

// sysctlFile renders the parameters for sysctl.d(5).
func sysctlFile(header string, params []Sysctl) []byte {
	var b strings.Builder
	b.WriteString(header)
	for _, p := range params {
		fmt.Fprintf(&b, "%s = %s\n", p.Name, p.Value)
	}
	return []byte(b.String())
}

// LoopbackAddress is a VIP on the loopback interface, as a host route, under the
// label lo:1 (IPv4; IPv6 addresses have no label), and on no other.
type LoopbackAddress struct{ Address netip.Addr }

const loopbackLabel = "lo:1"

// Key implements [Artifact].
func (l LoopbackAddress) Key() string { return "address " + l.Address.String() + " on lo" }

func (l LoopbackAddress) phase() phase { return phaseAddress }

func (l LoopbackAddress) prefix() netip.Prefix {
	return netip.PrefixFrom(l.Address, l.Address.BitLen())
}

func (l LoopbackAddress) label() string {
	if l.Address.Is4() {
		return loopbackLabel
	}
	return "-"
}

// Want implements [Artifact].
func (l LoopbackAddress) Want() string { return addressText(l.prefix(), l.label()) }

// Found implements [Artifact]. The same address with another prefix length or
// label is shown too: on lo, a shorter prefix swallows the whole subnet.
func (l LoopbackAddress) Found(s *Snapshot) (string, bool) {
	var texts []string
	for _, a := range l.held(s) {
		texts = append(texts, addressText(a.Prefix, a.Label))
	}
	for _, a := range l.strays(s) {
		texts = append(texts, a.Prefix.String()+" on "+a.Device)
	}
	return strings.Join(texts, ", "), len(texts) > 0
}

func (l LoopbackAddress) held(s *Snapshot) []Address {
	var held []Address
	for _, a := range s.Addresses {
		if a.Device == "lo" && a.Prefix.Addr() == l.Address {
			held = append(held, a)
		}
	}
	return held
}

// strays are where the VIP is besides lo and should not be: there the host answers ARP for it.
func (l LoopbackAddress) strays(s *Snapshot) []Address {
	if !s.Holds(l.Address) || !s.onlyOnLo(l.Address) {
		return nil
	}
	return HeldAddress{Prefix: l.prefix()}.held(s)
}

func addressText(p netip.Prefix, label string) string {
	if label == "" || label == "-" {
		return p.String()
	}
	return p.String() + " label " + label
}

// establish leaves the right one alone, which may have connections.
func (l LoopbackAddress) establish(s *Snapshot) []step {
	var steps []step
	there := false
	for _, a := range l.held(s) {
		if addressText(a.Prefix, a.Label) == l.Want() {
			there = true
		} else {
			steps = append(steps, deleteAddress(a))
		}
	}
	for _, a := range l.strays(s) {
		steps = append(steps, deleteAddress(a))
	}
	if !there {
		steps = append(steps, call("add_address", "lo", l.prefix().String(), l.label()))
	}
	return steps
}

func (l LoopbackAddress) remove(s *Snapshot) []step {
	var steps []step
	for _, a := range l.held(s) {
		steps = append(steps, deleteAddress(a))
	}
	return steps
}

func deleteAddress(a Address) step {
	label := a.Label
	if label == "" {
		label = "-"
	}
	return call("delete_address", a.Device, a.Prefix.String(), label)
}
