package provider

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// connectionModel is what may be said of a connection, for all hosts in the
// provider block or for one in its hosts map.
type connectionModel struct {
	User                 types.String `tfsdk:"user"`
	Port                 types.Int64  `tfsdk:"port"`
	Password             types.String `tfsdk:"password"`
	PrivateKey           types.String `tfsdk:"private_key"`
	PrivateKeyFile       types.String `tfsdk:"private_key_file"`
	PrivateKeyPassphrase types.String `tfsdk:"private_key_passphrase"`
	Agent                types.Bool   `tfsdk:"agent"`
	KnownHosts           types.String `tfsdk:"known_hosts"`
	KnownHostsFile       types.String `tfsdk:"known_hosts_file"`
	HostKeyPolicy        types.String `tfsdk:"host_key_policy"`
	Become               types.Bool   `tfsdk:"become"`
	BecomePassword       types.String `tfsdk:"become_password"`
}

type hostModel struct {
	connectionModel
	Address types.String `tfsdk:"address"`
}

func connectionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"user": schema.StringAttribute{
			MarkdownDescription: "User to log in as. Default `root`. Another user needs `become`.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1), plainWord},
		},
		"port": schema.Int64Attribute{
			MarkdownDescription: "TCP port of the SSH server. Default 22.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.Between(1, 65535)},
		},
		"password": schema.StringAttribute{
			MarkdownDescription: "Password to log in with.",
			Optional:            true,
			Sensitive:           true,
		},
		"private_key": schema.StringAttribute{
			MarkdownDescription: "Private key to log in with, in OpenSSH or PEM format.",
			Optional:            true,
			Sensitive:           true,
		},
		"private_key_file": schema.StringAttribute{
			MarkdownDescription: "File that holds the private key. A leading `~/` is the home folder.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("private_key"))},
		},
		"private_key_passphrase": schema.StringAttribute{
			MarkdownDescription: "Passphrase of the private key.",
			Optional:            true,
			Sensitive:           true,
		},
		"agent": schema.BoolAttribute{
			MarkdownDescription: "Use the SSH agent (`SSH_AUTH_SOCK`). Default: true where neither a key nor a password is given.",
			Optional:            true,
		},
		"known_hosts": schema.StringAttribute{
			MarkdownDescription: "Host keys to trust, in the format of `known_hosts` (sshd(8)).",
			Optional:            true,
		},
		"known_hosts_file": schema.StringAttribute{
			MarkdownDescription: "File with host keys to trust. Default: `~/.ssh/known_hosts`, where `known_hosts` is not given.",
			Optional:            true,
		},
		"host_key_policy": schema.StringAttribute{
			MarkdownDescription: "`strict` (default): only a host whose key is known is talked to. `insecure`: any key is taken; whoever sits between can then read and change everything.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.OneOf(string(remote.HostKeyStrict), string(remote.HostKeyInsecure))},
		},
		"become": schema.BoolAttribute{
			MarkdownDescription: "Become root by `sudo` after the login. Default: true for any user but `root`.",
			Optional:            true,
		},
		"become_password": schema.StringAttribute{
			MarkdownDescription: "Password that `sudo` asks for. It reaches the host by the encrypted connection's standard input, never on a command line.",
			Optional:            true,
			Sensitive:           true,
		},
	}
}

// over returns the connection with the host's own settings where it has any. A
// credential or a source of host keys of the host's own replaces the one of its
// kind from the provider block.
func (c connectionModel) over(defaults connectionModel) connectionModel {
	merged := defaults
	if !c.PrivateKey.IsNull() || !c.PrivateKeyFile.IsNull() {
		merged.PrivateKey, merged.PrivateKeyFile, merged.PrivateKeyPassphrase = c.PrivateKey, c.PrivateKeyFile, c.PrivateKeyPassphrase
	}
	if !c.KnownHosts.IsNull() || !c.KnownHostsFile.IsNull() {
		merged.KnownHosts, merged.KnownHostsFile = c.KnownHosts, c.KnownHostsFile
	}
	override(&merged.User, c.User)
	override(&merged.Port, c.Port)
	override(&merged.Password, c.Password)
	override(&merged.PrivateKeyPassphrase, c.PrivateKeyPassphrase)
	override(&merged.Agent, c.Agent)
	override(&merged.HostKeyPolicy, c.HostKeyPolicy)
	override(&merged.Become, c.Become)
	override(&merged.BecomePassword, c.BecomePassword)
	return merged
}

