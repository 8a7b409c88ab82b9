package provider

import (
	"context"
	"maps"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

var (
	_ resource.ResourceWithConfigure      = (*realServerResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*realServerResource)(nil)
	_ resource.ResourceWithValidateConfig = (*realServerResource)(nil)
	_ resource.ResourceWithImportState    = (*realServerResource)(nil)
)

func newRealServerResource() resource.Resource { return &realServerResource{} }

type realServerResource struct{ fleet *fleet }

type realServerModel struct {
	ID        types.String   `tfsdk:"id"`
	Host      types.String   `tfsdk:"host"`
	VIPs      types.Set      `tfsdk:"vips"`
	Address   types.String   `tfsdk:"address"`
	Install   types.Bool     `tfsdk:"install"`
	Redis     types.Map      `tfsdk:"redis"`
	Artifacts types.Map      `tfsdk:"artifacts"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

func (r *realServerResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_realserver"
}

func (r *realServerResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A host that answers for a VIP: the VIP as a host route on the loopback interface (label `lo:1`) and the ARP sysctls that keep the host silent about it, both live and kept across reboots. On request it runs the Redis servers too. One resource a host.",
		Attributes: map[string]schema.Attribute{
			"id":   idAttribute("The name of the host. It is the import id too."),
			"host": hostAttribute(),
			"vips": schema.SetAttribute{
				MarkdownDescription: "The VIPs that the host answers for, without prefix length.",
				Required:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(vipAddress)},
			},
			"address": schema.StringAttribute{
				MarkdownDescription: "The host's own address, by which a director sends packets to it. Default: the address on the interface whose subnet holds the first VIP.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{serverAddress},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"install": schema.BoolAttribute{
				MarkdownDescription: "Install redis-server with the host's package manager where `redis` is set and it is missing; Debian's own redis-server.service, which comes with it, is then disabled. With `false`, a missing package is an error. Default `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"redis":     redisAttribute(),
			"artifacts": artifactsAttribute(),
			"timeouts":  timeouts.AttributesAll(ctx),
		},
	}
}

func (r *realServerResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.fleet = fleetOf(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig looks at what only several attributes together can tell.
func (r *realServerResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var redis types.Map
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("redis"), &redis)...)
	validateRedis(ctx, redis, &resp.Diagnostics)
}

// spec is what package host takes. Write-only passwords are not part of the model,
// since they are kept neither in plan nor state: config has them, or is null.
func (m realServerModel) spec(config types.Map) host.RealServer {
	return host.RealServer{
		VIPs:    addressesIn(m.VIPs),
		Install: m.Install.ValueBool(),
		Redis:   redisOf(m.Redis, config, textsIn(m.Artifacts, "")),
	}
}

var noPasswords = types.MapNull(instanceType)

