package remote

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HostKeyPolicy says what to do about a host's key.
type HostKeyPolicy string

const (
	// HostKeyStrict accepts a host only with a key that HostKey, HostCA or
	// known_hosts says is its own. It is the default.
	HostKeyStrict HostKeyPolicy = "strict"
	// HostKeyAcceptNew takes the key of a host that nothing is known about, and
	// remembers it in the first of KnownHostsFiles, or else in Accepted. A host that
	// shows another key than the known one is refused.
	HostKeyAcceptNew HostKeyPolicy = "accept-new"
	// HostKeyInsecure accepts any key of any machine that answers.
	HostKeyInsecure HostKeyPolicy = "insecure"
)

// Defaults for the zero values of Config.
const (
	DefaultPort           = 22
	DefaultDialTimeout    = 30 * time.Second
	DefaultCommandTimeout = 5 * time.Minute
	// DefaultMaxSessions is below sshd's own default of 10 (sshd_config(5), MaxSessions).
	DefaultMaxSessions = 8
)

// Config says how to reach one host. Printing it in any way shows no secret
// (but fmt cannot help where it is an unexported field of another struct).
type Config struct {
	Name    string // the name the user gave the host, for messages
	Address string // host name, IPv4 or IPv6 address, the latter with or without brackets
	Port    int    // 0 means 22
	User    string

	Password             string
	PrivateKey           []byte // PEM or OpenSSH format
	PrivateKeyPassphrase string
	Certificate          []byte // of the private key or of one of the agent's (the file -cert.pub)
	UseAgent             bool   // the agent behind SSH_AUTH_SOCK
	AgentIdentity        string // the agent's only key to use: SHA256:…, its comment, or the public key

	// IdentityFiles are paths of keys to show after PrivateKey, in this order. One that
	// cannot be used, since it is encrypted otherwise than with PrivateKeyPassphrase or
	// is a public key, is left to the agent.
	IdentityFiles  []string
	IdentitiesOnly bool // of the agent's keys, show those only that are PrivateKey, Certificate or in IdentityFiles

	HostKey         string   // the host's only key, in the format of a .pub file
	HostCA          string   // keys of authorities that may vouch for the host, one a line
	KnownHosts      []byte   // inline, in the format of a known_hosts file
	KnownHostsFiles []string // paths of known_hosts files; each must exist, but for the first with HostKeyAcceptNew
	HostKeyPolicy   HostKeyPolicy
	Accepted        *AcceptedKeys // for HostKeyAcceptNew without a file; nil means that each Client has its own

	// Jumps are the hosts on the way, the nearest to us first; theirs are not looked
	// at. Each has its own credentials, host keys and DialTimeout.
	Jumps       []Config
	SharedJumps *JumpHosts // their connections, shared with other clients; nil means that each Client has its own

	Become         bool   // run scripts as root through sudo, unless User is root
	BecomePassword string // sudo's password; empty means sudo -n

	DialTimeout    time.Duration // TCP dial, handshake and authentication together, each time that it is tried
	CommandTimeout time.Duration // for each command, and for each Stage
	MaxSessions    int           // sessions at once on the connection
}

// Target returns user@host:port, an IPv6 address in brackets.
func (c Config) Target() string { return c.User + "@" + c.hostPort() }

func (c Config) hostPort() string {
	return net.JoinHostPort(c.host(), strconv.Itoa(cmp.Or(c.Port, DefaultPort)))
}

func (c Config) host() string {
	if strings.HasPrefix(c.Address, "[") && strings.HasSuffix(c.Address, "]") {
		return c.Address[1 : len(c.Address)-1]
	}
	return c.Address
}

// hostName is the host as known_hosts and certificates call it.
func (c Config) hostName() string { return strings.ToLower(c.host()) }

func (c Config) withDefaults() Config {
	c.Port = cmp.Or(c.Port, DefaultPort)
	c.HostKeyPolicy = cmp.Or(c.HostKeyPolicy, HostKeyStrict)
	c.DialTimeout = cmp.Or(c.DialTimeout, DefaultDialTimeout)
	c.CommandTimeout = cmp.Or(c.CommandTimeout, DefaultCommandTimeout)
	c.MaxSessions = cmp.Or(c.MaxSessions, DefaultMaxSessions)
	if c.Accepted == nil {
		c.Accepted = new(AcceptedKeys)
	}
	c.Jumps = slices.Clone(c.Jumps)
	for i := range c.Jumps {
		c.Jumps[i].Jumps, c.Jumps[i].SharedJumps = nil, nil
		c.Jumps[i] = c.Jumps[i].withDefaults()
	}
	return c
}

// sudo reports whether scripts go through sudo.
func (c Config) sudo() bool { return c.Become && c.User != "root" }

// String describes the host and which credentials there are, but not them.
func (c Config) String() string {
	var has []string
	for _, s := range []struct {
		is   bool
		name string
	}{
		{len(c.PrivateKey) > 0, "private_key"}, {len(c.IdentityFiles) > 0, "identity_files"}, {len(c.Certificate) > 0, "certificate"}, {c.UseAgent, "agent"}, {c.Password != "", "password"},
		{c.Become, "become"}, {c.BecomePassword != "", "become_password"}, {len(c.Jumps) > 0, "jump_hosts"},
	} {
		if s.is {
			has = append(has, s.name)
		}
	}
	return fmt.Sprintf("remote.Config{%s %s (%s) hostkeys=%s}", c.Name, c.Target(), strings.Join(has, ","), cmp.Or(c.HostKeyPolicy, HostKeyStrict))
}

// GoString is String, so that %#v shows no secret.
func (c Config) GoString() string { return c.String() }

// Format is String for every verb, so that none shows a secret.
func (c Config) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(c.String())) }

// LogValue is String, for log/slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String, for encoders such as encoding/json.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// scrub takes our own secrets out of words that a machine said.
func (c Config) scrub(said string) string {
	for _, secret := range []string{c.Password, c.BecomePassword, c.PrivateKeyPassphrase} {
		if secret != "" {
			said = strings.ReplaceAll(said, secret, "(redacted)")
		}
	}
	return said
}
