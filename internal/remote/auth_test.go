package remote_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

const secret = "s3cret-hunter2"

// agentAt reserves a socket path and points SSH_AUTH_SOCK at it.
func agentAt(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "agent")
	t.Setenv("SSH_AUTH_SOCK", path)
	return path
}

func listen(t *testing.T, path string, talk func(net.Conn)) {
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); talk(c) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
}

// hang is an agent that takes requests and does not answer.
func hang(t *testing.T, path string) {
	listen(t, path, func(c net.Conn) {
		b := make([]byte, 100)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
		}
	})
}

// serveAgent is an agent that holds keys.
func serveAgent(t *testing.T, pems ...[]byte) {
	ring := agent.NewKeyring()
	for _, p := range pems {
		key, err := ssh.ParseRawPrivateKey(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	listen(t, agentAt(t), func(c net.Conn) { _ = agent.ServeAgent(ring, c) })
}

func TestPasswordLogsIn(t *testing.T) {
	t.Parallel()
	for _, interactive := range []bool{false, true} {
		s := remotetest.NewServer(t, remotetest.Options{Password: secret, Interactive: interactive, NoKey: true})
		run(t, client(t, s, func(c *remote.Config) { c.PrivateKey = nil; c.Password = secret }), ":")
		run(t, client(t, s, func(c *remote.Config) { c.Password = secret }), ":") // after a key that fails
	}
}

func TestPasswordLogsInWhereItIsWantedByBothMethods(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Password: secret, Both: true, NoKey: true})
	run(t, client(t, s, func(c *remote.Config) { c.Password = secret }), ":")
	equal(t, "passwords sent", s.Passwords(), 2)
}

func TestPasswordThatIsRefusedIsNotSentByTheOtherMethod(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Password: "right", Either: true, NoKey: true})
	_, err := client(t, s, func(c *remote.Config) { c.Password = secret }).Run(context.Background(), sh(":"))
	says(t, err, "the server takes: password, publickey, keyboard-interactive")
	equal(t, "passwords sent", s.Passwords(), 1)
}

func TestWrongCredentialsAreAnAuthErrorThatSaysWhatWasTried(t *testing.T) {
	t.Parallel()
	for _, interactive := range []bool{false, true} {
		s := remotetest.NewServer(t, remotetest.Options{Password: "right", Interactive: interactive, NoKey: true})
		c := client(t, s, func(c *remote.Config) { c.Password = secret })
		_, err := c.Run(context.Background(), sh(":"))
		var e *remote.AuthError
		if !errors.As(err, &e) || remote.Unreachable(err) {
			t.Fatalf("got %v, want an AuthError", err)
		}
		method := map[bool]string{false: "password", true: "keyboard-interactive"}[interactive]
		says(t, err, "observe host", c.Target(), "private key SHA256:", method, "publickey", "authorized_keys")
		equal(t, "last try", e.Tried[len(e.Tried)-1], method)
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the password is in the message: %s", err)
		}
		equal(t, "connections: a refused login is not repeated", s.Connections(), 1)
		equal(t, "passwords sent", s.Passwords(), 1)
	}
}

func TestEncryptedKey(t *testing.T) {
	t.Parallel()
	// Made with ssh-keygen -a 1: a key of today's 16 rounds takes seconds to open
	// under the race detector.
	pem, err := os.ReadFile("testdata/encrypted_key")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKeyWithPassphrase(pem, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	s := remotetest.NewServer(t, remotetest.Options{NoKey: true, AuthorizedKeys: []ssh.PublicKey{key.PublicKey()}})
	with := func(passphrase string) func(*remote.Config) {
		return func(c *remote.Config) { c.PrivateKey = pem; c.PrivateKeyPassphrase = passphrase }
	}
	run(t, client(t, s, with(secret)), ":")
	before := s.Connections()
	for passphrase, words := range map[string]string{"": "encrypted", "wrong-passphrase": "does not open"} {
		cfg := s.Config()
		with(passphrase)(&cfg)
		var e *remote.ConfigError
		err := cfg.Validate()
		if !errors.As(err, &e) || e.Attribute != "private_key_passphrase" {
			t.Errorf("Validate: got %v, want a ConfigError", err)
		}
		says(t, err, `host "test"`, "private_key_passphrase", words)
		if passphrase != "" && strings.Contains(err.Error(), passphrase) {
			t.Errorf("the passphrase is in the message: %s", err)
		}
		_, err = client(t, s, with(passphrase)).Run(context.Background(), sh(":"))
		says(t, err, words)
	}
	equal(t, "connections for keys that cannot be opened", s.Connections(), before)
}

func TestAgentLogsIn(t *testing.T) {
	_, other := remotetest.NewKey(t)
	key, pem := remotetest.NewKey(t)
	serveAgent(t, other, pem)
	s := remotetest.NewServer(t, remotetest.Options{NoKey: true, AuthorizedKeys: []ssh.PublicKey{key.PublicKey()}})
	run(t, client(t, s, func(c *remote.Config) { c.PrivateKey = nil; c.UseAgent = true }), ":")
	run(t, client(t, s, func(c *remote.Config) { c.UseAgent = true }), ":") // after a key that fails
}

func TestAgentKeysLeaveTriesForThePassword(t *testing.T) {
	var pems [][]byte
	for range 8 {
		_, pem := remotetest.NewKey(t)
		pems = append(pems, pem)
	}
	serveAgent(t, pems...)
	s := remotetest.NewServer(t, remotetest.Options{Password: secret, NoKey: true}) // six tries, like sshd
	run(t, client(t, s, func(c *remote.Config) { c.UseAgent = true; c.Password = secret }), ":")
}

func TestAgentThatIsAwayIsNamed(t *testing.T) {
	agentAt(t)
	s := remotetest.NewServer(t, remotetest.Options{NoKey: true})
	_, err := client(t, s, func(c *remote.Config) { c.PrivateKey = nil; c.UseAgent = true }).Run(context.Background(), sh(":"))
	var e *remote.AuthError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an AuthError", err)
	}
	says(t, err, "Tried: nothing", "agent could not be asked", "no such file")
	s2 := remotetest.NewServer(t, remotetest.Options{})
	run(t, client(t, s2, func(c *remote.Config) { c.UseAgent = true }), ":") // the key still logs in
}

