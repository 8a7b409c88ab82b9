package provider

import (
	"regexp"
	"testing"

	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestPlanShowsTheOptionsOfVRRPWithTheirDefaultsAndNoPassword(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	artifact := func(name, words string) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue("redislb_director.a", tfjsonpath.New("artifacts").AtMapKey(name), knownvalue.StringRegexp(regexp.MustCompile(words)))
	}
	conf := "file /etc/keepalived/keepalived.conf"
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
		ProtoV6ProviderFactories: factories,
		ConfigFile:               tfconfig.StaticFile("testdata/vrrp.tf"),
		ConfigVariables:          c.variables(),
		PlanOnly:                 true,
		ExpectNonEmptyPlan:       true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
			artifact(conf, `eth1 weight -50\n`),
			artifact(conf, `(?s)script "/usr/local/bin/ready -v"\n +interval 1\n +weight -50\n +fall 1\n +rise 1\n}`),
			artifact(conf, `(?s)process redis-server\n +weight -50\n +quorum 1\n}`),
			artifact(conf, `(?s)file /run/redislb.drain\n +weight 1\n +init_file 0\n}`),
			artifact(conf, `(?s)garp_master_delay 5\n.*garp_master_refresh 60\n.*garp_lower_prio_repeat 5\n`),
			artifact(conf, `(?s)unicast_peer {\n +192.0.2.12\n`),
			artifact(conf, `notify_master "/usr/local/bin/hook master"\n`),
			artifact(conf, `lvs_timeouts tcp 1200 udp 90\n`),
			artifact("ipvs timeout tcp", `^1200 s$`),
			artifact("ipvs timeout udp", `^90 s$`),
			artifact("file /etc/keepalived/redislb/drain", `^1\n# Managed by Terraform`),
			artifact(conf, `(?s)track_file {\n +drain\n +redislb_drain\n +}`),
			artifact("file /etc/keepalived/redislb/auth.conf", `^# Managed .*\n# auth_pass version 1\n\(secret, unchanged on the host\)\n$`),
		}},
	}}})
}

func TestOptionsOfVRRPThatDoNotFitTheHostAreRefusedAtPlan(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	for variable, value := range map[string][2]string{
		"peer":    {"192.0.2.11", `(?s)Unicast Peer Is the Host Itself.*192.0.2.11 is an address of this\s+host`},
		"tracked": {"eth9", `(?s)No Such Interface.*no network interface "eth9" to track. It has:\s+eth0,`},
		"file":    {"redislb_drain", `(?s)Invalid vrrp.*redislb itself\s+tracks\s+a\s+file\s+of\s+this\s+name`},
		"user":    {"nobody", `(?s)Unknown to the Host's keepalived.*keepalived 2.2.7\s+cannot\s+check`},
	} {
		resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
			ProtoV6ProviderFactories: factories,
			ConfigFile:               tfconfig.StaticFile("testdata/vrrp.tf"),
			ConfigVariables:          c.variables(func(v tfconfig.Variables) { v[variable] = tfconfig.StringVariable(value[0]) }),
			PlanOnly:                 true,
			ExpectError:              regexp.MustCompile(value[1]),
		}}})
	}
}
