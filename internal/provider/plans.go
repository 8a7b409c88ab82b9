package provider

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

// plans is what has been planned so far in one walk of Terraform, for what only several
// resources together can tell. Terraform plans a resource behind those that it refers to
// and otherwise in any order, so whichever of two comes last compares them. What is wrong
// between two planned resources is an error, unless it may be meant. A director that was not planned is compared
// as it is on its host, with the VIP alone, which mostly comes behind its directors; the
// same plan may yet change it, so that is a warning.
type plans struct {
	mu        sync.Mutex
	directors map[string]*host.Member // by host; nil: it goes, or is not known yet
	vips      map[string]plannedVIP   // by address with prefix length
	said      map[string]bool         // what one resource said, others need not repeat
}

type plannedVIP struct {
	address   netip.Prefix
	directors []string // in order
	// router is the virtual router id of its own VRRP instance; 0: it is in the directors'.
	router     int
	priorities map[string]int // in that instance, by director
}

func newPlans() *plans {
	return &plans{directors: map[string]*host.Member{}, vips: map[string]plannedVIP{}, said: map[string]bool{}}
}

// forget takes a director out of the plan: it is destroyed, or not known yet.
func (p *plans) forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.directors[name] = nil
}

// director notes a planned director, and compares it with what was planned before.
func (p *plans) director(m host.Member, diags *diag.Diagnostics) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.directors[m.Name] = &m
	var problems, meant []host.Problem
	for _, name := range sortedKeys(p.directors) {
		o := p.directors[name]
		if o == nil {
			continue
		}
		switch first, second := inOrder(m, *o); p.relation(m.Name, name) {
		case oneVIP:
			problems = append(problems, first.Disagreements(second)...)
		case otherVIP:
			meant = append(meant, first.Interferes(second)...)
		}
	}
	for _, address := range sortedKeys(p.vips) {
		problems = append(problems, p.vips[address].misfits(m)...)
	}
	addProblems(diags, p.unsaid(problems))
	addWarnings(diags, p.unsaid(meant))
	for _, v := range p.vips {
		if slices.Contains(v.directors, m.Name) && !slices.ContainsFunc(v.directors, func(d string) bool { _, planned := p.directors[d]; return !planned }) {
			p.warnOfMove(v, nil, path.Root("vrrp"), diags)
		}
	}
}

// inOrder makes what is said of two directors the same, whichever of them says it.
func inOrder(a, b host.Member) (first, second host.Member) {
	if a.Name > b.Name {
		return b, a
	}
	return a, b
}

// vip notes a planned VIP, and compares its directors with each other, and with those of
// other VIPs. Snapshots are of its directors, as far as they could be looked at.
func (p *plans) vip(v plannedVIP, snapshots map[string]*host.Snapshot, diags *diag.Diagnostics) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vips[v.address.String()] = v
	var wrong, doubtful, meant []host.Problem
	for i, name := range v.directors {
		m, planned := p.member(name, snapshots[name])
		if m == nil {
			continue
		}
		if planned {
			addProblems(diags, p.unsaid(v.misfits(*m)))
		} else if v.router != 0 { // the guard that is there was looked at
			doubtful = append(doubtful, m.Clashes(v.address, v.router)...)
		}
		for _, peer := range v.directors[i+1:] {
			o, peerPlanned := p.member(peer, snapshots[peer])
			switch {
			case o == nil:
			case planned && peerPlanned:
				wrong = append(wrong, m.Disagreements(*o)...)
			default:
				doubtful = append(doubtful, m.Disagreements(*o)...)
			}
		}
		for _, other := range sortedKeys(p.directors) {
			if o := p.directors[other]; o != nil && planned && p.relation(name, other) == otherVIP {
				first, second := inOrder(*m, *o)
				meant = append(meant, first.Interferes(second)...)
			}
		}
	}
	wrong = append(wrong, p.overlaps(v.address.String())...)
	addProblems(diags, p.unsaid(p.sameRouter(v)))
	for _, problem := range p.unsaid(wrong) {
		diags.AddAttributeError(path.Root("directors"), problem.Summary, problem.Detail)
	}
	for i := range doubtful {
		doubtful[i].Detail += "\n\nThat is how they are on their hosts now. If the same plan changes them, let directors refer to the host attributes of the redislb_director resources, which are then compared as they are planned."
	}
	for _, problem := range p.unsaid(append(doubtful, meant...)) {
		diags.AddAttributeWarning(path.Root("directors"), problem.Summary, problem.Detail)
	}
	p.warnOfMove(v, snapshots, path.Root("directors"), diags)
}

// misfits says why a director cannot have the VIP with the instance of its own.
func (v plannedVIP) misfits(m host.Member) []host.Problem {
	if v.router == 0 || !slices.Contains(v.directors, m.Name) {
		return nil
	}
	return append(m.Guard.CheckRoles(m.Name), m.Clashes(v.address, v.router)...)
}

// sameRouter finds VIPs that have one virtual router id and a director in common.
func (p *plans) sameRouter(v plannedVIP) []host.Problem {
	var problems []host.Problem
	for _, address := range sortedKeys(p.vips) {
		o := p.vips[address]
		if v.router == 0 || o.router != v.router || o.address == v.address || !v.shares(o) {
			continue
		}
		problems = append(problems, host.Problem{Attribute: []string{"vrrp", "virtual_router_id"}, Summary: "Virtual Router ID Taken",
			Detail: fmt.Sprintf("The VIPs %s and %s both have the virtual router id %d, and directors in common. By it directors know which advertisement is of which VRRP instance: give each VIP an id of its own.",
				min(address, v.address.String()), max(address, v.address.String()), v.router)})
	}
	return problems
}

