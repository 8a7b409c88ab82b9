package redisconf

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ownAttribute are the directives that an attribute of the instance is for.
var ownAttribute = map[string]string{
	"port": "port", "bind": "bind", "protected-mode": "protected_mode", "databases": "databases",
	"maxmemory": "maxmemory", "maxmemory-policy": "maxmemory_policy", "appendonly": "appendonly", "save": "save",
	"replicaof": "replica_of", "slaveof": "replica_of", "masteruser": "replica_of", "masterauth": "replica_of",
	"primaryuser": "replica_of", "primaryauth": "replica_of", "requirepass": "password_wo",
}

// refused are the directives that are not for settings, and why.
var refused = map[string]string{
	"include": "it would read files that Terraform does not see", "daemonize": "systemd runs the instance", "supervised": "systemd runs the instance",
	"dir": "the data directory follows from the port", "pidfile": "systemd knows the process",
	"user": "it holds a password, and belongs into no plan", "aclfile": "it replaces the password of the instance",
	"tls-key-file-pass": "it is a password, and belongs into no plan", "tls-client-key-file-pass": "it is a password, and belongs into no plan",
	"sentinel": "a Sentinel rewrites its configuration by itself", "rename-command": "the instance is looked after by AUTH, INFO and CONFIG",
}

var directive = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// ValidateSetting is for a directive of the user's and its arguments. What it lets
// through is one line of a redis.conf whatever it says; whether Redis takes it, Redis
// says.
func ValidateSetting(key, value string) error {
	attribute, own := ownAttribute[key]
	why, no := refused[key]
	switch {
	case !directive.MatchString(key):
		return fmt.Errorf("%q is no directive of redis.conf: lower-case letters, digits and -", key)
	case own:
		return fmt.Errorf("set the attribute %s instead of the directive %s", attribute, key)
	case no:
		return fmt.Errorf("the directive %s cannot be set: %s", key, why)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("the value of %s has a line break or another control character: it is one line of redis.conf", key)
	}
	if _, err := splitArgs(value); err != nil {
		return fmt.Errorf("the value of %s: %w", key, err)
	}
	return nil
}

// ValidateMaxMemory is for maxmemory.
func ValidateMaxMemory(text string) error {
	_, err := Bytes(text)
	return err
}

// ValidateSave is for save.
func ValidateSave(text string) error {
	if text == Never {
		return nil
	}
	fields := strings.Fields(text)
	for _, f := range fields {
		if n, err := strconv.ParseUint(f, 10, 31); err != nil || n == 0 {
			return fmt.Errorf("%q: save is pairs of seconds and changes, whole numbers above 0, such as %q, or %q", text, DefaultSave, Never)
		}
	}
	if len(fields) == 0 || len(fields)%2 != 0 || strings.Join(fields, " ") != text {
		return fmt.Errorf("%q: save is pairs of seconds and changes with one blank between two, such as %q, or %q", text, DefaultSave, Never)
	}
	return nil
}

// ValidateBind is for an address to listen on.
func ValidateBind(text string) error {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || addr.IsMulticast() || addr.Is4In6() || addr.String() != text {
		return fmt.Errorf("%q is not an IP address to listen on, such as \"0.0.0.0\", \"::\" or \"192.0.2.11\"", text)
	}
	return nil
}

// ErrOpen is an instance that anybody who reaches it may read, write and delete.
var ErrOpen = errors.New("Redis would listen on the network without a password: whoever reaches the port could read and delete all data, and run code on the host by way of it. " +
	"Give it a password (password_wo), or bind it to loopback addresses alone. If the network is trusted all the same, say so by protected_mode = false")

// CheckOpen returns [ErrOpen] for an instance that listens on the network, has no password
// and was not said to be open.
func (i Instance) CheckOpen() error {
	if i.Password || !i.Protected || !slices.ContainsFunc(i.Bind, func(a netip.Addr) bool { return !a.IsLoopback() }) {
		return nil
	}
	return ErrOpen
}
