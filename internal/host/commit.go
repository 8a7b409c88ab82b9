package host

import (
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// steps returns what turns the host of the snapshot into one with the artifacts
// wanted and without those that must be gone, in the order of a safe commit: what
// answers for a VIP goes before what keeps it silent, and comes after it.
func steps(s *Snapshot, want, gone []Artifact) []step {
	var todo []step
	gone = slices.Clone(gone)
	slices.SortStableFunc(gone, func(a, b Artifact) int { return int(b.phase()) - int(a.phase()) })
	for _, a := range gone {
		if p := a.phase(); p == phaseUnit || p == phaseAddress {
			todo = append(todo, a.remove(s)...)
		}
	}
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b Artifact) int { return int(a.phase()) - int(b.phase()) })
	var units, restarts, live []step
	for _, a := range want {
		switch p, isPackage := a.(Package); {
		case isPackage && len(todo) > 0 && todo[len(todo)-1].words[0] == installPackages:
			todo[len(todo)-1].words = append(todo[len(todo)-1].words, p.Name)
		case a.phase() < phaseUnit:
			todo = append(todo, a.establish(s)...)
		case a.phase() == phaseUnit:
			units = append(units, a.establish(s)...)
		case a.phase() == phaseRedis:
			restarts = append(restarts, a.establish(s)...)
		default:
			live = append(live, a.establish(s)...)
		}
	}
	var unload []step
	for _, a := range gone {
		switch a.phase() {
		case phaseIPVS, phaseTimeout, phaseHeldAddress, phaseMarks:
			live = append(live, a.remove(s)...)
		case phaseFile, phaseSysctl:
			todo = append(todo, a.remove(s)...)
		case phaseModule:
			unload = append(unload, a.remove(s)...)
		}
	}
	todo = filesTogether(todo)
	if slices.ContainsFunc(todo, touchesUnits) {
		todo = append(todo, call("reload_units"))
	}
	for _, port := range redisPorts(todo) {
		todo = append(todo, call("check_redis", port))
		restart := call("restart_redis", port)
		if !slices.ContainsFunc(restarts, func(s step) bool { return slices.Equal(s.words, restart.words) }) {
			restarts = append(restarts, restart)
		}
	}
	switch {
	case slices.ContainsFunc(gone, isKeepalived):
		todo = append(todo, call("reload_keepalived"))
	case slices.ContainsFunc(todo, touchesKeepalived):
		todo = append(todo, call("check_keepalived", keepalived.HarmlessComplaint), call("reload_keepalived"))
	}
	return slices.Concat(todo, units, restarts, live, unload)
}

// isKeepalived tells the director's own removal, after which there is no
// configuration of ours left to check.
func isKeepalived(a Artifact) bool { return a == Artifact(Unit{Name: keepalivedUnit}) }

func touchesKeepalived(s step) bool {
	return touches(s, "/etc/keepalived/") || len(s.words) > 0 && s.words[0] == setFolder
}

func touchesUnits(s step) bool { return touches(s, "/etc/systemd/") }

func touches(s step, folder string) bool {
	return slices.ContainsFunc(s.files, func(f fileChange) bool { return strings.HasPrefix(f.path, folder) })
}

// filesTogether makes one step of all that change files, and puts in front of it
// what has to be kept of the files before.
func filesTogether(todo []step) []step {
	first := slices.IndexFunc(todo, func(s step) bool { return len(s.files) > 0 })
	if first < 0 {
		return todo
	}
	var together step
	var kept, rest []step
	for i, s := range todo {
		switch {
		case len(s.files) > 0:
			together.files = append(together.files, s.files...)
		case s.words[0] == "keep_foreign_file":
			kept = append(kept, s)
		case i > first:
			rest = append(rest, s)
		}
	}
	before := slices.DeleteFunc(slices.Clone(todo[:first]), func(s step) bool { return s.words[0] == "keep_foreign_file" })
	return slices.Concat(before, kept, []step{together}, rest)
}
