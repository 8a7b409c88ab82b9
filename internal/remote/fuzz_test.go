package remote_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

func FuzzArguments(f *testing.F) {
	for _, a := range nastyArgs {
		f.Add(a, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		_, payload, err := remote.Invocation(remote.Config{User: "root"}, remote.Command{Script: printArgs, Args: []string{a, b}})
		if strings.ContainsRune(a+b, 0) {
			if err == nil {
				t.Fatal("a NUL byte was accepted")
			}
			return
		}
		if err != nil || bytes.ContainsRune(payload, 0) {
			t.Fatalf("payload %q, error %v", payload, err)
		}
		if got := argsThrough(t, []string{a, b}); len(got) != 2 || got[0] != a || got[1] != b {
			t.Fatalf("got %q, want %q", got, []string{a, b})
		}
	})
}

func ed25519Key(t testing.TB, seed byte) ssh.PublicKey {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	key, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A key is trusted only if known_hosts has it, and what cannot be read is an error
// of the attribute that holds it.
func FuzzKnownHosts(f *testing.F) {
	good, bad := ed25519Key(f, 1), ed25519Key(f, 2)
	text := base64.StdEncoding.EncodeToString(good.Marshal())
	for _, seed := range []string{
		knownhosts.Line([]string{"192.0.2.11"}, good), knownhosts.Line([]string{"[192.0.2.11]:2222", "a"}, good),
		knownhosts.HashHostname("192.0.2.11") + " ssh-ed25519 " + text, "@revoked * ssh-ed25519 " + text,
		"@cert-authority * ssh-ed25519 " + text, "* ssh-ed25519 " + text + " a comment", "!192.0.2.11,* ssh-rsa " + text,
		"# a comment\n\n", "|1|x|y ssh-ed25519 " + text, "a", "a b", "a ssh-ed25519 !", "|", "@", "|1|", "\x00",
		strings.Repeat("192.0.2.11 ssh-ed25519 "+text+"\r\n", 3),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		t.Setenv("TMPDIR", t.TempDir())
		cfg := remote.Config{Name: "a", Address: "192.0.2.11", User: "root", Password: "x", KnownHosts: content}
		err := cfg.Validate()
		if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
			t.Errorf("left behind: %s", left[0].Name())
		}
		if err != nil {
			var e *remote.ConfigError
			if !errors.As(err, &e) || e.Attribute != "known_hosts" {
				t.Errorf("not an error of known_hosts: %#v", err)
			}
			if strings.Contains(err.Error(), "redislb-known-hosts") {
				t.Errorf("the message names a file that the user does not know: %v", err)
			}
			return
		}
		var unknown *remote.HostKeyUnknownError
		var mismatch *remote.HostKeyMismatchError
		var uncertified *remote.HostCertError
		if err := remote.Trusts(cfg, bad); err == nil || !errors.As(err, &unknown) && !errors.As(err, &mismatch) && !errors.As(err, &uncertified) {
			t.Errorf("a key that is not in %q: %v", content, err)
		}
		if err := remote.Trusts(cfg, good); err == nil && !bytes.Contains(content, []byte(text)) {
			t.Errorf("a key that is not in %q is trusted", content)
		}
	})
}

// Nothing of a private key is in the message that it cannot be read.
func FuzzPrivateKey(f *testing.F) {
	_, private, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 32)))
	if err != nil {
		f.Fatal(err)
	}
	for _, passphrase := range []string{"", "Sesame"} {
		block, err := ssh.MarshalPrivateKey(private, "")
		if passphrase != "" {
			block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
		}
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pem.EncodeToMemory(block))
	}
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, content []byte) {
		cfg := remote.Config{Name: "a", Address: "192.0.2.11", User: "root", PrivateKey: content, HostKeyPolicy: remote.HostKeyInsecure}
		err := cfg.Validate()
		if err == nil {
			return
		}
		var e *remote.ConfigError
		if !errors.As(err, &e) || !strings.HasPrefix(e.Attribute, "private_key") {
			t.Errorf("not an error of the private key: %v", err)
		}
		for line := range bytes.Lines(content) {
			if line = bytes.TrimSpace(line); len(line) > 20 && bytes.Contains([]byte(err.Error()), line) {
				t.Errorf("the message shows %q: %v", line, err)
			}
		}
	})
}
