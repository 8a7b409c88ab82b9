package provider

import (
	"regexp"
	"strings"
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

func TestPlanShowsTheHashGuard(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	artifact := func(name, words string) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue("redislb_director.a", tfjsonpath.New("artifacts").AtMapKey(name), knownvalue.StringRegexp(regexp.MustCompile(words)))
	}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
		ProtoV6ProviderFactories: factories,
		ConfigFile:               tfconfig.StaticFile("testdata/guard.tf"),
		ConfigVariables:          c.variables(),
		PlanOnly:                 true,
		ExpectNonEmptyPlan:       true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
			artifact("ipvs sync daemon", `^none$`),
			artifact("sysctl net.ipv4.vs.sloppy_tcp", `^1$`),
			artifact("sysctl net.ipv4.vs.backup_only", `^0$`),
			artifact("file /etc/sysctl.d/99-zz-redislb-director.conf", `\nnet.ipv4.vs.backup_only = 0\nnet.ipv4.vs.sloppy_tcp = 1\n$`),
		}},
	}}})
}

// The rows of a VIP are planned for the guard that its director is planned to have.
func TestPlanShowsServicesOfTheMasterAlone(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	artifact := func(resource, name, words string) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue(resource, tfjsonpath.New("artifacts").AtMapKey(name), knownvalue.StringRegexp(regexp.MustCompile(words)))
	}
	for guard, want := range map[string]string{
		"config_swap": `^# on the master, not on a backup\n-A -t 192\.0\.2\.229:6379 -s rr\n`,
		"backup_only": `^-A -t 192\.0\.2\.229:6379 -s rr\n`,
	} {
		resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
			ProtoV6ProviderFactories: factories,
			ConfigFile:               tfconfig.StaticFile("testdata/guard.tf"),
			ConfigVariables: c.variables(func(v tfconfig.Variables) {
				v["guard"], v["scheduler"], v["flags"] = tfconfig.StringVariable(guard), tfconfig.StringVariable("rr"), nil
			}),
			PlanOnly:           true,
			ExpectNonEmptyPlan: true,
			ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
				artifact("redislb_vip.this", "a: ipvs tcp 192.0.2.229:6379", want),
			}},
		}}})
	}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
		ProtoV6ProviderFactories: factories,
		ConfigFile:               tfconfig.StaticFile("testdata/guard.tf"),
		ConfigVariables:          c.variables(func(v tfconfig.Variables) { v["guard"] = tfconfig.StringVariable("config_swap") }),
		PlanOnly:                 true,
		ExpectNonEmptyPlan:       true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
			artifact("redislb_director.a", "file /etc/keepalived/redislb/swap.sh", `^#!/bin/sh\n# Managed by Terraform`),
			artifact("redislb_director.a", "file /etc/keepalived/keepalived.conf", `\ninclude /run/redislb/services.conf\n$`),
			artifact("redislb_director.a", "ipvs sync daemon", `^none$`),
		}},
	}}})
}

// The host is bare: the guard is that of the plan.
func TestServiceThatDoesNotFitThePlannedGuardIsRefusedAtPlan(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	for name, change := range map[string]func(tfconfig.Variables){
		"rr":         func(v tfconfig.Variables) { v["scheduler"], v["flags"] = tfconfig.StringVariable("rr"), nil },
		"no mh-port": func(v tfconfig.Variables) { v["flags"] = tfconfig.SetVariable(tfconfig.StringVariable("mh-fallback")) },
	} {
		said := plan(t, resource.TestStep{ConfigFile: tfconfig.StaticFile("testdata/guard.tf"), ConfigVariables: c.variables(change)})
		for _, want := range []string{"Scheduler Does Not Fit the Loop Guard", "with redislb_vip.this", `Service "redis": its scheduler is`, `scheduler = "mh" and scheduler_flags = ["mh-port"]`} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: the error lacks %q:\n%s", name, want, said)
			}
		}
	}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{ // every scheduler fits the other guard
		ProtoV6ProviderFactories: factories,
		ConfigFile:               tfconfig.StaticFile("testdata/guard.tf"),
		ConfigVariables: c.variables(func(v tfconfig.Variables) {
			v["guard"], v["scheduler"], v["flags"] = tfconfig.StringVariable("backup_only"), tfconfig.StringVariable("rr"), nil
		}),
		PlanOnly:           true,
		ExpectNonEmptyPlan: true,
	}}})
}

// on is a snapshot of a host that is what the model says.
func on(m directorModel) *host.Snapshot {
	s := &host.Snapshot{Files: map[string]host.FileState{}}
	for _, a := range m.spec("").Artifacts() {
		if f, ok := a.(host.File); ok {
			s.Files[f.Path] = host.FileState{Content: f.Content}
		}
	}
	return s
}

func guarding(guard host.LoopGuard) directorModel {
	return directorModel{Host: types.StringValue("a"), LoopGuard: types.StringValue(string(guard)), VRRP: vrrpOf(redisVRRP())}
}

func TestLoopGuardIsTheSameAfterAnImport(t *testing.T) {
	for _, guard := range []host.LoopGuard{host.BackupOnly, host.Hash, host.ConfigSwap} {
		m := guarding(guard)
		imported := directorModel{Host: m.Host}
		if err := imported.fill(on(m)); err != nil {
			t.Fatal(err)
		}
		if !imported.LoopGuard.Equal(m.LoopGuard) {
			t.Errorf("%v became %v", m.LoopGuard, imported.LoopGuard)
		}
	}
}

func TestGuardThatCountsIsThePlannedOneAndThenTheHosts(t *testing.T) {
	hashing := on(guarding(host.Hash))
	member := func(guard host.LoopGuard) *host.Member {
		return &host.Member{Director: host.Director{Name: "a", Guard: guard}}
	}
	for name, c := range map[string]struct {
		planned *host.Member // nil: no director is planned; without a guard: not known yet
		s       *host.Snapshot
		want    host.LoopGuard
	}{
		"the host's":                {s: hashing, want: host.Hash},
		"no director":               {s: &host.Snapshot{}},
		"not reached":               {},
		"planned":                   {member(host.Hash), on(guarding(host.BackupOnly)), host.Hash},
		"planned, host not reached": {member(host.Hash), nil, host.Hash},
		"planned to end":            {member(host.BackupOnly), hashing, host.BackupOnly},
		"planned, not known yet":    {member(""), hashing, ""},
	} {
		p := newPlans()
		switch {
		case c.planned == nil:
		case c.planned.Guard == "":
			p.forget("a")
		default:
			p.director(*c.planned, &diag.Diagnostics{})
		}
		if got, known := p.guard("a", c.s); got != c.want || known != (name != "planned, not known yet") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestGuardThatIsNotKnownYetLeavesTheArtifactsUnknown(t *testing.T) {
	m := guarding(host.Hash)
	m.Drain = types.BoolValue(false)
	if !m.known(t.Context()) {
		t.Error("positive control: it is not known")
	}
	m.LoopGuard = types.StringUnknown()
	if m.known(t.Context()) {
		t.Error("it counts as known")
	}
}
