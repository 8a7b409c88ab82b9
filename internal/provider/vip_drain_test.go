package provider

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// balancing is sharedVIP with the services of the given ports, each on these real servers.
func balancing(ports []int, servers ...string) host.VIP {
	v := sharedVIP
	for _, port := range ports {
		s := keepalived.VirtualServer{
			Name: map[int]string{6379: "redis", 6380: "other"}[port], Port: port, Protocol: keepalived.TCP, Scheduler: "rr", Forwarding: keepalived.DR,
			DelayLoop: 6 * time.Second, Check: keepalived.Check{Kind: keepalived.CheckNone}, Quorum: keepalived.Quorum{Weight: 1},
		}
		for _, name := range servers {
			address := map[string]string{"a": "192.0.2.11", "b": "192.0.2.12", "b2": "192.0.2.13"}[name]
			s.RealServers = append(s.RealServers, keepalived.RealServer{Name: name[:1], Address: netip.MustParseAddr(address), Port: port, Weight: 1})
		}
		v.Services = append(v.Services, s)
	}
	return v
}

// raw is the VIP as Terraform has it in configuration, plan and state. The artifacts are
// those that both directors have.
func raw(t *testing.T, v host.VIP, drainTimeout string, p *pair) tfsdk.State {
	t.Helper()
	var schema resource.SchemaResponse
	newVIPResource().Schema(t.Context(), resource.SchemaRequest{}, &schema)
	state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil)}
	services := map[string]attr.Value{}
	for _, s := range v.Services {
		services[s.Name] = serviceValue(s, host.Password{})
	}
	texts := map[string]string{}
	for name := range p.files {
		addTexts(texts, name, host.Wanted(v.Artifacts()))
	}
	for name, value := range map[string]any{
		"address": v.Address.String(), "directors": []string{"a", "b"}, "drain_timeout": drainTimeout,
		"services": types.MapValueMust(serviceType, services), "artifacts": texts,
	} {
		if diags := state.SetAttribute(t.Context(), path.Root(name), value); diags.HasError() {
			t.Fatal(diags)
		}
	}
	return state
}

// become updates the VIP, or destroys it where next is nil.
func (r *vipResource) become(ctx context.Context, t *testing.T, p *pair, before host.VIP, next *host.VIP, drainTimeout string) diag.Diagnostics {
	state := raw(t, before, drainTimeout, p)
	if next == nil {
		var resp resource.DeleteResponse
		r.Delete(ctx, resource.DeleteRequest{State: state}, &resp)
		return resp.Diagnostics
	}
	plan := raw(t, *next, drainTimeout, p)
	resp := resource.UpdateResponse{State: state}
	r.Update(ctx, resource.UpdateRequest{Plan: tfsdk.Plan(plan), Config: tfsdk.Config(plan), State: state}, &resp)
	return resp.Diagnostics
}

var (
	one  = []int{6379}
	both = []int{6379, 6380}
)

