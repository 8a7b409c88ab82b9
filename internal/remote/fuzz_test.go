package remote_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
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

// What is not an error is what ssh(1) would do with the file: names of files that are
// there, and jump hosts that can be dialled.
func FuzzSSHConfig(f *testing.F) {
	for _, text := range []string{
		"Host a\n HostName %h.example.com\n User ops\n Port 22\n", "Host a\n IdentityFile ~/id\n IdentityFile none\n IdentitiesOnly yes\n",
		"Host *\n ProxyJump u@b:22,[::1]:22\n", "Match host a\n User x\nMatch all\n", "Host a\n UserKnownHostsFile /a ~/b\n", "Host a\n ProxyCommand none\n",
		"Host = a\n", "Host \"a\"\n Port=1\n", "Host !a *\n", "Host a # x\n", "\tPort 99999999999\n", "IdentitiesOnly yes\n", "\x00", "Host [\n", "Port \"\"\n",
	} {
		f.Add(text, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		if strings.Contains(strings.ToLower(text), "include") {
			t.Skip("would read whatever is on this machine")
		}
		home := t.TempDir()
		t.Setenv("HOME", home)
		path := filepath.Join(home, "id")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ours := func(err error) {
			var e *remote.ConfigError
			if !errors.As(err, &e) || e.Attribute != "ssh_config_file" || !strings.Contains(err.Error(), path) {
				t.Errorf("not an error of the file: %v", err)
			}
		}
		c, err := remote.ReadSSHConfig(path)
		if err != nil {
			ours(err)
			return
		}
		h, err := c.Host(name)
		if err != nil {
			ours(err)
			return
		}
		for _, file := range h.IdentityFiles {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("IdentityFile %q is not there: %v", file, err)
			}
		}
		if again, err := c.Host(name); err != nil || !reflect.DeepEqual(h, again) {
			t.Errorf("got %+v, and then %+v (%v)", h, again, err)
		}
		for _, j := range h.ProxyJump {
			dialable(t, j)
		}
	})
}

// dialable checks that a jump host is one, be it in or out of reach.
func dialable(t *testing.T, j remote.Jump) {
	t.Helper()
	cfg := remote.Config{Address: j.Host, User: j.User, Port: j.Port, Password: "x", HostKeyPolicy: remote.HostKeyInsecure}
	if cfg.User == "" {
		cfg.User = "root"
	}
	if err := cfg.Validate(); err != nil {
		t.Errorf("%+v: %v", j, err)
	}
}

// Jump hosts are as many as there are elements, and written out they are the same.
func FuzzJumps(f *testing.F) {
	for _, text := range []string{"a", "u@a:22,b", "[2001:db8::1]:22", "2001:db8::1", "ssh://u@a:1", "none", "None", " none", "[none]", "", ",", "a,", "a:0", "a:-1", "a:65536", "u@v@a", "@a", "a b", "[a ]", "%h", "a[:1", "[[a]]", "a/b", "a:1:2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		jumps, err := remote.ParseJumps(text)
		if bare := strings.TrimSpace(text); err != nil || bare == "" || strings.EqualFold(bare, "none") {
			if len(jumps) > 0 {
				t.Errorf("%q: got %v with %v", text, jumps, err)
			}
			return
		}
		if n := strings.Count(text, ",") + 1; len(jumps) != n {
			t.Errorf("%q: %d jump hosts, want %d", text, len(jumps), n)
		}
		var written []string
		for _, j := range jumps {
			dialable(t, j)
			one := j.Host
			if strings.Contains(one, ":") {
				one = "[" + one + "]"
			}
			if j.User != "" {
				one = j.User + "@" + one
			}
			if j.Port != 0 {
				one += fmt.Sprintf(":%d", j.Port)
			}
			written = append(written, one)
		}
		if strings.EqualFold(written[0], "none") && len(written) == 1 {
			return // a host of that name alone takes brackets
		}
		if again, err := remote.ParseJumps(strings.Join(written, ",")); err != nil || !reflect.DeepEqual(jumps, again) {
			t.Errorf("%q: %+v is written %q, which is %+v (%v)", text, jumps, written, again, err)
		}
	})
}

