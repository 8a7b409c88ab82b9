package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/redislb/terraform-provider-redislb/internal/host/hosttest"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// canned is a host that answers each probe with the same output, until a commit.
type canned struct {
	*remotetest.Server
	mu              sync.Mutex
	output          []byte
	afterwards      []byte // what a commit leads to
	probes, commits int
}

// transaction is how transact.sh is called: its verb, and what was staged.
var transaction = regexp.MustCompile(`^set -- (start|attach|confirm|abort|revert|settle) [0-9a-f]{16}(?:-[0-9a-f]{8}-[0-9]+-[0-9]+)?(?: (/[a-z/]*/\.redislb-[0-9a-f]{32}) [0-9a-f]{64})?;`)

func newCanned(t *testing.T, output []byte, opts remotetest.Options) *canned {
	t.Helper()
	c := &canned{output: output}
	opts.Exec = func(_ string, stdin io.Reader, stdout, stderr io.Writer) int {
		fmt.Fprintln(stderr, "redislb-started")
		fmt.Fprintln(stdout, "redislb-started")
		text, _ := io.ReadAll(stdin)
		c.mu.Lock()
		defer c.mu.Unlock()
		_, text, _ = bytes.Cut(text, []byte("\n"))
		verb := transaction.FindSubmatch(text)
		switch {
		case verb == nil:
			c.probes++
		case string(verb[1]) == "settle":
			return 0
		case string(verb[1]) == "start" && awaits(string(verb[2])):
			return 76
		default: // committed
			c.commits++
			c.output = c.afterwards
		}
		_, _ = stdout.Write(c.output)
		return 0
	}
	c.Server = remotetest.NewServer(t, opts)
	return c
}

// awaits takes what was staged, and tells whether the transaction waits for a
// confirmation.
func awaits(dir string) bool {
	defer os.RemoveAll(dir)
	packed, _ := os.ReadFile(filepath.Join(dir, "bundle"))
	return bytes.Contains(packed, []byte("\nawait_confirmation "))
}

func (c *canned) becomes(output, afterwards []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.output, c.afterwards = output, afterwards
}

// variables are those of testdata/host.tf.
func (c *canned) variables(change ...func(tfconfig.Variables)) tfconfig.Variables {
	v := tfconfig.Variables{
		"port":        tfconfig.IntegerVariable(c.Port()),
		"known_hosts": tfconfig.StringVariable(c.KnownHosts()),
		"private_key": tfconfig.StringVariable(string(c.Config().PrivateKey)),
	}
	for _, f := range change {
		f(v)
	}
	return v
}

// bareHost is a real capture: keepalived installed, nothing of ours.
func bareHost(t *testing.T) []byte {
	t.Helper()
	out, err := os.ReadFile("../host/testdata/probe-bare.out")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// realServerHost is the capture with all on it that a real server has.
func realServerHost(t *testing.T) []byte {
	t.Helper()
	out, err := hosttest.RealServer(bareHost(t), netip.MustParseAddr("192.0.2.229"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// counting is the provider, with a count of how often it was configured: once for
// each walk of Terraform that may reach hosts.
func counting(configured *atomic.Int64) map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"redislb": func() (tfprotov6.ProviderServer, error) {
			server, err := providerserver.NewProtocol6WithError(New("test")())()
			return countingServer{server, configured}, err
		},
	}
}

type countingServer struct {
	tfprotov6.ProviderServer
	configured *atomic.Int64
}

func (s countingServer) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	s.configured.Add(1)
	return s.ProviderServer.ConfigureProvider(ctx, req)
}

// counted wants one connection and one command for each time that the provider
// was configured since the counts began.
type counts struct{ configured, connections, commands, sessions int }

func (c *canned) counts(configured *atomic.Int64) counts {
	return counts{int(configured.Load()), c.Connections(), len(c.Commands()), c.Sessions()}
}

func (c *canned) oneOfEachSince(t *testing.T, before counts, configured *atomic.Int64) {
	t.Helper()
	now := c.counts(configured)
	walks := now.configured - before.configured
	if walks < 1 {
		t.Errorf("positive control: the provider was configured %d times", walks)
	}
	if n := now.connections - before.connections; n != walks {
		t.Errorf("%d connections for %d walks", n, walks)
	}
	if n := now.commands - before.commands; n != walks {
		t.Errorf("%d commands for %d walks", n, walks)
	}
	if n := now.sessions - before.sessions; n != walks {
		t.Errorf("%d sessions for %d walks", n, walks)
	}
}

func TestPlanOfManyResourcesAndDataSourcesIsOneConnectionAndOneCommandAHost(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	var configured atomic.Int64
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
		ProtoV6ProviderFactories: counting(&configured),
		ConfigFile:               tfconfig.StaticFile("testdata/all.tf"),
		ConfigVariables:          c.variables(),
		PlanOnly:                 true,
		ExpectNonEmptyPlan:       true,
	}}})
	c.oneOfEachSince(t, counts{}, &configured)
	if c.commits > 0 {
		t.Errorf("a plan changed the host %d times", c.commits)
	}
}

