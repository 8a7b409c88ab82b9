package host

import (
	"regexp"
	"strings"
)

// ResetGuard is the nftables chain by which a director does not break the connections of
// VIPs that move: see role.sh, which sets it up whenever the role changes. Who flushes the
// rules of a host takes it away.
type ResetGuard struct{}

// Key implements [Artifact].
func (ResetGuard) Key() string { return "nftables chain inet redislb output" }

func (ResetGuard) phase() phase { return phaseResetGuard }

// Want implements [Artifact].
func (ResetGuard) Want() string { return "holds resets of the VIPs back while they move" }

// resetRules is how many rules of a VRRP instance drop resets: for IPv4 and IPv6, of a VIP
// that comes or goes and of a stranger's connection.
const resetRules = 4

var nftCounter = regexp.MustCompile(` counter packets \d+ bytes \d+`)

// Found implements [Artifact]. A host that cannot tell is taken at its word: it has no
// nf_tables, or is no director yet.
func (g ResetGuard) Found(s *Snapshot) (string, bool) {
	if s.ResetGuard == nil {
		return g.Want(), true
	}
	chain := nftCounter.ReplaceAllString(*s.ResetGuard, "")
	if strings.Contains(chain, "type filter hook output") && strings.Count(chain, " drop\n") == resetRules*(1+len(s.derive().own)) {
		return g.Want(), true
	}
	return chain, chain != ""
}

func (ResetGuard) establish(*Snapshot) []step { return []step{call("guard_resets")} }

// remove leaves it to the next boot: it guards the VIPs that the director has just given up.
func (ResetGuard) remove(*Snapshot) []step { return nil }
