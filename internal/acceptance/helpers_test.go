//go:build acceptance

package acceptance

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
	"github.com/redislb/terraform-provider-redislb/internal/provider"
)

// vip is the address that all tests balance.
var vip = netip.MustParseAddr("192.0.2.229")

var factories = map[string]func() (tfprotov6.ProviderServer, error){
	"redislb": providerserver.NewProtocol6WithError(provider.NewOver("test", overShared)()),
}

// bare brings the named hosts, or all, back to bare.
func bare(t *testing.T, names ...string) {
	t.Helper()
	forgetConnections(names...)
	ctx, cancel := context.WithTimeout(t.Context(), resetTime)
	defer cancel()
	if err := machines.Reset(ctx, names...); err != nil {
		t.Fatal(err)
	}
}

const resetTime = 5 * time.Minute

// alone lets a test run beside others, when all the rest are done, and has the hosts to
// itself. On such a host there is nothing to wait for that a busy machine makes late.
func alone(t *testing.T, on ...*lab.Host) {
	t.Helper()
	t.Parallel()
	for _, h := range machines.Hosts() { // in one order, or two tests might wait for each other
		if slices.Contains(on, machines.Host(h)) {
			lock, _ := taken.LoadOrStore(h, new(sync.Mutex))
			lock.(*sync.Mutex).Lock()
			t.Cleanup(lock.(*sync.Mutex).Unlock)
		}
	}
}

var taken sync.Map // by the host's name

func hostA() *lab.Host   { return machines.Host("a") }
func hostB() *lab.Host   { return machines.Host("b") }
func hosts() []*lab.Host { return []*lab.Host{hostA(), hostB()} }
func client() *lab.Host  { return machines.Host("client") }

// variables are those of testdata/system.tf, with changes.
func variables(changes ...config.Variables) config.Variables {
	values := map[string]config.Variable{}
	for _, h := range hosts() {
		values[h.Name] = config.ObjectVariable(map[string]config.Variable{
			"address": config.StringVariable("127.0.0.1"),
			"port":    config.IntegerVariable(h.SSHPort),
		})
	}
	v := config.Variables{
		"hosts":            config.MapVariable(values),
		"private_key_file": config.StringVariable(machines.KeyFile()),
		"known_hosts_file": config.StringVariable(machines.KnownHostsFile()),
	}
	for _, c := range changes {
		maps.Copy(v, c)
	}
	return v
}

// rich has each of the steps meet the system with all of its services.
func rich(steps []resource.TestStep) []resource.TestStep {
	for i := range steps {
		steps[i].ConfigVariables = variables(config.Variables{"rich": config.BoolVariable(true)})
	}
	return steps
}

// weights is the variable of that name: which real servers there are.
func weights(of map[string]int) config.Variables {
	values := map[string]config.Variable{}
	for name, weight := range of {
		values[name] = config.IntegerVariable(weight)
	}
	return config.Variables{"weights": config.MapVariable(values)}
}

// step applies testdata/system.tf with changes. Terraform's test framework then
// makes two plans more, with and without a refresh, and fails if one is not empty.
func step(changes ...config.Variables) resource.TestStep {
	return resource.TestStep{
		ConfigFile:               config.StaticFile("testdata/system.tf"),
		ConfigVariables:          variables(changes...),
		ProtoV6ProviderFactories: factories,
	}
}

// check is a step's check that looks at the machines, not at the state.
func check(t *testing.T, looks ...func(t *testing.T)) resource.TestCheckFunc {
	return func(*terraform.State) error {
		for _, look := range looks {
			look(t)
		}
		return nil
	}
}

// drift is a step that meets a change made by hand: the plan must update the
// resource (with the artifact changed to what is wanted), and the apply heal it,
// since the plan after a step must be empty.
func drift(mutate func(), expect ...plancheck.PlanCheck) resource.TestStep {
	s := step()
	s.PreConfig = mutate
	s.ConfigPlanChecks = resource.ConfigPlanChecks{PreApply: expect}
	return s
}

// noDrift is a step that meets an event which must not show in a plan.
func noDrift(t *testing.T, event func()) resource.TestStep {
	return drift(event, onlyShows{t, nil}, plancheck.ExpectEmptyPlan())
}

// shows expects the plan to bring the artifact of a resource back to a text that
// is not what the refreshed state has.
func shows(address, artifact, foundContains string) plancheck.PlanCheck {
	return artifactCheck{address: address, artifact: artifact, found: foundContains}
}

// artifactCheck compares an artifact before and after in a plan. Found is text
// that the refreshed state holds of it; empty: it holds nothing.
type artifactCheck struct{ address, artifact, found string }

func (c artifactCheck) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, change := range req.Plan.ResourceChanges {
		if change.Address != c.address {
			continue
		}
		if !change.Change.Actions.Update() {
			resp.Error = fmt.Errorf("%s: the plan is %v, want an update in place", c.address, change.Change.Actions)
			return
		}
		before := artifactsOf(change.Change.Before)[c.artifact]
		after, wanted := artifactsOf(change.Change.After)[c.artifact]
		switch {
		case !wanted:
			resp.Error = fmt.Errorf("%s: no artifact %q is planned", c.address, c.artifact)
		case before == after:
			resp.Error = fmt.Errorf("%s: artifact %q does not change in the plan: %q", c.address, c.artifact, after)
		case c.found == "" && before != "":
			resp.Error = fmt.Errorf("%s: artifact %q should be missing, found %q", c.address, c.artifact, before)
		case !strings.Contains(before, c.found):
			resp.Error = fmt.Errorf("%s: artifact %q found as %q, want it to show %q", c.address, c.artifact, before, c.found)
		}
		return
	}
	resp.Error = fmt.Errorf("%s is not in the plan", c.address)
}

// known expects an artifact's text in the plan before anything is applied.
func known(address, artifact, text string) plancheck.PlanCheck {
	return plancheck.ExpectKnownValue(address, tfjsonpath.New("artifacts").AtMapKey(artifact), knownvalue.StringExact(text))
}

// eventually waits for what a machine does by itself.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	started := time.Now()
	for !ok() {
		if time.Since(started) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(200 * time.Millisecond)
	}
	return time.Since(started)
}

// exec runs a command on a host that may be away; what it printed, or nothing.
func exec(h *lab.Host, command string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := h.Exec(ctx, command)
	if err != nil || r.ExitCode != 0 {
		return ""
	}
	return strings.TrimSpace(r.Stdout)
}

// masterAndBackup tells by the VIP on eth0 which director is which.
func masterAndBackup(t *testing.T) (master, backup *lab.Host) {
	t.Helper()
	eventually(t, 60*time.Second, "exactly one director holds the VIP", func() bool {
		a, b := holdsVIP(hostA()), holdsVIP(hostB())
		master, backup = hostA(), hostB()
		if b {
			master, backup = backup, master
		}
		return a != b
	})
	return master, backup
}

// aIsMaster waits until a, of the higher priority, holds the VIP alone: a director
// that was up first gives it away after preempt_delay.
func aIsMaster(t *testing.T) {
	t.Helper()
	eventually(t, 60*time.Second, "a holds the VIP, and b does not", func() bool { return holdsVIP(hostA()) && !holdsVIP(hostB()) })
}

func holdsVIP(h *lab.Host) bool {
	return holds(h, "eth0", vip)
}

func holds(h *lab.Host, device string, address netip.Addr) bool {
	return strings.Contains(exec(h, "ip -o -4 address show dev "+device), " "+address.String()+"/")
}
