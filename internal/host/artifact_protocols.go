package host

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

// OtherProtocols is the rule that the kernel has no virtual service of another protocol on
// the port of one that is configured. Those on other ports of the VIP are somebody else's.
type OtherProtocols struct {
	VIP        netip.Addr
	Configured []ipvs.Key
}

const noOthers = "none"

// Key implements [Artifact].
func (o OtherProtocols) Key() string { return "ipvs other protocols on the ports of " + o.VIP.String() }

func (o OtherProtocols) phase() phase { return phaseProtocols }

// Want implements [Artifact].
func (o OtherProtocols) Want() string { return noOthers }

// Found implements [Artifact].
func (o OtherProtocols) Found(s *Snapshot) (string, bool) {
	var b strings.Builder
	for _, row := range o.others(s) {
		b.WriteString(row.Canonical())
	}
	if b.Len() == 0 {
		return noOthers, true
	}
	return b.String(), true
}

// others leaves out what keepalived's files on the host still configure: an update that
// takes such a service away is not this rule's.
func (o OtherProtocols) others(s *Snapshot) []ipvs.Service {
	var found []ipvs.Service
	for _, configured := range o.Configured {
		if configured.FWMark != 0 {
			continue
		}
		for _, protocol := range []ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP} {
			key := configured
			key.Protocol = protocol
			if row := s.Service(key); row != nil && !slices.Contains(o.Configured, key) && !s.configures(key) {
				found = append(found, *row)
			}
		}
	}
	return found
}

func (o OtherProtocols) establish(s *Snapshot) []step {
	var steps []step
	for _, row := range o.others(s) {
		steps = append(steps, editTable(&row, nil)...)
	}
	return steps
}

// remove leaves them: on an address that is no VIP of ours any more they are somebody's.
func (o OtherProtocols) remove(*Snapshot) []step { return nil }
