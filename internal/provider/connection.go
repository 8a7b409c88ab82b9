package provider

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
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
	Certificate          types.String `tfsdk:"certificate"`
	CertificateFile      types.String `tfsdk:"certificate_file"`
	Agent                types.Bool   `tfsdk:"agent"`
	AgentIdentity        types.String `tfsdk:"agent_identity"`
	HostKey              types.String `tfsdk:"host_key"`
	HostCA               types.String `tfsdk:"host_ca"`
	KnownHosts           types.String `tfsdk:"known_hosts"`
	KnownHostsFile       types.String `tfsdk:"known_hosts_file"`
	HostKeyPolicy        types.String `tfsdk:"host_key_policy"`
	JumpHosts            types.List   `tfsdk:"jump_hosts"`
	Become               types.Bool   `tfsdk:"become"`
	BecomePassword       types.String `tfsdk:"become_password"`
	MaxSessions          types.Int64  `tfsdk:"max_sessions"`
	DialTimeout          types.String `tfsdk:"dial_timeout"`
}

type hostModel struct {
	connectionModel
	Address types.String `tfsdk:"address"`
}

// over returns the connection with the host's own settings where it has any. A
// credential or a source of host keys of the host's own replaces the one of its
// kind from the provider block.
func (c connectionModel) over(defaults connectionModel) connectionModel {
	merged := defaults
	if given(c.PrivateKey, c.PrivateKeyFile) {
		merged.PrivateKey, merged.PrivateKeyFile, merged.PrivateKeyPassphrase = types.StringNull(), types.StringNull(), types.StringNull()
		merged.Certificate, merged.CertificateFile = types.StringNull(), types.StringNull()
	}
	if given(c.Certificate, c.CertificateFile) {
		merged.Certificate, merged.CertificateFile = types.StringNull(), types.StringNull()
	}
	if given(c.KnownHosts, c.KnownHostsFile, c.HostKey, c.HostCA) {
		merged.KnownHosts, merged.KnownHostsFile, merged.HostKey, merged.HostCA = types.StringNull(), types.StringNull(), types.StringNull(), types.StringNull()
	}
	own, into := reflect.ValueOf(c), reflect.ValueOf(&merged).Elem()
	for i := range own.NumField() {
		if given(own.Field(i).Interface().(attr.Value)) {
			into.Field(i).Set(own.Field(i))
		}
	}
	return merged
}

// given reports whether any of the values is there, be it unknown.
func given(values ...attr.Value) bool {
	for _, v := range values {
		if !v.IsNull() {
			return true
		}
	}
	return false
}

// settled reports whether no value is left to be known after the apply.
func (c connectionModel) settled() bool {
	for i := range reflect.TypeFor[connectionModel]().NumField() {
		v := reflect.ValueOf(c).Field(i).Interface().(attr.Value)
		if list, ok := v.(types.List); ok {
			for _, e := range list.Elements() {
				if e.IsUnknown() {
					return false
				}
			}
		}
		if v.IsUnknown() {
			return false
		}
	}
	return true
}

