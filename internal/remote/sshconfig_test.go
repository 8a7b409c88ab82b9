package remote_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

func TestSSHConfigSaysWhatSSHWouldDo(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	write := func(name, text string) string {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write(".ssh/second", "key")
	write(".ssh/third", "key")
	write(".ssh/id_ed25519", "key")
	write(".ssh/known_lb1", "")
	more := write(".ssh/more", "Host lb2\n  Port 2202\n")
	path := write("config", "Include "+more+`
Host lb1
  HostName 192.0.2.11
  User ops
  Port 2201
  IdentityFile ~/.ssh/first
  IdentityFile ~/.ssh/third
  IdentityFile ~/.ssh/second
  IdentitiesOnly yes
  UserKnownHostsFile /nonexistent/known ~/.ssh/known_%n
  StrictHostKeyChecking no
  ProxyJump jump@bastion:2222,inner,[2001:db8::1]:22
Host *.lan !x.lan
  HostName %h.example.com
  User lan
Match host m*
  User matched
Host only
  IdentitiesOnly yes
Host nokeys
  IdentitiesOnly yes
  IdentityFile none
Host free
  ProxyJump none
Host *
  Port 2200
  User root
`)
	c, err := remote.ReadSSHConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]remote.SSHHost{
		"lb1": {HostName: "192.0.2.11", User: "ops", Port: 2201, IdentityFiles: []string{home + "/.ssh/third", home + "/.ssh/second"}, IdentitiesOnly: true, KnownHostsFiles: []string{home + "/.ssh/known_lb1"},
			ProxyJump: []remote.Jump{{"bastion", "jump", 2222}, {"inner", "", 0}, {"2001:db8::1", "", 22}}},
		"lb2":   {User: "root", Port: 2202},
		"a.lan": {HostName: "a.lan.example.com", User: "lan", Port: 2200},
		"x.lan": {User: "root", Port: 2200},
		"m1":    {User: "matched", Port: 2200},
		"free":  {User: "root", Port: 2200},
		// ssh's own default files
		"only":   {User: "root", Port: 2200, IdentitiesOnly: true, IdentityFiles: []string{home + "/.ssh/id_ed25519"}},
		"nokeys": {User: "root", Port: 2200, IdentitiesOnly: true},
	} {
		got, err := c.Host(name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v (%v), want %+v", name, got, err, want)
		}
	}
}

func TestSSHConfigThatCannotBeFollowedIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, words string }{
		"port":         {"Host a\n Port ssh\n", `"ssh" is not a number`},
		"proxycommand": {"Host a\n ProxyCommand nc %h %p\n", "use ProxyJump"},
		"token":        {"Host a\n IdentityFile ~/%C\n", "not supported"},
		"exec":         {"Match exec true\n User a\n", "not understood"},
		"jump":         {"Host a\n ProxyJump %r@\n", "ProxyJump"},
	} {
		path := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := remote.ReadSSHConfig(path)
		if err == nil {
			_, err = cfg.Host("a")
		}
		var e *remote.ConfigError
		if !errors.As(err, &e) || e.Attribute != "ssh_config_file" {
			t.Errorf("%s: got %v, want a ConfigError", name, err)
			continue
		}
		says(t, err, c.words, path)
	}
	_, err := remote.ReadSSHConfig("/nonexistent/config")
	says(t, err, "ssh_config_file", "/nonexistent/config")
}
