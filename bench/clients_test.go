package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestRecapTellsWhetherAnsibleChangedAnything(t *testing.T) {
	const none = "PLAY RECAP *****\na    : ok=9    changed=0    unreachable=0    failed=0\nb    : ok=9    changed=0    unreachable=0\n"
	const one = "PLAY RECAP *****\na    : ok=9    changed=0    unreachable=0    failed=0\nb    : ok=9    changed=12   unreachable=0\n"
	const shown = "changed: [a]\n--- before: changed=1\n" + none
	for text, want := range map[string]bool{none: false, one: true, shown: false} {
		if got := changedHosts.MatchString(text); got != want {
			t.Errorf("changed: %v, want %v, after\n%s", got, want, text)
		}
	}
}

func TestWeightChangesThereAndBack(t *testing.T) {
	example, err := os.ReadFile("../examples/complete/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	tf := &terraform{dir: t.TempDir()}
	path := filepath.Join(tf.dir, "main.tf")
	if err := os.WriteFile(path, example, 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if err := tf.weigh(2); err != nil {
		t.Fatal(err)
	}
	if read() == string(example) {
		t.Error("nothing changed")
	}
	if err := tf.weigh(1); err != nil {
		t.Fatal(err)
	}
	if read() != string(example) {
		t.Errorf("not as it was:\n%s", read())
	}
	if err := os.WriteFile(path, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tf.weigh(2); err == nil {
		t.Error("there is no weight, and none was missed")
	}
}

func TestProxiedHostsAreKnownByTheProxysPort(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	to := reach{ports: map[string]int{"a": 2201}, keyFile: "key"}
	to.knownHosts = write("known", "[127.0.0.1]:2201 ssh-ed25519 AAAA\n")
	to.sshConfig = write("config", "Host a\n  Port 2201\n  UserKnownHostsFile \""+to.knownHosts+"\"\n")
	r, proxies, err := proxied(filepath.Join(dir, "proxied"), to)
	if err != nil {
		t.Fatal(err)
	}
	p := proxies["a"]
	t.Cleanup(p.Close)
	for path, want := range map[string]string{
		r.knownHosts: fmt.Sprintf("[127.0.0.1]:%d ssh-ed25519 AAAA\n", p.Port()),
		r.sshConfig:  fmt.Sprintf("Host a\n  Port %d\n  UserKnownHostsFile %q\n", p.Port(), r.knownHosts),
	} {
		text, err := os.ReadFile(path)
		if err != nil || string(text) != want {
			t.Errorf("%q, %v, want %q", text, err, want)
		}
	}
	if r.ports["a"] != p.Port() || r.keyFile != "key" {
		t.Errorf("%+v", r)
	}
}
