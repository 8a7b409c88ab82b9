package provider

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func dataSources(t *testing.T) map[string]schema.Schema {
	t.Helper()
	ctx := context.Background()
	schemas := map[string]schema.Schema{}
	for _, construct := range (&redislbProvider{}).DataSources(ctx) {
		d := construct()
		var meta datasource.MetadataResponse
		d.Metadata(ctx, datasource.MetadataRequest{ProviderTypeName: "redislb"}, &meta)
		var resp datasource.SchemaResponse
		d.Schema(ctx, datasource.SchemaRequest{}, &resp)
		schemas[meta.TypeName] = resp.Schema
	}
	return schemas
}

func TestDataSourcesAreValidAndDescribed(t *testing.T) {
	schemas := dataSources(t)
	if len(schemas) == 0 {
		t.Error("positive control: there is none")
	}
	var described func(at string, attributes map[string]schema.Attribute)
	described = func(at string, attributes map[string]schema.Attribute) {
		for name, a := range attributes {
			if a.GetMarkdownDescription() == "" {
				t.Errorf("%s.%s has no description", at, name)
			}
			described(at+"."+name, nested(a))
		}
	}
	for name, s := range schemas {
		if diags := s.ValidateImplementation(context.Background()); diags.HasError() {
			t.Errorf("%s: %v", name, diags)
		}
		described(name, s.Attributes)
		if text, err := os.ReadFile(filepath.Join("../../examples/data-sources", name, "data-source.tf")); err != nil || !strings.Contains(string(text), `data "`+name+`"`) {
			t.Errorf("%s has no example: %v", name, err)
		}
	}
	described("parse_keepalived", surveyAttributes())
}

// watched is the VIP that the data sources are about.
func watched() host.VIP {
	server := func(name, address string) keepalived.RealServer {
		return keepalived.RealServer{Name: name, Address: netip.MustParseAddr(address), Port: 6379, Weight: 1}
	}
	return host.VIP{VIP: keepalived.VIP{Address: netip.MustParsePrefix("192.0.2.229/24"), Services: []keepalived.VirtualServer{{
		Name: "redis", Port: 6379, Protocol: keepalived.TCP, Scheduler: "rr", Forwarding: keepalived.DR, DelayLoop: time.Second,
		Check: keepalived.Check{Kind: keepalived.CheckTCP, Timeout: time.Second, RetryDelay: time.Second}, Quorum: keepalived.Quorum{Weight: 1},
		RealServers: []keepalived.RealServer{server("one", "192.0.2.11"), server("two", "192.0.2.12")},
	}}}}
}

// directorHosts are what two directors answer: a is master, and finds 192.0.2.12 down.
func directorHosts(t *testing.T) (a, b []byte) {
	t.Helper()
	p, _ := pairOf(t, "a", watched())
	p.active = func(director, server string, _ time.Duration) int {
		switch {
		case director == "b":
			return 0
		case server == "one":
			return 12
		}
		return -1
	}
	answer := func(name, state, daemon, more string) []byte {
		p.files[name]["/run/redislb/role"] = []byte("1 " + state + "\n")
		out := (&way{pair: p, name: name}).probe()
		// As a real server it has the VIP on lo too, which is not to hold it.
		out = bytes.Replace(out, []byte("1: lo    inet6"), []byte("1: lo    inet 192.0.2.229/32 scope global lo:1\\       valid_lft forever preferred_lft forever\n1: lo    inet6"), 1)
		more += "== role\n" + state + "\n== ipvs daemon\n" + daemon + " sync daemon (mcast=eth0, syncid=51, maxlen=1472)\n== package manager\n/usr/bin/apt-get\n"
		return bytes.Replace(out, []byte("== tar\n"), []byte(more+"== tar\n"), 1)
	}
	a = answer("a", "MASTER", "master", "== health\nnow 1795702200\n[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 DOWN 1795701787\n[192.0.2.229]:tcp:6379_[192.0.2.13]:tcp:6379 NEW 4000000000\n== nft table\ntable inet redislb {\n\tset strangers_51 {\n\t\telements = { 192.0.2.77 timeout 1m expires 59s }\n\t}\n}\n")
	a = bytes.Replace(a, []byte("12          0\n"), []byte("12          0\n   Total Incoming Outgoing         Incoming         Outgoing\n   Conns  Packets  Packets            Bytes            Bytes\n      1F       20        0               40                0\n"), 1)
	return a, answer("b", "BACKUP", "backup", "")
}

