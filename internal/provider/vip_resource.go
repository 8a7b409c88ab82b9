package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/sync/errgroup"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

var (
	_ resource.ResourceWithConfigure      = (*vipResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*vipResource)(nil)
	_ resource.ResourceWithImportState    = (*vipResource)(nil)
	_ resource.ResourceWithValidateConfig = (*vipResource)(nil)
)

func newVIPResource() resource.Resource { return &vipResource{} }

type vipResource struct{ fleet *fleet }

func (r *vipResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_vip"
}

func (r *vipResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.fleet = fleetOf(req.ProviderData, &resp.Diagnostics)
}

func (r *vipResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config vipModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	config.validate(ctx, &resp.Diagnostics)
}

func (r *vipResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.fleet == nil {
		return
	}
	if req.Plan.Raw.IsNull() {
		var prior vipModel
		if resp.Diagnostics.Append(req.State.Get(ctx, &prior)...); !resp.Diagnostics.HasError() {
			prior.warnOfRemoval(ctx, &resp.Diagnostics)
		}
		return
	}
	var plan vipModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.ID = plan.id()
	plan.Artifacts = types.MapUnknown(types.StringType)
	if known(ctx, plan.Address, plan.Interface, plan.Directors, plan.VRRP) {
		if plan.validateInstance(ctx, &resp.Diagnostics); resp.Diagnostics.HasError() {
			return
		}
		r.look(ctx, &plan, req.State, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// look compares what is planned with the directors' hosts and with what else is planned.
func (r *vipResource) look(ctx context.Context, plan *vipModel, state tfsdk.State, diags *diag.Diagnostics) {
	var spec *host.VIP
	if known(ctx, plan.Services) {
		wanted := plan.spec(ctx, diags)
		if err := wanted.On(stringsIn(plan.Directors)[0]).Validate(); err != nil && !diags.HasError() {
			diags.AddAttributeError(path.Root("services"), "Invalid Service", err.Error())
		}
		if diags.HasError() {
			return
		}
		spec = &wanted
	}
	names := stringsIn(plan.Directors)
	texts, snapshots := map[string]string{}, map[string]*host.Snapshot{}
	for _, name := range names {
		if s := r.fleet.lookAhead(ctx, name, diags); s != nil {
			snapshots[name] = s
		}
	}
	guarded := true
	for _, name := range names {
		if spec == nil {
			break
		}
		s := snapshots[name]
		guard, known := r.fleet.plans.guard(name, s)
		// Where there is no director yet, one may come without being referred to.
		guarded = guarded && known && guard != "" && (guard != host.SourceMAC || len(snapshots) == len(names))
		addTexts(texts, name, host.Wanted(spec.Among(name, guard, snapshots).Artifacts()))
		if s != nil {
			addProblems(diags, spec.Check(name, s))
		}
		addProblems(diags, spec.CheckGuard(name, guard))
		if len(snapshots) == len(names) {
			addProblems(diags, spec.CheckPeers(name, guard, snapshots))
		}
	}
	v := plannedVIP{directors: names}
	v.address, _ = netip.ParsePrefix(plan.Address.ValueString())
	if own, priorities := plan.instance(); own != nil {
		v.router, v.priorities = own.VirtualRouterID, priorities
	}
	r.fleet.plans.vip(v, snapshots, diags)
	if spec == nil {
		return
	}
	if guarded {
		plan.Artifacts = artifactsValue(texts)
	}
	addWarnings(diags, spec.CheckListeners(r.fleet.seen()))
	if !state.Raw.IsNull() {
		var prior vipModel
		diags.Append(state.Get(ctx, &prior)...)
		if diags.HasError() {
			return
		}
		if !prior.Address.Equal(plan.Address) { // it is replaced
			prior.warnOfRemoval(ctx, diags)
			return
		}
		addWarnings(diags, prior.spec(ctx, diags).Interruptions(*spec, mustDuration(plan.DrainTimeout)))
		r.warnOfLeaving(prior, *plan, diags)
	}
}

// warnOfRemoval tells what goes with a VIP that is destroyed or replaced.
func (m vipModel) warnOfRemoval(ctx context.Context, diags *diag.Diagnostics) {
	addWarnings(diags, m.spec(ctx, diags).Interruptions(host.VIP{}, mustDuration(m.DrainTimeout)))
}

// artifactsOn is what a director of the VIP has on it.
func artifactsOn(v host.VIP, name string, directors types.Set, snapshots map[string]*host.Snapshot) []host.Artifact {
	return v.Among(name, snapshots[name].LoopGuard(), among(directors, snapshots)).Artifacts()
}

// among are the snapshots of the directors, without those of others.
func among(directors types.Set, snapshots map[string]*host.Snapshot) map[string]*host.Snapshot {
	theirs := map[string]*host.Snapshot{}
	for _, name := range stringsIn(directors) {
		theirs[name] = snapshots[name]
	}
	return theirs
}

// warnOfLeaving warns where the director that holds the VIP leaves it to others.
func (r *vipResource) warnOfLeaving(prior, plan vipModel, diags *diag.Diagnostics) {
	stay, seen, vip := stringsIn(plan.Directors), r.fleet.seen(), plan.addr()
	for _, name := range stringsIn(prior.Directors) {
		if s := seen[name]; s != nil && s.HoldsAsMasterOf(vip) && !slices.Contains(stay, name) {
			diags.AddAttributeWarning(path.Root("directors"), "VIP Moves", fmt.Sprintf("The director %q holds the VIP and is taken out of its directors. It hands the VIP over first, as by its drain; if none of the others takes it within a minute, the apply fails and the VIP stays.", name))
		}
	}
}

// addTexts adds the artifacts of one host of several, under the host's name.
func addTexts(texts map[string]string, name string, of map[string]string) {
	for key, text := range of {
		texts[name+": "+key] = text
	}
}

func (r *vipResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan vipModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	ctx, cancel := within(ctx, plan.Timeouts.Create, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	r.apply(ctx, &plan, nil, req.Config, "Create", &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	}
}

func (r *vipResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior vipModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	ctx, cancel := within(ctx, plan.Timeouts.Update, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	r.apply(ctx, &plan, &prior, req.Config, "Update", &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	}
}

// apply makes the directors what the plan says and writes what is there into it.
func (r *vipResource) apply(ctx context.Context, plan, prior *vipModel, config tfsdk.Config, action string, diags *diag.Diagnostics) {
	spec := plan.withPasswords(ctx, config, diags)
	if diags.HasError() {
		return
	}
	names := map[string]bool{}
	for _, name := range stringsIn(plan.Directors) {
		names[name] = true
	}
	if prior != nil {
		for _, name := range stringsIn(prior.Directors) {
			names[name] = true
		}
	}
	snapshots, err := r.observeAll(ctx, names)
	if err != nil {
		diags.AddError("Unable to "+action+" VIP", err.Error())
		return
	}
	want := map[string][]host.Artifact{}
	gone := map[string][]host.Artifact{}
	seen := types.MapNull(types.StringType)
	var out takingOut
	for _, name := range stringsIn(plan.Directors) {
		guard := snapshots[name].LoopGuard()
		want[name] = artifactsOn(spec, name, plan.Directors, snapshots)
		addProblems(diags, spec.CheckPeers(name, guard, among(plan.Directors, snapshots)))
		if planned := textsIn(plan.Artifacts, name+": "); planned != nil && guard != "" && !maps.Equal(planned, host.Wanted(want[name])) {
			diags.AddAttributeError(path.Root("directors"), "Director Changed Since the Plan",
				fmt.Sprintf("The director on host %q has loop_guard = %q by now, or its peers have other network interfaces, for which this VIP was not planned; nothing was changed: run terraform plan again. So that this VIP is planned for what a director becomes in the same apply, let directors refer to the host attributes of the redislb_director resources.", name, guard))
		}
	}
	if diags.HasError() {
		return
	}
	if prior != nil {
		seen = prior.Artifacts
		before := prior.spec(ctx, diags)
		out = plan.takingOut(before, spec)
		for _, name := range stringsIn(prior.Directors) {
			gone[name] = host.Obsolete(artifactsOn(before, name, prior.Directors, snapshots), want[name])
		}
	}
	texts := r.change(ctx, plan.addr(), want, gone, out, seen, spec.CheckDirector, "Unable to "+action+" VIP", diags)
	plan.ID = plan.id()
	plan.Artifacts = artifactsValue(texts)
}

// change changes the directors, backups first and the master last: where a backup
// refuses a change, the master is never touched. A VIP that comes or goes does so the other
// way round. Before the first change all have
// been looked at. Real servers that are taken out come to the end of their connections
// first. A director that leaves others behind hands the VIP over before it goes, and one
// that comes to others does so as a backup.
func (r *vipResource) change(ctx context.Context, vip netip.Addr, want, gone map[string][]host.Artifact, out takingOut, seen types.Map, check func(string, *host.Snapshot) []host.Problem, summary string, diags *diag.Diagnostics) map[string]string {
	names := map[string]bool{}
	for name := range want {
		names[name] = true
	}
	for name := range gone {
		names[name] = true
	}
	snapshots, err := r.observeAll(ctx, names)
	if err != nil {
		diags.AddError(summary, err.Error())
		return nil
	}
	for name := range want {
		addProblems(diags, check(name, snapshots[name]))
	}
	if diags.HasError() {
		return nil
	}
	left, seen, err := r.takeOut(ctx, out, snapshots, vip, seen)
	if err != nil {
		diags.AddError(summary, err.Error())
		return nil
	}
	texts := map[string]string{}
	for _, name := range host.Order(snapshots, vip, want) {
		change, seenThere := r.fleet.apply, textsIn(seen, name+": ")
		switch _, stays := want[name]; {
		case !stays && len(want) > 0 && snapshots[name].HoldsAsMasterOf(vip):
			change = r.leave
		case stays && host.Joins(snapshots, name, vip):
			change = r.join
			if seenThere != nil {
				maps.Copy(seenThere, host.Found([]host.Artifact{host.DrainFile(true)}, snapshots[name]))
			}
		}
		s, err := change(ctx, name, want[name], gone[name], seenThere)
		if err != nil {
			diags.AddError(summary, err.Error())
			return nil
		}
		addTexts(texts, name, host.Found(want[name], s))
	}
	warnOfLeft(diags, left, out.limit)
	return texts
}

// leave is fleet.apply on a director that others go on without. Should the provider
// die on the way, the director's own resource shows the drain as drift.
func (r *vipResource) leave(ctx context.Context, name string, want, gone []host.Artifact, seen map[string]string) (*host.Snapshot, error) {
	drained, err := r.fleet.drain(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := r.fleet.apply(ctx, name, want, gone, seen)
	if drained {
		_, failed := r.fleet.apply(ctx, name, []host.Artifact{host.DrainFile(false)}, nil, nil)
		err = errors.Join(err, failed)
	}
	return s, err
}

// join is fleet.apply on a director without a VIP, which comes to one that another director
// holds. Up to keepalived 2.2 it does not take that one for its master as long as it has no
// VIP, so it is master itself, and a reload leaves it so: it would have the VIP, and know none
// of the connections. So it comes drained, and is done when it holds nothing; from then on
// it is told of the connections, for its preempt_delay. For a provider that dies, see leave.
func (r *vipResource) join(ctx context.Context, name string, want, gone []host.Artifact, seen map[string]string) (*host.Snapshot, error) {
	s, err := r.fleet.apply(ctx, name, append(slices.Clone(want), host.DrainFile(true)), gone, seen)
	if err != nil {
		return nil, err
	}
	_, err = r.fleet.apply(ctx, name, []host.Artifact{host.DrainFile(false)}, nil, nil)
	return s, err
}

// observeAll looks at the hosts side by side.
func (r *vipResource) observeAll(ctx context.Context, names map[string]bool) (map[string]*host.Snapshot, error) {
	type seen struct {
		name     string
		snapshot *host.Snapshot
	}
	results := make(chan seen, len(names))
	var group errgroup.Group
	for name := range names {
		group.Go(func() error {
			s, err := r.fleet.observe(ctx, name)
			results <- seen{name, s}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	close(results)
	snapshots := map[string]*host.Snapshot{}
	for s := range results {
		snapshots[s.name] = s.snapshot
	}
	return snapshots, nil
}

func (r *vipResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state vipModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, state.Timeouts.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	names := map[string]bool{}
	for _, name := range stringsIn(state.Directors) {
		names[name] = true
	}
	snapshots, err := r.observeAll(ctx, names)
	if err != nil {
		notRead(&resp.Diagnostics, "VIP", state.Artifacts.IsNull(), err)
		return
	}
	if state.Artifacts.IsNull() { // after an import
		if err := state.fill(snapshots); err != nil {
			resp.Diagnostics.AddError("Unable to Import VIP", err.Error())
			return
		}
	}
	if state.DrainTimeout.IsNull() { // no host knows of it
		state.DrainTimeout = types.StringValue(defaultDrainTimeout)
	}
	spec := state.spec(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	traces, texts := false, map[string]string{}
	for name, s := range snapshots {
		artifacts := artifactsOn(spec, name, state.Directors, snapshots)
		traces = traces || host.Traces(artifacts, s)
		addTexts(texts, name, host.Found(artifacts, s))
	}
	if !traces {
		resp.State.RemoveResource(ctx)
		return
	}
	addWarnings(&resp.Diagnostics, spec.Live(snapshots))
	state.ID = state.id()
	state.Artifacts = artifactsValue(texts)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

func (r *vipResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state vipModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, state.Timeouts.Delete, &resp.Diagnostics)
	defer cancel()
	spec := state.spec(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	names := map[string]bool{}
	for _, name := range stringsIn(state.Directors) {
		names[name] = true
	}
	snapshots, err := r.observeAll(ctx, names)
	if err != nil {
		resp.Diagnostics.AddError("Unable to Delete VIP", err.Error())
		return
	}
	gone := map[string][]host.Artifact{}
	for name := range names {
		gone[name] = artifactsOn(spec, name, state.Directors, snapshots)
	}
	r.change(ctx, state.addr(), nil, gone, state.takingOut(spec, host.VIP{}), state.Artifacts, nil, "Unable to Delete VIP", &resp.Diagnostics)
}

// ImportState takes ADDRESS@DIRECTOR,DIRECTOR…, for example 192.0.2.229@a,b.
func (r *vipResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	address, names, err := parseVIPID(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("Unable to Import VIP", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("address"), address)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("directors"), stringSet(names))...)
}
