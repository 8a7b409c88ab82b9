package lab

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"
)

func testHosts() []*Host {
	return []*Host{
		{Name: "a", Addr: netip.MustParseAddr("192.0.2.11"), MAC: "52:54:00:00:02:0b", SSHPort: 20001},
		{Name: "client", Addr: netip.MustParseAddr("192.0.2.20"), MAC: "52:54:00:00:02:14", SSHPort: 20002},
	}
}

// TestEnvSurvivesAShell sources the file as users do, from a folder whose name
// is everything but a word.
func TestEnvSurvivesAShell(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `it's a "lab" $HOME`)
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte(shellEnv(dir, "bookworm", testHosts())), 0o644); err != nil {
		t.Fatal(err)
	}
	const show = `. "$1"; printf '%s\n' "$LAB_DIR" "$LAB_SUITE" "$LAB_HOSTS" "$LAB_A_ADDR" "$LAB_A_SSH_PORT" "$LAB_CLIENT_MAC" "$LAB_KEY_FILE"`
	out, err := exec.Command("sh", "-euc", show, "sh", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := strings.Join([]string{dir, "bookworm", "a client", "192.0.2.11", "20001", "52:54:00:00:02:14", dir + "/id_ed25519", ""}, "\n")
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestKnownHostsAcceptsTheHostsOwnKeyOnly(t *testing.T) {
	dir := t.TempDir()
	hosts, keys := testHosts(), map[string]keyPair{}
	for _, h := range hosts {
		pair, err := newKeyPair(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		keys[h.Name] = pair
	}
	if err := writeEnv(dir, "bookworm", hosts, keys); err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(filepath.Join(dir, knownHostsFile))
	if err != nil {
		t.Fatal(err)
	}
	a, remote := hosts[0].sshAddr(), fakeAddr("127.0.0.1:20001")
	if err := check(a, remote, keys["a"].signer.PublicKey()); err != nil {
		t.Errorf("a's own key: %v", err)
	}
	if err := check(a, remote, keys["client"].signer.PublicKey()); err == nil {
		t.Error("the client's key was accepted for a")
	}
}

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }

func TestClientKeyIsMadeOnceAndPrivate(t *testing.T) {
	dir := t.TempDir()
	first, err := clientKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := clientKey(dir)
	if err != nil || second.public != first.public {
		t.Errorf("second call gave %q, %v; want %q", second.public, err, first.public)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestAddresses(t *testing.T) {
	got, err := addresses([]string{"client", "c", "b", "a", "d"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"a": "192.0.2.11", "b": "192.0.2.12", "client": "192.0.2.20", "c": "192.0.2.31", "d": "192.0.2.32",
	} {
		if got[name].String() != want {
			t.Errorf("%s has %s, want %s", name, got[name], want)
		}
	}
	for _, bad := range [][]string{{"a", "a"}, {"A"}, {""}, {"a b"}, {"../x"}, {"a-b"}} {
		if _, err := addresses(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
