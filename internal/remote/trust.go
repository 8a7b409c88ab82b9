package remote

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// inlineSource is what messages call the entries given inline.
const inlineSource = "known_hosts (inline)"

// trust knows which host keys are good.
type trust struct {
	cfg      Config
	target   string
	hostPort string // as known_hosts names the host: lower case, like ssh(1) looks it up
	pinned   ssh.PublicKey
	known    []knownKey // keys that known_hosts holds for the host
	cas      []knownKey // authorities that may vouch for the host
	db       *knownhosts.HostKeyDB
	inline   string   // path under which the inline entries were read
	sources  []string // what was read, for messages
	now      func() time.Time
}

// knownKey is a public key and where it is written.
type knownKey struct {
	key   ssh.PublicKey
	where string
}

func (k knownKey) String() string { return fingerprint(k.key) + " (" + k.where + ")" }

// fingerprint names a key, or the key in a certificate, by type and SHA256.
func fingerprint(key ssh.PublicKey) string {
	return key.Type() + " " + ssh.FingerprintSHA256(plain(key))
}

// plain is the key itself, without a certificate around it.
func plain(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

func holds(keys []knownKey, key ssh.PublicKey) bool {
	return slices.ContainsFunc(keys, func(k knownKey) bool { return same(k.key, key) })
}

// newTrust reads what says which keys are good. The error is a *ConfigError.
func newTrust(c Config) (*trust, error) {
	t := &trust{cfg: c, target: c.Target(), hostPort: strings.ToLower(c.hostPort()), now: time.Now}
	bad := func(attribute, format string, args ...any) error {
		return &ConfigError{Name: c.Name, Attribute: attribute, Err: fmt.Errorf(format, args...)}
	}
	switch c.HostKeyPolicy {
	case HostKeyStrict, HostKeyAcceptNew, "":
	case HostKeyInsecure:
		if c.HostKey != "" || c.HostCA != "" {
			return nil, bad("host_key_policy", "insecure takes any key, but host_key or host_ca says which one is right; write host_key_policy = \"strict\" for this host, or leave the key out")
		}
		return t, nil
	default:
		return nil, bad("host_key_policy", "%q is not a policy; it is strict, accept-new or insecure", string(c.HostKeyPolicy))
	}
	if c.HostKey != "" && c.HostCA != "" {
		return nil, bad("host_key", "host_key pins one key, so host_ca would have no say; give one of them")
	}
	if err := t.readKeys(); err != nil {
		return nil, err
	}
	if err := t.readKnownHosts(bad); err != nil {
		return nil, err
	}
	return t, t.contradiction(bad)
}

// readKeys reads host_key and host_ca.
func (t *trust) readKeys() error {
	if t.cfg.HostKey != "" {
		keys, err := publicKeys(t.cfg, "host_key", t.cfg.HostKey)
		if err != nil {
			return err
		}
		if len(keys) != 1 {
			return &ConfigError{Name: t.cfg.Name, Attribute: "host_key", Err: fmt.Errorf("it is one public key, and here are %d; several keys go into known_hosts", len(keys))}
		}
		t.pinned = keys[0]
		t.sources = append(t.sources, "host_key")
	}
	if t.cfg.HostCA != "" {
		keys, err := publicKeys(t.cfg, "host_ca", t.cfg.HostCA)
		if err != nil {
			return err
		}
		for _, k := range keys {
			t.cas = append(t.cas, knownKey{k, "host_ca"})
		}
		t.sources = append(t.sources, "host_ca")
	}
	return nil
}

func (t *trust) readKnownHosts(bad func(string, string, ...any) error) error {
	c := t.cfg
	var paths []string
	if len(c.KnownHosts) > 0 {
		// The libraries read files only. The file lives for the length of this call.
		path, err := writeTemp(c.KnownHosts)
		if err != nil {
			return bad("known_hosts", "%w", err)
		}
		defer os.Remove(path)
		t.inline = path
		paths = append(paths, path)
		t.sources = append(t.sources, inlineSource)
	}
	for i, file := range c.KnownHostsFiles {
		t.sources = append(t.sources, file)
		if _, err := os.Stat(file); i == 0 && c.HostKeyPolicy == HostKeyAcceptNew && errors.Is(err, os.ErrNotExist) {
			continue // it will be made
		}
		paths = append(paths, file)
	}
	if c.HostKeyPolicy == HostKeyAcceptNew && len(c.KnownHostsFiles) == 0 {
		t.sources = append(t.sources, "what was accepted in this run")
		if key := c.Accepted.of(t.hostPort); key != nil {
			t.known = append(t.known, knownKey{key, "accepted earlier in this run"})
		}
	}
	if len(t.sources) == 0 {
		return bad("known_hosts", "no known host keys are given, so no host can be trusted; set host_key, host_ca, known_hosts = file(\"…\") or known_hosts_file, or write host_key_policy = \"insecure\" to trust whoever answers")
	}
	if len(paths) == 0 {
		return nil
	}
	db, err := knownhosts.NewDB(paths...)
	if err != nil {
		attribute, text := "known_hosts_file", err.Error()
		if t.inline != "" && strings.Contains(text, t.inline) {
			attribute, text = "known_hosts", strings.ReplaceAll(text, t.inline, "line")
		}
		return bad(attribute, "cannot be read: %s; a line is: host-or-[host]:port key-type base64-key", text)
	}
	t.db = db
	t.lookUp()
	return nil
}

// lookUp finds the host's lines. As in ssh(1), an authority for the host at the
// usual port vouches for it at every port.
func (t *trust) lookUp() {
	t.known, t.cas = t.lines(t.hostPort, t.known, t.cas)
	if usual := net.JoinHostPort(t.cfg.hostName(), "22"); usual != t.hostPort {
		_, t.cas = t.lines(usual, nil, t.cas)
	}
}

// lines adds what known_hosts says of a host. The two libraries know half each:
// one where a line is, the other whether it is an authority's; both in one order.
func (t *trust) lines(hostPort string, known, cas []knownKey) (_, _ []knownKey) {
	var found *xknownhosts.KeyError
	err := t.db.HostKeyCallback()(hostPort, &net.TCPAddr{IP: net.IPv4zero}, nobody{})
	if !errors.As(err, &found) {
		return known, cas
	}
	sort.Slice(found.Want, func(i, j int) bool {
		a, b := found.Want[i], found.Want[j]
		return a.Filename < b.Filename || a.Filename == b.Filename && a.Line < b.Line
	})
	for i, k := range t.db.HostKeys(hostPort) {
		entry := knownKey{k.PublicKey, t.where(found.Want[i])}
		switch {
		case !k.Cert:
			known = append(known, entry)
		case !slices.ContainsFunc(cas, func(ca knownKey) bool { return ca.where == entry.where }):
			cas = append(cas, entry)
		}
	}
	return known, cas
}

// nobody is a key that no host has.
type nobody struct{}

func (nobody) Type() string                        { return "nobody" }
func (nobody) Marshal() []byte                     { return []byte("nobody") }
func (nobody) Verify([]byte, *ssh.Signature) error { return errors.New("nobody's key") }

func (t *trust) where(k xknownhosts.KnownKey) string {
	source := k.Filename
	if source == t.inline {
		source = inlineSource
	}
	return fmt.Sprintf("%s, line %d", source, k.Line)
}

// contradiction finds a pinned key that known_hosts denies.
func (t *trust) contradiction(bad func(string, string, ...any) error) error {
	if t.pinned == nil {
		return nil
	}
	if revoked := t.revoked(t.pinned); revoked != "" {
		return bad("host_key", "%s is revoked (%s); give the host a new key", fingerprint(t.pinned), revoked)
	}
	var others []string
	for _, k := range t.known {
		if k.key.Type() == t.pinned.Type() {
			others = append(others, k.String())
		}
	}
	if len(others) > 0 && !holds(t.known, t.pinned) {
		return bad("host_key", "it is %s, but known_hosts says %s for %s; correct the one that is wrong", fingerprint(t.pinned), strings.Join(others, "; "), t.hostPort)
	}
	return nil
}

// revoked says where key, or one in its certificate, is revoked; empty if nowhere.
func (t *trust) revoked(key ssh.PublicKey) string {
	if t.db == nil {
		return ""
	}
	keys := []ssh.PublicKey{plain(key)}
	if cert, ok := key.(*ssh.Certificate); ok {
		keys = append(keys, cert.SignatureKey)
	}
	for _, k := range keys {
		var revoked *xknownhosts.RevokedError
		if errors.As(t.db.HostKeyCallback()(t.hostPort, &net.TCPAddr{IP: net.IPv4zero}, k), &revoked) {
			return t.where(revoked.Revoked)
		}
	}
	return ""
}

func writeTemp(content []byte) (path string, err error) {
	f, err := os.CreateTemp("", "redislb-known-hosts-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
