package host

import (
	"slices"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Artifact is one thing on a host that belongs to a resource: it can be looked
// at, compared, established and removed.
type Artifact interface {
	// Key names the artifact within its host, in words fit for a plan.
	Key() string
	// Want is what a plan shows of it: canonical text, free of secrets.
	Want() string
	// Found is the same text of what the snapshot holds; false: it is absent.
	// A deviation for which keepalived has a reason is not shown.
	Found(s *Snapshot) (string, bool)

	// phase orders a commit: lower phases are established first.
	phase() phase
	// establish returns the steps that bring the artifact about on a host where
	// Found differs from Want.
	establish(s *Snapshot) []step
	// remove returns the steps that take it away again and put back what was
	// there before.
	remove(s *Snapshot) []step
}

type phase int

const (
	phasePackage phase = iota
	phaseModule
	phaseFolder
	phaseFile
	phaseSysctl
	phaseAddress
	phaseMarks
	phaseUnit
	phaseRedis
	// From here on the artifacts are kept by keepalived itself: it is given time
	// to do so before the table is touched; see Host.Apply.
	phaseIPVS
	phaseTimeout
	phaseSyncDaemon
	phaseHeldAddress
	phaseProtocols
	phaseResetGuard
)

// Wanted returns the text of each artifact by its key: what a plan promises.
func Wanted(artifacts []Artifact) map[string]string {
	texts := make(map[string]string, len(artifacts))
	for _, a := range artifacts {
		texts[a.Key()] = a.Want()
	}
	return texts
}

// Found returns the text of each artifact that is on the host, by its key.
func Found(artifacts []Artifact, s *Snapshot) map[string]string {
	texts := make(map[string]string, len(artifacts))
	for _, a := range artifacts {
		if text, ok := a.Found(s); ok {
			texts[a.Key()] = text
		}
	}
	return texts
}

// Obsolete returns the artifacts of before that are not among those of now.
func Obsolete(before, now []Artifact) []Artifact {
	keep := Wanted(now)
	var gone []Artifact
	for _, a := range before {
		if _, ok := keep[a.Key()]; !ok {
			gone = append(gone, a)
		}
	}
	return gone
}

// Traces reports whether anything is left on the host that only the resource
// itself can have put there: a file or an address. Packages, modules, sysctl
// values and units may be there without it.
func Traces(artifacts []Artifact, s *Snapshot) bool {
	return slices.ContainsFunc(artifacts, func(a Artifact) bool {
		if p := a.phase(); p != phaseFile && p != phaseAddress && p != phaseIPVS {
			return false
		}
		_, found := a.Found(s)
		return found
	})
}

// deviating returns the artifacts that are not as wanted.
func deviating(artifacts []Artifact, s *Snapshot) []Artifact {
	var differ []Artifact
	for _, a := range artifacts {
		if text, ok := a.Found(s); !ok || text != a.Want() {
			differ = append(differ, a)
		}
	}
	return differ
}

// present returns the artifacts that are there in any form.
func present(artifacts []Artifact, s *Snapshot) []Artifact {
	var there []Artifact
	for _, a := range artifacts {
		if _, ok := a.Found(s); ok {
			there = append(there, a)
		}
	}
	return there
}

// remains returns those of the artifacts, all of which must be gone, that are
// still there and that keepalived, or another commit, can yet take away. What a
// unit, a module or a sysctl was before is put back in the commit itself, and a folder
// goes when it is settled (transact.sh). There is nothing to wait for.
func remains(gone []Artifact, s *Snapshot) []Artifact {
	return slices.DeleteFunc(present(gone, s), func(a Artifact) bool {
		switch a := a.(type) {
		case Package, Module, Folder, Sysctl, ARPIgnore, Unit, RedisServer, OtherProtocols, ResetGuard, PeerMarks:
			return true
		case File:
			return !s.managed(a.Path)
		default:
			return false
		}
	})
}

// removable returns what of the artifacts a commit takes away: not packages, which
// stay, nor folders or the sync daemon, which go with their files and keepalived, and no file that has become
// somebody else's, nor keepalived with it.
func removable(gone []Artifact, s *Snapshot) []Artifact {
	_, configured := s.Files[keepalived.ConfigPath]
	foreign := configured && !s.managed(keepalived.ConfigPath)
	return slices.DeleteFunc(slices.Clone(gone), func(a Artifact) bool {
		switch a := a.(type) {
		case Package, Folder, SyncRole, OtherProtocols, ResetGuard:
			return true
		case File:
			_, there := s.Files[a.Path]
			return there && !s.managed(a.Path)
		case Unit:
			return a.Name == keepalivedUnit && foreign
		default:
			return false
		}
	})
}
