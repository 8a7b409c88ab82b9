package keepalived

import (
	"fmt"
	"slices"
	"strconv"
)

// ParseDirector is the inverse of Render. Order, indentation and comments do not
// matter; a statement that Render never writes is an error that names its line.
func ParseDirector(data []byte) (Director, error) {
	nodes, err := Parse(data)
	if err != nil {
		return Director{}, err
	}
	var d Director
	var syncInstance string
	var track trackReader
	var others []Node
	for _, n := range nodes {
		if n.says(statement("include", instanceGlob)) { // one that an older redislb wrote has none
			continue
		}
		if defines, err := track.define(n); err != nil {
			return Director{}, err
		} else if !defines {
			others = append(others, n)
		}
	}
	err = fields{
		"global_defs":   func(n Node) error { return d.readGlobal(n, &syncInstance) },
		"vrrp_instance": func(n Node) error { return d.readInstance(n, &track) },
		"include":       d.readServices,
	}.read(others, "global_defs", "vrrp_instance", "include")
	if err == nil && d.SyncInterface != "" && !d.SyncBoth && syncInstance != d.Instance {
		err = fmt.Errorf("lvs_sync_daemon follows %q, the instance is %q", syncInstance, d.Instance)
	}
	if err == nil {
		err = track.complete()
	}
	d.Track = track.Track
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return Director{}, err
	}
	return d, nil
}

func (d *Director) readServices(n Node) error {
	path, err := n.value()
	switch {
	case err != nil:
		return err
	case path != servicesGlob && path != ServicesPath:
		return fmt.Errorf("%q: expected %s or %s", path, servicesGlob, ServicesPath)
	}
	d.SwapServices = path == ServicesPath
	return nil
}

func (d *Director) readGlobal(n Node, syncInstance *string) error {
	return fields{
		"router_id":              into(&d.RouterID),
		"enable_script_security": flag,
		"script_user":            exactly("root"),
		"lvs_notify_fifo":        exactly(HealthFIFO),
		"lvs_notify_fifo_script": exactly(HealthScript),
		"lvs_timeouts":           d.Timeouts.read,
		"lvs_sync_daemon": func(n Node) (err error) {
			switch {
			case len(n.Args) == 5 && n.Args[1] == "inst" && n.Args[3] == "id":
				*syncInstance = n.Args[2]
			case len(n.Args) == 3 && n.Args[1] == "id":
				d.SyncBoth = true
			default:
				return fmt.Errorf("expected an interface, inst and its name (or neither), id and its number")
			}
			d.SyncInterface = n.Args[0]
			d.SyncID, err = strconv.Atoi(n.Args[len(n.Args)-1])
			return err
		},
	}.read(n.Block, "router_id", "enable_script_security", "script_user", "lvs_notify_fifo", "lvs_notify_fifo_script")
}

func (d *Director) readInstance(n Node, track *trackReader) error {
	if len(n.Args) != 1 {
		return fmt.Errorf("expected one name")
	}
	d.Instance = n.Args[0]
	var garp GARP
	var unicast Unicast
	var addresses Node
	readers := fields{
		"state":             exactly("BACKUP"),
		"interface":         into(&d.Interface),
		"virtual_router_id": intoInt(&d.VirtualRouterID),
		"priority":          intoInt(&d.Priority),
		"version":           exactly("3"),
		"advert_int":        intoDuration(&d.AdvertInterval),
		"preempt_delay":     intoDuration(&d.PreemptDelay),
		"nopreempt":         flag,
		lastWord.Keyword:    flag, // one that an older redislb wrote has none
		sameMaster.Keyword:  flag, // likewise
		"unicast_src_ip":    unicast.readSource,
		"unicast_peer":      unicast.readPeers,
		"track_interface":   track.readInterfaces,
		"track_script":      track.refer,
		"track_process":     track.refer,
		"track_file":        track.refer,
		"notify":            exactly(RoleScript),
		"include":           d.readAuth,
		"virtual_ipaddress": func(n Node) error {
			addresses = n
			return nil
		},
		"virtual_ipaddress_excluded": func(n Node) error {
			return fields{"include": exactly(address6Glob)}.read(n.Block, "include")
		},
	}
	readers = readers.and(garp.fields()).and(d.Notify.fields())
	required := []string{"state", "interface", "virtual_router_id", "priority", "advert_int", "virtual_ipaddress", "virtual_ipaddress_excluded"}
	there := map[string]bool{}
	for _, n := range n.Block {
		there[n.Keyword] = true
	}
	d.Version3, d.NoPreempt = there["version"], there["nopreempt"]
	if !d.NoPreempt {
		required = append(required, "preempt_delay")
	}
	if there["unicast_src_ip"] || there["unicast_peer"] {
		d.Unicast, required = &unicast, append(required, "unicast_peer")
	}
	switch written := slices.DeleteFunc(slices.Clone(n.Block), func(n Node) bool { return !slices.Contains(garpKeywords, n.Keyword) }); {
	case len(written) == 0:
		garp = unrefreshed()
		d.GARP = &garp
	case len(written) > 1 || !written[0].says(refresh()):
		d.GARP, required = &garp, append(required, garpKeywords...)
	}
	if err := readers.read(n.Block, required...); err != nil {
		return err
	}
	want := fields{"include": exactly(addressGlob)}
	keywords := []string{"include"}
	if d.Version3 {
		p := placeholder(d.VirtualRouterID)
		keywords = append(keywords, p.Keyword)
		want[p.Keyword] = func(n Node) error {
			if !n.says(p) {
				return fmt.Errorf("expected %q", p.Args)
			}
			return nil
		}
	}
	if err := want.read(addresses.Block, keywords...); err != nil {
		return at(addresses, err)
	}
	return nil
}

func (d *Director) readAuth(n Node) error {
	path, err := n.value()
	switch {
	case err != nil:
		return err
	case path == AuthPath:
		d.Auth = true
	case path == HMACPath:
		d.HMAC = true
	default:
		return fmt.Errorf("%q: expected %s or %s", path, AuthPath, HMACPath)
	}
	return nil
}
