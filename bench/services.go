package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// planGrowth is how many times as long as with one service a plan may take
	// with 1,000.
	planGrowth = 3
	// nearLinear is how much more than in proportion a time may grow.
	nearLinear = 1.3
)

// layout is a way to have many services.
type layout struct {
	name     string
	variable string // of bench/services that says how many
	args     []string
	// reloads on each director that are allowed with 1,000 services.
	reloads int
}

var layouts = []layout{
	{"one redislb_vip with all services", "on_one_vip", nil, 1},
	{"a redislb_vip for every four services, -parallelism=100", "on_many_vips", []string{"-parallelism=100"}, 10},
	{"a redislb_vip for every four services, Terraform's default of 10 at a time", "on_many_vips", nil, 100},
}

// servicesRow is what is measured of a number of services.
type servicesRow struct {
	plans     series
	apply     time.Duration
	reloads   map[string]int
	planPeak  float64
	applyPeak float64
}

// services measures how plan, apply, memory and reloads grow.
func (b *bench) services(ctx context.Context, s *section) error {
	s.text(`
Two directors, with four real servers for each service. Before each apply the hosts are
bare but for the directors, which are applied first and not counted: the apply adds the
VIPs. It is done once; the plans after it are repeated. Reloads are systemd's lines in the
journal of each director, during the apply. The provider's memory is the most that one of
its processes had resident. Checks are slow (once an hour), since nobody answers at the
real servers' addresses.`)
	var failures error
	for _, l := range layouts {
		sizes, err := numbers(b.options.services)
		if err != nil {
			return err
		}
		rows := map[int]servicesRow{}
		t := table{head: []string{l.name, "plan", "least", "most", "n", "apply", "reloads on a", "reloads on b", "memory, plan", "memory, apply"}}
		for _, n := range sizes {
			row, err := b.servicesRow(ctx, l, n)
			if err != nil {
				// The sizes beyond would fail too, and take long to do so.
				failures = errors.Join(failures, fmt.Errorf("%s: %d services: %w", l.name, n, err))
				reason, _, _ := strings.Cut(err.Error(), "\n")
				t.row(fmt.Sprint(n), "failed: "+reason)
				s.goal(goal{fmt.Sprintf("%s: %d", l.name, n), "works", "failed", false})
				break
			}
			rows[n] = row
			cells := append([]string{fmt.Sprint(n)}, row.plans.cells("s")...)
			t.row(append(cells, fmt.Sprintf("%.1f s", row.apply.Seconds()), fmt.Sprint(row.reloads["a"]), fmt.Sprint(row.reloads["b"]),
				fmt.Sprintf("%.0f MB", row.planPeak), fmt.Sprintf("%.0f MB", row.applyPeak))...)
		}
		s.goal(l.goals(rows)...)
		s.table(t)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return failures
}

// goals are those for which there are figures.
func (l layout) goals(rows map[int]servicesRow) []goal {
	var all []goal
	most, ok := rows[1000]
	if !ok {
		return nil
	}
	for _, name := range directors {
		all = append(all, atMost(fmt.Sprintf("%s: reloads on %s at 1000", l.name, name), float64(most.reloads[name]), float64(l.reloads), "", 0))
	}
	if one, ok := rows[1]; ok {
		all = append(all, atMost(l.name+": plan at 1000 ÷ plan at 1", most.plans.median()/one.plans.median(), planGrowth, "", 2))
	}
	if hundred, ok := rows[100]; ok {
		all = append(all,
			atMost(l.name+": plan at 1000 ÷ plan at 100", most.plans.median()/hundred.plans.median(), 10*nearLinear, "", 2),
			atMost(l.name+": apply at 1000 ÷ apply at 100", most.apply.Seconds()/hundred.apply.Seconds(), 10*nearLinear, "", 2))
	}
	return all
}

func (b *bench) servicesRow(ctx context.Context, l layout, n int) (row servicesRow, err error) {
	b.say("%s: %d", l.name, n)
	machines, err := b.bare(ctx)
	if err != nil {
		return row, err
	}
	config, err := os.ReadFile(filepath.Join(b.root, "bench", "services", "main.tf"))
	if err != nil {
		return row, err
	}
	variables := exampleVariables(direct(machines))
	delete(variables, "vrrp_password")
	variables["limit"] = b.limit.String()
	t, err := b.newTerraform("services", variables, map[string][]byte{"main.tf": config})
	if err != nil {
		return row, err
	}
	if _, err := t.apply(ctx); err != nil {
		return row, err
	}
	if err := b.noteKeepalived(ctx); err != nil {
		return row, err
	}
	args := append([]string{fmt.Sprintf("-var=%s=%d", l.variable, n)}, l.args...)
	if row.reloads, err = b.countReloads(ctx, func() (err error) {
		row.apply, row.applyPeak, err = t.peakOfApply(ctx, args...)
		return err
	}); err != nil {
		return row, err
	}
	b.say("applied in %.1f s, reloads: %v", row.apply.Seconds(), row.reloads)
	for range b.runs {
		if err := add(&row.plans, func() (time.Duration, error) { return t.plan(ctx, args...) }); err != nil {
			return row, err
		}
	}
	row.planPeak, err = t.peakOfPlan(ctx, args...)
	return row, err
}

// countReloads returns how often keepalived was reloaded on each director while
// something was done.
func (b *bench) countReloads(ctx context.Context, do func() error) (map[string]int, error) {
	counts := map[string]int{}
	following := map[string]*reloads{}
	for _, name := range directors {
		r, err := followReloads(ctx, b.machines.Host(name))
		if err != nil {
			return nil, err
		}
		defer r.end()
		following[name] = r
	}
	if err := do(); err != nil {
		return nil, err
	}
	for name, r := range following {
		n, err := r.stop()
		if err != nil {
			return nil, err
		}
		if n == 0 { // the positive control: the apply cannot have done without
			return nil, fmt.Errorf("the journal of %s tells of no reload", name)
		}
		counts[name] = n
	}
	return counts, nil
}
