package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// oneWay is how far away the farm's hosts are.
	oneWay = 20 * time.Millisecond
	// mostMemory is what the provider may have resident, in MB.
	mostMemory = 300
)

// hosts plans for many hosts, each with one resource.
func (b *bench) hosts(ctx context.Context, s *section) error {
	sizes, err := numbers(b.options.hosts)
	if err != nil {
		return err
	}
	s.text(`
One redislb_realserver on each host. The hosts are SSH servers inside the bench's own
process, which answer the probe as a captured machine does; each is behind a proxy that
holds everything back for %v in either direction (but for TCP's own handshake). The
provider is a process of its own. Connections, commands and sessions are counted by the
servers, per host and plan, over all plans. Terraform looks at 10 resources at a time
unless told otherwise by -parallelism. The memory is the most that a process of the
provider had resident, with either.`, oneWay)
	t := table{head: []string{"hosts", "plan", "least", "most", "n", "plan, -parallelism=200", "connections", "commands", "sessions", "provider's memory"}}
	for _, n := range sizes {
		row, err := b.hostsRow(ctx, s, n, n == slices.Max(sizes))
		if err != nil {
			return fmt.Errorf("%d hosts: %w", n, err)
		}
		t.row(row...)
	}
	s.table(t)
	return nil
}

func (b *bench) hostsRow(ctx context.Context, s *section, n int, last bool) ([]string, error) {
	b.say("%d hosts", n)
	f, err := newFarm(b.root, n, oneWay)
	defer f.close()
	if err != nil {
		return nil, err
	}
	hosts := map[string]any{}
	for i, w := range f.wires {
		hosts[fmt.Sprintf("h%03d", i)] = map[string]any{"address": "127.0.0.1", "port": w.Port()}
	}
	t, err := b.newTerraform("hosts", map[string]any{"hosts": hosts, "private_key": string(f.key), "known_hosts": f.knownHosts()},
		map[string][]byte{"main.tf": []byte(farmConfig)})
	if err != nil {
		return nil, err
	}
	if _, err := t.apply(ctx); err != nil { // imports: the hosts are real servers already
		return nil, err
	}
	before := f.count()
	var plans, wide series
	for range b.runs {
		if err := add(&plans, func() (time.Duration, error) { return t.plan(ctx) }); err != nil {
			return nil, err
		}
		if err := add(&wide, func() (time.Duration, error) { return t.plan(ctx, "-parallelism=200") }); err != nil {
			return nil, err
		}
	}
	memory, err := t.peakOfPlan(ctx)
	if err != nil {
		return nil, err
	}
	wideMemory, err := t.peakOfPlan(ctx, "-parallelism=200")
	if err != nil {
		return nil, err
	}
	memory = max(memory, wideMemory)
	after := f.count()
	perPlan := func(now, then int) float64 { return float64(now-then) / float64(n*(2*b.runs+2)) }
	connections, commands, sessions := perPlan(after.connections, before.connections), perPlan(after.commands, before.commands), perPlan(after.sessions, before.sessions)
	s.goal(goal{
		fmt.Sprintf("connections and commands per host and plan, at %d", n), "1 and 1",
		fmt.Sprintf("%g and %g", connections, commands), connections == 1 && commands == 1,
	})
	if last {
		s.goal(atMost(fmt.Sprintf("the provider's peak memory, at %d", n), memory, mostMemory, "MB", 0))
	}
	row := append([]string{fmt.Sprint(n)}, plans.cells("s")...)
	return append(row, wide.cells("s")[0], fmt.Sprintf("%g", connections), fmt.Sprintf("%g", commands), fmt.Sprintf("%g", sessions), fmt.Sprintf("%.0f MB", memory)), nil
}

// farmConfig takes the hosts over as they are.
const farmConfig = `
terraform {
  required_providers {
    redislb = { source = "redislb/redislb" }
  }
}

variable "hosts" {
  type = map(object({ address = string, port = number }))
}

variable "private_key" {
  type      = string
  sensitive = true
}

variable "known_hosts" {
  type = string
}

provider "redislb" {
  private_key = var.private_key
  known_hosts = var.known_hosts
  hosts       = var.hosts
}

import {
  for_each = var.hosts
  to       = redislb_realserver.this[each.key]
  id       = each.key
}

resource "redislb_realserver" "this" {
  for_each = var.hosts

  host = each.key
  vips = ["` + farmVIP + `"]
}
`