// looking reads testdata/sources.tf.
func looking(a, b *canned, change ...func(tfconfig.Variables)) resource.TestStep {
	hosts := map[string]tfconfig.Variable{}
	for name, c := range map[string]*canned{"a": a, "b": b} {
		hosts[name] = tfconfig.ObjectVariable(map[string]tfconfig.Variable{
			"address": tfconfig.StringVariable("127.0.0.1"), "port": tfconfig.IntegerVariable(c.Port()), "known_hosts": tfconfig.StringVariable(c.KnownHosts()),
		})
	}
	v := tfconfig.Variables{"hosts": tfconfig.MapVariable(hosts), "private_key": tfconfig.StringVariable(string(a.Config().PrivateKey))}
	for _, f := range change {
		f(v)
	}
	return resource.TestStep{ProtoV6ProviderFactories: factories, ConfigFile: tfconfig.StaticFile("testdata/sources.tf"), ConfigVariables: v}
}

// twins are two hosts with one key for the user.
func twins(t *testing.T, a, b []byte) (*canned, *canned) {
	t.Helper()
	first := newCanned(t, a, remotetest.Options{})
	key, err := ssh.ParsePrivateKey(first.Config().PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return first, newCanned(t, b, remotetest.Options{AuthorizedKeys: []ssh.PublicKey{key.PublicKey()}})
}

func TestDataSourcesTellWhatIsOnTheHosts(t *testing.T) {
	a, b := twins(t, nil, nil)
	a.output, b.output = directorHosts(t)
	text, number, null, is := knownvalue.StringExact, knownvalue.Int64Exact, knownvalue.Null(), knownvalue.Bool
	list := func(texts ...string) knownvalue.Check {
		checks := []knownvalue.Check{}
		for _, s := range texts {
			checks = append(checks, text(s))
		}
		return knownvalue.ListExact(checks)
	}
	var configured atomic.Int64
	step := looking(a, b)
	step.ProtoV6ProviderFactories = counting(&configured)
	expect := func(source string, at tfjsonpath.Path, want knownvalue.Check) {
		step.ConfigStateChecks = append(step.ConfigStateChecks, statecheck.ExpectKnownValue("data.redislb_"+source, at, want))
	}
	root := tfjsonpath.New[string]

	expect("host.a", root("target"), text(fmt.Sprintf("root@127.0.0.1:%d", a.Port())))
	expect("host.a", root("os"), text("Debian GNU/Linux 12 (bookworm)"))
	expect("host.a", root("kernel"), text("6.1.0-56-cloud-amd64"))
	expect("host.a", root("systemd"), is(true))
	expect("host.a", root("package_manager"), text("apt-get"))
	expect("host.a", root("keepalived_version"), text("2.2.7"))
	expect("host.a", root("keepalived_state"), text("active"))
	expect("host.a", root("keepalived_conf"), text("redislb"))
	expect("host.a", root("ipvsadm_version"), null)
	expect("host.a", root("missing_packages"), list("nftables"))
	expect("host.a", root("ipvs_loaded"), is(true))
	expect("host.a", root("interfaces"), list("eth0", "eth1", "lo"))
	expect("host.a", root("addresses").AtMapKey("eth0"), list("192.0.2.11/24", "192.0.2.229/24", "fe80::5054:ff:fe00:20b/64"))
	expect("host.a", root("addresses").AtMapKey("lo"), list("127.0.0.1/8", "192.0.2.229/32", "::1/128"))
	expect("host.a", root("problems"), list())

	service := root("services").AtMapKey("tcp 192.0.2.229:6379")
	expect("ipvs.a", root("loaded"), is(true))
	expect("ipvs.a", service.AtMapKey("scheduler"), text("rr"))
	expect("ipvs.a", service.AtMapKey("quorum_lost"), is(false))
	expect("ipvs.a", service.AtMapKey("down"), list("192.0.2.12:6379"))
	expect("ipvs.a", service.AtMapKey("down_since"), knownvalue.MapExact(map[string]knownvalue.Check{"192.0.2.12:6379": text("2026-11-26T14:03:07Z")}))
	expect("ipvs.a", service.AtMapKey("unchecked"), list("192.0.2.13:6379"))
	expect("ipvs.a", service.AtMapKey("destinations"), knownvalue.MapExact(map[string]knownvalue.Check{"192.0.2.11:6379": knownvalue.ObjectExact(map[string]knownvalue.Check{
		"address": text("192.0.2.11"), "port": number(6379), "forwarding": text("DR"), "weight": number(1), "upper_threshold": null, "lower_threshold": null,
		"tunnel": null, "active_connections": number(12), "inactive_connections": number(0),
	})}))
	expect("ipvs.a", root("counters").AtMapKey("connections"), number(31))
	expect("ipvs.a", root("counters").AtMapKey("incoming_bytes"), number(64))

	expect("vrrp.a", root("instance"), text("VI_1"))
	expect("vrrp.a", root("state"), text("master"))
	expect("vrrp.a", root("since"), text("1970-01-01T00:00:00Z"))
	expect("vrrp.a", root("interface"), text("eth0"))
	expect("vrrp.a", root("virtual_router_id"), number(51))
	expect("vrrp.a", root("priority"), number(100))
	expect("vrrp.a", root("drain"), is(false))
	expect("vrrp.a", root("loop_guard"), text("backup_only"))
	expect("vrrp.a", root("vips"), list("192.0.2.229"))
	expect("vrrp.a", root("held_vips"), list("192.0.2.229"))
	expect("vrrp.a", root("sync_daemons"), knownvalue.ListExact([]knownvalue.Check{knownvalue.ObjectExact(map[string]knownvalue.Check{
		"role": text("master"), "interface": text("eth0"), "id": number(51),
	})}))
	expect("vrrp.a", root("strangers"), knownvalue.ListExact([]knownvalue.Check{knownvalue.ObjectExact(map[string]knownvalue.Check{
		"address": text("192.0.2.77"), "virtual_router_id": number(51),
	})}))

	shows := func(words ...string) knownvalue.Check {
		return knownvalue.StringFunc(func(got string) error {
			for _, w := range words {
				if !strings.Contains(got, w) {
					return fmt.Errorf("%q is not in\n%s", w, got)
				}
			}
			return nil
		})
	}
	const up, down = "one 192.0.2.11:6379", "two 192.0.2.12:6379"
	expect("topology.this", root("mermaid"), shows("a<br/>master", "b<br/>backup", "192.0.2.229<br/>held by a", "redis<br/>tcp 6379, rr", up+"<br/>weight 1, 12 active", down+"<br/>down, weight 1", "192.0.2.13:6379<br/>not checked yet, weight 0"))
	expect("topology.this", root("svg"), shows("<svg ", ">a<", ">held by a<", ">"+up+"<", ">weight 1, 12 active, 0 inactive<", ">down, weight 1, 0 active, 0 inactive<"))

	renamed := looking(a, b, func(v tfconfig.Variables) {
		v["names"] = tfconfig.MapVariable(map[string]tfconfig.Variable{"<new>": tfconfig.StringVariable("192.0.2.11")})
	})
	renamed.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownValue("data.redislb_topology.this", root("svg"), shows("&lt;new&gt; 192.0.2.11:6379", down)),
	}
	var before counts
	step.PreConfig = func() { before = a.counts(&configured) }
	// An apply of what has no changes configures the provider and reads nothing.
	renamed.PreConfig = func() {
		now := a.counts(&configured)
		walks, commands := now.configured-before.configured, now.commands-before.commands
		if commands < 1 || commands > walks || now.connections-before.connections != commands {
			t.Errorf("%d connections and %d commands of four data sources, in %d walks", now.connections-before.connections, commands, walks)
		}
	}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{step, renamed}})
	if a.commits+b.commits > 0 {
		t.Error("a data source changed a host")
	}
}

