package provider

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func text(s string) types.String { return types.StringValue(s) }

// filled sets every attribute of a connection to a value that has the mark in it.
func filled(mark string, number int64, truth bool) connectionModel {
	var c connectionModel
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		switch v.Field(i).Interface().(type) {
		case types.String:
			v.Field(i).Set(reflect.ValueOf(text(mark + v.Type().Field(i).Name)))
		case types.Int64:
			v.Field(i).Set(reflect.ValueOf(types.Int64Value(number)))
		case types.Bool:
			v.Field(i).Set(reflect.ValueOf(types.BoolValue(truth)))
		case types.List:
			v.Field(i).Set(reflect.ValueOf(stringList([]string{mark + v.Type().Field(i).Name})))
		default:
			panic("a type that this test does not know")
		}
	}
	return c
}

func TestEachSettingOfAHostWinsAndTheOthersStay(t *testing.T) {
	defaults, own := filled("default ", 22, false), filled("own ", 2222, true)
	// What takes something else with it.
	with := map[string][]string{
		"PrivateKey":      {"PrivateKeyFile", "PrivateKeyPassphrase", "Certificate", "CertificateFile"},
		"PrivateKeyFile":  {"PrivateKey", "PrivateKeyPassphrase", "Certificate", "CertificateFile"},
		"Certificate":     {"CertificateFile"},
		"CertificateFile": {"Certificate"},
		"KnownHosts":      {"KnownHostsFile", "HostKey", "HostCA"},
		"KnownHostsFile":  {"KnownHosts", "HostKey", "HostCA"},
		"HostKey":         {"KnownHosts", "KnownHostsFile", "HostCA"},
		"HostCA":          {"KnownHosts", "KnownHostsFile", "HostKey"},
	}
	kind := reflect.TypeFor[connectionModel]()
	for i := range kind.NumField() {
		name := kind.Field(i).Name
		t.Run(name, func(t *testing.T) {
			var h connectionModel
			reflect.ValueOf(&h).Elem().Field(i).Set(reflect.ValueOf(own).Field(i))
			got := reflect.ValueOf(h.over(defaults))
			for j := range kind.NumField() {
				want := reflect.ValueOf(defaults).Field(j).Interface().(attr.Value)
				if j == i {
					want = reflect.ValueOf(own).Field(j).Interface().(attr.Value)
				}
				have := got.Field(j).Interface().(attr.Value)
				replaced := false
				for _, other := range with[name] {
					replaced = replaced || other == kind.Field(j).Name
				}
				if replaced {
					if !have.IsNull() {
						t.Errorf("%s is still the provider's: %v", kind.Field(j).Name, have)
					}
				} else if !have.Equal(want) {
					t.Errorf("%s: got %v, want %v", kind.Field(j).Name, have, want)
				}
			}
		})
	}
	if got := (connectionModel{}).over(defaults); !reflect.DeepEqual(got, defaults) {
		t.Errorf("a host that says nothing: got %v", got)
	}
	if got := own.over(defaults); !reflect.DeepEqual(got, own) {
		t.Errorf("a host that says everything: got %v", got)
	}
}

