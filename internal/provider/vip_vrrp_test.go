package provider

import (
	"context"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// instances are VRRP instances of VIPs, by the address of the VIP.
func instances(id int, priorities map[string]int, vips ...string) tfconfig.Variable {
	v := map[string]tfconfig.Variable{}
	for _, vip := range vips {
		v[vip] = tfconfig.ObjectVariable(map[string]tfconfig.Variable{"virtual_router_id": tfconfig.IntegerVariable(id), "priorities": numbers(priorities)})
	}
	return tfconfig.MapVariable(v)
}

func TestVIPWithAnInstanceOfItsOwnIsPlannedOrRefused(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	const first, second = "192.0.2.229/24", "192.0.2.230/24"
	two := lists(map[string][]string{first: {"a", "b"}, second: {"a", "b"}})
	right := map[string]int{"a": 99, "b": 100}
	for name, of := range map[string]struct {
		variables tfconfig.Variables
		want      string // empty: there is no error
	}{
		"right": {tfconfig.Variables{"instances": instances(52, right, second)}, ""},
		"directors that overlap": {tfconfig.Variables{"instances": instances(53, map[string]int{"b": 100, "c": 99}, second),
			"ids":        numbers(map[string]int{"a": 51, "b": 51, "c": 51, "d": 51}),
			"priorities": numbers(map[string]int{"a": 100, "b": 99, "c": 98, "d": 97}),
			"vips":       lists(map[string][]string{first: {"a", "b"}, second: {"b", "c"}})}, ""},
		"the usual guard":       {tfconfig.Variables{"instances": instances(52, right, second), "guard": tfconfig.StringVariable("backup_only")}, `(?s)Loop Guard Knows One Role.*loop_guard\s+=\s+"backup_only".*loop_guard\s+=\s+"hash"`},
		"the directors' id":     {tfconfig.Variables{"instances": instances(51, right, second)}, `(?s)Virtual Router ID Taken.*192.0.2.230/24\s+has\s+the\s+virtual\s+router\s+id\s+51.*host\s+"a"`},
		"the id of another VIP": {tfconfig.Variables{"instances": instances(52, right, first, second)}, `(?s)Virtual Router ID Taken.*192.0.2.229/24\s+and\s+192.0.2.230/24\s+both`},
		"one priority missing":  {tfconfig.Variables{"instances": instances(52, map[string]int{"a": 99}, second)}, `(?s)Missing Priority.*"b"\s+is\s+one\s+of\s+the\s+directors`},
		"of a stranger":         {tfconfig.Variables{"instances": instances(52, map[string]int{"a": 99, "b": 100, "c": 1}, second)}, `(?s)Priority of No Director.*"c"`},
	} {
		t.Run(name, func(t *testing.T) {
			step := resource.TestStep{
				ProtoV6ProviderFactories: factories,
				ConfigFile:               tfconfig.StaticFile("testdata/group.tf"),
				ConfigVariables: c.variables(func(v tfconfig.Variables) {
					v["vips"], v["guard"] = two, tfconfig.StringVariable("hash")
					for key, value := range of.variables {
						v[key] = value
					}
				}),
				PlanOnly: true,
			}
			if of.want != "" {
				step.ExpectError = regexp.MustCompile(of.want)
			} else {
				step.ExpectNonEmptyPlan = true
			}
			if name == "right" {
				artifact := func(director, words string) plancheck.PlanCheck {
					return plancheck.ExpectKnownValue(`redislb_vip.this["192.0.2.230/24"]`, tfjsonpath.New("artifacts").AtMapKey(director+": file /etc/keepalived/redislb/vip-192.0.2.230.vrrp.conf"), knownvalue.StringRegexp(regexp.MustCompile(words)))
				}
				step.ConfigPlanChecks = resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
					artifact("a", `virtual_router_id 52\n +priority 99\n`), artifact("b", `virtual_router_id 52\n +priority 100\n`),
				}}
			}
			resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{step}})
		})
	}
}

// ownPlan is a VIP with an instance of its own, of the directors a and b.
func ownPlan(router int) plannedVIP {
	return plannedVIP{address: netip.MustParsePrefix("192.0.2.230/24"), directors: []string{"a", "b"}, router: router, priorities: map[string]int{"a": 99, "b": 100}}
}

func TestInstanceOfAVIPIsComparedWithDirectorsInAnyOrder(t *testing.T) {
	member := func(name string, guard host.LoopGuard) host.Member {
		m := of(t, name, map[string]int{"a": 100, "b": 99}[name])
		m.Guard = guard
		return m
	}
	for name, c := range map[string]struct {
		router int
		guard  host.LoopGuard
		want   string
	}{
		"right":             {52, host.Hash, ""},
		"the guard":         {52, host.BackupOnly, "vrrp: Loop Guard Knows One Role; vrrp: Loop Guard Knows One Role"}, // of each director
		"the directors' id": {51, host.Hash, "vrrp.virtual_router_id: Virtual Router ID Taken; vrrp.virtual_router_id: Virtual Router ID Taken"},
		"in the directors'": {0, host.BackupOnly, ""},
	} {
		for _, order := range []string{"VIP first", "VIP last"} {
			p := newPlans()
			var diags diag.Diagnostics
			if order == "VIP first" {
				p.vip(ownPlan(c.router), nil, &diags)
			}
			p.director(member("b", c.guard), &diags)
			p.director(member("a", c.guard), &diags)
			if order == "VIP last" {
				p.vip(ownPlan(c.router), nil, &diags)
			}
			if got := summaries(diags); got != c.want || diags.ErrorsCount() != len(diags) {
				t.Errorf("%s, %s: %s", name, order, got)
			}
		}
	}
}

