package remote

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// HostKeyPolicy says what to do about a host's key.
type HostKeyPolicy string

const (
	// HostKeyStrict accepts a host only with a key that known_hosts holds for it.
	// It is the default.
	HostKeyStrict HostKeyPolicy = "strict"
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
	UseAgent             bool // the agent behind SSH_AUTH_SOCK

	KnownHosts      []byte   // inline, in the format of a known_hosts file
	KnownHostsFiles []string // paths of known_hosts files; each must exist
	HostKeyPolicy   HostKeyPolicy

	Become         bool   // run scripts as root through sudo, unless User is root
	BecomePassword string // sudo's password; empty means sudo -n

	DialTimeout    time.Duration // TCP dial, handshake and authentication together
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

func (c Config) withDefaults() Config {
	c.Port = cmp.Or(c.Port, DefaultPort)
	c.HostKeyPolicy = cmp.Or(c.HostKeyPolicy, HostKeyStrict)
	c.DialTimeout = cmp.Or(c.DialTimeout, DefaultDialTimeout)
	c.CommandTimeout = cmp.Or(c.CommandTimeout, DefaultCommandTimeout)
	c.MaxSessions = cmp.Or(c.MaxSessions, DefaultMaxSessions)
	return c
}

// sudo reports whether scripts go through sudo.
func (c Config) sudo() bool { return c.Become && c.User != "root" }

// Validate finds what is wrong without touching the network: it reads the
// known_hosts files and opens the private key. Each finding is a *ConfigError;
// several are joined.
func (c Config) Validate() error {
	var errs []error
	bad := func(attribute, format string, args ...any) {
		errs = append(errs, &ConfigError{Name: c.Name, Attribute: attribute, Err: fmt.Errorf(format, args...)})
	}
	if c.host() == "" || strings.ContainsAny(c.Address, " \t\r\n@/,") {
		bad("address", "%q is not a host name or an IP address; the user and the port have attributes of their own", c.Address)
	}
	if c.Port < 0 || c.Port > 65535 {
		bad("port", "%d is not a TCP port; ports go from 1 to 65535", c.Port)
	}
	if c.User == "" || strings.ContainsAny(c.User, " \t\r\n@:") {
		bad("user", "%q is not a user name; the script needs root, or a user with become", c.User)
	}
	if c.DialTimeout < 0 || c.CommandTimeout < 0 || c.MaxSessions < 0 {
		bad("timeouts", "a timeout or number of sessions is negative")
	}
	if strings.ContainsAny(c.BecomePassword, "\r\n\x00") {
		bad("become_password", "sudo reads one line, and this password holds a line break or a NUL")
	}
	if _, err := c.signer(); err != nil {
		errs = append(errs, err)
	}
	if c.UseAgent && os.Getenv("SSH_AUTH_SOCK") == "" {
		bad("agent", "the SSH agent is asked for, but SSH_AUTH_SOCK is not set; start an agent (eval $(ssh-agent); ssh-add) or give private_key")
	}
	if len(c.PrivateKey) == 0 && c.Password == "" && !c.UseAgent {
		bad("private_key", "there is nothing to log in with; set private_key, private_key_file, agent or password")
	}
	if _, err := newTrust(c); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// signer opens the private key; nil without an error if there is none. The error
// is a *ConfigError and holds nothing of the key.
func (c Config) signer() (ssh.Signer, error) {
	if len(c.PrivateKey) == 0 {
		return nil, nil
	}
	bad := func(attribute, format string, args ...any) error {
		return &ConfigError{Name: c.Name, Attribute: attribute, Err: fmt.Errorf(format, args...)}
	}
	key := append(bytes.TrimSpace(c.PrivateKey), '\n')
	signer, err := ssh.ParsePrivateKey(key)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, bad("private_key", "this is not a private key that can be read (%w); it must be the file that ssh-keygen wrote without .pub, in PEM or OpenSSH format", err)
		}
		return signer, nil
	}
	if c.PrivateKeyPassphrase == "" {
		return nil, bad("private_key_passphrase", "the private key is encrypted; set private_key_passphrase, or load the key into an agent and set agent")
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase(key, []byte(c.PrivateKeyPassphrase))
	if err != nil {
		return nil, bad("private_key_passphrase", "the passphrase does not open the private key (%w)", err)
	}
	return signer, nil
}

// String describes the host and which credentials there are, but not them.
func (c Config) String() string {
	var has []string
	for _, s := range []struct {
		is   bool
		name string
	}{
		{len(c.PrivateKey) > 0, "private_key"}, {c.UseAgent, "agent"}, {c.Password != "", "password"},
		{c.Become, "become"}, {c.BecomePassword != "", "become_password"},
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