func configOf(t *testing.T, c connectionModel) remote.Config {
	t.Helper()
	cfg, err := c.config("a", "192.0.2.11", remote.SSHHost{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDefaultsOfAConnection(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	bare := configOf(t, connectionModel{})
	if bare.Name != "a" || bare.Address != "192.0.2.11" || bare.Port != 22 || bare.User != "root" {
		t.Errorf("got %v", bare)
	}
	if bare.HostKeyPolicy == remote.HostKeyInsecure {
		t.Error("host keys are not verified by default")
	}
	for name, c := range map[string]struct {
		model         connectionModel
		become, agent bool
	}{
		"root":                {connectionModel{}, false, true},
		"root by name":        {connectionModel{User: text("root")}, false, true},
		"another user":        {connectionModel{User: text("admin")}, true, true},
		"another, no become":  {connectionModel{User: text("admin"), Become: types.BoolValue(false)}, false, true},
		"root, become":        {connectionModel{Become: types.BoolValue(true)}, true, true},
		"password":            {connectionModel{Password: text("x")}, false, false},
		"key":                 {connectionModel{PrivateKey: text("x")}, false, false},
		"key and agent":       {connectionModel{PrivateKey: text("x"), Agent: types.BoolValue(true)}, false, true},
		"no agent, nor other": {connectionModel{Agent: types.BoolValue(false)}, false, false},
	} {
		cfg := configOf(t, c.model)
		if cfg.Become != c.become || cfg.UseAgent != c.agent {
			t.Errorf("%s: become is %v, agent is %v", name, cfg.Become, cfg.UseAgent)
		}
	}
}

func TestFilesInTheHomeFolderAreFound(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, file := range []string{".ssh/id", ".ssh/known_hosts", ".ssh/other"} {
		path := filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := configOf(t, connectionModel{PrivateKeyFile: text("~/.ssh/id")})
	if string(cfg.PrivateKey) != ".ssh/id" || cfg.UseAgent {
		t.Errorf("got key %q, agent %v", cfg.PrivateKey, cfg.UseAgent)
	}
	for name, c := range map[string]struct {
		model connectionModel
		want  []string
	}{
		"nothing said": {connectionModel{}, []string{home + "/.ssh/known_hosts"}},
		"inline":       {connectionModel{KnownHosts: text("x")}, nil},
		"file":         {connectionModel{KnownHostsFile: text("~/.ssh/other")}, []string{home + "/.ssh/other"}},
		"both":         {connectionModel{KnownHosts: text("x"), KnownHostsFile: text("/x")}, []string{"/x"}},
	} {
		if got := configOf(t, c.model).KnownHostsFiles; fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	for in, want := range map[string]string{"~/a": home + "/a", "/~/a": "/~/a", "~a/b": "~a/b", "a": "a"} {
		if got := expandHome(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMissingKeyFileIsNamed(t *testing.T) {
	_, err := connectionModel{PrivateKeyFile: text("/nonexistent/key")}.config("a", "a", remote.SSHHost{})
	if err == nil || !strings.Contains(err.Error(), "private_key_file") || !strings.Contains(err.Error(), "/nonexistent/key") {
		t.Errorf("got %v", err)
	}
}

func TestHostsOfTheMapAndOthersGetTheirConfiguration(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	signer, key := remotetest.NewKey(t)
	keys := "* " + string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	a := hostValue(t, connectionModel{Port: types.Int64Value(2222)}, text("192.0.2.11"))
	b := hostValue(t, connectionModel{User: text("admin")}, types.StringNull())
	m := providerModel{
		connectionModel: connectionModel{PrivateKey: text(string(key)), Port: types.Int64Value(22022), KnownHosts: text(keys), DialTimeout: text("5s")},
		CommandTimeout:  text("1m"),
		Hosts:           types.MapValueMust(a.Type(t.Context()), map[string]attr.Value{"a": a, "b": b}),
	}
	d, diags := newDirectory(t.Context(), m)
	diags.Append(d.validate()...)
	if diags.HasError() {
		t.Fatal(diags)
	}
	for name, target := range map[string]string{
		"a":          "root@192.0.2.11:2222",
		"b":          "admin@b:22022",
		"192.0.2.13": "root@192.0.2.13:22022",
	} {
		cfg, err := d.config(name)
		if err != nil || cfg.Target() != target {
			t.Errorf("%s: got %s (%v), want %s", name, cfg.Target(), err, target)
		}
		if cfg.Name != name || cfg.DialTimeout != 5*time.Second || cfg.CommandTimeout != time.Minute || string(cfg.PrivateKey) != string(key) {
			t.Errorf("%s: got %v", name, cfg)
		}
	}
}

func mustConfig(t *testing.T, f *fleet, name string) remote.Config {
	t.Helper()
	cfg, err := f.directory.config(name)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestFleetHandsOutOneHostAName(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	signer, _ := remotetest.NewKey(t)
	keys := "* " + string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	f, diags := newFleet(t.Context(), providerModel{connectionModel: connectionModel{Password: text("x"), KnownHosts: text(keys)}, Hosts: types.MapNull(types.ObjectType{})}, overSSH)
	if diags.HasError() {
		t.Fatal(diags)
	}
	one, err := f.host("a")
	if err != nil {
		t.Fatal(err)
	}
	if two, _ := f.host("a"); one != two {
		t.Error("a second connection")
	}
	if other, _ := f.host("b"); one == other {
		t.Error("two names share a connection")
	}
	if a, b := mustConfig(t, f, "a"), mustConfig(t, f, "b"); a.SharedJumps == nil || a.SharedJumps != b.SharedJumps {
		t.Error("two hosts do not share the connections to jump hosts")
	}
	unknown, _ := newFleet(t.Context(), providerModel{Hosts: types.MapUnknown(types.ObjectType{})}, overSSH)
	if _, err := unknown.host("a"); !errors.Is(err, errNotConfigured) {
		t.Errorf("got %v", err)
	}
}
