package keepalived

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Director is one VRRP instance, version 2, and what it takes to run the VIPs
// that other files add to it.
//
// An instance takes VIPs of one family only: IPv4, as long as authentication
// and version 2 are wanted (vrrp.c, vrrp_complete_instance; `keepalived -t` says
// "address family must match VRRP instance" and returns 5).
type Director struct {
	RouterID        string
	Instance        string
	Interface       string
	VirtualRouterID int
	Priority        int
	// AdvertInterval has whole seconds.
	AdvertInterval time.Duration
	// PreemptDelay is how long a director waits, once it is up, before it
	// takes the VIPs from a lower one.
	PreemptDelay time.Duration
	// Auth includes AuthPath.
	Auth bool
	// SyncInterface carries the connections to the other director: the IPVS
	// sync daemon is master where the instance is, backup elsewhere. Empty runs
	// no daemon.
	SyncInterface string
	// SyncID tells the daemons of several pairs on a segment apart. It is 0
	// without SyncInterface.
	SyncID int
}

// Validate says everything that is wrong.
func (d Director) Validate() error {
	errs := []error{
		wrap("router_id", ValidateName(d.RouterID)),
		wrap("instance", ValidateName(d.Instance)),
		wrap("interface", ValidateInterface(d.Interface)),
		ValidateVirtualRouterID(d.VirtualRouterID),
		ValidatePriority(d.Priority),
		ValidateAdvertInterval(d.AdvertInterval),
		ValidatePreemptDelay(d.PreemptDelay),
	}
	switch {
	case d.SyncInterface != "":
		errs = append(errs, wrap("sync interface", ValidateInterface(d.SyncInterface)), ValidateSyncID(d.SyncID))
	case d.SyncID != 0:
		errs = append(errs, fmt.Errorf("sync id %d without a sync interface", d.SyncID))
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
	if d.SyncInterface != "" {
		global = append(global, statement("lvs_sync_daemon", d.SyncInterface, "inst", d.Instance, "id", strconv.Itoa(d.SyncID)))
	}
	instance := []Node{
		statement("state", "BACKUP"),
		statement("interface", d.Interface),
		statement("virtual_router_id", strconv.Itoa(d.VirtualRouterID)),
		statement("priority", strconv.Itoa(d.Priority)),
		statement("advert_int", seconds(d.AdvertInterval)),
		statement("preempt_delay", seconds(d.PreemptDelay)),
		statement("notify", RoleScript),
	}
	if d.Auth {
		instance = append(instance, statement("include", AuthPath))
	}
	instance = append(instance, blockOf("virtual_ipaddress", nil, statement("include", addressGlob)))
	return append([]byte(Header("redislb_director")), Print([]Node{
		blockOf("global_defs", nil, global...),
		blockOf("vrrp_instance", []string{d.Instance}, instance...),
		statement("include", servicesGlob),
	})...)
}

// ParseDirector is the inverse of Render. Order, indentation and comments do not
// matter; a statement that Render never writes is an error that names its line.
func ParseDirector(data []byte) (Director, error) {
	nodes, err := Parse(data)
	if err != nil {
		return Director{}, err
	}
	var d Director
	var syncInstance string
	err = fields{
		"global_defs": func(n Node) error {
			return fields{
				"router_id":              into(&d.RouterID),
				"enable_script_security": flag,
				"script_user":            exactly("root"),
				"lvs_notify_fifo":        exactly(HealthFIFO),
				"lvs_notify_fifo_script": exactly(HealthScript),
				"lvs_sync_daemon": func(n Node) (err error) {
					if len(n.Args) != 5 || n.Args[1] != "inst" || n.Args[3] != "id" {
						return fmt.Errorf("expected an interface, inst and its name, id and its number")
					}
					d.SyncInterface, syncInstance = n.Args[0], n.Args[2]
					d.SyncID, err = strconv.Atoi(n.Args[4])
					return err
				},
			}.read(n.Block, "router_id", "enable_script_security", "script_user", "lvs_notify_fifo", "lvs_notify_fifo_script")
		},
		"vrrp_instance": func(n Node) error {
			if len(n.Args) != 1 {
				return fmt.Errorf("expected one name")
			}
			d.Instance = n.Args[0]
			return fields{
				"state":             exactly("BACKUP"),
				"interface":         into(&d.Interface),
				"virtual_router_id": intoInt(&d.VirtualRouterID),
				"priority":          intoInt(&d.Priority),
				"advert_int":        intoDuration(&d.AdvertInterval),
				"preempt_delay":     intoDuration(&d.PreemptDelay),
				"notify":            exactly(RoleScript),
				"include": func(n Node) error {
					d.Auth = true
					return exactly(AuthPath)(n)
				},
				"virtual_ipaddress": func(n Node) error {
					return fields{"include": exactly(addressGlob)}.read(n.Block, "include")
				},
			}.read(n.Block, "state", "interface", "virtual_router_id", "priority", "advert_int", "preempt_delay", "virtual_ipaddress")
		},
		"include": exactly(servicesGlob),
	}.read(nodes, "global_defs", "vrrp_instance", "include")
	if err == nil && d.SyncInterface != "" && syncInstance != d.Instance {
		err = fmt.Errorf("lvs_sync_daemon follows %q, the instance is %q", syncInstance, d.Instance)
	}
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return Director{}, err
	}
	return d, nil
}
