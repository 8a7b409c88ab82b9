package keepalived

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// IPVSTimeouts are how long the kernel keeps a connection that is silent: TCP while it
// is established (900 s by default), TCPFin once one side has closed it (120 s), UDP
// (300 s). 0 leaves the value alone: the kernel passes over it (ip_vs_ctl.c,
// ip_vs_set_timeout), and keepalived puts what it found when it first set any in its
// place (libipvs.c, ipvs_set_timeout), which is the same unless that was changed since.
//
// keepalived sets them when it starts and at each reload, as soon as it has a virtual
// server (check_daemon.c, start_check; without one it does not talk to IPVS), and puts
// back what it found when it ends, or is reloaded with none.
type IPVSTimeouts struct{ TCP, TCPFin, UDP time.Duration }

// IPVSTimeout is one of them, by its name in keepalived and ipvsadm(8).
type IPVSTimeout struct {
	Name  string // tcp, tcpfin or udp
	Value time.Duration
}

// Named are those that are set, in their order.
func (t IPVSTimeouts) Named() []IPVSTimeout {
	var named []IPVSTimeout
	for _, one := range []IPVSTimeout{{"tcp", t.TCP}, {"tcpfin", t.TCPFin}, {"udp", t.UDP}} {
		if one.Value != 0 {
			named = append(named, one)
		}
	}
	return named
}

// ValidateIPVSTimeout allows 1 s to 24 days, whole seconds: the kernel counts in jiffies,
// of which an int holds so many where there are a thousand in a second (ip_vs_ctl.c,
// ip_vs_set_timeout); keepalived would go to 31 days (global_data.h, LVS_MAX_TIMEOUT).
func ValidateIPVSTimeout(value time.Duration) error {
	return duration("an IPVS timeout", value, time.Second, time.Second, 24*24*time.Hour)
}

func (t IPVSTimeouts) validate() error {
	var errs []error
	for _, one := range t.Named() {
		errs = append(errs, wrap(one.Name, ValidateIPVSTimeout(one.Value)))
	}
	return errors.Join(errs...)
}

// nodes is lvs_timeouts, or nothing.
func (t IPVSTimeouts) nodes() []Node {
	var words []string
	for _, one := range t.Named() {
		words = append(words, one.Name, seconds(one.Value))
	}
	if words == nil {
		return nil
	}
	return []Node{statement("lvs_timeouts", words...)}
}

// read reads lvs_timeouts: names, each with its seconds.
func (t *IPVSTimeouts) read(n Node) error {
	if len(n.Args) == 0 || len(n.Args)%2 != 0 || n.HasBlock {
		return fmt.Errorf("expected tcp, tcpfin or udp, each with its seconds")
	}
	var told IPVSTimeouts
	by := map[string]*time.Duration{"tcp": &told.TCP, "tcpfin": &told.TCPFin, "udp": &told.UDP}
	for i := 0; i < len(n.Args); i += 2 {
		name, text := n.Args[i], n.Args[i+1]
		value, ok := by[name]
		if !ok || *value != 0 {
			return fmt.Errorf("%q is none of tcp, tcpfin and udp, or there twice", name)
		}
		number, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("%q is no number of seconds", text)
		}
		*value = time.Duration(number) * time.Second
		if err := ValidateIPVSTimeout(*value); err != nil {
			return err
		}
	}
	*t = told
	return nil
}
