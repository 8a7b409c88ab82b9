package provider

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// hostValue is an entry of hosts.
func hostValue(t *testing.T, c connectionModel, address types.String) attr.Value {
	kinds := map[string]attr.Type{"address": types.StringType}
	values := map[string]attr.Value{"address": address}
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("tfsdk")
		values[name] = nothingOrItself(v.Field(i).Interface().(attr.Value))
		kinds[name] = values[name].Type(t.Context())
	}
	return types.ObjectValueMust(kinds, values)
}

func nothingOrItself(v attr.Value) attr.Value {
	if list, ok := v.(types.List); ok && list.IsNull() {
		return types.ListNull(types.StringType)
	}
	return v
}

// directoryOf makes a directory whose hosts trust one key and log in with a
// password.
func directoryOf(t *testing.T, defaults connectionModel, hosts map[string]connectionModel, change ...func(*providerModel)) *directory {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	signer, _ := remotetest.NewKey(t)
	defaults.Password = text("x")
	defaults.HostKey = text(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))))
	kind := hostValue(t, connectionModel{}, types.StringNull()).Type(t.Context())
	entries := map[string]attr.Value{}
	for name, h := range hosts {
		entries[name] = hostValue(t, h, text(name+".example.com"))
	}
	m := providerModel{connectionModel: defaults, Hosts: types.MapValueMust(kind, entries)}
	for _, f := range change {
		f(&m)
	}
	d, diags := newDirectory(t.Context(), m)
	if diags.HasError() {
		t.Fatal(diags)
	}
	return d
}

func wayTo(t *testing.T, d *directory, name string) string {
	t.Helper()
	cfg, err := d.config(name)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	var way []string
	for _, j := range cfg.Jumps {
		way = append(way, j.Target())
	}
	return strings.Join(append(way, cfg.Target()), " ")
}

func by(names ...string) connectionModel { return connectionModel{JumpHosts: stringList(names)} }

