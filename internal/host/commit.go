package host

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

//go:embed commit.sh
var commitLibrary string

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
	var live []step
	for _, a := range want {
		if p, ok := a.(Package); ok && len(todo) > 0 && todo[len(todo)-1].words[0] == installPackages {
			todo[len(todo)-1].words = append(todo[len(todo)-1].words, p.Name)
		} else if a.phase() < phaseUnit {
			todo = append(todo, a.establish(s)...)
		} else {
			live = append(live, a.establish(s)...)
		}
	}
	var unload []step
	for _, a := range gone {
		switch a.phase() {
		case phaseIPVS, phaseHeldAddress:
			live = append(live, a.remove(s)...)
		case phaseFile, phaseSysctl:
			todo = append(todo, a.remove(s)...)
		case phaseModule:
			unload = append(unload, a.remove(s)...)
		}
	}
	if slices.ContainsFunc(todo, touchesUnits) {
		todo = append(todo, call("reload_units"))
	}
	switch {
	case slices.ContainsFunc(gone, isKeepalived):
		todo = append(todo, call("reload_keepalived"))
	case slices.ContainsFunc(todo, touchesKeepalived):
		todo = append(todo, call("check_keepalived", keepalived.HarmlessComplaint), call("reload_keepalived"))
	}
	return slices.Concat(todo, live, unload)
}

// isKeepalived tells the director's own removal, after which there is no
// configuration of ours left to check.
func isKeepalived(a Artifact) bool { return a == Artifact(Unit{Name: keepalivedUnit}) }

func touchesKeepalived(s step) bool { return touches(s, "/etc/keepalived/") }
func touchesUnits(s step) bool      { return touches(s, "/etc/systemd/") }

func touches(s step, folder string) bool {
	if s.words[0] != "put_file" && s.words[0] != "remove_file" {
		return false
	}
	return slices.ContainsFunc(s.words, func(w string) bool { return strings.HasPrefix(w, folder) })
}

// commit runs the steps on the host as one script. It is the one place from which
// a host is changed.
func (h *Host) commit(ctx context.Context, todo []step) error {
	text, files := script(holder(), todo)
	dir := ""
	if len(files) > 0 {
		var err error
		if dir, err = h.conn.Stage(ctx, files); err != nil {
			return err
		}
	}
	_, err := h.conn.Run(ctx, remote.Command{Step: "change the host", Script: text, Args: []string{dir}})
	h.forget()
	return err
}

// holder says who changes a host, for whoever finds it locked.
func holder() string {
	name, err := os.Hostname()
	if err != nil {
		name = "an unknown machine"
	}
	return fmt.Sprintf("terraform on %s, process %d, since %s", name, os.Getpid(), time.Now().UTC().Format(time.RFC3339))
}