func (r *realServerResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.fleet == nil {
		return
	}
	var prior *realServerModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if req.Plan.Raw.IsNull() {
		r.warnOfInterruptions(prior, host.RealServer{}, &resp.Diagnostics)
		return
	}
	var plan realServerModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.ID = plan.Host
	plan.Artifacts = types.MapUnknown(types.StringType)
	// The host's own address follows the VIPs, unless the user gave it.
	var given types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("address"), &given)...)
	if given.IsNull() && !req.State.Raw.IsNull() {
		var vips types.Set
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("vips"), &vips)...)
		if !vips.Equal(plan.VIPs) {
			plan.Address = types.StringUnknown()
		}
	}
	if known(ctx, plan.VIPs, plan.Redis) {
		spec := plan.spec(noPasswords)
		var s *host.Snapshot
		if !plan.Host.IsUnknown() {
			s = r.fleet.lookAhead(ctx, plan.Host.ValueString(), &resp.Diagnostics)
		}
		plan.keepVersions(spec, prior, s)
		wanted := host.Wanted(spec.Artifacts())
		plan.Artifacts = artifactsValue(wanted)
		if s != nil {
			addProblems(&resp.Diagnostics, spec.Check(s, plan.Address.ValueString()))
			plan.setAddress(spec, s)
		}
		if prior != nil {
			warnOfUnreadIn(prior.Redis, plan.Redis, &resp.Diagnostics)
			warnOfRestarts(textsIn(prior.Artifacts, ""), wanted, spec.Redis, &resp.Diagnostics)
			if !prior.Host.Equal(plan.Host) { // it is replaced
				spec = host.RealServer{}
			}
			r.warnOfInterruptions(prior, spec, &resp.Diagnostics)
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// warnOfInterruptions goes by what was seen of the hosts, of which the real server may be
// one that is gone.
func (r *realServerResource) warnOfInterruptions(prior *realServerModel, planned host.RealServer, diags *diag.Diagnostics) {
	if prior == nil { // it could not be read
		return
	}
	own, _ := netip.ParseAddr(prior.Address.ValueString())
	addWarnings(diags, prior.spec(noPasswords).Interruptions(planned, own, r.fleet.seen()))
}

// keepVersions is [keepVersions] for what the resource was before; prior and s may be nil.
func (m realServerModel) keepVersions(spec host.RealServer, prior *realServerModel, s *host.Snapshot) {
	var before []host.Redis
	if prior != nil {
		before = prior.spec(noPasswords).Redis
	}
	keepVersions(spec.Redis, before, s)
}

// setAddress fills in the host's own address where the user left it to us.
func (m *realServerModel) setAddress(spec host.RealServer, s *host.Snapshot) {
	if !m.Address.IsUnknown() && !m.Address.IsNull() {
		return
	}
	if own, ok := spec.OwnAddress(s); ok {
		m.Address = types.StringValue(own.String())
	}
}

func (r *realServerResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan realServerModel
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

func (r *realServerResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior realServerModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	ctx, cancel := within(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	r.apply(ctx, &plan, &prior, req.Config, "Update", &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	}
}

// apply makes the host what the plan says and writes what is there into it.
func (r *realServerResource) apply(ctx context.Context, plan, prior *realServerModel, config tfsdk.Config, action string, diags *diag.Diagnostics) {
	var configured types.Map
	diags.Append(config.GetAttribute(ctx, path.Root("redis"), &configured)...)
	if diags.HasError() {
		return
	}
	name := plan.Host.ValueString()
	s, err := r.fleet.observe(ctx, name)
	if err != nil {
		diags.AddError("Unable to "+action+" Real Server", err.Error())
		return
	}
	spec := plan.spec(configured)
	if plan.Artifacts.IsUnknown() {
		plan.keepVersions(spec, prior, s)
	}
	want := spec.Artifacts()
	var gone []host.Artifact
	var seen map[string]string
	if prior != nil {
		seen = textsIn(prior.Artifacts, "")
		gone = host.Obsolete(prior.spec(noPasswords).Artifacts(), want)
		// What the plan could not show, since the real server before did not have it.
		if seen != nil {
			maps.Copy(seen, host.Found(host.Obsolete(want, prior.spec(noPasswords).Artifacts()), s))
		}
	}
	if addProblems(diags, spec.Check(s, plan.Address.ValueString())); diags.HasError() {
		return
	}
	if s, err = r.fleet.apply(ctx, name, want, gone, seen); err != nil {
		diags.AddError("Unable to "+action+" Real Server", err.Error())
		return
	}
	plan.ID = plan.Host
	plan.setAddress(spec, s)
	plan.Artifacts = artifactsValue(host.Found(want, s))
}

func (r *realServerResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state realServerModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	s, err := r.fleet.observe(ctx, state.Host.ValueString())
	if err != nil {
		notRead(&resp.Diagnostics, "Real Server", state.Artifacts.IsNull(), err)
		return
	}
	if state.VIPs.IsNull() { // after an import
		found, err := host.RealServerOn(s)
		if err != nil {
			resp.Diagnostics.AddError("Unable to Import Real Server", "Host "+state.Host.ValueString()+": "+err.Error())
			return
		}
		var vips []string
		for _, vip := range found.VIPs {
			vips = append(vips, vip.String())
		}
		state.VIPs, state.Redis, state.Install = stringSet(vips), redisValue(found.Redis), types.BoolValue(found.Install)
		state.Artifacts = artifactsValue(host.Found(found.Artifacts(), s)) // the versions of passwords
	}
	if state.Install.IsNull() { // of a state that does not know it yet
		state.Install = types.BoolValue(true)
	}
	spec := state.spec(noPasswords)
	if !host.Traces(spec.Artifacts(), s) {
		resp.State.RemoveResource(ctx)
		return
	}
	if own, err := netip.ParseAddr(state.Address.ValueString()); err != nil || !s.Has(own) {
		state.Address = types.StringNull()
		state.setAddress(spec, s)
	}
	state.ID = state.Host
	state.Artifacts = artifactsValue(host.Found(spec.Artifacts(), s))
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

func (r *realServerResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state realServerModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, state.Timeouts.Delete, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	spec := state.spec(noPasswords)
	if _, err := r.fleet.apply(ctx, state.Host.ValueString(), nil, spec.Artifacts(), textsIn(state.Artifacts, "")); err != nil {
		resp.Diagnostics.AddError("Unable to Delete Real Server", err.Error())
	}
}

func (r *realServerResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("host"), req, resp)
}
