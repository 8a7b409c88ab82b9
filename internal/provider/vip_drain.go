package provider

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

const defaultDrainTimeout = "30s"

// takingOut is the real servers that leave a VIP's services, and the time that their
// connections get.
type takingOut struct {
	host.Departure
	limit time.Duration
}

// takingOut is what leaves if the VIP becomes next; the zero VIP is none.
func (m vipModel) takingOut(before, next host.VIP) takingOut {
	return takingOut{before.Departure(next), mustDuration(m.DrainTimeout)}
}

// validateDrain wants the drain to end before the operation that it is part of.
func (m vipModel) validateDrain(ctx context.Context, diags *diag.Diagnostics) {
	drain, err := parseDuration(cmp.Or(m.DrainTimeout.ValueString(), defaultDrainTimeout))
	if m.DrainTimeout.IsUnknown() || m.Timeouts.IsUnknown() || err != nil {
		return
	}
	for _, of := range []struct {
		operation string
		timeout   func(context.Context, time.Duration) (time.Duration, diag.Diagnostics)
	}{{"update", m.Timeouts.Update}, {"delete", m.Timeouts.Delete}} {
		if set, ok := m.Timeouts.Attributes()[of.operation]; ok && set.IsUnknown() {
			continue
		}
		if limit, wrong := of.timeout(ctx, defaultTimeout); !wrong.HasError() && drain >= limit {
			diags.AddAttributeError(path.Root("drain_timeout"), "Drain Longer Than the Timeout",
				fmt.Sprintf("Connections may take %s (drain_timeout) to come to their end, and then there is a change to make, but timeouts.%s is %s for all of it. Make drain_timeout shorter, or the timeout longer.", drain, of.operation, limit))
		}
	}
}

// takeOut gives the real servers that leave the weight 0 on every director, backups
// first, and waits until they have no connections. It returns those that have some left
// after the limit, and what is seen of the directors now. Where there is nothing to wait
// for, nothing is done.
func (r *vipResource) takeOut(ctx context.Context, out takingOut, snapshots map[string]*host.Snapshot, vip netip.Addr, seen types.Map) ([]host.Left, types.Map, error) {
	if len(out.Servers) == 0 || out.limit == 0 {
		return nil, seen, nil
	}
	var names []string
	var directors []*host.Host
	for _, name := range host.BackupsFirst(snapshots, vip) {
		if !out.Concerns(snapshots[name]) {
			continue
		}
		h, err := r.fleet.host(name)
		if err != nil {
			return nil, seen, err
		}
		names, directors = append(names, name), append(directors, h)
	}
	if busy, err := out.Busy(ctx, directors); err != nil || !busy {
		return nil, seen, err
	}
	texts := map[string]string{}
	for key, text := range seen.Elements() {
		texts[key] = text.(types.String).ValueString()
	}
	for _, name := range names {
		drained := out.Artifacts(snapshots[name].LoopGuard())
		before := textsIn(seen, name+": ")
		s, err := r.fleet.apply(ctx, name, drained, nil, before)
		if err != nil {
			return nil, seen, err
		}
		if before != nil {
			addTexts(texts, name, host.Found(drained, s))
		}
	}
	if !seen.IsNull() {
		seen = artifactsValue(texts)
	}
	left, err := out.Await(ctx, directors, out.limit, func(left []host.Left, remaining time.Duration) {
		for _, l := range left {
			tflog.Info(ctx, "waiting for the connections of a real server that is taken out", map[string]any{
				"director": l.Director, "service": l.Service, "real_server": l.Name, "address": l.Server.String(),
				"connections_left": l.Active, "seconds_left": math.Ceil(remaining.Seconds()),
			})
		}
	})
	return left, seen, err
}

// warnOfLeft reports connections that a change did not wait for any longer.
func warnOfLeft(diags *diag.Diagnostics, left []host.Left, limit time.Duration) {
	if len(left) > 0 {
		diags.AddWarning("Connections Left", fmt.Sprintf("Real servers were taken out while they still had connections, which get no answer any more. After %s (drain_timeout) there were:\n\n%s\nTo wait longer the next time, raise drain_timeout; or let the clients end their connections before.", limit, host.Listed(left)))
	}
}