// A token stands for its value and nothing else: what is around it stays, and a value
// is not read for tokens again.
func FuzzTokens(f *testing.F) {
	for _, file := range []string{"~/.ssh/id_%n", "/keys/%h-%r", "%%h", "100%", "%C", "%", "~", "~x/y", "a~/b", "%d/%u", "\x00"} {
		f.Add(file, "lb1", "192.0.2.11", "ops")
	}
	f.Add("%n", "%h", "%n", "%%")
	f.Fuzz(func(t *testing.T, file, name, hostName, user string) {
		t.Setenv("HOME", "/home/of us")
		h := remote.SSHHost{HostName: hostName, User: user}
		expand := func(text string) (string, bool) {
			out, err := remote.ExpandTokens(text, name, h)
			if err != nil && !strings.Contains(err.Error(), "not supported") {
				t.Errorf("%q: %v", text, err)
			}
			return out, err == nil
		}
		inHome := func(text string) string {
			if rest, ok := strings.CutPrefix(text, "~/"); ok {
				return "/home/of us/" + rest
			}
			return text
		}
		if got, ok := expand(strings.ReplaceAll(file, "%", "%%")); !ok || got != inHome(file) {
			t.Errorf("%q, each %% doubled, is %q", file, got)
		}
		whole, ok := expand("/" + file)
		target := hostName
		if target == "" {
			target = name
		}
		for token, value := range map[string]string{"%n": name, "%h": target, "%r": user, "%d": "/home/of us"} {
			if got, also := expand("/" + token + file); also != ok || ok && got != "/"+value+whole[1:] {
				t.Errorf("%q is %q, and after %s %q", file, whole, token, got)
			}
		}
	})
}

// A key that is taken can vouch for a host, and only for itself.
func FuzzPublicKeys(f *testing.F) {
	good, bad := string(ssh.MarshalAuthorizedKey(ed25519Key(f, 1))), ed25519Key(f, 2)
	for _, text := range []string{good, good + good, "# x\n\n" + good, strings.TrimSpace(good) + " a comment", "host " + good, `no-pty ` + good, "ssh-ed25519 AAAA", "ssh-ed25519-cert-v01@openssh.com AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "", "#", "\xff", "ssh-dss AAAA"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := remote.PublicKeys(text)
		if err != nil {
			var e *remote.ConfigError
			if !errors.As(err, &e) || e.Attribute != "host_ca" || len(keys) > 0 {
				t.Errorf("got %v, %v", keys, err)
			}
			hidesPrivateKey(t, text, err)
			return
		}
		var written string
		for _, k := range keys {
			one := string(ssh.MarshalAuthorizedKey(k))
			written += one
			cfg := remote.Config{Name: "a", Address: "192.0.2.11", User: "root", Password: "x", HostKey: one}
			if err := remote.Trusts(cfg, k); err != nil {
				t.Errorf("%q is taken and not trusted: %v", one, err)
			}
			if !bytes.Equal(k.Marshal(), bad.Marshal()) && remote.Trusts(cfg, bad) == nil {
				t.Errorf("%q makes another key trusted", one)
			}
		}
		if again, err := remote.PublicKeys(written); err != nil || len(keys) == 0 || len(again) != len(keys) {
			t.Errorf("%d keys became %d (%v)", len(keys), len(again), err)
		}
	})
}

// hidesPrivateKey checks that nothing of what may be a private key is in a message.
func hidesPrivateKey(t *testing.T, text string, err error) {
	t.Helper()
	if !strings.Contains(text, "PRIVATE KEY") {
		return
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) > 20 && !strings.Contains(line, "PRIVATE KEY") && strings.Contains(err.Error(), line) {
			t.Errorf("the message shows %q: %v", line, err)
		}
	}
}

// What is taken is a user's certificate, whole.
func FuzzCertificate(f *testing.F) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	ca, err := ssh.NewSignerFromKey(private)
	if err != nil {
		f.Fatal(err)
	}
	for _, kind := range []uint32{ssh.UserCert, ssh.HostCert, 0} {
		cert := &ssh.Certificate{Key: ed25519Key(f, 1), CertType: kind, KeyId: "ops", ValidPrincipals: []string{"root"}, ValidBefore: ssh.CertTimeInfinity}
		if err := cert.SignCert(rand.Reader, ca); err != nil {
			f.Fatal(err)
		}
		f.Add(ssh.MarshalAuthorizedKey(cert))
	}
	for _, text := range []string{"", " \n", "ssh-ed25519 AAAA", string(ssh.MarshalAuthorizedKey(ed25519Key(f, 1))), "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		cert, err := remote.UserCertificate(content)
		switch {
		case err != nil:
			var e *remote.ConfigError
			if !errors.As(err, &e) || e.Attribute != "certificate" || cert != nil {
				t.Errorf("got %v, %v", cert, err)
			}
			hidesPrivateKey(t, string(content), err)
		case cert == nil:
			if len(bytes.TrimSpace(content)) > 0 {
				t.Errorf("%q is taken for nothing", content)
			}
		default:
			again, err := remote.UserCertificate(ssh.MarshalAuthorizedKey(cert))
			if err != nil || cert.CertType != ssh.UserCert || cert.Key == nil || !bytes.Equal(again.Marshal(), cert.Marshal()) {
				t.Errorf("%+v became %+v (%v)", cert, again, err)
			}
		}
	})
}
