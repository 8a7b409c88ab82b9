package keepalived

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// SurveyedVirtualServer is a virtual_server, named by Address and Port, by FWMark, or by
// the Group of these that it stands for: it is one for each then, and has the Group besides.
type SurveyedVirtualServer struct {
	Line    int
	Address string
	Port    *int
	FWMark  *int
	Group   string
	// Protocol, Scheduler and Forwarding are as they are written (TCP, rr, DR). Left out,
	// keepalived takes UDP, wlc and NAT (check_data.c, alloc_vs).
	Protocol, Scheduler, Forwarding string
	SchedulerFlags                  []string
	OnePacket                       bool
	PersistenceTimeout              *time.Duration
	PersistenceMask                 string
	DelayLoop                       *time.Duration
	InhibitOnFailure                bool
	Alpha                           bool // real servers are out until their first check
	Quorum, Hysteresis              *int
	SorryServer                     string
	SorryPort                       *int
	RealServers                     []SurveyedRealServer

	virtualHost string
	defaults    surveyedDefaults
}

// SurveyedRealServer is a real_server.
type SurveyedRealServer struct {
	Line                           int
	Address                        string
	Port                           *int
	Weight                         *int
	InhibitOnFailure               bool
	UpperThreshold, LowerThreshold *int
	Check                          *SurveyedCheck // the first one

	virtualHost string
	defaults    surveyedDefaults
}

// surveyedDefaults are what a virtual_server says for its real_servers, and these for their
// checks, where they say nothing (check_data.c, validate_check_config).
type surveyedDefaults struct {
	weight              *int
	timeout, retryDelay *time.Duration
	retries             *int
}

func (d *surveyedDefaults) fields() fields {
	return fields{
		"retry":              intoOptional(&d.retries),
		"connect_timeout":    intoOptionalDuration(&d.timeout),
		"delay_before_retry": intoOptionalDuration(&d.retryDelay),
	}
}

// inherit fills in what the real servers and their checks leave to v.
func (v *SurveyedVirtualServer) inherit() {
	for i := range v.RealServers {
		r := &v.RealServers[i]
		r.Weight = cmp.Or(r.Weight, v.defaults.weight)
		if c := r.Check; c != nil {
			c.Retries = cmp.Or(c.Retries, r.defaults.retries, v.defaults.retries)
			c.RetryDelay = cmp.Or(c.RetryDelay, r.defaults.retryDelay, v.defaults.retryDelay)
			if c.Keyword != "MISC_CHECK" { // which does not connect
				c.Timeout = cmp.Or(c.Timeout, r.defaults.timeout, v.defaults.timeout)
			}
		}
	}
}

// defaultPersistence is what persistence_timeout without a value means (check_parser.c,
// pto_handler; ip_vs.h, IP_VS_TEMPLATE_TIMEOUT).
const defaultPersistence = 6 * time.Minute

