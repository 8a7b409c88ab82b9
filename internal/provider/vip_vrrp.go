package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// instance is the VRRP instance of the VIP's own with the priorities of the directors; nil:
// it has none. All of it must be known.
func (m vipModel) instance() (*keepalived.VIPInstance, map[string]int) {
	v := objectIn[vipVRRPModel](m.VRRP)
	if v == nil {
		return nil, nil
	}
	priorities := map[string]int{}
	for name, value := range v.Priorities.Elements() {
		if n, ok := value.(types.Int64); ok {
			priorities[name] = int(n.ValueInt64())
		}
	}
	return &keepalived.VIPInstance{VirtualRouterID: int(v.VirtualRouterID.ValueInt64())}, priorities
}

// validateInstance compares the priorities with each other and with the directors, as far
// as they are known.
func (m vipModel) validateInstance(ctx context.Context, diags *diag.Diagnostics) {
	v := objectIn[vipVRRPModel](m.VRRP)
	if v == nil || !known(ctx, v.Priorities) {
		return
	}
	at := path.Root("vrrp").AtName("priorities")
	_, priorities := m.instance()
	of := map[int]string{}
	for _, name := range sortedKeys(priorities) {
		if other, taken := of[priorities[name]]; taken {
			diags.AddAttributeError(at.AtMapKey(name), "Equal Priorities",
				fmt.Sprintf("The directors %q and %q have the same priority %d for the VIP, so that it is the higher address that decides which of them holds it. Give the one that is to hold it the higher priority.", other, name, priorities[name]))
		}
		of[priorities[name]] = name
	}
	if !known(ctx, m.Directors) {
		return
	}
	directors := stringsIn(m.Directors)
	for _, name := range directors {
		if _, ok := priorities[name]; !ok {
			diags.AddAttributeError(at, "Missing Priority", fmt.Sprintf("%q is one of the directors of the VIP, and has no priority for it: add one, other than those of the others.", name))
		}
	}
	for _, name := range sortedKeys(priorities) {
		if !slices.Contains(directors, name) {
			diags.AddAttributeError(at.AtMapKey(name), "Priority of No Director", fmt.Sprintf("%q has a priority for the VIP, and is none of its directors, which are %s: leave it out, or add it to directors.", name, list(directors)))
		}
	}
}

// vipVRRPValue is the inverse of instance.
func vipVRRPValue(v host.VIP) types.Object {
	if v.VRRP == nil {
		return types.ObjectNull(vipVRRPType.AttrTypes)
	}
	priorities := map[string]attr.Value{}
	for name, priority := range v.Priorities {
		priorities[name] = types.Int64Value(int64(priority))
	}
	return types.ObjectValueMust(vipVRRPType.AttrTypes, map[string]attr.Value{
		"virtual_router_id": types.Int64Value(int64(v.VRRP.VirtualRouterID)),
		"priorities":        types.MapValueMust(types.Int64Type, priorities),
	})
}
