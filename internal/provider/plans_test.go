package provider

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func numbers(values map[string]int) tfconfig.Variable {
	v := map[string]tfconfig.Variable{}
	for key, n := range values {
		v[key] = tfconfig.IntegerVariable(n)
	}
	return tfconfig.MapVariable(v)
}

func lists(values map[string][]string) tfconfig.Variable {
	v := map[string]tfconfig.Variable{}
	for key, texts := range values {
		var list []tfconfig.Variable
		for _, text := range texts {
			list = append(list, tfconfig.StringVariable(text))
		}
		v[key] = tfconfig.ListVariable(list...)
	}
	return tfconfig.MapVariable(v)
}

func TestDirectorsThatDoNotFitTogetherAreRefusedAtPlan(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	literal := tfconfig.BoolVariable(false)
	equals := numbers(map[string]int{"a": 100, "b": 100, "c": 100, "d": 99})
	const equal = `(?s)Equal Priorities.*"a"\s+and\s+"b"\s+of\s+one\s+VIP\s+have\s+the\s+same\s+priority\s+100`
	for name, of := range map[string]struct {
		variables tfconfig.Variables
		want      string // empty: there is no error
	}{
		"as they are":                    {tfconfig.Variables{}, ""},
		"as they are, in any order":      {tfconfig.Variables{"ordered": literal}, ""},
		"equal priorities":               {tfconfig.Variables{"priorities": equals}, equal},
		"equal priorities, in any order": {tfconfig.Variables{"priorities": equals, "ordered": literal}, equal},
		"ids of one VIP": {tfconfig.Variables{"ids": numbers(map[string]int{"a": 51, "b": 53, "c": 52, "d": 52})},
			`(?s)Directors of One VIP Differ.*the\s+virtual\s+router\s+ids\s+51\s+and\s+53`},
		// On two segments, as far as can be told.
		"ids of two VIPs": {tfconfig.Variables{"ids": numbers(map[string]int{"a": 51, "b": 51, "c": 51, "d": 51})}, ""},
		"passwords": {tfconfig.Variables{"passwords": tfconfig.MapVariable(map[string]tfconfig.Variable{"b": tfconfig.StringVariable("0ther")})},
			`(?s)Directors of One VIP Differ.*different\s+passwords`},
		"auth_hmac of a keepalived that has none": {tfconfig.Variables{"signed": tfconfig.BoolVariable(true)},
			`(?s)Unknown to the Host's keepalived.*keepalived\s+2.2.7\s+has\s+no\s+auth_hmac,\s+which\s+came\s+with\s+2.4.0`},
		"overlap": {tfconfig.Variables{"vips": lists(map[string][]string{"192.0.2.229/24": {"a", "b"}, "192.0.2.230/24": {"b"}})},
			`(?s)Directors of Two VIPs Overlap.*192.0.2.229/24 has the\s+directors\s+a,\s+b,\s+and\s+192.0.2.230/24 has\s+b\.`},
		"two VIPs of one group": {tfconfig.Variables{"vips": lists(map[string][]string{"192.0.2.229/24": {"a", "b"}, "192.0.2.230/24": {"a", "b"}})}, ""},
		"overlap of IPv6":       {tfconfig.Variables{"vips": lists(map[string][]string{"192.0.2.229/24": {"a", "b"}, "2001:db8::229/64": {"b"}})}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			step := resource.TestStep{
				ProtoV6ProviderFactories: factories,
				ConfigFile:               tfconfig.StaticFile("testdata/group.tf"),
				ConfigVariables: c.variables(func(v tfconfig.Variables) {
					for key, value := range of.variables {
						v[key] = value
					}
				}),
				PlanOnly: true,
			}
			if of.want == "" {
				step.ExpectNonEmptyPlan = true
			} else {
				step.ExpectError = regexp.MustCompile(of.want)
			}
			resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{step}})
		})
	}
}

// of is a director as it may be planned on a bare host.
func of(t *testing.T, name string, priority int) host.Member {
	t.Helper()
	h := host.New(name, &way{pair: &pair{bare: string(bareHost(t))}, name: name})
	s, err := h.Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := host.Director{Name: name, Guard: host.BackupOnly, VRRP: redisVRRP()}
	d.VRRP.Priority = priority
	return host.Member{Director: d, Snapshot: s}
}

