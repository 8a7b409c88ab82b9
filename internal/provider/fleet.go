package provider

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// fleet is the hosts of one Terraform operation, each with one connection. Terraform
// does not tell when the operation is over, so nobody closes them: each connection
// ends by itself half a minute after its last use, and is dialled again on need.
type fleet struct {
	directory *directory
	plans     *plans
	turns     turns
	reach     func(remote.Config) host.Conn

	mu    sync.Mutex
	hosts map[string]*host.Host
}

func newFleet(ctx context.Context, m providerModel, reach func(remote.Config) host.Conn) (*fleet, diag.Diagnostics) {
	d, diags := newDirectory(ctx, m)
	if !diags.HasError() {
		diags.Append(d.validate()...)
	}
	return &fleet{directory: d, plans: newPlans(), reach: reach, hosts: map[string]*host.Host{}}, diags
}

// host returns the host of that name; nothing is dialled.
func (f *fleet) host(name string) (*host.Host, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, ok := f.hosts[name]; ok {
		return h, nil
	}
	cfg, err := f.directory.config(name)
	if err != nil {
		return nil, err
	}
	h := host.New(name, f.reach(cfg))
	f.hosts[name] = h
	return h, nil
}

// observe returns what is on the host.
func (f *fleet) observe(ctx context.Context, name string) (*host.Snapshot, error) {
	h, err := f.host(name)
	if err != nil {
		return nil, err
	}
	tflog.Debug(ctx, "observing the host", map[string]any{"host": name, "target": h.Target()})
	return h.Observe(ctx)
}

// seen is what was found on the hosts that were looked at; nothing is dialled for it.
func (f *fleet) seen() map[string]*host.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	snapshots := map[string]*host.Snapshot{}
	for name, h := range f.hosts {
		if s := h.Seen(); s != nil {
			snapshots[name] = s
		}
	}
	return snapshots
}

// apply changes the host and returns what is on it afterwards. Seen is what the plan
// showed of it, nil where it showed nothing.
func (f *fleet) apply(ctx context.Context, name string, want, gone []host.Artifact, seen map[string]string) (*host.Snapshot, error) {
	h, err := f.host(name)
	if err != nil {
		return nil, err
	}
	tflog.Info(ctx, "making the host what is wanted", map[string]any{"host": name, "target": h.Target(), "wanted": len(want), "obsolete": len(gone)})
	return h.ApplyPlanned(ctx, want, gone, seen)
}

// drain gives the VIPs of the host to another director; see [host.Host.Drain].
func (f *fleet) drain(ctx context.Context, name string) (bool, error) {
	h, err := f.host(name)
	if err != nil {
		return false, err
	}
	tflog.Info(ctx, "handing over what VIPs the host holds", map[string]any{"host": name, "target": h.Target()})
	return h.Drain(ctx)
}

// lookAhead observes a host while a plan is made. A host that cannot be reached
// yet, because the same apply makes it, is no error: the plan then shows what will
// be written, the checks that need the host come at apply, and a warning says so.
func (f *fleet) lookAhead(ctx context.Context, name string, diags *diag.Diagnostics) *host.Snapshot {
	s, err := f.observe(ctx, name)
	switch {
	case err == nil:
		return s
	case errors.Is(err, errNotConfigured):
	case remote.Unreachable(err):
		diags.AddWarning("Host Not Checked", "The host cannot be reached, so the plan was made without a look at it. That is as it should be if the same apply makes the host; otherwise the apply will fail:\n\n"+err.Error())
	default:
		diags.AddError("Unable to Read Host", err.Error())
	}
	return nil
}

// notRead reports a host that could not be looked at for a resource that exists. Where the
// provider block holds values of it that are known only after the apply (an address
// that the same apply changes), the state stays as it is; an import has none to keep.
func notRead(diags *diag.Diagnostics, resource string, imported bool, err error) {
	if errors.Is(err, errNotConfigured) && !imported {
		diags.AddWarning("Host Not Checked", "The "+resource+" is planned as Terraform last saw it, without a look at the host:\n\n"+err.Error())
		return
	}
	diags.AddError("Unable to Read "+resource, err.Error())
}