func TestRealServersThatAreTakenOutComeToTheEndOfTheirConnectionsFirst(t *testing.T) {
	endAfter := func(limit time.Duration) func(string, string, time.Duration) int {
		return func(_, _ string, since time.Duration) int {
			if since >= limit {
				return 0
			}
			return 4
		}
	}
	to := func(v host.VIP) *host.VIP { return &v }
	full := balancing(one, "a", "b")
	for name, c := range map[string]struct {
		before  host.VIP
		next    *host.VIP
		timeout string
		active  func(director, server string, since time.Duration) int
		said    []string
		took    time.Duration // of waiting
		warning string
	}{
		"a real server": {full, to(balancing(one, "a")), "30s", endAfter(7 * time.Second),
			[]string{"a has redis/a=1 redis/b=0", "b has redis/a=1 redis/b=0", "a has redis/a=1", "b has redis/a=1"}, 7 * time.Second, ""},
		"another address": {full, to(balancing(one, "a", "b2")), "30s", endAfter(7 * time.Second),
			[]string{"a has redis/a=1 redis/b=0", "b has redis/a=1 redis/b=0", "a has redis/a=1 redis/b=1", "b has redis/a=1 redis/b=1"}, 7 * time.Second, ""},
		"a service": {balancing(both, "a"), to(balancing(one, "a")), "30s", endAfter(7 * time.Second),
			[]string{"a has other/a=0 redis/a=1", "b has other/a=0 redis/a=1", "a has redis/a=1", "b has redis/a=1"}, 7 * time.Second, ""},
		"the VIP": {full, nil, "30s", endAfter(7 * time.Second),
			[]string{"a has redis/a=0 redis/b=0", "b has redis/a=0 redis/b=0", "b loses the VIP, held by b", "a loses the VIP, held by b"}, 7 * time.Second, ""},
		"they do not end": {full, to(balancing(one, "a")), "11s", endAfter(time.Hour),
			[]string{"a has redis/a=1 redis/b=0", "b has redis/a=1 redis/b=0", "a has redis/a=1", "b has redis/a=1"}, 11 * time.Second,
			`After 11s (drain_timeout) there were: service "redis", real server "b" (192.0.2.12:6379): 4 active connections on the director "b"`},
		"they do not end, and the VIP goes": {full, nil, "11s", endAfter(time.Hour),
			[]string{"a has redis/a=0 redis/b=0", "b has redis/a=0 redis/b=0", "b loses the VIP, held by b", "a loses the VIP, held by b"}, 11 * time.Second,
			`real server "a" (192.0.2.11:6379): 4 active connections on the director "b"`},
		"at once": {full, to(balancing(one, "a")), "0s", endAfter(time.Hour),
			[]string{"a has redis/a=1", "b has redis/a=1"}, 0, ""},
		"no connections": {full, to(balancing(one, "a")), "30s", endAfter(-time.Hour),
			[]string{"a has redis/a=1", "b has redis/a=1"}, 0, ""},
		"connections only on a backup, which was told of them": {full, to(balancing(one, "a")), "30s",
			func(director, _ string, _ time.Duration) int { return map[string]int{"a": 4}[director] },
			[]string{"a has redis/a=1", "b has redis/a=1"}, 0, ""},
		"its check fails": {full, to(balancing(one, "a")), "30s",
			func(_, server string, _ time.Duration) int { return map[string]int{"a": 4, "b": -1}[server] },
			[]string{"a has redis/a=1", "b has redis/a=1"}, 0, ""},
		"one is added": {balancing(one, "a"), to(full), "30s", endAfter(time.Hour),
			[]string{"a has redis/a=1 redis/b=1", "b has redis/a=1 redis/b=1"}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, r := pairOf(t, "b", c.before)
				p.active = c.active
				start := time.Now()
				diags := r.become(t.Context(), t, p, c.before, c.next, c.timeout)
				if diags.HasError() {
					t.Fatal(diags)
				}
				if !slices.Equal(p.said, c.said) {
					t.Errorf("got %q, want %q", p.said, c.said)
				}
				if took := time.Since(start); took < c.took || took > c.took+4*time.Second {
					t.Errorf("took %v, want %v and what the changes take", took, c.took)
				}
				if warned := diags.WarningsCount() > 0; warned != (c.warning != "") {
					t.Fatalf("%v", diags)
				} else if text := strings.Join(strings.Fields(strings.ReplaceAll(diagText(diags), "\n", " ")), " "); !strings.Contains(text, c.warning) {
					t.Errorf("%s lacks %s", text, c.warning)
				}
			})
		})
	}
}

func diagText(diags diag.Diagnostics) string {
	var text string
	for _, d := range diags {
		text += d.Summary() + ": " + d.Detail() + "\n"
	}
	return text
}

func TestCancelledDrainLeavesTheWeightsAndTheNextApplyGoesOnFromThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, next := balancing(one, "a", "b"), balancing(one, "a")
		p, r := pairOf(t, "b", before)
		p.active = func(string, string, time.Duration) int { return 4 }
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		diags := r.become(ctx, t, p, before, &next, "30s")
		if !diags.HasError() || !strings.Contains(diagText(diags), "context canceled") || !strings.Contains(diagText(diags), "weight 0") {
			t.Fatalf("%v", diags)
		}
		drained := []string{"a has redis/a=1 redis/b=0", "b has redis/a=1 redis/b=0"}
		if !slices.Equal(p.said, drained) {
			t.Errorf("got %q", p.said)
		}
		p.said = nil
		// As after a refresh, which reads the weight into the artifacts.
		read := before
		read.Services = slices.Clone(before.Services)
		read.Services[0].RealServers = slices.Clone(before.Services[0].RealServers)
		read.Services[0].RealServers[1].Weight = 0
		start := time.Now()
		p.active = func(_, _ string, since time.Duration) int { return max(0, 4-int((since-12*time.Second)/time.Second)) }
		if diags := r.become(t.Context(), t, p, read, &next, "30s"); diags.HasError() || diags.WarningsCount() > 0 {
			t.Fatalf("%v", diags)
		}
		if !slices.Equal(p.said, []string{"a has redis/a=1", "b has redis/a=1"}) {
			t.Errorf("got %q", p.said)
		}
		if time.Since(start) < 4*time.Second {
			t.Errorf("waited for only %v", time.Since(start))
		}
	})
}

// A backup that refuses the weight leaves the others and the master as they were.
func TestDrainThatADirectorRefusesIsAnErrorAndTakesNothingOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, next := balancing(one, "a", "b"), balancing(one, "a")
		p, r := pairOf(t, "b", before)
		p.active = func(string, string, time.Duration) int { return 4 }
		p.files["a"][keepalived.VIPServicesPath(before.Address.Addr())] = append([]byte("# edited\n"), p.files["a"][keepalived.VIPServicesPath(before.Address.Addr())]...)
		diags := r.become(t.Context(), t, p, before, &next, "30s")
		if !strings.Contains(diagText(diags), "was changed on the host since it was read") || len(p.said) > 0 {
			t.Errorf("%v, %q", diags, p.said)
		}
	})
}
