package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

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
