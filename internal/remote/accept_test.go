package remote_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// accepting makes a client that takes a host's first key, into file if that is
// not empty.
func accepting(t testing.TB, s *remotetest.Server, file string, change ...func(*remote.Config)) *remote.Client {
	return client(t, s, append(change, func(c *remote.Config) {
		c.KnownHosts, c.HostKeyPolicy = nil, remote.HostKeyAcceptNew
		if file != "" {
			c.KnownHostsFiles = []string{file}
		}
	})...)
}

func TestFirstKeyIsKeptInAFileThatOthersCannotRead(t *testing.T) {
	t.Parallel()
	key := ecdsaKey(t)
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{key}})
	file := filepath.Join(t.TempDir(), "new", "known_hosts")
	run(t, accepting(t, s, file), ":")
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the file", string(got), s.KnownHosts())
	info, _ := os.Stat(file)
	equal(t, "its mode", info.Mode().Perm(), 0o600)
	run(t, client(t, s, func(c *remote.Config) { c.KnownHosts, c.KnownHostsFiles = nil, []string{file} }), ":") // strict now
	run(t, accepting(t, s, file), ":")
	again, _ := os.ReadFile(file)
	equal(t, "the file after a second run", string(again), string(got))
}

func TestWhatTheFileHeldStays(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	file := filepath.Join(t.TempDir(), "known_hosts")
	old := "192.0.2.1 " + authorized(mustKey(t)) // without a line break
	if err := os.WriteFile(file, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, accepting(t, s, file), ":")
	got, _ := os.ReadFile(file)
	equal(t, "the file", string(got), old+"\n"+s.KnownHosts())
	info, _ := os.Stat(file)
	equal(t, "its mode", info.Mode().Perm(), 0o644)
}

func TestChangedKeyIsRefusedAlsoByAcceptNew(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Password: secret})
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(line(s, mustKey(t).PublicKey())), 0o600); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(file)
	err := distrusted(t, s, accepting(t, s, file, func(c *remote.Config) { c.Password = secret }))
	var e *remote.HostKeyMismatchError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a HostKeyMismatchError", err)
	}
	after, _ := os.ReadFile(file)
	equal(t, "the file", string(after), string(before))
}

func TestWithoutAFileTheFirstKeyHoldsForTheRun(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := accepting(t, s, "")
	run(t, c, ":")
	s.Drop()
	run(t, c, ":") // the same key again
	// Another machine takes the address over, for another client of the same run.
	run2 := new(remote.AcceptedKeys)
	run(t, accepting(t, s, "", func(c *remote.Config) { c.Accepted = run2 }), ":")
	other := s.Successor(t, remotetest.Options{Password: secret})
	_ = distrusted(t, other, accepting(t, other, "", func(c *remote.Config) { c.Accepted, c.Password = run2, secret }))
}

func TestManyAcceptAtOnceAndEachLineIsThereOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "known_hosts")
	var servers []*remotetest.Server
	for range 4 {
		servers = append(servers, remotetest.NewServer(t, remotetest.Options{}))
	}
	for i, err := range together(16, func(i int) error {
		_, err := accepting(t, servers[i%4], file).Run(context.Background(), sh(":"))
		return err
	}) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
	got, _ := os.ReadFile(file)
	equal(t, "lines", strings.Count(string(got), "\n"), 4)
	for _, s := range servers {
		if !strings.Contains(string(got), s.KnownHosts()) {
			t.Errorf("no whole line for %s in:\n%s", s.Addr(), got)
		}
	}
}

func TestKeyThatCannotBeKeptIsNotTaken(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Password: secret})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, accepting(t, s, filepath.Join(dir, "known_hosts")), ":") // positive control
	before := s.AuthAttempts()
	_, err := accepting(t, s, filepath.Join(dir, "plain", "known_hosts")).Run(context.Background(), sh(":"))
	var e *remote.ConfigError
	if !errors.As(err, &e) || e.Attribute != "known_hosts_file" {
		t.Fatalf("got %v, want a ConfigError", err)
	}
	equal(t, "attempts to log in", s.AuthAttempts(), before)
}
