package provider

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// stringCheck is a validator made of a sentence and a function that returns an
// error where the value does not fit it.
type stringCheck struct {
	sentence string
	check    func(string) error
}

func (c stringCheck) Description(context.Context) string         { return c.sentence }
func (c stringCheck) MarkdownDescription(context.Context) string { return c.sentence }

func (c stringCheck) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := c.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+attributeName(req.Path), err.Error())
	}
}

// attributeName is the name of the attribute that a path leads to or into.
func attributeName(p path.Path) string {
	for _, step := range slices.Backward(p.Steps()) {
		if name, ok := step.(path.PathStepAttributeName); ok {
			return string(name)
		}
	}
	return p.String()
}

// isPlainWord refuses what has no place in a name or an address and could do
// harm in a file or a shell.
func isPlainWord(text string) error {
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("\"'`$;&|<>(){}\\#!", r) {
			return fmt.Errorf("%q contains %q: white space, quotes, braces, parentheses and the characters $ ; & | < > \\ # ! ` are not allowed here", text, r)
		}
	}
	if text == "" {
		return fmt.Errorf("it must not be empty")
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%q is not UTF-8", text)
	}
	return nil
}

var plainWord = stringCheck{"no white space, quotes, braces or other characters that a shell knows", isPlainWord}

// isHostName is for the name of a host, which also is part of ids.
func isHostName(text string) error {
	if strings.ContainsAny(text, "@,/") {
		return fmt.Errorf("%q contains one of @ , /: the name of a host is a key of the provider's hosts, or an address; a user is set in the provider block", text)
	}
	return isPlainWord(text)
}

var hostName = stringCheck{"the name of a host of the provider block, or an address", isHostName}

// isVIP is for a virtual address without a prefix length.
func isVIP(text string) error {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		if _, prefixErr := netip.ParsePrefix(text); prefixErr == nil {
			return fmt.Errorf("%q has a prefix length: write the address alone; on lo it is always a host route", text)
		}
		return fmt.Errorf("%q is not an IP address", text)
	}
	return usableVIP(text, addr)
}

func usableVIP(text string, addr netip.Addr) error {
	switch {
	case addr.Zone() != "":
		return fmt.Errorf("%q has a zone: a VIP has none", text)
	case addr.IsUnspecified(), addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}), addr.IsLoopback(), addr.IsMulticast(), addr.IsLinkLocalUnicast(), addr.Is4In6():
		return fmt.Errorf("%q cannot be a VIP: it is unspecified, loopback, multicast, link-local broadcast or an IPv4 address in IPv6 form", text)
	case addr.String() != text:
		return fmt.Errorf("write %q as %q", text, addr)
	}
	return nil
}

var vipAddress = stringCheck{"an IP address", isVIP}

// isVIPPrefix is for a VIP with the prefix length of its subnet.
func isVIPPrefix(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" { // a zone is any bytes
			return fmt.Errorf("%q lacks the prefix length of the subnet: write for example \"%s/24\"", text, addr)
		}
		return fmt.Errorf("%q is not an IP address with a prefix length, such as \"192.0.2.229/24\"", text)
	}
	addr := prefix.Addr()
	if err := usableVIP(addr.String(), addr); err != nil {
		return err
	}
	if prefix.String() != text {
		return fmt.Errorf("write %q as %q", text, prefix)
	}
	if prefix.Bits() == 0 {
		return fmt.Errorf("%q has no subnet: write the prefix length of the network that the VIP is in", text)
	}
	// The first and the last address of a subnet are the network's own; a subnet
	// of two addresses (RFC 3021) or one has none.
	if addr.Is6() {
		if prefix.Bits() < 127 && prefix.Masked().Addr() == addr { // RFC 4291, 2.6.1, and RFC 6164
			return fmt.Errorf("%q is the anycast address of the subnet's routers, not of a machine in it", text)
		}
		return nil
	}
	if hosts := addr.BitLen() - prefix.Bits(); hosts > 1 {
		all := ^uint32(0) >> prefix.Bits()
		switch bits := binary.BigEndian.Uint32(addr.AsSlice()) & all; bits {
		case 0:
			return fmt.Errorf("%q is the address of the network itself, not of a machine in it", text)
		case all:
			return fmt.Errorf("%q is the broadcast address of its network, not of a machine in it", text)
		}
	}
	return nil
}

var vipPrefix = stringCheck{"an IP address with the prefix length of its subnet", isVIPPrefix}

// isServerAddress is for the address of a real server.
func isServerAddress(text string) error {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return fmt.Errorf("%q is not an IP address", text)
	}
	return usableVIP(text, addr)
}

var serverAddress = stringCheck{"an IP address", isServerAddress}

// isPositiveDuration is for timeouts of the provider itself.
func isPositiveDuration(text string) error {
	if d, err := time.ParseDuration(text); err != nil || d <= 0 {
		return fmt.Errorf("%q is not a duration above zero, such as \"30s\"", text)
	}
	return nil
}

var positiveDuration = stringCheck{"a duration above zero, such as 30s", isPositiveDuration}
