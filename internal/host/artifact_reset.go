package host

import (
	"regexp"
	"strings"
)

// ResetGuard are the nftables chains by which a director does not break the connections of
// VIPs that move: see role.sh, which sets it up whenever the role changes. Who flushes the
// rules of a host takes it away.
type ResetGuard struct{}

// Key implements [Artifact]. It is that of the states of a time when all was in one chain.
func (ResetGuard) Key() string { return "nftables chain inet redislb output" }

func (ResetGuard) phase() phase { return phaseResetGuard }

// Want implements [Artifact].
func (ResetGuard) Want() string { return "holds resets of the VIPs back while they move" }

// resetRules are those that each VRRP instance has in the chains output and input, by a part
// of each kind, and how many: what drops resets, for IPv4 and IPv6, and what tells of moves.
var resetRules = map[string]int{" drop\n": 2, " update @moves_": 3, " update @leads_": 1}

var nftCounter = regexp.MustCompile(` counter packets \d+ bytes \d+`)

// Found implements [Artifact]. A host that cannot tell is taken at its word: it has no
// nf_tables, or is no director yet.
func (g ResetGuard) Found(s *Snapshot) (string, bool) {
	if s.ResetGuard == nil {
		return g.Want(), true
	}
	chains := nftCounter.ReplaceAllString(*s.ResetGuard, "")
	whole := strings.Contains(chains, "type filter hook output") && strings.Contains(chains, "type filter hook input")
	for part, each := range resetRules {
		whole = whole && strings.Count(chains, part) == each*(1+len(s.derive().own))
	}
	if whole {
		return g.Want(), true
	}
	return chains, chains != ""
}

func (ResetGuard) establish(*Snapshot) []step { return []step{call("guard_resets")} }

// remove leaves it to the next boot: it guards the VIPs that the director has just given up.
func (ResetGuard) remove(*Snapshot) []step { return nil }
