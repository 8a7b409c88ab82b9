package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// ValidateConfig looks at what only several attributes together can tell. Where the
// whole of vrrp is a variable of a module, it is not known yet.
func (r *directorResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var vrrp, timeouts types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("ipvs_timeouts"), &timeouts)...)
	warnOfShortTimeout(timeouts, &resp.Diagnostics)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("vrrp"), &vrrp)...)
	if v := objectIn[vrrpModel](vrrp); v != nil {
		v.validate(ctx, &resp.Diagnostics)
	}
}

func (v *vrrpModel) validate(ctx context.Context, diags *diag.Diagnostics) {
	at := path.Root("vrrp")
	advert, err := parseDuration(v.AdvertInterval.ValueString())
	if err == nil && !v.Version.IsUnknown() && keepalived.ValidateAdvertInterval(advert) == nil {
		if err := keepalived.ValidateAdvertIntervalOf(advert, v.version3()); err != nil {
			diags.AddAttributeError(at.AtName("advert_interval"), "Invalid advert_interval", err.Error())
		}
	}
	if v.version3() && (!v.AuthPass.IsNull() || !v.AuthPassWO.IsNull()) {
		diags.AddAttributeError(at.AtName("version"), "VRRP Version 3 Has No Password", "VRRP version 3 has no authentication, and keepalived ignores it: leave the password out, or leave version at 2.")
	}
	if v.noPreempt() && !v.Preempt.IsUnknown() {
		diags.AddAttributeWarning(at.AtName("preempt"), "No Drain without Preemption",
			"With preempt = false, this director takes the VIPs from no running master, whatever their priorities: a drain of the other director, and what that one tracks, cannot move the VIPs here. They move when the other one ends or goes into fault, which breaks established connections. To keep connections when a director comes back, preempt_delay is enough.")
		if !v.PreemptDelay.IsNull() && v.PreemptDelay.ValueString() != defaultPreemptDelay { // which Terraform writes for an import
			diags.AddAttributeError(at.AtName("preempt_delay"), "Delay without Preemption", "preempt_delay says how long to wait before preempting, which preempt = false forbids; keepalived refuses both together. Leave one of them out.")
		}
	}
	u := objectIn[unicastModel](v.Unicast)
	if u != nil && known(ctx, v.Unicast) && len(addressesIn(u.Peers)) == len(u.Peers.Elements()) { // else a validator has spoken
		if err := v.unicast().Validate(); err != nil {
			diags.AddAttributeError(at.AtName("unicast"), "Invalid unicast", err.Error())
		}
	}
	for name := range v.TrackInterfaces.Elements() {
		if name == v.Interface.ValueString() {
			diags.AddAttributeError(at.AtName("track_interfaces").AtMapKey(name), "Interface Is Tracked Already", fmt.Sprintf("%q is the interface of the VRRP instance, which is tracked by itself: without it, the director is in fault. Leave it out here.", name))
		}
	}
}

// unfit is what keepalived would not take, for what the attributes' own validators and
// validate do not see; nil: nothing.
func unfit(d keepalived.Director) error {
	d.RouterID = "host" // it follows from the host's name
	return d.Validate()
}
