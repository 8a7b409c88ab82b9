package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// versusTimes are what is measured of either tool.
type versusTimes struct {
	first, none, apply, change                    series // redislb
	python, aFirst, aCold, aWarm, aCheck, aChange series
	unlike                                        int // rounds in which the two set up different things
}

// changedWeight is that of the i-th change. The first apply's is 1.
func changedWeight(i int) int { return 2 - i%2 }

// ansible has redislb and Ansible set up the same, in turns.
func (b *bench) ansible(ctx context.Context, s *section) error {
	machines, err := b.lab(ctx)
	if err != nil {
		return err
	}
	a, err := b.newAnsible("ansible", direct(machines))
	if err != nil {
		return err
	}
	defer a.close(context.WithoutCancel(ctx))
	var v versusTimes
	for i := range b.rounds {
		b.say("round %d of %d: redislb", i+1, b.rounds)
		machines, err := b.bare(ctx)
		if err != nil {
			return err
		}
		if err := b.redislbRound(ctx, direct(machines), &v); err != nil {
			return err
		}
		ours, err := b.facts(ctx, changedWeight(b.quick-1))
		if err != nil {
			return err
		}
		b.say("round %d of %d: Ansible", i+1, b.rounds)
		if _, err := b.bare(ctx); err != nil {
			return err
		}
		if err := b.ansibleRound(ctx, a, &v); err != nil {
			return err
		}
		theirs, err := b.facts(ctx, changedWeight(b.quick-1))
		if err != nil {
			return err
		}
		if ours != theirs {
			b.say("the two did not set up the same. redislb:\n%s\nAnsible:\n%s", ours, theirs)
			v.unlike++
		}
	}
	s.goal(goal{"rounds in which both set up the same on the hosts", fmt.Sprint(b.rounds), fmt.Sprint(b.rounds - v.unlike), v.unlike == 0})
	v.report(s)
	return nil
}

func (b *bench) redislbRound(ctx context.Context, r reach, v *versusTimes) error {
	t, err := b.example("versus", r)
	if err != nil {
		return err
	}
	if err := add(&v.first, func() (time.Duration, error) { return t.apply(ctx) }); err != nil {
		return err
	}
	if err := b.noteKeepalived(ctx); err != nil {
		return err
	}
	for i := range b.quick {
		if err := add(&v.none, func() (time.Duration, error) { return t.plan(ctx) }); err != nil {
			return err
		}
		if err := add(&v.apply, func() (time.Duration, error) { return t.apply(ctx) }); err != nil {
			return err
		}
		if err := t.weigh(changedWeight(i)); err != nil {
			return err
		}
		if err := add(&v.change, func() (time.Duration, error) { return t.apply(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) ansibleRound(ctx context.Context, a *ansibleRuns, v *versusTimes) error {
	if err := add(&v.python, func() (time.Duration, error) { return a.cold(ctx, true, "python.yml") }); err != nil {
		return err
	}
	if err := add(&v.aFirst, func() (time.Duration, error) { return a.cold(ctx, true, "site.yml") }); err != nil {
		return err
	}
	weight := "weight=1"
	for i := range b.quick {
		for _, m := range []struct {
			into *series
			run  func() (time.Duration, error)
		}{
			{&v.aCold, func() (time.Duration, error) { return a.cold(ctx, false, "site.yml", "-e", weight) }},
			{&v.aWarm, func() (time.Duration, error) { return a.warm(ctx, false, "site.yml", "-e", weight) }},
			{&v.aCheck, func() (time.Duration, error) {
				return a.cold(ctx, false, "--check", "--diff", "site.yml", "-e", weight)
			}},
		} {
			if err := add(m.into, m.run); err != nil {
				return err
			}
		}
		weight = fmt.Sprintf("weight=%d", changedWeight(i))
		if err := add(&v.aChange, func() (time.Duration, error) { return a.cold(ctx, true, "site.yml", "-e", weight) }); err != nil {
			return err
		}
	}
	return nil
}

func add(into *series, measure func() (time.Duration, error)) error {
	took, err := measure()
	if err == nil {
		into.addTime(took)
	}
	return err
}

// facts are what both tools must have brought about on both hosts, where the real
// servers have that weight.
func (b *bench) facts(ctx context.Context, weight int) (string, error) {
	var all strings.Builder
	for _, name := range directors {
		// keepalived fills the table a moment after its reload.
		out, err := b.on(ctx, name, fmt.Sprintf("weight=%d", weight)+`
for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(ipvsadm -Sn | grep -c -- "-w $weight\$")" = 2 ] && break; sleep 1; done
ipvsadm -Sn | sort
sysctl net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce net.ipv4.vs.backup_only net.ipv4.vs.sync_refresh_period
ip -o -4 address show dev lo label lo:1 | sed 's/ *valid_lft.*//'
systemctl is-enabled keepalived; systemctl is-active keepalived
ipvsadm -L --daemon | sed 's/^[a-z]* sync/sync/'`)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "[%s]\n%s\n", name, out)
	}
	return all.String(), nil
}

func (v *versusTimes) report(s *section) {
	s.goal(
		faster("first apply from bare hosts (Python not counted)", v.first, v.aFirst),
		faster("a run that finds nothing to do (`plan` against Ansible's real run)", v.none, v.aCold),
		faster("showing what would change (`plan` against `--check --diff`)", v.none, v.aCheck),
		faster("one weight changed", v.change, v.aChange),
	)
	s.text(`
bench/ansible sets up what examples/complete does, with the modules of ansible-core,
pipelining, ControlPersist, 20 forks and no gathering of facts. In each round both begin
with bare hosts, whose package archive is on their own disk; at the end of each round
the IPVS table, the sysctls, the VIP on lo, the sync daemon and the service are compared.
Ansible needs Python on the hosts and a bare host has none: its
installation is a row of its own. A run is cold where it opens its SSH connections, as
every run of Terraform does; warm, where ControlPersist still holds those of a run
before. The playbook does less than the provider: it does not look at the IPVS table in
the kernel nor at the addresses on lo, puts nothing back if a step fails, and does not
wait until keepalived has done what it was told.`)
	t := table{head: []string{"", "median", "least", "most", "n"}}
	for _, row := range []struct {
		name string
		s    series
	}{
		{"redislb: first apply", v.first},
		{"Ansible: Python on the hosts", v.python},
		{"Ansible: first run after that", v.aFirst},
		{"redislb: `terraform plan`, nothing to do", v.none},
		{"redislb: `terraform apply`, nothing to do", v.apply},
		{"Ansible: nothing to do, cold", v.aCold},
		{"Ansible: nothing to do, warm", v.aWarm},
		{"Ansible: `--check --diff`, nothing to do, cold", v.aCheck},
		{"redislb: `terraform apply`, one weight changed", v.change},
		{"Ansible: one weight changed, cold", v.aChange},
	} {
		t.named(row.name, row.s.cells("s"))
	}
	s.table(t)
}

// faster is the goal of being no slower than Ansible.
func faster(what string, ours, theirs series) goal {
	g := atMost(what, ours.median(), theirs.median(), "s", 2)
	g.measured += fmt.Sprintf(" (Ansible ÷ redislb = %.1f)", theirs.median()/ours.median())
	return g
}
