package provider

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

var (
	_ resource.ResourceWithConfigure      = (*directorResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*directorResource)(nil)
	_ resource.ResourceWithValidateConfig = (*directorResource)(nil)
	_ resource.ResourceWithImportState    = (*directorResource)(nil)
)

func newDirectorResource() resource.Resource { return &directorResource{} }

type directorResource struct{ fleet *fleet }

func (r *directorResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_director"
}

func (r *directorResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A host that can hold the VIP and spread its connections: keepalived installed, started and enabled, a VRRP instance, the kernel's IPVS with its connection synchronisation daemon, and a guard against packets that two directors send each other for ever. One resource a host.",
		Attributes: map[string]schema.Attribute{
			"id":   idAttribute("The name of the host. It is the import id too."),
			"host": hostAttribute(),
			"install": schema.BoolAttribute{
				MarkdownDescription: "Install keepalived, ipvsadm and nftables with the host's package manager where they are missing. With `false`, a missing package is an error.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"adopt": schema.BoolAttribute{
				MarkdownDescription: "Take over a `keepalived.conf` on the host that Terraform did not write. Its VIPs and virtual servers go on without a gap, as far as `redislb_vip` has a counterpart for them; a warning tells what is lost. A copy is kept on the host and put back when the resource is destroyed. With `false`, such a file is an error and is left alone.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"loop_guard": schema.StringAttribute{
				MarkdownDescription: "What keeps two directors, both also real servers, from sending the same packet to each other. The same on all directors of a group. Where it is left out, it is `backup_only`, or `config_swap` where the plan finds that the host's kernel has IPVS without `net.ipv4.vs.backup_only`, which a warning tells.\n" +
					"  - `backup_only` (default): the director that does not hold the VIP delivers what it receives locally, by the role of the IPVS sync daemon, which tells it of the connections by multicast. For one holder of all VIPs at a time and any scheduler.\n" +
					"  - `hash`: for active/active (`vrrp` of `redislb_vip`) too. There is no sync daemon. All directors draw the same real server for the same address and port of a client, and go on with each other's connections in the middle (`net.ipv4.vs.sloppy_tcp`). Each service of their VIPs needs `scheduler = \"mh\"` and `scheduler_flags = [\"mh-port\"]`, the plan of the `redislb_vip` says where not, and all directors the same real servers with the same weights. " +
					"What they draw also depends, for about one of a thousand connections, on the order in which the kernel was given the real servers, and a real server that failed comes back as the last one: with `inhibit_on_failure = true` and the flag `mh-fallback` besides it keeps its place. " +
					"To change a group from one guard to the other, apply the scheduler first, which suits both, and then the guard.\n" +
					"  - `source_mac`: for active/active too. What a director receives from the MAC address of another one it delivers locally. nftables marks it, by a rule that each `redislb_vip` with several directors brings along, for a virtual service by firewall mark with one real server, the host itself; both sync daemons run on all directors, whichever holds the VIPs. It asks nothing of the kernel that it had not before `backup_only`, and takes any scheduler, but not `forwarding = \"TUN\"`, where packets come without a MAC address. The directors reach real servers, and each other, by interfaces with an address on the network of the VIP or of a real server. A new network card is drift of the VIP, which the next apply heals.\n" +
					"  - `config_swap`: only the director that holds the VIPs has their services in its kernel, so that the others deliver what they receive locally. For kernels without `net.ipv4.vs.backup_only`, and any scheduler. When the role changes, keepalived loads the services, or drops them, by a reload of its configuration; it then checks the real servers, and sends each one nothing before it has found it well, so that new connections may have to wait for a `check.interval` of the service; there is no sync daemon, so a director knows nothing of connections that another one has spread: those to real servers on other machines break in a failover and when the VIPs are handed over.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{stringvalidator.OneOf(host.LoopGuards...)},
			},
			"drain": schema.BoolAttribute{
				MarkdownDescription: "Hand the VIPs over to another director and keep established connections, before the host is stopped or worked on: with `true`, the priority falls to keepalived's lowest, and the apply waits until the host holds no VIP. " +
					"Another director takes them after its `preempt_delay`, and with `preempt = false` never. If none does within a minute (within 45 seconds more than this director's own `preempt_delay`, where that is longer), the change is taken back and the apply fails. " +
					"A drained director still takes the VIPs when all others are gone. Back at `false`, it takes them after its `preempt_delay` if its priority is the higher one. Default `false`.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
			},
			"vrrp":          vrrpAttribute(),
			"ipvs_timeouts": ipvsTimeoutsAttribute(),
			"artifacts":     artifactsAttribute(),
			"timeouts":      timeouts.AttributesAll(ctx),
		},
	}
}