// shares reports whether two VIPs have a director in common.
func (v plannedVIP) shares(o plannedVIP) bool {
	return slices.ContainsFunc(v.directors, func(d string) bool { return slices.Contains(o.directors, d) })
}

// in is the director as one of the VIP's VRRP instance, which may be its own: then the
// priority is that of there, and from what is on a host it may be unknown.
func (v plannedVIP) in(m host.Member) host.Member {
	if v.router != 0 {
		m.VRRP.Priority = v.priorities[m.Name]
	}
	return m
}

// there is in for what is on the director's host now.
func (v plannedVIP) there(m host.Member) (host.Member, bool) {
	vip, err := m.Snapshot.VIP(v.address.Addr())
	if (v.router != 0) != m.Snapshot.OwnInstance(v.address.Addr()) || v.router != 0 && err != nil {
		return m, false
	}
	if v.router != 0 {
		m.VRRP.Priority = vip.VRRP.Priority
	}
	return m, true
}

// warnOfMove warns where the plan makes another director take the VIP from the one that
// holds it, with all others of its VRRP instance.
func (p *plans) warnOfMove(v plannedVIP, snapshots map[string]*host.Snapshot, at path.Path, diags *diag.Diagnostics) {
	var before, after []host.Member
	for _, name := range v.directors {
		m, _ := p.member(name, snapshots[name])
		if m == nil {
			continue
		}
		after = append(after, v.in(*m))
		if m.Snapshot == nil {
			continue
		}
		if there, ok := host.MemberOn(name, m.Snapshot); ok {
			if there, ok = v.there(there); ok {
				before = append(before, there)
			}
		}
	}
	vip, what, held := v.address.Addr(), "the VIPs", "them"
	if v.router != 0 {
		what, held = "the VIP "+vip.String(), "it"
	}
	was, is := host.Holder(before, vip), host.Holder(after, vip)
	if was == nil || is == nil {
		return
	}
	if _, moves := host.Successor(*was, before); moves { // by itself
		return
	}
	next, moves := host.Successor(*is, after)
	if !moves {
		return
	}
	for _, problem := range p.unsaid([]host.Problem{{Summary: "VIPs Move",
		Detail: fmt.Sprintf("With this plan the director %q takes %s from %q, which holds %s now, %s after it finds itself the higher one. Established connections go on where the loop guard synchronises them, as backup_only does; new ones may have to wait for a few seconds.", next.Name, what, is.Name, held, next.VRRP.PreemptDelay)}}) {
		diags.AddAttributeWarning(at, problem.Summary, problem.Detail)
	}
}

// member is what the director is to be; planned is false where no plan of it is known, and
// it is what is on its host. Nil: nothing is known.
func (p *plans) member(name string, s *host.Snapshot) (m *host.Member, planned bool) {
	if m, planned = p.directors[name]; planned || s == nil {
		return m, planned
	}
	if there, ok := host.MemberOn(name, s); ok {
		return &there, false
	}
	return nil, false
}

// guard is the loop guard of a director, as it was planned, and otherwise as it is on the
// host, of which s may be nil. Empty: there is no director, as far as is known; with
// known = false, it is planned and will be known at the apply.
func (p *plans) guard(name string, s *host.Snapshot) (guard host.LoopGuard, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, planned := p.member(name, s)
	if m == nil {
		return "", !planned
	}
	return m.Guard, true
}

// overlaps finds VIPs that have some of their directors in common and others not. All
// VIPs of a director are in one VRRP instance, but for those with one of their own, and a
// director ignores advertisements that name other VIPs than its own (keepalived's vrrp.c,
// vrrp_check_packet). They name IPv4 VIPs alone.
func (p *plans) overlaps(address string) []host.Problem {
	mine := p.vips[address]
	var problems []host.Problem
	compared := func(v plannedVIP) bool { return v.router == 0 && v.address.Addr().Is4() }
	for other, v := range p.vips {
		if !compared(mine) || !compared(v) || slices.Equal(mine.directors, v.directors) || !mine.shares(v) {
			continue
		}
		first, second := min(address, other), max(address, other)
		problems = append(problems, host.Problem{Summary: "Directors of Two VIPs Overlap",
			Detail: fmt.Sprintf("The VIP %s has the directors %s, and %s has %s. Directors have all their VIPs in one VRRP instance, and ignore each other where these differ, so that two would hold a VIP: give both VIPs the same directors, or none in common, or one of them a VRRP instance of its own (vrrp).",
				first, strings.Join(p.vips[first].directors, ", "), second, strings.Join(p.vips[second].directors, ", "))})
	}
	return problems
}

type relation int

const (
	unrelated relation = iota // one of them has no VIP, as far as is known
	oneVIP
	otherVIP
)

func (p *plans) relation(a, b string) relation {
	if a == b {
		return unrelated
	}
	var hasA, hasB bool
	for _, v := range p.vips {
		inA, inB := slices.Contains(v.directors, a), slices.Contains(v.directors, b)
		if inA && inB {
			return oneVIP
		}
		hasA, hasB = hasA || inA, hasB || inB
	}
	if hasA && hasB {
		return otherVIP
	}
	return unrelated
}

// unsaid leaves out what was said before.
func (p *plans) unsaid(problems []host.Problem) []host.Problem {
	return slices.DeleteFunc(problems, func(problem host.Problem) bool {
		key := problem.Summary + "\n" + problem.Detail
		said := p.said[key]
		p.said[key] = true
		return said
	})
}