// config turns the model into what package remote takes. Files are read here, so
// that a missing one is an error of the provider block. What neither the block nor
// the environment says is taken from ssh_config.
func (c connectionModel) config(name, address string, ssh remote.SSHHost) (remote.Config, error) {
	cfg := remote.Config{
		Name:                 name,
		Address:              address,
		Port:                 22,
		User:                 "root",
		Password:             c.Password.ValueString(),
		PrivateKey:           []byte(c.PrivateKey.ValueString()),
		PrivateKeyPassphrase: c.PrivateKeyPassphrase.ValueString(),
		Certificate:          []byte(c.Certificate.ValueString()),
		UseAgent:             c.Agent.ValueBool(),
		AgentIdentity:        c.AgentIdentity.ValueString(),
		HostKey:              c.HostKey.ValueString(),
		HostCA:               c.HostCA.ValueString(),
		KnownHosts:           []byte(c.KnownHosts.ValueString()),
		HostKeyPolicy:        remote.HostKeyPolicy(c.HostKeyPolicy.ValueString()),
		BecomePassword:       c.BecomePassword.ValueString(),
		MaxSessions:          int(c.MaxSessions.ValueInt64()),
	}
	if given(c.DialTimeout) {
		limit, err := time.ParseDuration(c.DialTimeout.ValueString())
		if err != nil || limit <= 0 {
			return cfg, fmt.Errorf("dial_timeout: %q is not a duration above zero, such as \"30s\"", c.DialTimeout.ValueString())
		}
		cfg.DialTimeout = limit
	}
	switch {
	case given(c.Port):
		cfg.Port = int(c.Port.ValueInt64())
	case ssh.Port != 0:
		cfg.Port = ssh.Port
	}
	switch {
	case given(c.User):
		cfg.User = c.User.ValueString()
	case ssh.User != "":
		cfg.User = ssh.User
	}
	if ssh.HostName != "" {
		cfg.Address = ssh.HostName
	}
	cfg.Become = cfg.User != "root"
	if given(c.Become) {
		cfg.Become = c.Become.ValueBool()
	}
	if err := c.login(&cfg, ssh); err != nil {
		return cfg, err
	}
	c.agent(&cfg)
	switch file := c.KnownHostsFile.ValueString(); {
	case file != "":
		cfg.KnownHostsFiles = []string{expandHome(file)}
	case given(c.KnownHosts, c.HostKey, c.HostCA):
	case len(ssh.KnownHostsFiles) > 0:
		cfg.KnownHostsFiles = ssh.KnownHostsFiles
	default:
		usual := expandHome("~/.ssh/known_hosts")
		if _, err := os.Stat(usual); err == nil || cfg.HostKeyPolicy == remote.HostKeyAcceptNew && filepath.IsAbs(usual) {
			cfg.KnownHostsFiles = []string{usual}
		}
	}
	return cfg, nil
}

// login reads the files of the credentials.
func (c connectionModel) login(cfg *remote.Config, ssh remote.SSHHost) error {
	if given(c.PrivateKey) && given(c.PrivateKeyFile) {
		return errors.New("private_key and private_key_file are both given; leave one of them out")
	}
	if given(c.Certificate) && given(c.CertificateFile) {
		return errors.New("certificate and certificate_file are both given; leave one of them out")
	}
	for _, f := range []struct {
		attribute, file string
		into            *[]byte
	}{
		{"private_key_file", c.PrivateKeyFile.ValueString(), &cfg.PrivateKey},
		{"certificate_file", c.CertificateFile.ValueString(), &cfg.Certificate},
	} {
		if f.file == "" {
			continue
		}
		content, err := os.ReadFile(expandHome(f.file))
		if err != nil {
			return fmt.Errorf("unable to read %s: %w", f.attribute, err)
		}
		*f.into = content
	}
	if !given(c.PrivateKey, c.PrivateKeyFile, c.AgentIdentity) {
		cfg.IdentityFiles = ssh.IdentityFiles
	}
	cfg.IdentitiesOnly = ssh.IdentitiesOnly
	return nil
}

// agent decides whether the agent is asked. Where it is only for the sake of keys
// that ssh_config names, it shows no others.
func (c connectionModel) agent(cfg *remote.Config) {
	if given(c.Agent) {
		cfg.UseAgent = c.Agent.ValueBool()
		return
	}
	left := 0 // files that are of use only with the agent
	for _, file := range cfg.IdentityFiles {
		if cfg.PrivateKeyPassphrase == "" && remote.AgentOnly(file) {
			left++
		}
	}
	switch files := len(cfg.IdentityFiles); {
	case files > 0:
		cfg.UseAgent = left > 0 && os.Getenv("SSH_AUTH_SOCK") != "" || left == files && cfg.Password == ""
		cfg.IdentitiesOnly = true
	default:
		cfg.UseAgent = cfg.AgentIdentity != "" || len(cfg.PrivateKey) == 0 && cfg.Password == ""
	}
}

func expandHome(file string) string {
	rest, ok := strings.CutPrefix(file, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return file
	}
	return filepath.Join(home, rest)
}