func TestRealServerIsReadWithOneCommandAndNeverLostFromTheState(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	c.becomes(bareHost(t), realServerHost(t))
	other := newCanned(t, bareHost(t), remotetest.Options{}) // for its host key
	refusing := unused(t)
	var configured atomic.Int64
	var before counts
	step := func(s resource.TestStep) resource.TestStep {
		s.ProtoV6ProviderFactories = counting(&configured)
		s.ConfigFile = tfconfig.StaticFile("testdata/host.tf")
		if s.ConfigVariables == nil {
			s.ConfigVariables = c.variables()
		}
		return s
	}
	empty := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{
		step(resource.TestStep{Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr("redislb_realserver.a", "id", "a"),
			resource.TestCheckResourceAttr("redislb_realserver.a", "address", "192.0.2.11"),
			resource.TestCheckResourceAttr("redislb_realserver.a", "artifacts.address 192.0.2.229 on lo", "192.0.2.229/32 label lo:1"),
			resource.TestCheckResourceAttr("redislb_realserver.a", "artifacts.sysctl net.ipv4.conf.all.arp_ignore", "1"),
			resource.TestCheckResourceAttr("redislb_realserver.a", "artifacts.unit redislb-realserver.service", "enabled, active"),
		)}),
		step(resource.TestStep{PreConfig: func() { before = c.counts(&configured) }, PlanOnly: true}),
		step(resource.TestStep{PreConfig: func() { c.oneOfEachSince(t, before, &configured) },
			ConfigVariables: c.variables(func(v tfconfig.Variables) { v["port"] = tfconfig.IntegerVariable(refusing) }),
			PlanOnly:        true,
			ExpectError:     regexp.MustCompile(fmt.Sprintf(`(?s)Unable to Read Real Server.*root@127\.0\.0\.1:%d.*refused`, refusing))}),
		step(resource.TestStep{ // still in the state, as an empty plan shows
			ConfigPlanChecks: empty}),
		step(resource.TestStep{
			ConfigVariables: c.variables(func(v tfconfig.Variables) {
				v["known_hosts"] = tfconfig.StringVariable(fmt.Sprintf("[127.0.0.1]:%d %s", c.Port(), keyOf(other)))
			}),
			PlanOnly:    true,
			ExpectError: regexp.MustCompile(`(?s)(?i)Unable to Read .*host\s+key`)}),
		step(resource.TestStep{ConfigPlanChecks: empty}),
		step(resource.TestStep{ // cut short
			PreConfig:   func() { c.becomes(realServerHost(t)[:4000], nil) },
			PlanOnly:    true,
			ExpectError: regexp.MustCompile(`(?s)Unable to Read .*incomplete`)}),
		step(resource.TestStep{PreConfig: func() { c.becomes(realServerHost(t), bareHost(t)) }, ConfigPlanChecks: empty}),
		step(resource.TestStep{ // drift is an update in place
			PreConfig: func() {
				c.becomes(bytes.Replace(realServerHost(t), []byte("all/arp_ignore:1"), []byte("all/arp_ignore:0"), 1), realServerHost(t))
			},
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction("redislb_realserver.a", plancheck.ResourceActionUpdate)}}}),
		step(resource.TestStep{ // proven absence does remove it (positive control)
			PreConfig:        func() { c.becomes(bareHost(t), realServerHost(t)) },
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction("redislb_realserver.a", plancheck.ResourceActionCreate)}}}),
		step(resource.TestStep{
			ResourceName:      "redislb_realserver.a",
			ImportState:       true,
			ImportStateId:     "a",
			ImportStateVerify: true,
		}),
		step(resource.TestStep{PreConfig: func() { c.becomes(realServerHost(t), bareHost(t)) }, PlanOnly: true}),
	}})
}

