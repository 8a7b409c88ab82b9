//go:build acceptance

package acceptance

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// Here hosts are changed as the provider does it, without Terraform around it, so
// that a case takes seconds.

//go:embed testdata/furnish.sh
var furnishScript string

// saved are the hosts that can be reset to what furnished makes of them.
var saved sync.Map

// furnished brings hosts a and b, or those named, back to bare and puts the packages on
// them.
func furnished(t *testing.T, names ...string) {
	t.Helper()
	if len(names) == 0 {
		names = []string{"a", "b"}
	}
	together(t, names, func(name string) error {
		const state = "furnished"
		ctx, cancel := context.WithTimeout(t.Context(), resetTime)
		defer cancel()
		forgetConnections(name)
		if _, ok := saved.Load(name); ok {
			return machines.ResetTo(ctx, state, name)
		}
		if err := machines.Reset(ctx, name); err != nil {
			return err
		}
		h := machines.Host(name)
		r, err := h.Exec(ctx, furnishScript)
		switch {
		case err != nil:
			return err
		case r.ExitCode != 0:
			return fmt.Errorf("put packages on %s: %s", h, r.Stderr)
		}
		saved.Store(name, true)
		return machines.Save(ctx, state, name)
	})
}

// together does the same to each at once, and fails the test where that fails.
func together[T any](t *testing.T, all []T, do func(T) error) {
	t.Helper()
	failed := make(chan error, len(all))
	for _, one := range all {
		go func() { failed <- do(one) }()
	}
	var errs error
	for range all {
		errs = errors.Join(errs, <-failed)
	}
	if errs != nil {
		t.Fatal(errs)
	}
}

// direct is a host as the provider has it.
type direct struct {
	*host.Host
	conn *counted
}

// counted is the connection, with a count of what was not just a look.
type counted struct {
	*remote.Client
	changes atomic.Int64
}

func (c *counted) Run(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	if cmd.Step == "change the host" {
		c.changes.Add(1)
	}
	return c.Client.Run(ctx, cmd)
}

// directly reaches a host of the lab.
func directly(t *testing.T, h *lab.Host) direct {
	t.Helper()
	d := reach(sshConfig(t, h))
	t.Cleanup(func() { d.conn.Close() })
	return d
}

func reach(cfg remote.Config) direct {
	conn := &counted{Client: remote.NewClient(cfg)}
	return direct{host.New(cfg.Name, conn), conn}
}

func sshConfig(t *testing.T, h *lab.Host) remote.Config {
	t.Helper()
	key, err := os.ReadFile(machines.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	return remote.Config{
		Name: h.Name, Address: "127.0.0.1", Port: h.SSHPort, User: "root",
		PrivateKey: key, KnownHostsFiles: []string{machines.KnownHostsFile()}, DialTimeout: 2 * time.Minute,
	}
}

// must is Apply in a test that cannot go on without it.
func (d direct) must(t *testing.T, want, gone []host.Artifact) {
	t.Helper()
	if _, err := d.Apply(t.Context(), want, gone); err != nil {
		t.Fatal(err)
	}
}

// hasNothingToDo fails the test if what should be there is not yet there. A destroy
// that is repeated is no such case: it always looks again at what to put back.
func (d direct) hasNothingToDo(t *testing.T, want []host.Artifact) {
	t.Helper()
	before := d.conn.changes.Load()
	d.must(t, want, nil)
	if n := d.conn.changes.Load() - before; n != 0 {
		t.Errorf("another apply changed host %s in %d commits, and there should have been nothing to do", d.Name, n)
	}
}

// resourceOn is a resource on a host, in three states: absent, one and two.
type resourceOn struct {
	name   string
	below  []host.Artifact // what must be there before it
	states map[string][]host.Artifact
}

// life is the order of the states: create, update, destroy.
var life = []string{"absent", "one", "two"}

var operation = map[string]string{"absent": "create", "one": "update", "two": "destroy"}

func after(state string) string { return life[(slices.Index(life, state)+1)%len(life)] }

// change is what Apply is told to bring the resource from one state to another.
func (r resourceOn) change(from, to string) (want, gone []host.Artifact) {
	return r.states[to], host.Obsolete(r.states[from], r.states[to])
}

// resourcesOn are the resources of a host, whose VIPs and virtual router are its
// own, so that what happens to another host does not move them.
func resourcesOn(name string) map[string]resourceOn {
	number := map[string]int{"a": 1, "b": 2}[name]
	address := func(offset int) netip.Addr {
		return netip.AddrFrom4([4]byte{192, 0, 2, byte(200 + 20*number + offset)})
	}
	realServer := func(vips ...netip.Addr) []host.Artifact { return host.RealServer{VIPs: vips}.Artifacts() }
	director := func(priority int, password string, version int64) []host.Artifact {
		return host.Director{Name: name, Install: true, Password: password, PasswordVersion: &version, VRRP: keepalived.Director{
			Instance: "REDISLB", Interface: "eth0", VirtualRouterID: 60 + number, Priority: priority,
			AdvertInterval: time.Second,
		}}.Artifacts()
	}
	vip := func(address netip.Addr, scheduler string, weight int) []host.Artifact {
		return host.VIP{VIP: keepalived.VIP{Address: netip.PrefixFrom(address, 24), Services: []keepalived.VirtualServer{{
			Name: "redis", Port: 6379, Protocol: keepalived.TCP, Scheduler: scheduler, Forwarding: keepalived.DR,
			DelayLoop: 2 * time.Second, Check: keepalived.Check{Kind: keepalived.CheckTCP, Timeout: time.Second, Retries: 1, RetryDelay: time.Second},
			RealServers: []keepalived.RealServer{
				{Name: "a", Address: netip.MustParseAddr("192.0.2.11"), Port: 6379, Weight: weight},
				{Name: "b", Address: netip.MustParseAddr("192.0.2.12"), Port: 6379, Weight: 1},
			},
			Quorum: keepalived.Quorum{Weight: 1},
		}}}}.Artifacts()
	}
	resources := map[string]resourceOn{
		"realserver": {states: map[string][]host.Artifact{"one": realServer(address(0)), "two": realServer(address(1))}},
		"director":   {states: map[string][]host.Artifact{"one": director(100, "s3cret", 1), "two": director(90, "0ther", 2)}},
		"vip":        {below: director(100, "s3cret", 1), states: map[string][]host.Artifact{"one": vip(address(2), "rr", 1), "two": vip(address(2), "wlc", 3)}},
	}
	for i := range 5 {
		resources[fmt.Sprintf("vip-%d", i)] = resourceOn{below: director(100, "s3cret", 1), states: map[string][]host.Artifact{"one": vip(address(3+i), "rr", 1)}}
	}
	for name, r := range resources {
		r.name = name
		resources[name] = r
	}
	return resources
}

// all is every resource of a host in the given state.
func all(name, state string, resources ...string) []host.Artifact {
	var artifacts []host.Artifact
	for _, r := range resources {
		artifacts = append(artifacts, resourcesOn(name)[r].states[state]...)
	}
	return artifacts
}

// directorsNow are both directors as they are now, by their names.
func directorsNow(t *testing.T) map[string]*host.Snapshot {
	t.Helper()
	snapshots := map[string]*host.Snapshot{}
	for _, h := range hosts() {
		s, err := directly(t, h).Observe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		snapshots[h.Name] = s
	}
	return snapshots
}
