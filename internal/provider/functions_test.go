package provider

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/function"
	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestFunctionsAreValid(t *testing.T) {
	ctx := context.Background()
	for _, construct := range (&redislbProvider{}).Functions(ctx) {
		f := construct()
		var meta function.MetadataResponse
		f.Metadata(ctx, function.MetadataRequest{}, &meta)
		var resp function.DefinitionResponse
		f.Definition(ctx, function.DefinitionRequest{}, &resp)
		var valid function.DefinitionValidateResponse
		resp.Definition.ValidateImplementation(ctx, function.DefinitionValidateRequest{FuncName: meta.Name}, &valid)
		if valid.Diagnostics.HasError() {
			t.Errorf("%s: %v", meta.Name, valid.Diagnostics)
		}
		if d := resp.Definition; d.Summary == "" || d.MarkdownDescription == "" {
			t.Errorf("%s has no description", meta.Name)
		}
	}
}

// calling evaluates testdata/functions.tf with other texts.
func calling(change map[string]string) resource.TestStep {
	v := tfconfig.Variables{}
	for name, text := range change {
		v[name] = tfconfig.StringVariable(text)
	}
	return resource.TestStep{ProtoV6ProviderFactories: factories, ConfigFile: tfconfig.StaticFile("testdata/functions.tf"), ConfigVariables: v}
}

func output(name string, at []any, want knownvalue.Check) statecheck.StateCheck {
	path := tfjsonpath.Path{}
	for i, step := range at {
		switch step := step.(type) {
		case string:
			if i == 0 {
				path = tfjsonpath.New(step)
			} else {
				path = path.AtMapKey(step)
			}
		case int:
			path = path.AtSliceIndex(step)
		}
	}
	return statecheck.ExpectKnownOutputValueAtPath(name, path, want)
}