// The default is the address on the network of the first VIP: also of a VIP that an
// update brings.
func TestAddressFollowsTheVIPsToAnotherNetwork(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	c.becomes(bareHost(t), realServerHost(t))
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{
		{ProtoV6ProviderFactories: factories, ConfigFile: tfconfig.StaticFile("testdata/host.tf"), ConfigVariables: c.variables()},
		{
			PreConfig:                func() { c.becomes(realServerHost(t), bareHost(t)) },
			ProtoV6ProviderFactories: factories, ConfigFile: tfconfig.StaticFile("testdata/host.tf"),
			ConfigVariables: c.variables(func(v tfconfig.Variables) {
				v["vips"] = tfconfig.SetVariable(tfconfig.StringVariable("10.0.2.229"))
			}),
			PlanOnly: true, ExpectNonEmptyPlan: true,
			ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue("redislb_realserver.a", tfjsonpath.New("address"), knownvalue.StringExact("10.0.2.15")),
			}},
		},
	}})
}

// meanwhile does something between a plan and its apply.
type meanwhile func()

func (m meanwhile) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	m()
}

func TestFileThatIsEditedBetweenPlanAndApplyIsNotOverwritten(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	c.becomes(bareHost(t), realServerHost(t))
	edited := bytes.Replace(realServerHost(t), []byte("VIPs on the loopback interface"), []byte("VIPs on the loopback INTERFACE"), 1)
	step := func(s resource.TestStep) resource.TestStep {
		s.ProtoV6ProviderFactories, s.ConfigFile = factories, tfconfig.StaticFile("testdata/host.tf")
		if s.ConfigVariables == nil {
			s.ConfigVariables = c.variables()
		}
		return s
	}
	commits := 0
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{
		step(resource.TestStep{}),
		step(resource.TestStep{
			PreConfig: func() { commits = c.commits },
			ConfigVariables: c.variables(func(v tfconfig.Variables) {
				v["vips"] = tfconfig.SetVariable(tfconfig.StringVariable("192.0.2.230"))
			}),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{meanwhile(func() { c.becomes(edited, realServerHost(t)) })}},
			ExpectError:      regexp.MustCompile(`(?s)redislb-realserver.service\s+was\s+changed\s+on\s+the\s+host\s+since\s+it\s+was\s+read.*\+Description=VIPs on the loopback INTERFACE`),
		}),
		// As drift, which the plan shows, it is healed.
		step(resource.TestStep{
			PreConfig: func() {
				if c.commits != commits {
					t.Errorf("%d changes were begun", c.commits-commits)
				}
			},
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction("redislb_realserver.a", plancheck.ResourceActionUpdate)}},
		}),
		step(resource.TestStep{PreConfig: func() { c.becomes(realServerHost(t), bareHost(t)) }, PlanOnly: true}),
	}})
}

// keyOf is the host key of a server as known_hosts has it.
func keyOf(c *canned) string {
	fields := strings.Fields(c.KnownHosts())
	return strings.Join(fields[1:3], " ")
}

// unused is a port that refuses connections.
func unused(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestHostThatRefusesIsAnErrorOfThePlanThatNamesItAndShowsNoSecret(t *testing.T) {
	const secret = "Sesame-open-99"
	password := newCanned(t, bareHost(t), remotetest.Options{Password: "another", NoKey: true})
	stranger := newCanned(t, bareHost(t), remotetest.Options{})
	other := newCanned(t, bareHost(t), remotetest.Options{})
	for name, c := range map[string]struct {
		server *canned
		change func(tfconfig.Variables)
		want   string
	}{
		"wrong password": {password, func(v tfconfig.Variables) {
			v["password"] = tfconfig.StringVariable(secret)
			delete(v, "private_key")
		}, "password"},
		"wrong host key": {stranger, func(v tfconfig.Variables) {
			v["known_hosts"] = tfconfig.StringVariable(fmt.Sprintf("[127.0.0.1]:%d %s", stranger.Port(), keyOf(other)))
			v["password"] = tfconfig.StringVariable(secret)
		}, "SHA256:"},
		"unknown host key": {stranger, func(v tfconfig.Variables) {
			v["known_hosts"] = tfconfig.StringVariable("192.0.2.99 " + keyOf(other))
			v["password"] = tfconfig.StringVariable(secret)
		}, "known_hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			said := plan(t, resource.TestStep{
				ConfigFile:      tfconfig.StaticFile("testdata/host.tf"),
				ConfigVariables: c.server.variables(c.change),
			})
			for _, want := range []string{"Unable to Read Host", fmt.Sprintf("root@127.0.0.1:%d", c.server.Port()), c.want} {
				if !strings.Contains(said, want) {
					t.Errorf("the error lacks %q:\n%s", want, said)
				}
			}
			for _, hidden := range []string{secret, "PRIVATE KEY"} {
				if strings.Contains(said, hidden) {
					t.Errorf("the error shows %q:\n%s", hidden, said)
				}
			}
			if c.server.probes > 0 {
				t.Error("a command ran all the same")
			}
		})
	}
}
