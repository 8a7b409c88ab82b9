package provider

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// stateOf is a state of the resource with these attributes; nil is none.
func stateOf(t *testing.T, r resource.Resource, values map[string]any) tfsdk.State {
	t.Helper()
	var schema resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil)}
	for name, value := range values {
		if diags := state.SetAttribute(t.Context(), path.Root(name), value); diags.HasError() {
			t.Fatal(diags)
		}
	}
	return state
}

// warnings are those of a plan that leads from one state to another; neither may fail.
func warnings(t *testing.T, r resource.ResourceWithModifyPlan, before, after map[string]any) string {
	t.Helper()
	to := stateOf(t, r, after)
	resp := resource.ModifyPlanResponse{Plan: tfsdk.Plan(to)}
	r.ModifyPlan(t.Context(), resource.ModifyPlanRequest{State: stateOf(t, r, before), Plan: tfsdk.Plan(to), Config: tfsdk.Config(to)}, &resp)
	if resp.Diagnostics.HasError() {
		t.Fatalf("%v", resp.Diagnostics)
	}
	return summaries(resp.Diagnostics)
}

func TestPlanThatInterruptsTrafficWarnsAndNoOtherOne(t *testing.T) {
	vrrp := func(change func(*keepalived.Director)) *vrrpModel {
		d := redisVRRP()
		change(&d)
		return vrrpOf(d)
	}
	as := func(v *vrrpModel) map[string]any {
		return map[string]any{"host": "a", "install": true, "adopt": false, "loop_guard": "backup_only", "drain": false, "vrrp": v}
	}
	same := as(vrrp(func(*keepalived.Director) {}))
	other := as(vrrp(func(d *keepalived.Director) { d.VirtualRouterID = 52 }))
	for name, c := range map[string]struct {
		holder        string
		before, after map[string]any
		want          string
	}{
		"nothing":                    {"a", same, same, ""},
		"a new one":                  {"b", nil, other, ""},
		"another id, holding":        {"a", same, other, "vrrp: VIPs Are Given Up for a Moment"},
		"another id, not holding":    {"b", same, other, "vrrp: Two Hold the VIPs for a Moment"},
		"destroyed, holding":         {"a", same, nil, "VIPs Move"},
		"destroyed, not holding":     {"b", same, nil, ""},
		"destroyed, never looked at": {"", same, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, vips := newPair(t, c.holder)
			vips.fleet.plans = newPlans()
			if c.holder != "" {
				if _, err := vips.fleet.observe(t.Context(), "a"); err != nil {
					t.Fatal(err)
				}
			}
			if got := warnings(t, &directorResource{vips.fleet}, c.before, c.after); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// servedVIP are the attributes of a VIP with the real servers of these weights, by address.
func servedVIP(weights map[string]int, directors ...string) map[string]any {
	s := keepalived.VirtualServer{
		Name: "redis", Port: 6379, Protocol: keepalived.TCP, Scheduler: "rr", Forwarding: keepalived.DR, Quorum: keepalived.Quorum{Weight: 1},
		Check: keepalived.Check{Kind: keepalived.CheckNone}, DelayLoop: mustDuration(types.StringValue("6s")),
	}
	for _, name := range sortedKeys(weights) {
		s.RealServers = append(s.RealServers, keepalived.RealServer{Name: name, Address: netip.MustParseAddr(name), Port: 6379, Weight: weights[name]})
	}
	services := types.MapValueMust(serviceType, map[string]attr.Value{"redis": serviceValue(s, host.Password{})})
	return map[string]any{"address": "192.0.2.229/24", "directors": directors, "services": services}
}

// at is the same VIP at another address.
func at(address string, vip map[string]any) map[string]any {
	vip["address"] = address
	return vip
}

func TestPlanOfAVIPThatInterruptsTrafficWarnsAndNoOtherOne(t *testing.T) {
	both := map[string]int{"192.0.2.11": 1, "192.0.2.12": 1}
	for name, c := range map[string]struct {
		before, after map[string]any
		want          string
	}{
		"nothing":              {servedVIP(both, "a", "b"), servedVIP(both, "a", "b"), ""},
		"a new one":            {nil, servedVIP(map[string]int{"192.0.2.11": 0}, "a", "b"), ""},
		"destroyed":            {servedVIP(both, "a", "b"), nil, "address: VIP Is Removed; services: Service Is Removed"},
		"destroyed, drained":   {servedVIP(map[string]int{"192.0.2.11": 0}, "a", "b"), nil, "address: VIP Is Removed"},
		"another address":      {servedVIP(both, "a", "b"), at("192.0.2.230/24", servedVIP(both, "a", "b")), "address: VIP Is Removed; services: Service Is Removed"},
		"real server":          {servedVIP(both, "a", "b"), servedVIP(map[string]int{"192.0.2.11": 1}, "a", "b"), "services: Real Server Is Removed"},
		"weights":              {servedVIP(both, "a", "b"), servedVIP(map[string]int{"192.0.2.11": 0, "192.0.2.12": 0}, "a", "b"), "services: No Real Server Takes Connections"},
		"the holder leaves":    {servedVIP(both, "a", "b"), servedVIP(both, "b"), "directors: VIP Moves"},
		"the other one leaves": {servedVIP(both, "a", "b"), servedVIP(both, "a"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := running(t, "a")
			if got := warnings(t, r, c.before, c.after); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPlanWarnsOfARealServerThatDoesNotListenOnTheVIP(t *testing.T) {
	for listener, want := range map[string]string{
		"0.0.0.0:6379":   "",
		"127.0.0.1:6379": "services: Real Server Does Not Listen on the VIP",
	} {
		p, r := newPair(t, "a")
		p.bare = strings.Replace(p.bare, "== health\n", "== listeners\nLISTEN 0 511 "+listener+" 0.0.0.0:*\n== health\n", 1)
		r.fleet.plans = newPlans()
		if got := warnings(t, r, nil, servedVIP(map[string]int{"192.0.2.11": 1}, "a")); got != want {
			t.Errorf("%s: got %q, want %q", listener, got, want)
		}
	}
}

func TestPlanOfARealServerThatInterruptsTrafficWarnsAndNoOtherOne(t *testing.T) {
	as := func(host string, vips ...string) map[string]any {
		return map[string]any{"host": host, "install": true, "vips": vips, "address": "192.0.2.11"}
	}
	gone := "vips: Real Server No Longer Answers for a VIP"
	for name, c := range map[string]struct {
		looked        bool
		before, after map[string]any
		want          string
	}{
		"nothing":                    {true, as("a", "192.0.2.229"), as("a", "192.0.2.229"), ""},
		"a new one":                  {true, nil, as("a", "192.0.2.229"), ""},
		"another VIP":                {true, as("a", "192.0.2.229"), as("a", "192.0.2.230"), gone},
		"another host":               {true, as("a", "192.0.2.229"), as("b", "192.0.2.229"), gone},
		"destroyed":                  {true, as("a", "192.0.2.229"), nil, gone},
		"destroyed, never looked at": {false, as("a", "192.0.2.229"), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			serving := sharedVIP
			serving.Services = []keepalived.VirtualServer{{
				Name: "redis", Port: 6379, Protocol: keepalived.TCP, Scheduler: "rr", Forwarding: keepalived.DR, Quorum: keepalived.Quorum{Weight: 1},
				Check: keepalived.Check{Kind: keepalived.CheckNone}, DelayLoop: 6e9,
				RealServers: []keepalived.RealServer{{Name: "a", Address: netip.MustParseAddr("192.0.2.11"), Port: 6379, Weight: 1}},
			}}
			_, vips := pairOf(t, "a", serving)
			vips.fleet.plans = newPlans()
			if c.looked {
				if _, err := vips.fleet.observe(t.Context(), "b"); err != nil {
					t.Fatal(err)
				}
			}
			if got := warnings(t, &realServerResource{vips.fleet}, c.before, c.after); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
