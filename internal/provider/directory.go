package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// errNotConfigured says that the provider block holds values of a host which are
// not known before the apply (hosts that the same apply makes).
var errNotConfigured = errors.New("the provider's configuration of the host holds values that are known only after the apply: nothing can be said of the host yet")

// directory knows how to reach every host. What concerns one host only may be
// unknown without the others' harm.
type directory struct {
	defaults       connectionModel // the provider block, over the environment
	hosts          map[string]hostModel
	unknown        map[string]bool // hosts of which nothing is known, not even what is set
	allUnknown     bool            // nor which hosts there are
	commandTimeout time.Duration
	ssh            *remote.SSHConfig // nil if there is none
	accepted       *remote.AcceptedKeys
	jumps          *remote.JumpHosts
}

func newDirectory(ctx context.Context, m providerModel) (*directory, diag.Diagnostics) {
	var diags diag.Diagnostics
	fail := func(at path.Path, err error) {
		diags.AddAttributeError(at, "Unable to Configure Hosts", err.Error())
	}
	environment, err := fromEnvironment()
	if err != nil {
		fail(path.Empty(), err)
	}
	d := &directory{defaults: m.over(environment), hosts: map[string]hostModel{}, unknown: map[string]bool{}, accepted: new(remote.AcceptedKeys), jumps: new(remote.JumpHosts)}
	limit, file := orEnvironment(m.CommandTimeout, "command_timeout"), orEnvironment(m.SSHConfigFile, "ssh_config_file")
	d.allUnknown = m.Hosts.IsUnknown() || limit.IsUnknown() || file.IsUnknown()
	if text := limit.ValueString(); text != "" {
		if err := isPositiveDuration(text); err != nil {
			fail(path.Root("command_timeout"), fmt.Errorf("command_timeout: %w", err))
		}
		d.commandTimeout, _ = time.ParseDuration(text)
	}
	if name := file.ValueString(); name != "" {
		if d.ssh, err = remote.ReadSSHConfig(expandHome(name)); err != nil {
			fail(path.Root("ssh_config_file"), err)
		}
	}
	for name, value := range m.Hosts.Elements() {
		object, ok := value.(types.Object)
		if !ok || object.IsUnknown() {
			d.unknown[name] = true
			continue
		}
		var h hostModel
		diags.Append(object.As(ctx, &h, basetypes.ObjectAsOptions{})...)
		d.hosts[name] = h
	}
	return d, diags
}

// validate looks at all hosts of the provider block that are known.
func (d *directory) validate() (diags diag.Diagnostics) {
	for name := range d.hosts {
		if _, err := d.config(name); err != nil && !errors.Is(err, errNotConfigured) {
			diags.AddAttributeError(path.Root("hosts").AtMapKey(name), "Unable to Configure Host", err.Error())
		}
	}
	return diags
}

// config returns how to reach a host, with the hosts on the way.
func (d *directory) config(name string) (remote.Config, error) {
	cfg, own, err := d.lone(remote.Jump{Host: name})
	if err != nil {
		return cfg, err
	}
	names, inherited := own, false
	if names == nil && given(d.defaults.JumpHosts) {
		inherited = true
		for _, n := range listed(d.defaults.JumpHosts) {
			if n == name { // it is on everybody's way itself
				break
			}
			names = append(names, remote.Jump{Host: n})
		}
	}
	cfg.Jumps, err = d.way(names, []string{name})
	if err != nil && inherited && errors.Is(err, errCircle) {
		err = fmt.Errorf("%w; give this host jump_hosts of its own ([] for none)", err)
	}
	if err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

var errCircle = errors.New("jump_hosts: the way goes in a circle")

// way returns the jump hosts in order: those of the first one's own come before it,
// as for ssh -J. passed are the hosts that the way leads to.
func (d *directory) way(names []remote.Jump, passed []string) ([]remote.Config, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var way []remote.Config
	for i, n := range names {
		if slices.Contains(passed, n.Host) {
			return nil, fmt.Errorf("%w: %s", errCircle, strings.Join(append(slices.Clone(passed), n.Host), " by "))
		}
		cfg, own, err := d.lone(n)
		if err != nil {
			return nil, fmt.Errorf("jump host %q: %w", n.Host, err)
		}
		if i == 0 {
			if way, err = d.way(own, append(slices.Clone(passed), n.Host)); err != nil {
				return nil, err
			}
		}
		way = append(way, cfg)
	}
	return way, nil
}

// lone returns how to reach a host without those on the way, and the hosts on the
// way that are its own; nil if it says nothing of them.
func (d *directory) lone(j remote.Jump) (cfg remote.Config, own []remote.Jump, err error) {
	h, listedHere := d.hosts[j.Host]
	merged := h.over(d.defaults)
	if !listedHere {
		merged = d.defaults
	}
	if d.allUnknown || d.unknown[j.Host] || h.Address.IsUnknown() || !merged.settled() {
		return cfg, nil, fmt.Errorf("host %q: %w", j.Host, errNotConfigured)
	}
	address := cmp.Or(h.Address.ValueString(), j.Host)
	var ssh remote.SSHHost
	if d.ssh != nil {
		if ssh, err = d.ssh.Host(address); err != nil {
			return cfg, nil, err
		}
	}
	if cfg, err = merged.config(j.Host, address, ssh); err != nil {
		return cfg, nil, fmt.Errorf("host %q: %w", j.Host, err)
	}
	if j.User != "" {
		cfg.User = j.User
	}
	cfg.Port = cmp.Or(j.Port, cfg.Port)
	cfg.CommandTimeout, cfg.Accepted, cfg.SharedJumps = d.commandTimeout, d.accepted, d.jumps
	switch {
	case given(h.JumpHosts):
		own = []remote.Jump{}
		for _, n := range listed(h.JumpHosts) {
			own = append(own, remote.Jump{Host: n})
		}
	case !given(d.defaults.JumpHosts):
		own = ssh.ProxyJump
	}
	return cfg, own, nil
}

// listed returns the strings of a list.
func listed(list types.List) []string {
	var texts []string
	for _, e := range list.Elements() {
		if text, ok := e.(types.String); ok {
			texts = append(texts, text.ValueString())
		}
	}
	return texts
}
