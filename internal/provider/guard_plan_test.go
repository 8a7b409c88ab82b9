package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

func TestPlanChoosesTheGuardThatIsLeftOutByTheKernel(t *testing.T) {
	const needed = "/proc/sys/net/ipv4/vs/backup_only:0\n"
	v := vrrpOf(redisVRRP())
	unknown := vrrpOf(redisVRRP())
	unknown.Priority = types.Int64Unknown()
	model := func(v *vrrpModel, guard any) map[string]any {
		m := map[string]any{"host": "a", "install": true, "adopt": false, "drain": false, "vrrp": v}
		if guard != nil {
			m["loop_guard"] = guard
		}
		return m
	}
	for name, c := range map[string]struct {
		lacks         bool
		before, after map[string]any
		want          types.String
		said          string
	}{
		"kernel with":              {false, nil, model(v, nil), types.StringValue("backup_only"), ""},
		"kernel without":           {true, nil, model(v, nil), types.StringValue("config_swap"), "loop_guard: Loop Guard Chosen by the Kernel"},
		"chosen before":            {true, model(v, "config_swap"), model(v, nil), types.StringValue("config_swap"), ""},
		"kernel that has it now":   {false, model(v, "config_swap"), model(v, nil), types.StringValue("backup_only"), ""},
		"no more written":          {false, model(v, "hash"), model(v, nil), types.StringValue("backup_only"), ""},
		"written":                  {true, nil, model(v, "hash"), types.StringValue("hash"), ""},
		"the rest is not known":    {true, nil, model(unknown, nil), types.StringUnknown(), ""},
		"written, for that kernel": {true, nil, model(v, "config_swap"), types.StringValue("config_swap"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, vips := newPair(t, "b")
			if !strings.Contains(p.bare, needed) {
				t.Fatal("the capture has no IPVS")
			}
			if c.lacks {
				p.bare = strings.Replace(p.bare, needed, "", 1)
			}
			vips.fleet.plans = newPlans()
			r := &directorResource{vips.fleet}
			to := stateOf(t, r, c.after)
			resp := resource.ModifyPlanResponse{Plan: tfsdk.Plan(to)}
			r.ModifyPlan(t.Context(), resource.ModifyPlanRequest{State: stateOf(t, r, c.before), Plan: tfsdk.Plan(to), Config: tfsdk.Config(to)}, &resp)
			if resp.Diagnostics.HasError() {
				t.Fatalf("%v", resp.Diagnostics)
			}
			var got directorModel
			if diags := resp.Plan.Get(t.Context(), &got); diags.HasError() {
				t.Fatal(diags)
			}
			if !got.LoopGuard.Equal(c.want) || summaries(resp.Diagnostics) != c.said {
				t.Errorf("%v, said %q", got.LoopGuard, summaries(resp.Diagnostics))
			}
			swaps := textsIn(got.Artifacts, "")["file /etc/keepalived/redislb/swap.sh"] != ""
			if swaps != (c.want.ValueString() == "config_swap") {
				t.Error("the artifacts are another guard's")
			}
		})
	}
}

// Until a director is known, nobody can tell where its guard wants the rows.
func TestVIPIsPlannedWithItsArtifactsWhereItsDirectorIsKnown(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*pair, *plans)
		known   bool
	}{
		"on the host": {func(*pair, *plans) {}, true},
		"planned": {func(p *pair, s *plans) {
			clear(p.files["a"])
			s.director(host.Member{Director: host.Director{Name: "a"}}, &diag.Diagnostics{})
		}, false},
		"planned, guarded": {func(p *pair, s *plans) {
			clear(p.files["a"])
			s.director(host.Member{Director: host.Director{Name: "a", Guard: host.ConfigSwap}}, &diag.Diagnostics{})
		}, true},
		"not known yet": {func(_ *pair, s *plans) { s.forget("a") }, false},
		"nowhere":       {func(p *pair, _ *plans) { clear(p.files["a"]) }, false},
	} {
		p, r := newPair(t, "b")
		r.fleet.plans = newPlans()
		c.prepare(p, r.fleet.plans)
		to := stateOf(t, r, servedVIP(map[string]int{"192.0.2.11": 1}, "a"))
		resp := resource.ModifyPlanResponse{Plan: tfsdk.Plan(to)}
		r.ModifyPlan(t.Context(), resource.ModifyPlanRequest{State: stateOf(t, r, nil), Plan: tfsdk.Plan(to), Config: tfsdk.Config(to)}, &resp)
		var got vipModel
		if diags := resp.Plan.Get(t.Context(), &got); diags.HasError() || resp.Diagnostics.HasError() {
			t.Fatal(diags, resp.Diagnostics)
		}
		if got.Artifacts.IsUnknown() == c.known {
			t.Errorf("%s: the artifacts are %v", name, got.Artifacts)
		}
	}
}

// A director knows the others by the interfaces that they have when the plan is made.
func TestPlanShowsHowADirectorKnowsTheOthers(t *testing.T) {
	serving := func(loopGuard host.LoopGuard, directors ...string) (map[string]string, diag.Diagnostics) {
		p, r := newPair(t, "a")
		d := leaving()
		d.LoopGuard = types.StringValue(string(loopGuard))
		for name := range p.files {
			for _, artifact := range d.spec("").Artifacts() {
				if file, ok := artifact.(host.File); ok {
					p.files[name][file.Path] = file.Content
				}
			}
		}
		p.bare = strings.Replace(p.bare, "== sysctl\n", "== sysctl\n/sys/class/net/eth0/address:52:54:00:00:00:0c\n", 1)
		r.fleet.plans = newPlans()
		to := stateOf(t, r, servedVIP(map[string]int{"192.0.2.11": 1, "192.0.2.12": 1}, directors...))
		resp := resource.ModifyPlanResponse{Plan: tfsdk.Plan(to)}
		r.ModifyPlan(t.Context(), resource.ModifyPlanRequest{State: stateOf(t, r, nil), Plan: tfsdk.Plan(to), Config: tfsdk.Config(to)}, &resp)
		var got vipModel
		resp.Diagnostics.Append(resp.Plan.Get(t.Context(), &got)...)
		return textsIn(got.Artifacts, "a: "), resp.Diagnostics
	}
	const marks, file = "nftables mark of peers of 192.0.2.229", "file /etc/keepalived/redislb/vip-192.0.2.229.peers.nft"
	for _, c := range []struct {
		guard     host.LoopGuard
		directors []string
		marked    bool
	}{
		{host.SourceMAC, []string{"a", "b"}, true},
		{host.SourceMAC, []string{"a"}, false},
		{host.BackupOnly, []string{"a", "b"}, false},
	} {
		texts, diags := serving(c.guard, c.directors...)
		if diags.HasError() {
			t.Errorf("%s, %v: %v", c.guard, c.directors, diags)
		}
		if got := strings.HasPrefix(texts[marks], "from 52:54:00:00:00:0c: mark 0x"); got != c.marked || strings.Contains(texts[file], "ether saddr { 52:54:00:00:00:0c }") != c.marked {
			t.Errorf("%s, %v: %q and %q", c.guard, c.directors, texts[marks], texts[file])
		}
	}
}
