package remote

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// KnownHost is the line of known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) that says
// of a public key, in the format of a .pub file, whose it is. An address is a name or an IP
// address, with or without a port: host, host:2222, 2001:db8::1, [2001:db8::1]:2222.
// ssh(1) looks hosts up as they were typed, in lower case, so they are not written in any
// other way. The comment of the key is left out.
//
// The error is a *ConfigError whose attribute is public_key or addresses.
func KnownHost(publicKey string, addresses ...string) (string, error) {
	keys, err := publicKeys(Config{}, "public_key", publicKey)
	if err != nil {
		return "", err
	}
	bad := func(attribute, format string, args ...any) error {
		return &ConfigError{Attribute: attribute, Err: fmt.Errorf(format, args...)}
	}
	if len(keys) != 1 {
		return "", bad("public_key", "it is one public key, and here are %d: call it once for each", len(keys))
	}
	if len(addresses) == 0 {
		return "", bad("addresses", "there is none: give the names and addresses by which the host is connected to, after the key")
	}
	var names []string
	for _, address := range addresses {
		name, err := knownHostName(address)
		if err != nil {
			return "", bad("addresses", "%w", err)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",") + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(keys[0]))), nil
}

// nameOfHost is what a name may be made of: neither the wildcards of known_hosts nor what
// separates its fields.
var nameOfHost = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$`)

// knownHostName is how known_hosts names an address: in brackets with its port, if that is
// not 22.
func knownHostName(address string) (string, error) {
	host, port := address, "22"
	inner, bracketed := strings.CutPrefix(address, "[")
	if alone, closed := strings.CutSuffix(inner, "]"); bracketed && closed {
		host = alone
	} else if _, err := netip.ParseAddr(address); err != nil && strings.Contains(address, ":") {
		if host, port, err = net.SplitHostPort(address); err != nil {
			return "", fmt.Errorf("%q is no address: write host, host:port, an IPv6 address, or [IPv6 address]:port", shorten(address))
		}
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return "", fmt.Errorf("%q: %q is no port from 1 to 65535", shorten(address), shorten(port))
		}
	}
	port = strings.TrimLeft(port, "0")
	if _, err := netip.ParseAddr(host); err != nil && !nameOfHost.MatchString(host) {
		return "", fmt.Errorf("%q: %q is neither a host's name nor an IP address (no user, no URL, no pattern)", shorten(address), shorten(host))
	}
	host = strings.ToLower(host)
	if port == "22" {
		return host, nil
	}
	return "[" + host + "]:" + port, nil
}
