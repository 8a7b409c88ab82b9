package remote_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func rsaPrivate(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rsaKey(t *testing.T) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(rsaPrivate(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ecdsaKey(t *testing.T) ssh.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// knowing makes a client that has these known_hosts entries, and a password that
// must not get out.
func knowing(t *testing.T, s *remotetest.Server, lines string) *remote.Client {
	return client(t, s, func(c *remote.Config) { c.KnownHosts = []byte(lines); c.Password = secret })
}

func line(s *remotetest.Server, key ssh.PublicKey) string {
	return knownhosts.Line([]string{s.Addr()}, key) + "\n"
}

// distrusted runs against s and checks that nothing was offered to it.
func distrusted(t *testing.T, s *remotetest.Server, c *remote.Client) error {
	t.Helper()
	_, err := c.Run(context.Background(), sh(":"))
	if err == nil {
		t.Fatal("the host was trusted")
	}
	if remote.Unreachable(err) {
		t.Errorf("a question of trust is called Unreachable: %v", err)
	}
	equal(t, "attempts to log in", s.AuthAttempts(), 0)
	equal(t, "connections", s.Connections(), 1)
	equal(t, "openings of the message", strings.Count(err.Error(), "unable to"), 1)
	says(t, err, "unable to observe host: "+c.Target(), "Nothing secret was sent")
	return err
}

func TestUnknownHostIsRefusedWithTheLineToAdd(t *testing.T) {
	t.Parallel()
	key, _ := remotetest.NewKey(t)
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{key}})
	other, _ := remotetest.NewKey(t)
	err := distrusted(t, s, knowing(t, s, "elsewhere "+string(ssh.MarshalAuthorizedKey(other.PublicKey()))))
	var e *remote.HostKeyUnknownError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a HostKeyUnknownError", err)
	}
	says(t, err, ssh.FingerprintSHA256(key.PublicKey()), "known_hosts (inline)", "ssh-keyscan -p", "ssh_host_ed25519_key.pub", "verify")
	run(t, knowing(t, s, e.Line), ":") // the line it names is the right one
}

func TestChangedHostKeyIsRefusedWithBothFingerprints(t *testing.T) {
	t.Parallel()
	known, _ := remotetest.NewKey(t)
	for name, shown := range map[string]ssh.Signer{"same type": mustKey(t), "another type": ecdsaKey(t)} {
		t.Run(name, func(t *testing.T) {
			s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{shown}, Password: secret})
			err := distrusted(t, s, knowing(t, s, "# comment\n"+line(s, known.PublicKey())))
			var e *remote.HostKeyMismatchError
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a HostKeyMismatchError", err)
			}
			says(t, err, ssh.FingerprintSHA256(shown.PublicKey()), ssh.FingerprintSHA256(known.PublicKey()), "known_hosts (inline), line 2")
		})
	}
}

func mustKey(t *testing.T) ssh.Signer { k, _ := remotetest.NewKey(t); return k }

func TestRevokedHostKeyIsRefused(t *testing.T) {
	t.Parallel()
	key := mustKey(t)
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{key}})
	err := distrusted(t, s, knowing(t, s, line(s, key.PublicKey())+"@revoked * "+string(ssh.MarshalAuthorizedKey(key.PublicKey()))))
	var e *remote.HostKeyRevokedError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a HostKeyRevokedError", err)
	}
	says(t, err, "revoked", "line 2", ssh.FingerprintSHA256(key.PublicKey()))
}

func TestKnownHostsEntriesOfEveryKind(t *testing.T) {
	t.Parallel()
	ed, ec, rs := mustKey(t), ecdsaKey(t), rsaKey(t)
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{ed, ec, rs}})
	entry := func(host string, k ssh.Signer) string {
		return host + " " + string(ssh.MarshalAuthorizedKey(k.PublicKey()))
	}
	bracketed := knownhosts.Normalize(s.Addr())
	for name, lines := range map[string]string{
		"ed25519":              entry(bracketed, ed),
		"ecdsa only":           entry(bracketed, ec),
		"rsa only":             entry(bracketed, rs), // negotiates rsa-sha2-512 (golang/go#29286)
		"several types":        entry(bracketed, rs) + entry(bracketed, ec),
		"hashed":               entry(knownhosts.HashHostname(bracketed), ec),
		"wildcard":             entry("127.0.0.*", ed),
		"list with CRLF":       "\r\n" + strings.ReplaceAll(entry("a,"+bracketed+",b", rs), "\n", "\r\n"),
		"negated, then others": entry("!"+bracketed+",*", mustKey(t)) + entry(bracketed, ed),
	} {
		t.Run(name, func(t *testing.T) { run(t, knowing(t, s, lines), ":") })
	}
	t.Run("of port 22 is not for this port", func(t *testing.T) {
		before := s.AuthAttempts()
		_, err := knowing(t, s, entry("127.0.0.1", ed)).Run(context.Background(), sh(":"))
		var e *remote.HostKeyUnknownError
		if !errors.As(err, &e) || s.AuthAttempts() != before {
			t.Errorf("got %v", err)
		}
	})
}

func TestHostNamesAreLookedUpInLowerCase(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	entry := strings.ReplaceAll(s.KnownHosts(), "127.0.0.1", "localhost")
	run(t, client(t, s, func(c *remote.Config) { c.Address = "LocalHost"; c.KnownHosts = []byte(entry) }), ":")
}

func TestKnownHostsFilesAreReadBesideInlineEntries(t *testing.T) {
	s := remotetest.NewServer(t, remotetest.Options{})
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(s.KnownHosts()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	run(t, client(t, s, func(c *remote.Config) { c.KnownHosts = []byte("# nothing\n"); c.KnownHostsFiles = []string{file} }), ":")
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v %v", left, err)
	}
}

func TestInsecureTakesAnyKeyAndMustBeWritten(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	bare := func(c *remote.Config) { c.KnownHosts = nil }
	run(t, client(t, s, bare, func(c *remote.Config) { c.HostKeyPolicy = remote.HostKeyInsecure }), ":")
	before := s.Connections()
	_, err := client(t, s, bare).Run(context.Background(), sh(":"))
	var e *remote.ConfigError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a ConfigError", err)
	}
	says(t, err, "known_hosts", "known_hosts_file", `host_key_policy = "insecure"`)
	equal(t, "connections", s.Connections(), before)
}
