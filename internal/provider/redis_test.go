package provider

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/host/hosttest"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// redisHost is a host that runs what testdata/redis.tf says, with a version of the
// password that the state keeps.
func redisHost(t *testing.T, keptVersion int64, change func([]host.Redis)) []byte {
	t.Helper()
	instance := func(name string, port int, bind ...netip.Addr) redisconf.Instance {
		return redisconf.Instance{
			Name: name, Port: port, Bind: bind, Protected: true, Password: true, Databases: redisconf.DefaultDatabases, MaxMemory: "0",
			MaxMemoryPolicy: redisconf.DefaultMaxMemoryPolicy, Save: redisconf.DefaultSave, Settings: map[string]string{},
		}
	}
	all := []host.Redis{
		{Instance: instance("main", 6380, netip.IPv4Unspecified()), Client: host.Password{Version: 4}},
		{Instance: instance("copy", 17380, netip.IPv4Unspecified(), netip.IPv6Unspecified()), Client: host.Password{Version: keptVersion, Kept: true}, Master: host.Password{Version: keptVersion, Kept: true}},
	}
	all[0].Settings["tcp-keepalive"] = "60"
	all[1].ReplicaOf = &redisconf.Replica{Master: netip.MustParseAddrPort("192.0.2.12:6380"), Password: true}
	if change != nil {
		change(all)
	}
	out, err := hosttest.RealServer(bareHost(t), netip.MustParseAddr("192.0.2.229"), all...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRedisIsPlannedAppliedHealedAndImported(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	c.becomes(bareHost(t), redisHost(t, 1, nil))
	step := func(s resource.TestStep, change ...func(tfconfig.Variables)) resource.TestStep {
		s.ProtoV6ProviderFactories = factories
		s.ConfigFile = tfconfig.StaticFile("testdata/redis.tf")
		s.ConfigVariables = c.variables(change...)
		return s
	}
	artifact := func(name, words string) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue("redislb_realserver.a", tfjsonpath.New("artifacts").AtMapKey(name), knownvalue.StringRegexp(regexp.MustCompile(words)))
	}
	preApply := func(checks ...plancheck.PlanCheck) resource.TestStep {
		return resource.TestStep{ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: checks}}
	}
	other := func(v tfconfig.Variables) { v["kept"] = tfconfig.StringVariable("Sesame 3") }
	drifted := step(preApply(artifact("redis 17380", `^answers, role: replica of 192.0.2.12:6380\n`)))
	drifted.PreConfig = func() {
		c.becomes(redisHost(t, 1, func(all []host.Redis) { all[1].ReplicaOf = nil }), redisHost(t, 1, nil))
	}
	changed := step(preApply(artifact("file /etc/redislb/redis-17380.password", `# password version 2\n`),
		artifact("file /etc/redislb/redis-17380.masterauth.password", `# password version 2\n`),
		artifact("file /etc/redislb/redis-6380.password", `# password_wo_version 4\n`)), other)
	changed.PreConfig = func() { c.becomes(redisHost(t, 1, nil), redisHost(t, 2, nil)) }
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{
		step(preApply(
			artifact("package redis-server", `^installed$`),
			artifact("unit redislb-redis-6380.service", `^enabled, active$`),
			artifact("redis 6380", `(?s)^answers, role: master\nmaxmemory 0\n.*data in /var/lib/redis/redislb-6380, redis:redis 750\n$`),
			artifact("file /etc/redislb/redis-6380.conf", `(?s)port 6380\nbind 0.0.0.0\nprotected-mode yes\n.*tcp-keepalive 60\n`),
			artifact("file /etc/redislb/redis-6380.password", `^# Managed .*\n# password_wo_version 4\n\(secret, unchanged on the host\)\n$`),
			artifact("file /etc/redislb/redis-17380.password", `# password version 1\n`),
			artifact("file /etc/redislb/redis-17380.conf", `replicaof 192.0.2.12 6380\n`))),
		drifted,
		changed,
		step(resource.TestStep{
			ResourceName: "redislb_realserver.a", ImportState: true, ImportStateId: "a", ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"redis.copy.password", "redis.copy.replica_of.password"},
		}, other),
		// What is left when Terraform destroys it.
		step(resource.TestStep{PreConfig: func() { c.becomes(redisHost(t, 2, nil), bareHost(t)) }, PlanOnly: true}, other),
	}})
}

func TestRedisThatDoesNotFitTheHostIsRefusedAtPlan(t *testing.T) {
	taken := strings.Replace(string(bareHost(t)), "== unit\n", "== listeners\nLISTEN 0 511 0.0.0.0:6379 0.0.0.0:*\nLISTEN 0 511 [::1]:6379 [::]:*\n== unit\nId=redis-server.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n", 1)
	c := newCanned(t, []byte(taken), remotetest.Options{})
	for variable, value := range map[string]struct {
		to    tfconfig.Variable
		words string
	}{
		"redis_port": {tfconfig.IntegerVariable(6379), `(?s)Port Is Taken.*redis-server.service\s+runs.*0.0.0.0:6379.*systemctl\s+disable`},
		"bind":       {tfconfig.SetVariable(tfconfig.StringVariable("192.0.2.99")), `(?s)Address Not on the Host.*192.0.2.99`},
	} {
		resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
			ProtoV6ProviderFactories: factories,
			ConfigFile:               tfconfig.StaticFile("testdata/redis.tf"),
			ConfigVariables:          c.variables(func(v tfconfig.Variables) { v[variable] = value.to }),
			PlanOnly:                 true,
			ExpectError:              regexp.MustCompile(value.words),
		}}})
	}
}
