package keepalived

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Director is one VRRP instance and what it takes to run the VIPs that other
// files add to it.
//
// The instance speaks IPv4, as version 2 and authentication want it, so its
// virtual_ipaddress takes IPv4 VIPs alone (vrrp.c, vrrp_complete_instance;
// `keepalived -t` says "address family must match VRRP instance" and returns 5). IPv6
// VIPs come and go with it all the same, as virtual_ipaddress_excluded.
//
// A VIP may have an instance of its own beside it; see [VIPInstance].
type Director struct {
	RouterID        string
	Instance        string
	Interface       string
	VirtualRouterID int
	Priority        int
	// Version3 speaks VRRP version 3 (RFC 5798), not 2 (RFC 3768).
	Version3 bool
	// AdvertInterval has whole seconds, with Version3 hundredths.
	AdvertInterval time.Duration
	// PreemptDelay is how long a director waits, once it is up, before it
	// takes the VIPs from a lower one.
	PreemptDelay time.Duration
	// NoPreempt leaves the VIPs with a lower one. There is no PreemptDelay then:
	// `keepalived -t` returns 5 for both (vrrp.c, vrrp_complete_instance).
	NoPreempt bool
	// Auth includes AuthPath. Version 3 knows none.
	Auth bool
	// HMAC includes HMACPath: advertisements are signed, in either version. Keepalived
	// has it from 2.4.0 on, and takes it for no other (vrrp_auth_hmac.c).
	HMAC bool
	// Unicast is nil for multicast, GARP for DefaultGARP.
	Unicast *Unicast
	GARP    *GARP
	Track   Track
	Notify  Notify
	// SyncInterface carries the connections to the other director: the IPVS
	// sync daemon is master where the instance is, backup elsewhere. Empty runs
	// no daemon.
	SyncInterface string
	// SyncBoth runs both daemons, whatever the instance is.
	SyncBoth bool
	// SwapServices leaves it to ServicesPath whether there are any virtual servers:
	// keepalived itself has no way to have them on the master alone.
	SwapServices bool
	// SyncID tells the daemons of several pairs on a segment apart. It is 0, and
	// SyncBoth false, without SyncInterface.
	SyncID   int
	Timeouts IPVSTimeouts
}

