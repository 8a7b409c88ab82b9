package provider

import (
	"context"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

var (
	_ resource.ResourceWithConfigure   = (*realServerResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*realServerResource)(nil)
	_ resource.ResourceWithImportState = (*realServerResource)(nil)
)

func newRealServerResource() resource.Resource { return &realServerResource{} }

type realServerResource struct{ fleet *fleet }

type realServerModel struct {
	ID        types.String   `tfsdk:"id"`
	Host      types.String   `tfsdk:"host"`
	VIPs      types.Set      `tfsdk:"vips"`
	Address   types.String   `tfsdk:"address"`
	Artifacts types.Map      `tfsdk:"artifacts"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

func (r *realServerResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_realserver"
}

func (r *realServerResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A host that answers for a VIP: the VIP as a host route on the loopback interface (label `lo:1`) and the ARP sysctls that keep the host silent about it, both live and kept across reboots. One resource a host.",
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
			"artifacts": artifactsAttribute(),
			"timeouts":  timeouts.AttributesAll(ctx),
		},
	}
}

func (r *realServerResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.fleet = fleetOf(req.ProviderData, &resp.Diagnostics)
}

// spec is what package host takes.
func (m realServerModel) spec() host.RealServer {
	return host.RealServer{VIPs: addressesIn(m.VIPs)}
}

func (r *realServerResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.fleet == nil {
		return
	}
	var plan realServerModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.ID = plan.Host
	plan.Artifacts = types.MapUnknown(types.StringType)
	spec := plan.spec()
	if known(ctx, plan.VIPs) {
		plan.Artifacts = artifactsValue(host.Wanted(spec.Artifacts()))
	}
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
	if known(ctx, plan.VIPs, plan.Host) {
		if s := r.fleet.lookAhead(ctx, plan.Host.ValueString(), &resp.Diagnostics); s != nil {
			addProblems(&resp.Diagnostics, spec.Check(s, plan.Address.ValueString()))
			plan.setAddress(spec, s)
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
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
	r.apply(ctx, &plan, nil, "Create", &resp.Diagnostics)
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
	r.apply(ctx, &plan, &prior, "Update", &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	}
}

// apply makes the host what the plan says and writes what is there into it.
func (r *realServerResource) apply(ctx context.Context, plan, prior *realServerModel, action string, diags *diag.Diagnostics) {
	spec := plan.spec()
	want := spec.Artifacts()
	var gone []host.Artifact
	var seen map[string]string
	if prior != nil {
		seen = textsIn(prior.Artifacts, "")
		gone = host.Obsolete(prior.spec().Artifacts(), want)
	}
	name := plan.Host.ValueString()
	s, err := r.fleet.observe(ctx, name)
	if err != nil {
		diags.AddError("Unable to "+action+" Real Server", err.Error())
		return
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
		var vips []string
		for _, vip := range host.RealServerOn(s).VIPs {
			vips = append(vips, vip.String())
		}
		state.VIPs = stringSet(vips)
	}
	spec := state.spec()
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
	spec := state.spec()
	if _, err := r.fleet.apply(ctx, state.Host.ValueString(), nil, spec.Artifacts(), textsIn(state.Artifacts, "")); err != nil {
		resp.Diagnostics.AddError("Unable to Delete Real Server", err.Error())
	}
}

func (r *realServerResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("host"), req, resp)
}