func TestWayToEachHost(t *testing.T) {
	bastion := by("outer")
	bastion.User, bastion.Port = text("ops"), types.Int64Value(2222)
	d := directoryOf(t, connectionModel{}, map[string]connectionModel{"a": by("bastion", "inner"), "bastion": bastion, "inner": by("elsewhere"), "direct": {}})
	for name, want := range map[string]string{
		// The first one's own way comes before it, a later one's does not.
		"a":       "root@outer:22 ops@bastion.example.com:2222 root@inner.example.com:22 root@a.example.com:22",
		"bastion": "root@outer:22 ops@bastion.example.com:2222",
		"direct":  "root@direct.example.com:22",
		"other":   "root@other:22",
	} {
		if got := wayTo(t, d, name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	d = directoryOf(t, by("one", "two"), map[string]connectionModel{"a": {}, "two": {}, "direct": by()})
	for name, want := range map[string]string{
		"a":      "root@one:22 root@two.example.com:22 root@a.example.com:22",
		"one":    "root@one:22",
		"two":    "root@one:22 root@two.example.com:22",
		"direct": "root@direct.example.com:22",
	} {
		if got := wayTo(t, d, name); got != want {
			t.Errorf("all by two: %s: got %s, want %s", name, got, want)
		}
	}
}

func TestWayInACircleIsAnErrorOfTheHost(t *testing.T) {
	d := directoryOf(t, connectionModel{}, map[string]connectionModel{"a": by("b"), "b": by("c"), "c": by("a"), "self": by("self")})
	for name, want := range map[string]string{"a": "a by b by c by a", "self": "self by self"} {
		if _, err := d.config(name); !errors.Is(err, errCircle) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if diags := d.validate(); diags.ErrorsCount() != 4 {
		t.Errorf("got %v", diags)
	}
}

func TestSSHConfigFillsWhatIsSetNowhereElse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	config := "Host alias\n HostName 192.0.2.9\nHost bastion\n Port 2022\nHost alias a.example.com\n User deploy\n Port 2200\n ProxyJump jump@bastion:2222,second\n StrictHostKeyChecking no\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	use := func(m *providerModel) { m.SSHConfigFile = text(file) }
	d := directoryOf(t, connectionModel{}, map[string]connectionModel{"a": {User: text("own")}, "plain": {}}, use)
	for name, want := range map[string]string{
		"alias": "jump@bastion:2222 root@second:22 deploy@192.0.2.9:2200",
		"a":     "jump@bastion:2222 root@second:22 own@a.example.com:2200",
		"plain": "root@plain.example.com:22",
	} {
		if got := wayTo(t, d, name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	t.Setenv("REDISLB_USER", "environment")
	d = directoryOf(t, connectionModel{Port: types.Int64Value(24)}, nil, use)
	if got := wayTo(t, d, "alias"); got != "jump@bastion:2222 environment@second:24 environment@192.0.2.9:24" {
		t.Errorf("under the block and the environment: %s", got)
	}
	if cfg, _ := d.config("alias"); cfg.HostKeyPolicy == remote.HostKeyInsecure || cfg.HostKeyPolicy == remote.HostKeyAcceptNew {
		t.Error("ssh_config weakened the policy")
	}
}

func TestEncryptedIdentityFileIsLeftToTheAgent(t *testing.T) {
	locked, err := os.ReadFile("../remote/testdata/encrypted_key")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, locked, 0o600); err != nil {
		t.Fatal(err)
	}
	_, plain := remotetest.NewKey(t)
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		model       connectionModel
		ssh         remote.SSHHost
		socket      string
		files       int
		agent, only bool
	}{
		"encrypted":                {connectionModel{}, remote.SSHHost{IdentityFiles: []string{file}}, "", 1, true, true},
		"its passphrase":           {connectionModel{PrivateKeyPassphrase: text("x")}, remote.SSHHost{IdentityFiles: []string{file}}, "/x", 1, false, true},
		"a password":               {connectionModel{Password: text("x")}, remote.SSHHost{IdentityFiles: []string{file}}, "", 1, false, true},
		"another one, no agent":    {connectionModel{}, remote.SSHHost{IdentityFiles: []string{file, open}}, "", 2, false, true},
		"another one, an agent":    {connectionModel{}, remote.SSHHost{IdentityFiles: []string{file, open}}, "/x", 2, true, true},
		"none encrypted":           {connectionModel{}, remote.SSHHost{IdentityFiles: []string{open}}, "/x", 1, false, true},
		"no agent":                 {connectionModel{Agent: types.BoolValue(false)}, remote.SSHHost{IdentityFiles: []string{file}}, "/x", 1, false, false},
		"all of the agent":         {connectionModel{Agent: types.BoolValue(true)}, remote.SSHHost{IdentityFiles: []string{open}}, "/x", 1, true, false},
		"named ones of the agent":  {connectionModel{Agent: types.BoolValue(true)}, remote.SSHHost{IdentityFiles: []string{open}, IdentitiesOnly: true}, "/x", 1, true, true},
		"own key and agent":        {connectionModel{Agent: types.BoolValue(true), PrivateKey: text("x")}, remote.SSHHost{IdentityFiles: []string{open}, IdentitiesOnly: true}, "/x", 0, true, true},
		"own identity of an agent": {connectionModel{AgentIdentity: text("x")}, remote.SSHHost{IdentityFiles: []string{open}}, "/x", 0, true, false},
	} {
		t.Setenv("SSH_AUTH_SOCK", c.socket)
		cfg, err := c.model.config("a", "a", c.ssh)
		if err != nil || len(cfg.IdentityFiles) != c.files || cfg.UseAgent != c.agent || cfg.IdentitiesOnly != c.only {
			t.Errorf("%s: got %v, agent is %v, identities only is %v (%v)", name, cfg.IdentityFiles, cfg.UseAgent, cfg.IdentitiesOnly, err)
		}
	}
}

func TestUnknownValueOfOneHostLeavesTheOthers(t *testing.T) {
	d := directoryOf(t, connectionModel{User: types.StringUnknown()}, map[string]connectionModel{
		"known":   {User: text("root")},
		"user":    {},
		"pass":    {User: text("root"), Password: types.StringUnknown()},
		"jump":    {User: text("root"), JumpHosts: stringList([]string{"pass"})},
		"jumpers": {User: text("root"), JumpHosts: types.ListValueMust(types.StringType, []attr.Value{types.StringUnknown()})},
	})
	d.unknown["whole"] = true
	for name, known := range map[string]bool{"known": true, "user": false, "pass": false, "jump": false, "jumpers": false, "whole": false, "unlisted": false} {
		if _, err := d.config(name); errors.Is(err, errNotConfigured) == known || known && err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if diags := d.validate(); diags.HasError() {
		t.Errorf("what is not known yet is called wrong: %v", diags)
	}
}
