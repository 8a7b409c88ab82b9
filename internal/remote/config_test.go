package remote_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestValidateNamesTheAttribute(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	s := remotetest.NewServer(t, remotetest.Options{})
	if err := s.Config().Validate(); err != nil {
		t.Fatalf("a good configuration: %v", err)
	}
	for name, c := range map[string]struct {
		change    func(*remote.Config)
		attribute string
		words     string
	}{
		"no address":        {func(c *remote.Config) { c.Address = "" }, "address", "not a host name"},
		"user in address":   {func(c *remote.Config) { c.Address = "root@h" }, "address", "root@h"},
		"port too large":    {func(c *remote.Config) { c.Port = 65536 }, "port", "65536"},
		"port negative":     {func(c *remote.Config) { c.Port = -1 }, "port", "-1"},
		"no user":           {func(c *remote.Config) { c.User = "" }, "user", "not a user name"},
		"negative timeout":  {func(c *remote.Config) { c.DialTimeout = -time.Second }, "timeouts", "negative"},
		"sudo line break":   {func(c *remote.Config) { c.BecomePassword = "a\nb" }, "become_password", "line break"},
		"not a key":         {func(c *remote.Config) { c.PrivateKey = []byte("ssh-ed25519 AAAA") }, "private_key", "without .pub"},
		"no agent":          {func(c *remote.Config) { c.UseAgent = true }, "agent", "SSH_AUTH_SOCK"},
		"no credential":     {func(c *remote.Config) { c.PrivateKey = nil }, "private_key", "nothing to log in with"},
		"bad known_hosts":   {func(c *remote.Config) { c.KnownHosts = []byte("\nhost ssh-ed25519 !!!") }, "known_hosts", "line:2"},
		"no such file":      {func(c *remote.Config) { c.KnownHostsFiles = []string{"/no/such"} }, "known_hosts_file", "/no/such"},
		"no known_hosts":    {func(c *remote.Config) { c.KnownHosts = nil }, "known_hosts", "insecure"},
		"unknown policy":    {func(c *remote.Config) { c.HostKeyPolicy = "lax" }, "host_key_policy", "lax"},
		"bracketed address": {func(c *remote.Config) { c.Address = "[::1]" }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := s.Config()
			c.change(&cfg)
			err := cfg.Validate()
			if c.attribute == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			var e *remote.ConfigError
			if !errors.As(err, &e) || e.Attribute != c.attribute || e.Name != "test" {
				t.Fatalf("got %#v (%v), want a ConfigError of %s", e, err, c.attribute)
			}
			says(t, err, c.words, `host "test"`)
		})
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]remote.Config{
		"root@192.0.2.1:22":         {User: "root", Address: "192.0.2.1"},
		"a@[2001:db8::1]:2222":      {User: "a", Address: "2001:db8::1", Port: 2222},
		"a@[2001:db8::2]:22":        {User: "a", Address: "[2001:db8::2]"},
		"root@lb1.example.com:2022": {User: "root", Address: "lb1.example.com", Port: 2022},
	} {
		equal(t, "target", remote.NewClient(cfg).Target(), want)
	}
}

func TestPrintedConfigShowsNoSecret(t *testing.T) {
	t.Parallel()
	cfg := remote.Config{Name: "a", Address: "192.0.2.1", User: "root", Password: "PASSWORD-1", PrivateKey: []byte("PRIVATE-1"),
		PrivateKeyPassphrase: "PASSPHRASE-1", BecomePassword: "BECOME-1"}
	client := remote.NewClient(cfg)
	var out bytes.Buffer
	for _, v := range []any{cfg, &cfg, client, []remote.Config{cfg}, map[string]remote.Config{"x": cfg}, struct{ C remote.Config }{cfg}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		b, _ := json.Marshal(v)
		out.Write(b)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	for _, s := range []string{"PASSWORD-1", "PRIVATE-1", "PASSPHRASE-1", "BECOME-1", fmt.Sprintf("%x", "PASSWORD-1"), fmt.Sprint([]byte("PRIVATE-1"))} {
		if strings.Contains(out.String(), s) {
			t.Errorf("%q is shown:\n%s", s, out.String())
		}
	}
	if !strings.Contains(out.String(), "root@192.0.2.1:22") {
		t.Error("not even the target is shown")
	}
}