func TestDataSourcesTellOfABareHostThatThereIsNothing(t *testing.T) {
	a, b := twins(t, bareHost(t), bareHost(t))
	step := looking(a, b)
	null, none := knownvalue.Null(), knownvalue.ListExact([]knownvalue.Check{})
	for at, want := range map[string]knownvalue.Check{
		"vrrp.a instance": null, "vrrp.a state": null, "vrrp.a since": null, "vrrp.a priority": null, "vrrp.a drain": null, "vrrp.a vips": none, "vrrp.a sync_daemons": none,
		"ipvs.a services": knownvalue.MapExact(map[string]knownvalue.Check{}), "ipvs.a counters": null,
		"host.a keepalived_conf": knownvalue.StringExact("none"), "host.a keepalived_state": knownvalue.StringExact("inactive"),
		"host.a problems": knownvalue.ListPartial(map[int]knownvalue.Check{0: knownvalue.ObjectPartial(map[string]knownvalue.Check{"summary": knownvalue.StringExact("No Package Manager")})}),
	} {
		source, attribute, _ := strings.Cut(at, " ")
		step.ConfigStateChecks = append(step.ConfigStateChecks, statecheck.ExpectKnownValue("data.redislb_"+source, tfjsonpath.New(attribute), want))
	}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{step}})
}

