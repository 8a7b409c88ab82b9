package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// plan compares a plan that finds nothing to do with the least that SSH needs to
// look at the same hosts.
func (b *bench) plan(ctx context.Context, s *section) error {
	machines, err := b.bare(ctx)
	if err != nil {
		return err
	}
	r := direct(machines)
	example, err := b.example("example", r)
	if err != nil {
		return err
	}
	startup, err := b.startup(r)
	if err != nil {
		return err
	}
	b.say("applying examples/complete")
	for _, t := range []*terraform{example, startup} {
		if _, err := t.apply(ctx); err != nil {
			return err
		}
	}
	if err := b.noteKeepalived(ctx); err != nil {
		return err
	}
	var plans, starts, logins series
	for i := range b.runs {
		b.say("round %d of %d: ssh, start-up, plan", i+1, b.runs)
		login, err := timed(func() error { return sshBoth(ctx, r) })
		if err != nil {
			return err
		}
		start, err := startup.plan(ctx)
		if err != nil {
			return err
		}
		plan, err := example.plan(ctx)
		if err != nil {
			return err
		}
		logins.addTime(login)
		starts.addTime(start)
		plans.addTime(plan)
	}
	net := differences(plans, starts)
	factor := ratios(net, logins)
	s.goal(atMost("the plan without Terraform's own start-up, as a multiple of `ssh`", factor.median(), 1.3, "", 2))
	s.text(`
examples/complete (2 hosts, 5 resources) is applied and nothing has changed. In each of
the %d rounds, one after the other: OpenSSH logs in to both hosts side by side and
prints the IPVS table (ControlMaster off); Terraform plans a configuration with the
same provider and as many resources where no host is asked for anything (its
start-up); Terraform plans examples/complete. The last two rows are computed within
each round.`, b.runs)
	t := table{head: []string{"", "median", "least", "most", "n"}}
	t.named("`ssh HOST 'cat /proc/net/ip_vs'`, both hosts at once", logins.cells("s"))
	t.named("Terraform's own start-up", starts.cells("s"))
	t.named("`terraform plan`", plans.cells("s"))
	t.named("plan − start-up", net.cells("s"))
	t.named("(plan − start-up) ÷ ssh", factor.cells(""))
	s.table(t)
	return nil
}

// startup is a configuration for which Terraform starts and configures the
// provider, and which reaches no host.
func (b *bench) startup(r reach) (*terraform, error) {
	files := map[string][]byte{}
	for name, path := range map[string]string{"main.tf": "bench/startup/main.tf", "variables.tf": "examples/complete/variables.tf"} {
		content, err := os.ReadFile(filepath.Join(b.root, path))
		if err != nil {
			return nil, err
		}
		files[name] = content
	}
	return b.newTerraform("startup", exampleVariables(r), files)
}

// sshBoth looks at the IPVS table of all hosts at once.
func sshBoth(ctx context.Context, r reach) error {
	group, ctx := errgroup.WithContext(ctx)
	for name := range r.ports {
		group.Go(func() error {
			cmd := exec.CommandContext(ctx, "ssh", "-F", r.sshConfig, "-o", "ControlMaster=no", "-o", "ControlPath=none", name, "cat /proc/net/ip_vs")
			if said, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("ssh %s: %w: %s", name, err, said)
			}
			return nil
		})
	}
	return group.Wait()
}
