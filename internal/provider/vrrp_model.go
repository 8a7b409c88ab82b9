package provider

import (
	"context"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

type vrrpModel struct {
	Instance          types.String `tfsdk:"instance"`
	Interface         types.String `tfsdk:"interface"`
	VirtualRouterID   types.Int64  `tfsdk:"virtual_router_id"`
	Priority          types.Int64  `tfsdk:"priority"`
	Version           types.Int64  `tfsdk:"version"`
	AdvertInterval    types.String `tfsdk:"advert_interval"`
	Preempt           types.Bool   `tfsdk:"preempt"`
	PreemptDelay      types.String `tfsdk:"preempt_delay"`
	Unicast           types.Object `tfsdk:"unicast"`
	GARP              types.Object `tfsdk:"garp"`
	TrackInterfaces   types.Map    `tfsdk:"track_interfaces"`
	TrackProcesses    types.Map    `tfsdk:"track_processes"`
	TrackScripts      types.Map    `tfsdk:"track_scripts"`
	TrackFiles        types.Map    `tfsdk:"track_files"`
	Notify            types.Object `tfsdk:"notify"`
	AuthPass          types.String `tfsdk:"auth_pass"`
	AuthPassWO        types.String `tfsdk:"auth_pass_wo"`
	AuthPassWOVersion types.Int64  `tfsdk:"auth_pass_wo_version"`
	AuthHMACWO        types.String `tfsdk:"auth_hmac_wo"`
	AuthHMACWOVersion types.Int64  `tfsdk:"auth_hmac_wo_version"`
}

type unicastModel struct {
	Source types.String `tfsdk:"source"`
	Peers  types.Set    `tfsdk:"peers"`
}

type garpModel struct {
	MasterDelay         types.String `tfsdk:"master_delay"`
	MasterRepeat        types.Int64  `tfsdk:"master_repeat"`
	MasterRefresh       types.String `tfsdk:"master_refresh"`
	MasterRefreshRepeat types.Int64  `tfsdk:"master_refresh_repeat"`
	LowerPrioDelay      types.String `tfsdk:"lower_prio_delay"`
	LowerPrioRepeat     types.Int64  `tfsdk:"lower_prio_repeat"`
}

type notifyModel struct {
	Master types.String `tfsdk:"master"`
	Backup types.String `tfsdk:"backup"`
	Fault  types.String `tfsdk:"fault"`
	Stop   types.String `tfsdk:"stop"`
}

func (v *vrrpModel) known(ctx context.Context) bool {
	return known(ctx, v.Instance, v.Interface, v.VirtualRouterID, v.Priority, v.Version, v.AdvertInterval, v.Preempt, v.PreemptDelay,
		v.Unicast, v.GARP, v.TrackInterfaces, v.TrackProcesses, v.TrackScripts, v.TrackFiles, v.Notify, v.AuthPass, v.AuthPassWOVersion, v.AuthHMACWOVersion)
}

// director is what package keepalived takes. A state from before there was an
// attribute has null for it, which is the default.
func (v *vrrpModel) director() keepalived.Director {
	d := keepalived.Director{
		Instance:        v.Instance.ValueString(),
		Interface:       v.Interface.ValueString(),
		VirtualRouterID: int(v.VirtualRouterID.ValueInt64()),
		Priority:        int(v.Priority.ValueInt64()),
		Version3:        v.version3(),
		AdvertInterval:  mustDuration(v.AdvertInterval),
		NoPreempt:       v.noPreempt(),
		Unicast:         v.unicast(),
		Track:           v.track(),
	}
	if !d.NoPreempt {
		d.PreemptDelay = mustDuration(v.PreemptDelay)
	}
	if g := objectIn[garpModel](v.GARP); g != nil {
		d.GARP = &keepalived.GARP{
			MasterDelay: mustDuration(g.MasterDelay), MasterRepeat: int(g.MasterRepeat.ValueInt64()),
			MasterRefresh: mustDuration(g.MasterRefresh), MasterRefreshRepeat: int(g.MasterRefreshRepeat.ValueInt64()),
			LowerPrioDelay: mustDuration(g.LowerPrioDelay), LowerPrioRepeat: int(g.LowerPrioRepeat.ValueInt64()),
		}
	}
	if n := objectIn[notifyModel](v.Notify); n != nil {
		d.Notify = keepalived.Notify{
			Master: n.Master.ValueString(), Backup: n.Backup.ValueString(), Fault: n.Fault.ValueString(), Stop: n.Stop.ValueString(),
		}
	}
	return d
}

func (v *vrrpModel) unicast() *keepalived.Unicast {
	u := objectIn[unicastModel](v.Unicast)
	if u == nil {
		return nil
	}
	source, _ := netip.ParseAddr(u.Source.ValueString())
	return &keepalived.Unicast{Source: source, Peers: addressesIn(u.Peers)}
}

func (v *vrrpModel) version3() bool  { return v.Version.ValueInt64() == 3 }
func (v *vrrpModel) noPreempt() bool { return !v.Preempt.IsNull() && !v.Preempt.ValueBool() }

// vrrpOf is the inverse of director, without a password.
func vrrpOf(d keepalived.Director) *vrrpModel {
	v := &vrrpModel{
		Instance:        types.StringValue(d.Instance),
		Interface:       types.StringValue(d.Interface),
		VirtualRouterID: types.Int64Value(int64(d.VirtualRouterID)),
		Priority:        types.Int64Value(int64(d.Priority)),
		Version:         types.Int64Value(2),
		AdvertInterval:  durationValue(d.AdvertInterval),
		Preempt:         types.BoolValue(!d.NoPreempt),
		PreemptDelay:    durationValue(d.PreemptDelay),
		Unicast:         types.ObjectNull(vrrpObject("unicast")),
		GARP:            types.ObjectNull(vrrpObject("garp")),
		Notify:          types.ObjectNull(vrrpObject("notify")),
	}
	if d.Version3 {
		v.Version = types.Int64Value(3)
	}
	if d.NoPreempt { // it is not written then
		v.PreemptDelay = types.StringValue(defaultPreemptDelay)
	}
	if u := d.Unicast; u != nil {
		var peers []string
		for _, peer := range u.Peers {
			peers = append(peers, peer.String())
		}
		m := unicastModel{Source: types.StringNull(), Peers: stringSet(peers)}
		if u.Source.IsValid() {
			m.Source = types.StringValue(u.Source.String())
		}
		v.Unicast = objectOf("unicast", m)
	}
	if g := d.GARP; g != nil {
		v.GARP = objectOf("garp", garpOf(*g))
	}
	if n := d.Notify; n != (keepalived.Notify{}) {
		v.Notify = objectOf("notify", notifyModel{orNull(n.Master), orNull(n.Backup), orNull(n.Fault), orNull(n.Stop)})
	}
	v.setTrack(d.Track)
	return v
}

func garpOf(g keepalived.GARP) garpModel {
	return garpModel{
		durationValue(g.MasterDelay), types.Int64Value(int64(g.MasterRepeat)),
		durationValue(g.MasterRefresh), types.Int64Value(int64(g.MasterRefreshRepeat)),
		durationValue(g.LowerPrioDelay), types.Int64Value(int64(g.LowerPrioRepeat)),
	}
}

func orNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// objectIn decodes an object that is known; nil: it is null or unknown. What its
// fields are is checked with the schema, so nothing can fail.
func objectIn[T any](object types.Object) *T {
	if object.IsNull() || object.IsUnknown() {
		return nil
	}
	var value T
	object.As(context.Background(), &value, basetypes.ObjectAsOptions{})
	return &value
}

// mapIn is objectIn for a map of objects.
func mapIn[T any](objects types.Map) map[string]T {
	values := map[string]T{}
	if !objects.IsNull() && !objects.IsUnknown() {
		objects.ElementsAs(context.Background(), &values, false)
	}
	return values
}