// Validate says everything that is wrong.
func (d Director) Validate() error {
	errs := []error{
		wrap("router_id", ValidateName(d.RouterID)),
		wrap("instance", ValidateName(d.Instance)),
		wrap("interface", ValidateInterface(d.Interface)),
		ValidateVirtualRouterID(d.VirtualRouterID),
		ValidatePriority(d.Priority),
		ValidateAdvertIntervalOf(d.AdvertInterval, d.Version3),
		ValidatePreemptDelay(d.PreemptDelay),
		d.Unicast.Validate(),
		d.GARP.validate(),
		d.Track.validate(d.Interface),
		d.Notify.validate(),
		d.Timeouts.validate(),
	}
	if d.Version3 && d.Auth {
		errs = append(errs, errors.New("VRRP version 3 has no authentication"))
	}
	if d.Auth && d.HMAC {
		errs = append(errs, errors.New("either a password or auth_hmac: keepalived drops the password where there are both"))
	}
	if d.NoPreempt && d.PreemptDelay != 0 {
		errs = append(errs, fmt.Errorf("a preemption delay of %s without preemption", d.PreemptDelay))
	}
	switch {
	case d.SyncInterface != "":
		errs = append(errs, wrap("sync interface", ValidateInterface(d.SyncInterface)), ValidateSyncID(d.SyncID))
	case d.SyncID != 0 || d.SyncBoth:
		errs = append(errs, fmt.Errorf("sync id %d or both daemons without a sync interface", d.SyncID))
	}
	return errors.Join(errs...)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Render is the text of ConfigPath for a valid Director.
func (d Director) Render() []byte {
	global := []Node{
		statement("router_id", d.RouterID),
		statement("enable_script_security"),
		statement("script_user", "root"),
		statement("lvs_notify_fifo", HealthFIFO),
		statement("lvs_notify_fifo_script", HealthScript),
	}
	switch {
	case d.SyncBoth:
		// Of no instance (check_daemon.c, start_check).
		global = append(global, statement("lvs_sync_daemon", d.SyncInterface, "id", strconv.Itoa(d.SyncID)))
	case d.SyncInterface != "":
		global = append(global, statement("lvs_sync_daemon", d.SyncInterface, "inst", d.Instance, "id", strconv.Itoa(d.SyncID)))
	}
	global = append(global, d.Timeouts.nodes()...)
	track := d.track()
	top := append([]Node{blockOf("global_defs", nil, global...)}, track.definitions()...)
	top = append(top, blockOf("vrrp_instance", []string{d.Instance}, d.instance(track)...), statement("include", instanceGlob), statement("include", d.services()))
	return append([]byte(Header("redislb_director")), Print(top)...)
}

// RenderInstance is the text of InstancePath for a valid Director. The director's own
// instance does not include it, and has the same written out: there is one file to read.
func (d Director) RenderInstance() []byte {
	return append([]byte(Header("redislb_director")), Print(append([]Node{statement("interface", d.Interface)}, d.common(d.track())...))...)
}

// track is what all instances track: what the user wants, and the drain.
func (d Director) track() Track {
	track := d.Track.sorted()
	track.Files = append(track.Files, drain)
	return track
}

func (d Director) services() string {
	if d.SwapServices {
		return ServicesPath
	}
	return servicesGlob
}

func (d Director) instance(track Track) []Node {
	nodes := []Node{
		statement("state", "BACKUP"),
		statement("interface", d.Interface),
		number("virtual_router_id", d.VirtualRouterID),
		number("priority", d.Priority),
	}
	nodes = append(nodes, d.common(track)...)
	nodes = append(nodes, sameMaster)
	var addresses []Node
	if d.Version3 {
		addresses = append(addresses, placeholder(d.VirtualRouterID))
	}
	return append(nodes,
		blockOf("virtual_ipaddress", nil, append(addresses, statement("include", addressGlob))...),
		blockOf("virtual_ipaddress_excluded", nil, statement("include", address6Glob)),
	)
}

// common is what the instances of the VIPs share with the director's own, but for the
// interface.
func (d Director) common(track Track) []Node {
	var nodes []Node
	if d.Version3 {
		nodes = append(nodes, statement("version", "3"))
	}
	nodes = append(nodes, statement("advert_int", seconds(d.AdvertInterval)))
	if d.NoPreempt {
		nodes = append(nodes, statement("nopreempt"))
	} else {
		nodes = append(nodes, statement("preempt_delay", seconds(d.PreemptDelay)))
	}
	nodes = append(nodes, lastWord)
	nodes = append(nodes, d.Unicast.nodes()...)
	nodes = append(nodes, d.GARP.nodes()...)
	nodes = append(nodes, track.references()...)
	nodes = append(nodes, statement("notify", RoleScript))
	nodes = append(nodes, d.Notify.nodes()...)
	if d.Auth {
		nodes = append(nodes, statement("include", AuthPath))
	}
	if d.HMAC {
		nodes = append(nodes, statement("include", HMACPath))
	}
	return nodes
}

// lastWord has a master that hears of one of higher priority advertise itself once more
// before it becomes backup, which the other one answers by gratuitous ARP (lower_prio_repeat
// of [GARP]). Where a cut link had made two masters, clients would else go on with the one
// whose gratuitous ARP they saw last (keepalived.conf(5), vrrp.c, vrrp_state_master_rx).
var lastWord = statement("higher_prio_send_advert")

// sameMaster has a backup go by the address of the master alone, once it has found that
// one to advertise the VIPs that it has itself. Up to 2.2 it else drops, and so takes over
// from, a master that has a VIP which it has not got yet, or has no more (vrrp.c,
// vrrp_state_backup and vrrp_check_packet). A reload forgets the master's address, so that
// the master has to be the first to get a VIP.
var sameMaster = statement("skip_check_adv_addr")

// placeholder is an address of the loopback network, for the instance to have one
// while there is no VIP: in version 3, keepalived 2.1 to 2.3 end where there is none
// (vrrp.c, vrrp_complete_instance: "at least one is required"). It is held on lo by
// the master, where it changes nothing: all of 127.0.0.0/8 is the host's own anyway.
// The directors of a group compare the addresses that they advertise, so it follows
// from what they share.
func placeholder(virtualRouterID int) Node {
	return statement(fmt.Sprintf("127.112.0.%d/32", virtualRouterID), "dev", "lo", "scope", "host", "no_track")
}