// fileOf writes a key into a file.
func fileOf(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestIdentityFilesAreShownInTheirOrderAndBeforeTheAgentsOtherKeys(t *testing.T) {
	locked, err := os.ReadFile("testdata/encrypted_key")
	if err != nil {
		t.Fatal(err)
	}
	second, err := ssh.ParsePrivateKeyWithPassphrase(locked, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ssh.ParseRawPrivateKeyWithPassphrase(locked, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := ssh.MarshalPrivateKey(raw, "")
	if err != nil {
		t.Fatal(err)
	}
	first, firstFile := remotetest.NewKey(t)
	third, thirdFile := remotetest.NewKey(t) // its file is the public key
	fourth, fourthFile := remotetest.NewKey(t)
	stranger, strangerFile := remotetest.NewKey(t)
	serveAgent(t, strangerFile, thirdFile, pem.EncodeToMemory(opened), firstFile)
	files := func(c *remote.Config) {
		c.PrivateKey, c.UseAgent = nil, true
		c.IdentityFiles = []string{fileOf(t, firstFile), fileOf(t, locked), fileOf(t, []byte("rubbish")), fileOf(t, ssh.MarshalAuthorizedKey(third.PublicKey())), fileOf(t, fourthFile)}
	}
	names := func(keys ...ssh.Signer) (names []string) {
		for _, k := range keys {
			names = append(names, ssh.FingerprintSHA256(k.PublicKey()))
		}
		return names
	}
	for name, c := range map[string]struct {
		change func(*remote.Config)
		want   []string
	}{
		"with the agent":      {func(*remote.Config) {}, names(first, second, third, fourth, stranger)},
		"of the agent's only": {func(c *remote.Config) { c.IdentitiesOnly = true }, names(first, second, third, fourth)},
		"without":             {func(c *remote.Config) { c.UseAgent = false }, names(first, fourth)},
		"with the passphrase": {func(c *remote.Config) { c.UseAgent, c.PrivateKeyPassphrase = false, secret }, names(first, second, fourth)},
		"own key only": {func(c *remote.Config) {
			c.PrivateKey, c.IdentityFiles, c.IdentitiesOnly = fourthFile, nil, true
		}, names(fourth)},
		"own key and the agent": {func(c *remote.Config) { c.PrivateKey, c.IdentityFiles = firstFile, nil }, names(first, stranger, third, second)},
	} {
		s := remotetest.NewServer(t, remotetest.Options{NoKey: true})
		_, err := client(t, s, files, c.change).Run(context.Background(), sh(":"))
		var e *remote.AuthError
		if !errors.As(err, &e) {
			t.Fatalf("%s: got %v, want an AuthError", name, err)
		}
		var tried []string
		for _, text := range e.Tried {
			_, sum, _ := strings.Cut(text, "SHA256:")
			tried = append(tried, "SHA256:"+sum)
		}
		if !slices.Equal(tried, c.want) {
			t.Errorf("%s: shown were %q, want %q", name, tried, c.want)
		}
		if notes := strings.Join(e.Notes, " "); strings.Contains(notes, "not a private key") != (name != "own key only" && name != "own key and the agent") {
			t.Errorf("%s: the notes are %q", name, notes)
		}
	}
	s := remotetest.NewServer(t, remotetest.Options{NoKey: true, AuthorizedKeys: []ssh.PublicKey{fourth.PublicKey()}})
	run(t, client(t, s, files), ":") // the last one
}

func TestIdentityFilesOfWhichNoneIsOfUseAreAnErrorThatSaysWhy(t *testing.T) {
	locked, err := os.ReadFile("testdata/encrypted_key")
	if err != nil {
		t.Fatal(err)
	}
	s := remotetest.NewServer(t, remotetest.Options{})
	cfg := s.Config()
	cfg.PrivateKey, cfg.IdentityFiles = nil, []string{fileOf(t, locked), "/nonexistent/id"}
	says(t, cfg.Validate(), "nothing to log in with", cfg.IdentityFiles[0], "encrypted", "/nonexistent/id")
	agentAt(t)
	cfg.IdentityFiles, cfg.UseAgent, cfg.IdentitiesOnly = nil, true, true
	says(t, cfg.Validate(), "ssh_config_file", "IdentitiesOnly", "agent_identity")
}