func TestPrioritiesOfOneVIPDiffer(t *testing.T) {
	m := vipModel{Directors: stringSet([]string{"a", "b"}), VRRP: vipVRRPValue(host.VIP{
		VIP: keepalived.VIP{VRRP: &keepalived.VIPInstance{VirtualRouterID: 52}}, Priorities: map[string]int{"a": 100, "b": 100}})}
	var diags diag.Diagnostics
	m.validateInstance(context.Background(), &diags)
	if got := summaries(diags); got != `vrrp.priorities["b"]: Equal Priorities` {
		t.Error(got)
	}
	diags = nil
	m.Directors = types.SetUnknown(types.StringType)
	m.VRRP = types.ObjectUnknown(vipVRRPType.AttrTypes)
	if m.validateInstance(context.Background(), &diags); len(diags) > 0 {
		t.Errorf("what is not known yet is judged: %v", diags)
	}
}

// ownPair is newPair's directors, whose VIP has an instance of its own.
func ownPair(t *testing.T, holder string) (host.VIP, *vipResource, map[string]*host.Snapshot) {
	t.Helper()
	vip := host.VIP{VIP: keepalived.VIP{Address: sharedVIP.Address, VRRP: &keepalived.VIPInstance{VirtualRouterID: 52}}, Priorities: map[string]int{"a": 99, "b": 100}}
	p, r := newPair(t, holder)
	r.fleet.plans = newPlans()
	snapshots := map[string]*host.Snapshot{}
	for _, name := range []string{"a", "b"} {
		delete(p.files[name], keepalived.VIPAddressPath(vip.Address.Addr()))
		for _, artifact := range vip.On(name).Artifacts() {
			if file, ok := artifact.(host.File); ok {
				p.files[name][file.Path] = file.Content
			}
		}
		s, err := r.fleet.observe(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		snapshots[name] = s
	}
	return vip, r, snapshots
}

func TestDataSourcesTellOfTheInstancesOfVIPs(t *testing.T) {
	_, _, snapshots := ownPair(t, "b")
	directors := map[string]seen{}
	for name, want := range map[string]vipInstanceValue{
		"a": {VIP: "192.0.2.229", State: optional("backup"), VirtualRouterID: 52, Priority: 99},
		"b": {VIP: "192.0.2.229", State: optional("master"), VirtualRouterID: 52, Priority: 100},
	} {
		s := snapshots[name]
		directors[name] = seen{s, name}
		i, err := s.Instance()
		if err != nil {
			t.Fatal(err)
		}
		var m vrrpSourceModel
		m.fill(i, s)
		if !reflect.DeepEqual(m.VIPInstances, []vipInstanceValue{want}) || len(m.VIPs) != 1 || m.State != nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	p, err := picture(directors, nil)
	if err != nil || len(p.Directors) != 2 || p.Directors[0].State == "master" || p.Directors[1].State != "master" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPlanThatMovesAVIPOfAnInstanceOfItsOwnNamesIt(t *testing.T) {
	for name, c := range map[string]struct {
		holder  string
		planned map[string]int
		want    string
	}{
		"as it is":             {"b", map[string]int{"a": 99, "b": 100}, ""},
		"the other one raised": {"b", map[string]int{"a": 101, "b": 100}, `the director "a" takes the VIP 192.0.2.229 from "b", which holds it now`},
		"nobody holds it":      {"c", map[string]int{"a": 101, "b": 100}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			vip, r, snapshots := ownPair(t, c.holder)
			v := plannedVIP{address: vip.Address, directors: []string{"a", "b"}, router: 52, priorities: c.planned}
			var diags diag.Diagnostics
			r.fleet.plans.mu.Lock()
			r.fleet.plans.warnOfMove(v, snapshots, path.Root("directors"), &diags)
			r.fleet.plans.mu.Unlock()
			if len(diags) != min(1, len(c.want)) || c.want != "" && !strings.Contains(diags[0].Detail(), c.want) {
				t.Errorf("%v", diags)
			}
		})
	}
}

func TestWhatAnImportReadsOfAnInstanceIsWhatAnApplyWrites(t *testing.T) {
	own := host.VIP{VIP: keepalived.VIP{Address: netip.MustParsePrefix("192.0.2.230/24"), VRRP: &keepalived.VIPInstance{VirtualRouterID: 52}}, Priorities: map[string]int{"a": 99, "b": 100}}
	m := vipModel{Address: types.StringValue("192.0.2.230/24"), VRRP: vipVRRPValue(own), Services: types.MapValueMust(serviceType, map[string]attr.Value{})}
	var diags diag.Diagnostics
	again := m.spec(context.Background(), &diags)
	for _, name := range []string{"a", "b"} {
		got, _ := again.On(name).Render()
		want, _ := own.On(name).Render()
		if diags.HasError() || string(got) != string(want) {
			t.Errorf("%v; on %s: %s", diags, name, got)
		}
	}
	if !vipVRRPValue(host.VIP{}).IsNull() {
		t.Error("a VIP in the directors' instance has one of its own")
	}
}