func TestDataSourceOfAHostThatCannotBeReachedIsAnErrorThatNamesIt(t *testing.T) {
	a, b := twins(t, bareHost(t), bareHost(t))
	refusing := unused(t)
	said := plan(t, looking(a, b, func(v tfconfig.Variables) {
		hosts := map[string]tfconfig.Variable{}
		for name, port := range map[string]int{"a": refusing, "b": b.Port()} {
			hosts[name] = tfconfig.ObjectVariable(map[string]tfconfig.Variable{
				"address": tfconfig.StringVariable("127.0.0.1"), "port": tfconfig.IntegerVariable(port), "known_hosts": tfconfig.StringVariable(fmt.Sprintf("[127.0.0.1]:%d %s", port, keyOf(b))),
			})
		}
		v["hosts"] = tfconfig.MapVariable(hosts)
	}))
	for _, source := range []string{"redislb_host.a", "redislb_ipvs.a", "redislb_vrrp.a", "redislb_topology.this"} {
		want := fmt.Sprintf(`Unable to Read Host with data.%s.*root@127\.0\.0\.1:%d`, regexp.QuoteMeta(source), refusing)
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("want %s in:\n%s", want, said)
		}
	}
}

func TestFileThatCannotBeReadAnyMoreIsAnErrorThatNamesTheHost(t *testing.T) {
	a, b := twins(t, nil, nil)
	a.output, b.output = directorHosts(t)
	a.output = bytes.Replace(a.output, []byte("\nvrrp_instance "), []byte("\nvrrp_instanc_ "), 1)
	said := plan(t, looking(a, b))
	for _, want := range []string{"Unable to Read VRRP Instance", "Unable to Draw Topology", fmt.Sprintf("(root@127.0.0.1:%d): %s, which redislb wrote, was edited", a.Port(), keepalived.ConfigPath)} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q in:\n%s", want, said)
		}
	}
}
