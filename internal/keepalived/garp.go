package keepalived

import (
	"errors"
	"strconv"
	"time"
)

// GARP says how often a master tells the network, by gratuitous ARP, where the
// VIPs are. Times are whole seconds.
type GARP struct {
	// MasterRepeat messages go out when the director becomes master, and as many
	// again after MasterDelay, unless that is 0.
	MasterDelay  time.Duration
	MasterRepeat int
	// MasterRefreshRepeat messages go out every MasterRefresh while it is master,
	// unless that is 0.
	MasterRefresh       time.Duration
	MasterRefreshRepeat int
	// LowerPrioRepeat messages go out when a director with a lower priority claims
	// to be master, and as many again after LowerPrioDelay.
	LowerPrioDelay  time.Duration
	LowerPrioRepeat int
}

// DefaultGARP is for a director that is told nothing. Beside what keepalived does by
// itself, the master says where the VIPs are every 5 s: messages get lost, and a client that
// goes on with a backup will not ask again, since the connections to the backup's own
// server tell its kernel that all is well. 5 s is within the time in which an old master drops
// what it would answer the others by RST (role.sh, instance: 15 s).
var DefaultGARP = GARP{
	MasterDelay: 5 * time.Second, MasterRepeat: 5,
	MasterRefresh: 5 * time.Second, MasterRefreshRepeat: 1,
	LowerPrioDelay: 5 * time.Second, LowerPrioRepeat: 5,
}

// unrefreshed is what keepalived does by itself (vrrp.h, VRRP_GARP_DELAY and those
// that follow; vrrp.c, vrrp_complete_init, for lower priorities).
func unrefreshed() GARP {
	g := DefaultGARP
	g.MasterRefresh = 0
	return g
}

func (g *GARP) validate() error {
	if g == nil {
		return nil
	}
	return errors.Join(
		wrap("garp master_delay", ValidateGARPTime(g.MasterDelay)),
		wrap("garp master_repeat", ValidateGARPRepeat(g.MasterRepeat)),
		wrap("garp master_refresh", ValidateGARPTime(g.MasterRefresh)),
		wrap("garp master_refresh_repeat", ValidateGARPRepeat(g.MasterRefreshRepeat)),
		wrap("garp lower_prio_delay", ValidateGARPTime(g.LowerPrioDelay)),
		wrap("garp lower_prio_repeat", ValidateGARPLowerRepeat(g.LowerPrioRepeat)),
	)
}

func (g *GARP) nodes() []Node {
	switch {
	case g == nil:
		return []Node{refresh()}
	case *g == unrefreshed():
		return nil
	}
	return []Node{
		statement("garp_master_delay", seconds(g.MasterDelay)),
		number("garp_master_repeat", g.MasterRepeat),
		statement("garp_master_refresh", seconds(g.MasterRefresh)),
		number("garp_master_refresh_repeat", g.MasterRefreshRepeat),
		statement("garp_lower_prio_delay", seconds(g.LowerPrioDelay)),
		number("garp_lower_prio_repeat", g.LowerPrioRepeat),
	}
}

// refresh is all that is written of DefaultGARP.
func refresh() Node { return statement("garp_master_refresh", seconds(DefaultGARP.MasterRefresh)) }

// garpKeywords are the statements of nodes: all of them, refresh alone, or none.
var garpKeywords = names((&GARP{}).nodes(), func(n Node) string { return n.Keyword })

func (g *GARP) fields() fields {
	return fields{
		"garp_master_delay":          intoDuration(&g.MasterDelay),
		"garp_master_repeat":         intoInt(&g.MasterRepeat),
		"garp_master_refresh":        intoDuration(&g.MasterRefresh),
		"garp_master_refresh_repeat": intoInt(&g.MasterRefreshRepeat),
		"garp_lower_prio_delay":      intoDuration(&g.LowerPrioDelay),
		"garp_lower_prio_repeat":     intoInt(&g.LowerPrioRepeat),
	}
}

func number(keyword string, value int) Node { return statement(keyword, strconv.Itoa(value)) }
