package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// inlineSource is what messages call the entries given inline.
const inlineSource = "known_hosts (inline)"

// trust knows which host keys are good.
type trust struct {
	target   string
	hostPort string // as known_hosts names the host: lower case, like ssh(1) looks it up
	insecure bool
	db       *knownhosts.HostKeyDB
	inline   string   // path under which the inline entries were read
	sources  []string // what was read, for messages
}

// newTrust reads the known_hosts entries. The error is a *ConfigError.
func newTrust(c Config) (*trust, error) {
	t := &trust{target: c.Target(), hostPort: strings.ToLower(c.hostPort())}
	bad := func(attribute string, err error) error {
		return &ConfigError{Name: c.Name, Attribute: attribute, Err: err}
	}
	switch c.HostKeyPolicy {
	case HostKeyInsecure:
		t.insecure = true
		return t, nil
	case HostKeyStrict, "":
	default:
		return nil, bad("host_key_policy", fmt.Errorf("%q is not a policy; it is strict or insecure", string(c.HostKeyPolicy)))
	}
	var paths []string
	if len(c.KnownHosts) > 0 {
		// The libraries read files only. The file lives for the length of this call.
		path, err := writeTemp(c.KnownHosts)
		if err != nil {
			return nil, bad("known_hosts", err)
		}
		defer os.Remove(path)
		t.inline = path
		paths = append(paths, path)
		t.sources = append(t.sources, inlineSource)
	}
	paths = append(paths, c.KnownHostsFiles...)
	t.sources = append(t.sources, c.KnownHostsFiles...)
	if len(paths) == 0 {
		return nil, bad("known_hosts", errors.New("no known host keys are given, so no host can be trusted; set known_hosts = file(\"…\") or known_hosts_file, or write host_key_policy = \"insecure\" to trust whoever answers"))
	}
	db, err := knownhosts.NewDB(paths...)
	if err != nil {
		attribute, text := "known_hosts_file", err.Error()
		if t.inline != "" && strings.Contains(text, t.inline) {
			attribute, text = "known_hosts", strings.ReplaceAll(text, t.inline, "line")
		}
		return nil, bad(attribute, fmt.Errorf("cannot be read: %s; a line is: host-or-[host]:port key-type base64-key", text))
	}
	t.db = db
	return t, nil
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

// algorithms lists host key algorithms, those of the keys we know first, since a
// server shows only one of its keys (golang/go#29286). The others follow so that
// a changed key of another type is reported with its fingerprint instead of as
// "no common algorithm"; check refuses it.
func (t *trust) algorithms() []string {
	if t.insecure {
		return nil
	}
	known := t.db.HostKeyAlgorithms(t.hostPort)
	if len(known) == 0 {
		return nil
	}
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if !slices.Contains(known, a) {
			known = append(known, a)
		}
	}
	return known
}

// check is an ssh.HostKeyCallback; its errors are the HostKey…Errors.
func (t *trust) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	if t.insecure {
		return nil
	}
	err := t.db.HostKeyCallback()(t.hostPort, remote, key)
	offered := key.Type() + " " + ssh.FingerprintSHA256(key)
	var revoked *xknownhosts.RevokedError
	var keyErr *xknownhosts.KeyError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return &HostKeyRevokedError{Target: t.target, Offered: offered, Source: t.where(revoked.Revoked)}
	case errors.As(err, &keyErr) && len(keyErr.Want) > 0:
		e := &HostKeyMismatchError{Target: t.target, Offered: offered}
		for _, k := range keyErr.Want {
			e.Known = append(e.Known, fmt.Sprintf("%s %s (%s)", k.Key.Type(), ssh.FingerprintSHA256(k.Key), t.where(k)))
		}
		return e
	case errors.As(err, &keyErr):
		return &HostKeyUnknownError{Target: t.target, Offered: offered, Sources: t.sources,
			Line: xknownhosts.Line([]string{t.hostPort}, key), keyType: key.Type()}
	default: // a host certificate that does not hold
		return &HostKeyMismatchError{Target: t.target, Offered: offered + ": " + err.Error()}
	}
}

func (t *trust) where(k xknownhosts.KnownKey) string {
	source := k.Filename
	if source == t.inline {
		source = inlineSource
	}
	return fmt.Sprintf("%s, line %d", source, k.Line)
}

// HostKeyUnknownError is a host that known_hosts says nothing about. No
// credential was sent.
type HostKeyUnknownError struct {
	Target, Step string
	Offered      string   // key type and SHA256 fingerprint
	Line         string   // the known_hosts line for this key
	Sources      []string // where was looked
	keyType      string
}

func (e *HostKeyUnknownError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *HostKeyUnknownError) Error() string {
	host := e.Target[strings.LastIndex(e.Target, "@")+1:]
	host, port, _ := net.SplitHostPort(host)
	file := strings.TrimPrefix(e.keyType, "ssh-")
	if strings.HasPrefix(file, "ecdsa") {
		file = "ecdsa"
	}
	return unable(e.Step, e.Target) + "the host key is not known: the server shows " + e.Offered +
		", and there is no entry for it in " + strings.Join(e.Sources, ", ") + ". Nothing secret was sent.\n" +
		"Compare the fingerprint with the host's own, over another way than this network (on its console: ssh-keygen -lf /etc/ssh/ssh_host_" + file + "_key.pub). If it is the same, add this line to known_hosts:\n" +
		e.Line + "\n(ssh-keyscan -p " + port + " " + host + " prints such lines too, but it believes whoever answers: verify before use.)"
}

// HostKeyMismatchError is a host that shows another key than the known ones:
// reinstalled, or somebody in between. No credential was sent.
type HostKeyMismatchError struct {
	Target, Step string
	Offered      string   // key type and SHA256 fingerprint
	Known        []string // the same of the known keys, with where they come from
}

func (e *HostKeyMismatchError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *HostKeyMismatchError) Error() string {
	return unable(e.Step, e.Target) + "THE HOST KEY IS NOT THE KNOWN ONE, somebody may be in between. The server shows " + e.Offered + ". Nothing secret was sent.\n" +
		"Known: " + strings.Join(e.Known, "; ") + ".\n" +
		"If the host was reinstalled, verify its new fingerprint on its console and replace the line; if not, do not go on."
}

// HostKeyRevokedError is a key that known_hosts marks @revoked. No credential
// was sent.
type HostKeyRevokedError struct {
	Target, Step string
	Offered      string
	Source       string // the line that revokes it
}

func (e *HostKeyRevokedError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *HostKeyRevokedError) Error() string {
	return unable(e.Step, e.Target) + "the server shows a key that is revoked: " + e.Offered + " (" + e.Source + "). Nothing secret was sent.\n" +
		"Whoever holds that key may not be the host. Give the host a new host key and put it into known_hosts."
}
