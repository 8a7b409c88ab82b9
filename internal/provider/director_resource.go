package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

var (
	_ resource.ResourceWithConfigure   = (*directorResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*directorResource)(nil)
	_ resource.ResourceWithImportState = (*directorResource)(nil)
)

func newDirectorResource() resource.Resource { return &directorResource{} }

type directorResource struct{ fleet *fleet }

type directorModel struct {
	ID        types.String   `tfsdk:"id"`
	Host      types.String   `tfsdk:"host"`
	Install   types.Bool     `tfsdk:"install"`
	Adopt     types.Bool     `tfsdk:"adopt"`
	LoopGuard types.String   `tfsdk:"loop_guard"`
	VRRP      *vrrpModel     `tfsdk:"vrrp"`
	Artifacts types.Map      `tfsdk:"artifacts"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

type vrrpModel struct {
	Instance          types.String `tfsdk:"instance"`
	Interface         types.String `tfsdk:"interface"`
	VirtualRouterID   types.Int64  `tfsdk:"virtual_router_id"`
	Priority          types.Int64  `tfsdk:"priority"`
	AdvertInterval    types.String `tfsdk:"advert_interval"`
	PreemptDelay      types.String `tfsdk:"preempt_delay"`
	AuthPassWO        types.String `tfsdk:"auth_pass_wo"`
	AuthPassWOVersion types.Int64  `tfsdk:"auth_pass_wo_version"`
}

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
				MarkdownDescription: "Install keepalived and ipvsadm with the host's package manager where they are missing. With `false`, a missing package is an error.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"adopt": schema.BoolAttribute{
				MarkdownDescription: "Take over a `keepalived.conf` on the host that Terraform did not write. A copy is kept on the host and put back when the resource is destroyed. With `false`, such a file is an error and is left alone.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"loop_guard": schema.StringAttribute{
				MarkdownDescription: "What keeps two directors, both also real servers, from sending the same packet to each other: `backup_only` (the director that does not hold the VIP delivers what it receives locally, by the IPVS sync daemon's role).",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("backup_only"),
				Validators:          []validator.String{stringvalidator.OneOf("backup_only")},
			},
			"vrrp":      vrrpAttribute(),
			"artifacts": artifactsAttribute(),
			"timeouts":  timeouts.AttributesAll(ctx),
		},
	}
}

func vrrpAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "The VRRP instance that decides which director holds the VIPs.",
		Required:            true,
		Attributes: map[string]schema.Attribute{
			"instance": schema.StringAttribute{
				MarkdownDescription: "Name of the instance in keepalived's configuration.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("VI_1"),
				Validators:          []validator.String{stringCheck{"letters, digits and _ - .", keepalived.ValidateName}},
			},
			"interface": schema.StringAttribute{
				MarkdownDescription: "Network interface that the VIPs and the advertisements belong on.",
				Required:            true,
				Validators:          []validator.String{stringCheck{"the name of a network interface", keepalived.ValidateInterface}},
			},
			"virtual_router_id": schema.Int64Attribute{
				MarkdownDescription: "Number of the virtual router, 1 to 255: the same on the directors of one group, unique among the groups on one network. It is the id of the IPVS sync daemon too.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 255)},
			},
			"priority": schema.Int64Attribute{
				MarkdownDescription: "The director with the highest priority holds the VIPs: 1 to 254, different on each.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 254)},
			},
			"advert_interval": schema.StringAttribute{
				MarkdownDescription: "Time between two advertisements of the master, whole seconds; a backup takes over after three and a bit are missed. The same on all directors of a group.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("1s"),
				Validators:          []validator.String{duration(keepalived.ValidateAdvertInterval)},
			},
			"preempt_delay": schema.StringAttribute{
				MarkdownDescription: "How long a director with a higher priority waits before it takes the VIPs from a running master. Established connections survive that only if it is longer than it takes the sync daemon to tell of idle connections (10 seconds).",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("15s"),
				Validators:          []validator.String{duration(keepalived.ValidatePreemptDelay)},
			},
			"auth_pass_wo": schema.StringAttribute{
				MarkdownDescription: "Password that the directors of a group share, 1 to 8 characters. It is never kept in the state. VRRP sends it in clear: it guards against mistakes, not against an attacker on the network.",
				Optional:            true,
				Sensitive:           true,
				WriteOnly:           true,
				Validators: []validator.String{
					stringCheck{"1 to 8 characters", keepalived.ValidateAuthPass},
					stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("auth_pass_wo_version")),
				},
			},
			"auth_pass_wo_version": schema.Int64Attribute{
				MarkdownDescription: "Raise it to have a changed `auth_pass_wo` written.",
				Optional:            true,
				Validators: []validator.Int64{
					int64validator.AtLeast(0),
					int64validator.AlsoRequires(path.MatchRelative().AtParent().AtName("auth_pass_wo")),
				},
			},
		},
	}
}

func (r *directorResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.fleet = fleetOf(req.ProviderData, &resp.Diagnostics)
}

// spec is what package host takes. The password is not part of the model, since
// it is kept neither in plan nor state.
func (m directorModel) spec(password string) host.Director {
	v := m.VRRP
	d := host.Director{
		Name:     m.Host.ValueString(),
		Install:  m.Install.ValueBool(),
		Adopt:    m.Adopt.ValueBool(),
		Password: password,
		VRRP: keepalived.Director{
			Instance:        v.Instance.ValueString(),
			Interface:       v.Interface.ValueString(),
			VirtualRouterID: int(v.VirtualRouterID.ValueInt64()),
			Priority:        int(v.Priority.ValueInt64()),
			AdvertInterval:  mustDuration(v.AdvertInterval),
			PreemptDelay:    mustDuration(v.PreemptDelay),
		},
	}
	if !v.AuthPassWOVersion.IsNull() {
		version := v.AuthPassWOVersion.ValueInt64()
		d.PasswordVersion = &version
	}
	return d
}

func (m directorModel) known(ctx context.Context) bool {
	v := m.VRRP
	return known(ctx, v.Instance, v.Interface, v.VirtualRouterID, v.Priority, v.AdvertInterval, v.PreemptDelay, v.AuthPassWOVersion)
}

func (r *directorResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.fleet == nil {
		return
	}
	var plan directorModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.ID = plan.Host
	plan.Artifacts = types.MapUnknown(types.StringType)
	if plan.known(ctx) {
		spec := plan.spec("")
		plan.Artifacts = artifactsValue(host.Wanted(spec.Artifacts()))
		if !plan.Host.IsUnknown() {
			if s := r.fleet.lookAhead(ctx, plan.Host.ValueString(), &resp.Diagnostics); s != nil {
				addProblems(&resp.Diagnostics, spec.Check(s, req.State.Raw.IsNull()))
			}
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
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
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	}
}

// apply makes the host what the plan says and writes what is there into it.
func (r *directorResource) apply(ctx context.Context, plan, prior *directorModel, config tfsdk.Config, action string, diags *diag.Diagnostics) {
	var password types.String
	diags.Append(config.GetAttribute(ctx, path.Root("vrrp").AtName("auth_pass_wo"), &password)...)
	if diags.HasError() {
		return
	}
	spec := plan.spec(password.ValueString())
	// Only what was there before we came is foreign: later it is drift.
	spec.Adopt = spec.Adopt && prior == nil
	want := spec.Artifacts()
	var gone []host.Artifact
	if prior != nil {
		gone = host.Obsolete(prior.spec("").Artifacts(), want)
	}
	name := plan.Host.ValueString()
	s, err := r.fleet.observe(ctx, name)
	if err != nil {
		diags.AddError("Unable to "+action+" Director", err.Error())
		return
	}
	if addProblems(diags, spec.Check(s, prior == nil)); diags.HasError() {
		return
	}
	if s, err = r.fleet.apply(ctx, name, want, gone); err != nil {
		diags.AddError("Unable to "+action+" Director", err.Error())
		return
	}
	plan.ID = plan.Host
	plan.Artifacts = artifactsValue(host.Found(want, s))
}

func (r *directorResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state directorModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	s, err := r.fleet.observe(ctx, state.Host.ValueString())
	if err != nil {
		resp.Diagnostics.AddError("Unable to Read Director", err.Error())
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

// fill takes the attributes from what is on the host.
func (m *directorModel) fill(s *host.Snapshot) error {
	d, err := host.DirectorOn(s)
	if err != nil {
		return err
	}
	m.Install, m.Adopt = types.BoolValue(true), types.BoolValue(false)
	m.LoopGuard = types.StringValue("backup_only")
	m.VRRP = &vrrpModel{
		Instance:          types.StringValue(d.VRRP.Instance),
		Interface:         types.StringValue(d.VRRP.Interface),
		VirtualRouterID:   types.Int64Value(int64(d.VRRP.VirtualRouterID)),
		Priority:          types.Int64Value(int64(d.VRRP.Priority)),
		AdvertInterval:    durationValue(d.VRRP.AdvertInterval),
		PreemptDelay:      durationValue(d.VRRP.PreemptDelay),
		AuthPassWO:        types.StringNull(),
		AuthPassWOVersion: types.Int64PointerValue(d.PasswordVersion),
	}
	return nil
}

func (r *directorResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state directorModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, state.Timeouts.Delete, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	if _, err := r.fleet.apply(ctx, state.Host.ValueString(), nil, state.spec("").Artifacts()); err != nil {
		resp.Diagnostics.AddError("Unable to Delete Director", err.Error())
	}
}

func (r *directorResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("host"), req, resp)
}

// duration is a validator for a duration that keepalived takes.
func duration(check func(time.Duration) error) stringCheck {
	return stringCheck{"a duration such as 6s", func(text string) error {
		d, err := parseDuration(text)
		if err != nil {
			return err
		}
		return check(d)
	}}
}