func (s *Survey) readVirtualServer(w *surveyor, n Node) error {
	v := SurveyedVirtualServer{Line: n.Line, virtualHost: virtualHost(n)}
	if err := v.readName(n); err != nil {
		return err
	}
	flagOf := func(n Node) error {
		v.SchedulerFlags = append(v.SchedulerFlags, n.Keyword)
		return flag(n)
	}
	w.block(n, v.defaults.fields().and(fields{
		"weight":    intoOptional(&v.defaults.weight),
		"protocol":  into(&v.Protocol),
		"lvs_sched": into(&v.Scheduler),
		"lvs_method": func(n Node) error {
			if len(n.Args) > 1 { // TUN type …
				v.Forwarding = n.Args[0]
				return fmt.Errorf("what follows %s is left out", v.Forwarding)
			}
			return into(&v.Forwarding)(n)
		},
		"sh-port":     flagOf,
		"sh-fallback": flagOf,
		"mh-port":     flagOf,
		"mh-fallback": flagOf,
		"ops":         intoFlag(&v.OnePacket),
		"persistence_timeout": func(n Node) error {
			if len(n.Args) == 0 {
				timeout := defaultPersistence
				v.PersistenceTimeout = &timeout
				return nil
			}
			return intoOptionalDuration(&v.PersistenceTimeout)(n)
		},
		"persistence_granularity": into(&v.PersistenceMask),
		"delay_loop":              intoOptionalDuration(&v.DelayLoop),
		"inhibit_on_failure":      intoFlag(&v.InhibitOnFailure),
		"alpha":                   intoFlag(&v.Alpha),
		"quorum":                  intoOptional(&v.Quorum),
		"hysteresis":              intoOptional(&v.Hysteresis),
		"virtualhost":             into(new(string)), // see virtualHost
		"sorry_server": func(n Node) (err error) {
			if len(n.Args) == 0 || !isAddress(n.Args[0]) {
				return fmt.Errorf("expected an address and a port")
			}
			v.SorryServer = n.Args[0]
			v.SorryPort, err = optionalPort(n.Args[1:])
			return err
		},
		"real_server": func(n Node) error { return v.readRealServer(w, n) },
	}), "real_server")
	v.inherit()
	s.VirtualServers = append(s.VirtualServers, v)
	return nil
}

// intoSwitch reads a flag that may have its value behind it (parser.c, check_true_false).
func intoSwitch(target *bool) func(Node) error {
	return func(n Node) error {
		switch word := strings.Join(n.Args, " "); word {
		case "", "true", "on", "yes":
			*target = true
		case "false", "off", "no":
			*target = false
		default:
			return fmt.Errorf("expected nothing after it, or on or off")
		}
		return nil
	}
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

func (v *SurveyedVirtualServer) readName(n Node) error {
	switch {
	case !n.HasBlock || len(n.Args) == 0:
		return fmt.Errorf("expected a block with an address and a port, fwmark and a mark, or group and a name")
	case n.Args[0] == "group" && len(n.Args) == 2:
		v.Group = n.Args[1]
		return nil
	}
	return v.readKey(n.Args)
}

func (v *SurveyedVirtualServer) readKey(words []string) (err error) {
	switch {
	case words[0] == "fwmark" && len(words) == 2:
		return intoOptional(&v.FWMark)(statement("fwmark", words[1]))
	case isAddress(words[0]):
		v.Address = words[0]
		v.Port, err = optionalPort(words[1:])
	default:
		return fmt.Errorf("%q is no address", words[0])
	}
	return err
}

func (v *SurveyedVirtualServer) readRealServer(w *surveyor, n Node) error {
	if !n.HasBlock || len(n.Args) == 0 || !isAddress(n.Args[0]) {
		return fmt.Errorf("expected a block with an address and a port")
	}
	port, err := optionalPort(n.Args[1:])
	if err != nil {
		return err
	}
	r := SurveyedRealServer{Line: n.Line, Address: n.Args[0], Port: port, virtualHost: virtualHost(n)}
	readers := r.defaults.fields().and(fields{
		"weight":             intoOptional(&r.Weight),
		"inhibit_on_failure": intoSwitch(&r.InhibitOnFailure),
		"uthreshold":         intoOptional(&r.UpperThreshold),
		"lthreshold":         intoOptional(&r.LowerThreshold),
		"virtualhost":        into(new(string)), // see virtualHost
	})
	check := func(n Node) error {
		if r.Check != nil {
			return fmt.Errorf("is a further check, of which only the first one is told")
		}
		r.Check = &SurveyedCheck{Keyword: n.Keyword}
		r.Check.read(w, n, r)
		return nil
	}
	var checks []string
	for _, child := range n.Block {
		if strings.HasSuffix(child.Keyword, "_CHECK") || strings.HasSuffix(child.Keyword, "_GET") {
			readers[child.Keyword] = check
			checks = append(checks, child.Keyword)
		}
	}
	w.block(n, readers, checks...)
	v.RealServers = append(v.RealServers, r)
	return nil
}