func (r *directorResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.fleet = fleetOf(req.ProviderData, &resp.Diagnostics)
}

func (r *directorResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.fleet == nil {
		return
	}
	if req.Plan.Raw.IsNull() {
		r.planDestroy(ctx, req.State, &resp.Diagnostics)
		return
	}
	var plan directorModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var prior *directorModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if prior != nil && prior.Host.Equal(plan.Host) {
		r.fleet.turns.announce(plan.Host.ValueString())
		defer func() {
			if resp.Diagnostics.HasError() || resp.Plan.Raw.Equal(req.State.Raw) {
				r.fleet.turns.withdraw(plan.Host.ValueString())
			}
		}()
	}
	plan.ID = plan.Host
	plan.Artifacts = types.MapUnknown(types.StringType)
	leftOut, before := r.guardLeftOut(ctx, req.Config, prior, &resp.Diagnostics)
	if leftOut {
		plan.LoopGuard = types.StringValue(string(before))
	}
	if plan.known(ctx) {
		spec := plan.spec("")
		if err := unfit(spec.VRRP); err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("vrrp"), "Invalid vrrp", err.Error())
			return
		}
		var s *host.Snapshot
		if !plan.Host.IsUnknown() {
			s = r.fleet.lookAhead(ctx, plan.Host.ValueString(), &resp.Diagnostics)
		}
		if leftOut {
			guard, chosen := host.GuardLeftOut(s, before)
			addWarnings(&resp.Diagnostics, chosen)
			plan.LoopGuard, spec.Guard = types.StringValue(string(guard)), guard
		}
		if spec.PasswordKept {
			*spec.PasswordVersion = plan.nextVersion(prior, s)
		}
		plan.Artifacts = artifactsValue(host.Wanted(spec.Artifacts()))
		if prior != nil && prior.VRRP != nil {
			warnOfUnread(prior.VRRP.AuthPass, spec.PasswordVersion != nil || spec.HMACVersion != nil, path.Root("vrrp").AtName("auth_pass"), &resp.Diagnostics)
		}
		if s != nil {
			addProblems(&resp.Diagnostics, spec.Check(s, prior == nil))
			if prior != nil {
				addWarnings(&resp.Diagnostics, spec.Interruptions(s))
			}
			addWarnings(&resp.Diagnostics, spec.Warnings(s))
		}
		r.compare(ctx, plan, spec, s, req.Config, &resp.Diagnostics)
	} else {
		if leftOut { // the host is looked at when the rest is known
			plan.LoopGuard = types.StringUnknown()
		}
		if !plan.Host.IsUnknown() {
			r.fleet.plans.forget(plan.Host.ValueString())
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// guardLeftOut reports whether the configuration names no loop guard, and which one there
// was before; the default where there was none.
func (r *directorResource) guardLeftOut(ctx context.Context, config tfsdk.Config, prior *directorModel, diags *diag.Diagnostics) (bool, host.LoopGuard) {
	var written types.String
	diags.Append(config.GetAttribute(ctx, path.Root("loop_guard"), &written)...)
	before := host.BackupOnly
	if prior != nil && !prior.LoopGuard.IsNull() {
		before = host.LoopGuard(prior.LoopGuard.ValueString())
	}
	return written.IsNull(), before
}

// compare looks at the director beside others of the plan.
func (r *directorResource) compare(ctx context.Context, plan directorModel, spec host.Director, s *host.Snapshot, config tfsdk.Config, diags *diag.Diagnostics) {
	if plan.Host.IsUnknown() {
		return
	}
	secrets := secretsIn(ctx, config, diags)
	spec.HMACKey = secrets.hmacKey
	if !spec.PasswordKept {
		spec.Password = secrets.password
	}
	r.fleet.plans.director(host.Member{Director: spec, Snapshot: s}, diags)
}

type directorSecrets struct{ password, hmacKey string }

// secretsIn reads what is kept neither in plan nor state; empty is none, or not known yet.
func secretsIn(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) directorSecrets {
	var password, key types.String
	diags.Append(config.GetAttribute(ctx, path.Root("vrrp").AtName("auth_pass_wo"), &password)...)
	diags.Append(config.GetAttribute(ctx, path.Root("vrrp").AtName("auth_hmac_wo"), &key)...)
	return directorSecrets{password.ValueString(), key.ValueString()}
}

// planDestroy goes by what was seen of the host: one that is gone may be destroyed too.
func (r *directorResource) planDestroy(ctx context.Context, state tfsdk.State, diags *diag.Diagnostics) {
	var name types.String
	diags.Append(state.GetAttribute(ctx, path.Root("host"), &name)...)
	r.fleet.plans.forget(name.ValueString())
	if s := r.fleet.seen()[name.ValueString()]; s != nil && s.HoldsVIP() {
		diags.AddWarning("VIPs Move", fmt.Sprintf("The director %q is removed, and holds VIPs. Before it goes it hands them over, as by its drain; where no other director takes them within a minute, they are gone with it, and connections break.", name.ValueString()))
	}
}

func (r *directorResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan directorModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	ctx, cancel := within(ctx, plan.Timeouts.Create, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	r.apply(ctx, &plan, nil, req.Config, "Create", &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	}
}

func (r *directorResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior directorModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	ctx, cancel := within(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	r.apply(ctx, &plan, &prior, req.Config, "Update", &resp.Diagnostics)
	r.fleet.turns.end(plan.Host.ValueString(), !resp.Diagnostics.HasError())
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	}
}

// apply makes the host what the plan says and writes what is there into it.
func (r *directorResource) apply(ctx context.Context, plan, prior *directorModel, config tfsdk.Config, action string, diags *diag.Diagnostics) {
	secrets := secretsIn(ctx, config, diags)
	if diags.HasError() {
		return
	}
	name := plan.Host.ValueString()
	s, err := r.fleet.observe(ctx, name)
	if err != nil {
		diags.AddError("Unable to "+action+" Director", err.Error())
		return
	}
	spec := plan.spec(secrets.password)
	spec.HMACKey = secrets.hmacKey
	if spec.PasswordKept && plan.Artifacts.IsUnknown() {
		*spec.PasswordVersion = plan.nextVersion(prior, s)
	}
	// Only what was there before we came is foreign: later it is drift.
	spec.Adopt = spec.Adopt && (prior == nil || s.Foreign())
	want := spec.Artifacts()
	var gone []host.Artifact
	var seen map[string]string
	if prior != nil {
		seen = textsIn(prior.Artifacts, "")
		gone = host.Obsolete(prior.spec("").Artifacts(), want)
	}
	if seen != nil {
		// What the plan could not show, since the director before did not have it.
		maps.Copy(seen, host.Found(host.Obsolete(want, prior.spec("").Artifacts()), s))
	}
	if addProblems(diags, spec.Check(s, prior == nil)); diags.HasError() {
		return
	}
	if prior != nil {
		if err := r.fleet.turns.await(ctx, name, s); err != nil {
			diags.AddError("Unable to "+action+" Director", err.Error())
			return
		}
	}
	if s, err = r.fleet.apply(ctx, name, want, gone, seen); err != nil {
		diags.AddError("Unable to "+action+" Director", err.Error())
		return
	}
	plan.ID = plan.Host
	plan.Artifacts = artifactsValue(host.Found(want, s))
}

func (r *directorResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state directorModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	s, err := r.fleet.observe(ctx, state.Host.ValueString())
	if err != nil {
		notRead(&resp.Diagnostics, "Director", state.Artifacts.IsNull(), err)
		return
	}
	if state.VRRP == nil { // after an import
		if err := state.fill(s); err != nil {
			resp.Diagnostics.AddError("Unable to Import Director", "Host "+state.Host.ValueString()+": "+err.Error())
			return
		}
	}
	artifacts := state.spec("").Artifacts()
	if !host.Traces(artifacts, s) {
		resp.State.RemoveResource(ctx)
		return
	}
	state.ID = state.Host
	state.Artifacts = artifactsValue(host.Found(artifacts, s))
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

func (r *directorResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state directorModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, state.Timeouts.Delete, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	name, seen := state.Host.ValueString(), textsIn(state.Artifacts, "")
	// Terraform destroys a director before it changes the VIPs that refer to it, which
	// may still be here. There may be no other one to take them: that is no reason to keep
	// this one.
	drained, err := r.fleet.drain(ctx, name)
	if err != nil {
		resp.Diagnostics.AddWarning("VIPs Not Handed Over", "The director is removed all the same, and connections by way of it break.\n\n"+err.Error())
	}
	if drained && seen != nil {
		maps.Copy(seen, host.Wanted([]host.Artifact{host.DrainFile(true)}))
	}
	if _, err := r.fleet.apply(ctx, name, nil, state.spec("").Artifacts(), seen); err != nil {
		resp.Diagnostics.AddError("Unable to Delete Director", err.Error())
	}
}

func (r *directorResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("host"), req, resp)
}