func override[T attr.Value](into *T, value T) {
	if !value.IsNull() {
		*into = value
	}
}

// config turns the model into what package remote takes. Files are read here, so
// that a missing one is an error of the provider block.
func (c connectionModel) config(name, address string) (remote.Config, error) {
	cfg := remote.Config{
		Name:                 name,
		Address:              address,
		Port:                 22,
		User:                 "root",
		Password:             c.Password.ValueString(),
		PrivateKey:           []byte(c.PrivateKey.ValueString()),
		PrivateKeyPassphrase: c.PrivateKeyPassphrase.ValueString(),
		UseAgent:             c.Agent.ValueBool(),
		KnownHosts:           []byte(c.KnownHosts.ValueString()),
		HostKeyPolicy:        remote.HostKeyPolicy(c.HostKeyPolicy.ValueString()),
		BecomePassword:       c.BecomePassword.ValueString(),
	}
	if !c.Port.IsNull() {
		cfg.Port = int(c.Port.ValueInt64())
	}
	if !c.User.IsNull() {
		cfg.User = c.User.ValueString()
	}
	cfg.Become = cfg.User != "root"
	if !c.Become.IsNull() {
		cfg.Become = c.Become.ValueBool()
	}
	if file := c.PrivateKeyFile.ValueString(); file != "" {
		key, err := os.ReadFile(expandHome(file))
		if err != nil {
			return cfg, fmt.Errorf("unable to read private_key_file: %w", err)
		}
		cfg.PrivateKey = key
	}
	if c.Agent.IsNull() {
		cfg.UseAgent = len(cfg.PrivateKey) == 0 && cfg.Password == ""
	}
	switch file := c.KnownHostsFile.ValueString(); {
	case file != "":
		cfg.KnownHostsFiles = []string{expandHome(file)}
	case c.KnownHosts.IsNull():
		usual := expandHome("~/.ssh/known_hosts")
		if _, err := os.Stat(usual); err == nil {
			cfg.KnownHostsFiles = []string{usual}
		}
	}
	return cfg, nil
}

func expandHome(file string) string {
	rest, ok := strings.CutPrefix(file, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return file
	}
	return filepath.Join(home, rest)
}

// connections returns the configuration of every host that is named in the
// provider block, and the one that a host gets which is not.
func (m providerModel) connections(ctx context.Context) (byName map[string]remote.Config, unnamed func(string) (remote.Config, error), diags diag.Diagnostics) {
	var hosts map[string]hostModel
	diags.Append(m.Hosts.ElementsAs(ctx, &hosts, false)...)
	complete := func(cfg remote.Config) remote.Config {
		cfg.DialTimeout, _ = time.ParseDuration(m.DialTimeout.ValueString())
		cfg.CommandTimeout, _ = time.ParseDuration(m.CommandTimeout.ValueString())
		return cfg
	}
	byName = map[string]remote.Config{}
	for name, h := range hosts {
		address := name
		if !h.Address.IsNull() {
			address = h.Address.ValueString()
		}
		cfg, err := h.over(m.connectionModel).config(name, address)
		if err == nil {
			cfg = complete(cfg)
			err = cfg.Validate()
		}
		if err != nil {
			diags.AddAttributeError(path.Root("hosts").AtMapKey(name), "Unable to Configure Host", err.Error())
			continue
		}
		byName[name] = cfg
	}
	unnamed = func(address string) (remote.Config, error) {
		cfg, err := m.config(address, address)
		if err != nil {
			return cfg, err
		}
		cfg = complete(cfg)
		return cfg, cfg.Validate()
	}
	return byName, unnamed, diags
}
