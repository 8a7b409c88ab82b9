package main

import (
	"context"
	"fmt"

	"github.com/redislb/terraform-provider-redislb/bench/proxy"
)

// counted are the counts of one command, of which each was run several times.
type counted struct {
	name                               string
	connections, trips, sent, received series
}

// meter counts what commands send to the hosts.
type meter struct {
	proxies map[string]*proxy.Proxy
	rows    []*counted
}

// wire counts what a command costs on the wire.
func (b *bench) wire(ctx context.Context, s *section) error {
	machines, err := b.bare(ctx)
	if err != nil {
		return err
	}
	r, proxies, err := proxied(b.dir+"/wire", direct(machines))
	m := &meter{proxies: proxies}
	defer m.close()
	if err != nil {
		return err
	}
	if err := b.wireOfRedislb(ctx, r, m); err != nil {
		return err
	}
	if _, err := b.bare(ctx); err != nil {
		return err
	}
	if err := b.wireOfAnsible(ctx, r, m); err != nil {
		return err
	}
	s.text(`
A proxy on this machine before each host's SSH port counts for both hosts together; the
numbers are for one host, the half. Sent and received are bytes of TCP payload, all of SSH
included, seen from this machine. A round trip is counted whenever data of the host follow
data of this machine: the least number of times that the wire can have been waited for,
TCP's own handshake not included. Medians of up to %d runs of each command.`, b.rounds)
	t := table{head: []string{"per host", "connections", "round trips", "sent", "received", "n"}}
	for _, c := range m.rows {
		t.row(c.name, c.connections.format("", 0)[0], c.trips.format("", 0)[0], c.sent.format("kB", 1)[0], c.received.format("kB", 1)[0], fmt.Sprint(len(c.sent)))
	}
	s.table(t)
	if plan := m.row("redislb: `terraform plan`, nothing to do"); plan != nil {
		s.goal(atMost("connections per host and plan", plan.connections.median(), 1, "", 0))
	}
	return nil
}

func (b *bench) wireOfRedislb(ctx context.Context, r reach, m *meter) error {
	t, err := b.example("wire-example", r)
	if err != nil {
		return err
	}
	b.say("counting redislb and ssh")
	if err := m.count("redislb: first `terraform apply`, packages from the host's disk", func() error {
		_, err := t.apply(ctx)
		return err
	}); err != nil {
		return err
	}
	for i := range b.rounds {
		if err := m.count("`ssh HOST 'cat /proc/net/ip_vs'`", func() error { return sshBoth(ctx, r) }); err != nil {
			return err
		}
		if err := m.count("redislb: `terraform plan`, nothing to do", func() error {
			_, err := t.plan(ctx)
			return err
		}); err != nil {
			return err
		}
		if err := t.weigh(changedWeight(i)); err != nil {
			return err
		}
		if err := m.count("redislb: `terraform apply`, one weight changed", func() error {
			_, err := t.apply(ctx)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) wireOfAnsible(ctx context.Context, r reach, m *meter) error {
	a, err := b.newAnsible("wire-ansible", r)
	if err != nil {
		return err
	}
	defer a.close(context.WithoutCancel(ctx))
	b.say("counting Ansible")
	play := func(changes bool, args ...string) func() error {
		return func() error {
			_, err := a.cold(ctx, changes, args...)
			return err
		}
	}
	if err := play(true, "python.yml")(); err != nil {
		return err
	}
	m.clear()
	if err := m.count("Ansible: first run, after Python", play(true, "site.yml")); err != nil {
		return err
	}
	weight := "weight=1"
	for i := range b.rounds {
		if err := m.count("Ansible: nothing to do", play(false, "site.yml", "-e", weight)); err != nil {
			return err
		}
		weight = fmt.Sprintf("weight=%d", changedWeight(i))
		if err := m.count("Ansible: one weight changed", play(true, "site.yml", "-e", weight)); err != nil {
			return err
		}
	}
	return nil
}

// count runs a command and adds what it cost to its row.
func (m *meter) count(name string, command func() error) error {
	m.clear()
	if err := command(); err != nil {
		return err
	}
	c := m.row(name)
	if c == nil {
		c = &counted{name: name}
		m.rows = append(m.rows, c)
	}
	var sum proxy.Counts
	for _, p := range m.proxies {
		sum = sum.Add(p.Take())
	}
	hosts := float64(len(m.proxies))
	c.connections.add(float64(sum.Connections) / hosts)
	c.trips.add(float64(sum.RoundTrips) / hosts)
	c.sent.add(float64(sum.Sent) / 1000 / hosts)
	c.received.add(float64(sum.Received) / 1000 / hosts)
	return nil
}

func (m *meter) row(name string) *counted {
	for _, c := range m.rows {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (m *meter) clear() {
	for _, p := range m.proxies {
		p.Take()
	}
}

func (m *meter) close() {
	for _, p := range m.proxies {
		p.Close()
	}
}