func TestFunctionsReturnWhatTheTextsSay(t *testing.T) {
	text, number, null := knownvalue.StringExact, knownvalue.Int64Exact, knownvalue.Null()
	key := remotetest.NewServer(t, remotetest.Options{}).KnownHosts()
	key = strings.Join(strings.Fields(key)[1:3], " ")
	list, err := os.ReadFile("../ipvs/testdata/list.txt")
	if err != nil {
		t.Fatal(err)
	}
	conf, err := os.ReadFile("../keepalived/testdata/foreign/seed-master.conf")
	if err != nil {
		t.Fatal(err)
	}
	step := calling(map[string]string{"public_key": key + " root@a", "ipvsadm": string(list), "keepalived": string(conf) + "\nprotocl TCP\n"})
	service := []any{"services", "tcp 192.0.2.229:6379"}
	redis := []any{"virtual_servers", 0}
	at := func(base []any, more ...any) []any { return append(append([]any{}, base...), more...) }
	step.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownOutputValue("known_host", text("a,[2001:db8::11]:2222 "+key)),

		output("ipvsadm", at(service, "scheduler"), text("mh")),
		output("ipvsadm", at(service, "scheduler_flags"), knownvalue.ListExact([]knownvalue.Check{text("mh-fallback"), text("mh-port")})),
		output("ipvsadm", at(service, "persistence"), null),
		output("ipvsadm", at(service, "port"), number(6379)),
		output("ipvsadm", at(service, "destinations", "192.0.2.11:6379", "weight"), number(0)),
		output("ipvsadm", at(service, "destinations", "192.0.2.11:6379", "active_connections"), number(12)),
		output("ipvsadm", at(service, "destinations", "192.0.2.12:6379", "inactive_connections"), number(0)),
		output("ipvsadm", []any{"services", "tcp 192.0.2.230:443", "persistence", "timeout"}, text("5m")),
		output("ipvsadm", []any{"services", "fwmark 3", "fwmark"}, number(3)),
		output("ipvsadm", []any{"services", "fwmark 3", "address"}, null),
		output("ipvsadm", []any{"services", "udp 192.0.2.229:53", "destinations", "192.0.2.12:53", "forwarding"}, text("NAT")),

		output("keepalived", []any{"router_id"}, text("LVS_DEVEL")),
		output("keepalived", []any{"sync_daemon"}, null),
		output("keepalived", []any{"ipvs_timeouts"}, null),
		output("keepalived", []any{"vrrp_instances", 0, "priority"}, number(99)),
		output("keepalived", []any{"vrrp_instances", 0, "authentication"}, text("PASS")),
		output("keepalived", []any{"vrrp_instances", 0, "advert_interval"}, text("1s")),
		output("keepalived", []any{"vrrp_instances", 0, "preempt"}, knownvalue.Bool(true)),
		output("keepalived", []any{"vrrp_instances", 0, "notify", "notify_master"}, text("/etc/keepalived/notify_master.sh")),
		output("keepalived", at(redis, "protocol"), text("tcp")),
		output("keepalived", at(redis, "forwarding"), text("DR")),
		output("keepalived", at(redis, "check_interval"), text("6s")),
		output("keepalived", at(redis, "quorum"), null),
		output("keepalived", at(redis, "real_servers", 1, "address"), text("192.168.81.234")),
		output("keepalived", at(redis, "real_servers", 1, "check", "timeout"), text("3s")),
		output("keepalived", []any{"unread"}, knownvalue.ListExact([]knownvalue.Check{knownvalue.ObjectExact(map[string]knownvalue.Check{
			"line": number(42), "statement": text("protocl"), "reason": text("is not among what is read"),
		})})),
	}
	rules := calling(map[string]string{"public_key": key, "ipvsadm": "-A -t 192.0.2.229:6379 -s rr\n-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n", "keepalived": "global_defs {\nlvs_timeouts tcp 3600\n}\n"})
	rules.ConfigStateChecks = []statecheck.StateCheck{
		output("ipvsadm", at(service, "destinations", "192.0.2.11:6379", "weight"), number(1)),
		output("ipvsadm", at(service, "destinations", "192.0.2.11:6379", "active_connections"), null),
		output("keepalived", []any{"vrrp_instances"}, knownvalue.ListExact(nil)),
		output("keepalived", []any{"ipvs_timeouts"}, knownvalue.ObjectExact(map[string]knownvalue.Check{"tcp": text("1h"), "tcp_fin": null, "udp": null})),
	}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{step, rules}})
}

func TestFunctionsSayWhatIsWrongWithTheirArguments(t *testing.T) {
	for _, c := range []struct {
		change map[string]string
		want   string
	}{
		{map[string]string{"public_key": "no key"}, `Invalid value for "public_key" parameter: public_key: "no key" is not a public key`},
		{map[string]string{"address": "ssh://a"}, `known_host.* addresses: "ssh://a"`},
		{map[string]string{"ipvsadm": "-A -t redis:6379 -s rr"}, `Invalid value for "text" parameter: ipvsadm -Sn line 1: .*redis:6379.* no numeric address`},
		{map[string]string{"keepalived": "vrrp_instance V {\n"}, `Invalid value for "text" parameter: keepalived.conf: line 1: the block of vrrp_instance is not closed`},
	} {
		step := calling(c.change)
		if said := plan(t, step); !regexp.MustCompile(c.want).MatchString(said) {
			t.Errorf("%v: want %q in:\n%s", c.change, c.want, said)
		}
	}
}

// The documentation shows how each function is called.
func TestEveryFunctionHasAnExample(t *testing.T) {
	ctx := context.Background()
	for _, construct := range (&redislbProvider{}).Functions(ctx) {
		var meta function.MetadataResponse
		construct().Metadata(ctx, function.MetadataRequest{}, &meta)
		text, err := os.ReadFile(filepath.Join("../../examples/functions", meta.Name, "function.tf"))
		if err != nil || !strings.Contains(string(text), "provider::redislb::"+meta.Name+"(") {
			t.Errorf("%s: %v", meta.Name, err)
		}
	}
}