func TestWhicheverIsPlannedLastComparesThem(t *testing.T) {
	two := []string{"a", "b"}
	for name, c := range map[string]struct {
		plan func(p *plans, diags *diag.Diagnostics)
		want string
	}{
		"directors, VIP": {func(p *plans, diags *diag.Diagnostics) {
			p.director(of(t, "a", 100), diags)
			p.director(of(t, "b", 100), diags)
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: two}, nil, diags)
		}, "directors: Equal Priorities"},
		"VIP, directors": {func(p *plans, diags *diag.Diagnostics) {
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: two}, nil, diags)
			p.director(of(t, "b", 100), diags)
			p.director(of(t, "a", 100), diags)
		}, "vrrp.priority: Equal Priorities"},
		"director, VIP, director": {func(p *plans, diags *diag.Diagnostics) {
			p.director(of(t, "b", 100), diags)
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: two}, nil, diags)
			p.director(of(t, "a", 100), diags)
		}, "vrrp.priority: Equal Priorities"},
		"two VIPs of the same": {func(p *plans, diags *diag.Diagnostics) {
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.230/24"), directors: two}, nil, diags)
			p.director(of(t, "b", 100), diags)
			p.director(of(t, "a", 100), diags)
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: two}, nil, diags)
		}, "vrrp.priority: Equal Priorities"},
		"no VIP": {func(p *plans, diags *diag.Diagnostics) {
			p.director(of(t, "a", 100), diags)
			p.director(of(t, "b", 100), diags)
		}, ""},
		"a VIP of one alone": {func(p *plans, diags *diag.Diagnostics) {
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: []string{"a"}}, nil, diags)
			p.director(of(t, "a", 100), diags)
			p.director(of(t, "b", 100), diags)
		}, ""},
		"one that goes": {func(p *plans, diags *diag.Diagnostics) {
			p.director(of(t, "a", 100), diags)
			p.forget("b")
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: two}, map[string]*host.Snapshot{"b": of(t, "b", 100).Snapshot}, diags)
		}, ""},
		"two groups, VIPs last": {func(p *plans, diags *diag.Diagnostics) {
			p.director(of(t, "a", 100), diags)
			p.director(of(t, "b", 99), diags)
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: []string{"a"}}, nil, diags)
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.230/24"), directors: []string{"b"}}, nil, diags)
		}, "directors: Virtual Router ID Taken"},
		"two groups, a director last": {func(p *plans, diags *diag.Diagnostics) {
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: []string{"a"}}, nil, diags)
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.230/24"), directors: []string{"b"}}, nil, diags)
			p.director(of(t, "b", 99), diags)
			p.director(of(t, "a", 100), diags)
		}, "vrrp.virtual_router_id: Virtual Router ID Taken"},
	} {
		t.Run(name, func(t *testing.T) {
			var diags diag.Diagnostics
			c.plan(newPlans(), &diags)
			// Two groups may be on two segments that use the same addresses.
			errors := len(diags)
			if strings.Contains(c.want, "Virtual Router ID Taken") {
				errors = 0
			}
			if got := summaries(diags); got != c.want || diags.ErrorsCount() != errors {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// summaries is "ATTRIBUTE: SUMMARY; …".
func summaries(diags diag.Diagnostics) string {
	var texts []string
	for _, d := range diags {
		text := d.Summary()
		if at, ok := d.(diag.DiagnosticWithPath); ok {
			text = at.Path().String() + ": " + text
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// running is newPair's directors, of the priorities 100 and 99, as they are on their hosts.
func running(t *testing.T, holder string) (*vipResource, map[string]*host.Snapshot) {
	p, r := newPair(t, holder)
	r.fleet.plans = newPlans()
	lower := leaving()
	lower.VRRP.Priority = types.Int64Value(99)
	for _, artifact := range lower.spec("").Artifacts() {
		if file, ok := artifact.(host.File); ok {
			p.files["b"][file.Path] = file.Content
		}
	}
	snapshots := map[string]*host.Snapshot{}
	for _, name := range []string{"a", "b"} {
		s, err := r.fleet.observe(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		snapshots[name] = s
	}
	return r, snapshots
}

func TestDirectorThatIsNotPlannedIsComparedAsItIsOnItsHostWithAWarning(t *testing.T) {
	_, snapshots := running(t, "a")
	p := newPlans()
	var diags diag.Diagnostics
	a := of(t, "a", 99)
	p.director(a, &diags)
	p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: []string{"a", "b"}}, snapshots, &diags)
	if summaries(diags) != "directors: Equal Priorities" || diags.HasError() || !strings.Contains(diags[0].Detail(), "as they are planned") {
		t.Errorf("%v", diags)
	}
}

func TestPlanThatMovesTheVIPsWarns(t *testing.T) {
	planned := func(name string, snapshots map[string]*host.Snapshot, priority int, drain bool) host.Member {
		m := of(t, name, priority)
		m.Drain, m.Snapshot = drain, snapshots[name]
		return m
	}
	for name, c := range map[string]struct {
		holder string
		a, b   int
		drain  string
		want   string
	}{
		"nothing changes":               {"a", 100, 99, "", ""},
		"the other one is raised":       {"a", 100, 101, "", `the director "b" takes the VIPs from "a"`},
		"the other one, not enough":     {"a", 100, 98, "", ""},
		"the holder is lowered":         {"a", 90, 99, "", `the director "b" takes the VIPs from "a", which holds them now, 15s after`},
		"the holder is drained":         {"a", 100, 99, "a", `the director "b" takes the VIPs from "a"`},
		"the other one is drained":      {"a", 100, 99, "b", ""},
		"it is about to move by itself": {"b", 101, 99, "", ""},
		"nobody holds them":             {"c", 90, 99, "", ""},
	} {
		for _, order := range []string{"directors first", "VIP first"} {
			t.Run(name+", "+order, func(t *testing.T) {
				_, snapshots := running(t, c.holder)
				p := newPlans()
				var diags diag.Diagnostics
				vip := func() {
					p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: []string{"a", "b"}}, snapshots, &diags)
				}
				if order == "VIP first" {
					vip()
				}
				p.director(planned("a", snapshots, c.a, c.drain == "a"), &diags)
				p.director(planned("b", snapshots, c.b, c.drain == "b"), &diags)
				if order != "VIP first" {
					vip()
				}
				if diags.HasError() || diags.WarningsCount() != min(1, len(c.want)) || c.want != "" && !strings.Contains(diags[0].Detail(), c.want) {
					t.Errorf("%v", diags)
				}
			})
		}
	}
}

func TestPlansAreNotedSideBySide(t *testing.T) {
	p := newPlans()
	var group sync.WaitGroup
	m := of(t, "a", 100)
	for i := range 20 {
		group.Go(func() {
			var diags diag.Diagnostics
			one := m
			one.Name = string(rune('a' + i))
			p.director(one, &diags)
			p.vip(plannedVIP{address: netip.MustParsePrefix("192.0.2.229/24"), directors: []string{one.Name}}, nil, &diags)
			p.forget(one.Name)
		})
	}
	group.Wait()
}

func TestKeyOfHMACIsWrittenByAVersionThatHasItAndNeverShown(t *testing.T) {
	c := newCanned(t, bytes.Replace(bareHost(t), []byte("Keepalived v2.2.7"), []byte("Keepalived v2.4.0"), 1), remotetest.Options{})
	signed := func(v tfconfig.Variables) { v["signed"] = tfconfig.BoolVariable(true) }
	step := resource.TestStep{
		ProtoV6ProviderFactories: factories,
		ConfigFile:               tfconfig.StaticFile("testdata/group.tf"),
		ConfigVariables:          c.variables(signed),
		PlanOnly:                 true,
		ExpectNonEmptyPlan:       true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
			plancheck.ExpectKnownValue(`redislb_director.this["a"]`, tfjsonpath.New("artifacts").AtMapKey("file /etc/keepalived/redislb/hmac.password"),
				knownvalue.StringRegexp(regexp.MustCompile(`^# Managed .*\n# auth_hmac_wo_version 1\n\(secret, unchanged on the host\)\n$`))),
			plancheck.ExpectKnownValue(`redislb_director.this["a"]`, tfjsonpath.New("artifacts").AtMapKey("file /etc/keepalived/keepalived.conf"),
				knownvalue.StringRegexp(regexp.MustCompile(`\n +include /etc/keepalived/redislb/hmac.password\n`))),
		}},
	}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{step}})
	said := plan(t, resource.TestStep{ConfigFile: step.ConfigFile, ConfigVariables: c.variables(signed, func(v tfconfig.Variables) {
		v["passwords"] = tfconfig.MapVariable(map[string]tfconfig.Variable{"b": tfconfig.StringVariable("fedcba9876543210fedcba9876543210")})
	})})
	if !strings.Contains(said, `"a" and "b" of one VIP have different keys of auth_hmac`) || strings.Contains(said, "fedcba") {
		t.Error(said)
	}
}
