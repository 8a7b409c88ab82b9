package keepalived

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Survey is what a keepalived.conf that anybody wrote says of VRRP and of virtual servers.
// What is not written is empty, zero or nil: keepalived's own defaults, which differ from
// those of redislb, are not filled in. No secret, and no argument of a command, is told by
// its exported fields.
type Survey struct {
	RouterID       string
	SyncDaemon     *SurveyedSync
	Timeouts       IPVSTimeouts // lvs_timeouts
	Instances      []SurveyedInstance
	Groups         []SurveyedGroup
	VirtualServers []SurveyedVirtualServer
	// Unread are the statements that are not told by the fields above, in their order.
	Unread []Unread

	scriptsOfOthers bool // script_user is not root
	version         *int // vrrp_version
	strict          bool // vrrp_strict
	serverGroups    map[string][]SurveyedVirtualServer
}

// Unread is a statement that a Survey does not tell.
type Unread struct {
	Line int // from 1
	// Statement is its keyword, behind those of the blocks around it. Arguments are left
	// out, since they may be secret.
	Statement string
	Reason    string
}

func (u Unread) keyword() string { return u.Statement[strings.LastIndex(u.Statement, " ")+1:] }

// SurveyedSync is lvs_sync_daemon.
type SurveyedSync struct {
	Interface, Instance string
	ID                  *int
}

// SurveyedInstance is a vrrp_instance.
type SurveyedInstance struct {
	Line                      int
	Name, State, Interface    string
	VirtualRouterID, Priority *int
	Version                   *int // version, or vrrp_version of global_defs
	AdvertInterval            *time.Duration
	NoPreempt                 bool
	PreemptDelay              *time.Duration
	// Authentication is PASS or AH (auth_type), or HMAC (auth_hmac).
	Authentication string
	// VIPs and ExcludedVIPs are addresses, some with the length of their network.
	VIPs, ExcludedVIPs []string
	// Devices are the interfaces of VIPs that have one written behind them, by their text
	// there.
	Devices       map[string]string
	UnicastSource string
	UnicastPeers  []string
	// Notify are the programs that are told of the states, by the keyword.
	Notify map[string]string

	strict *bool // strict_mode, or vrrp_strict of global_defs
}

// Strict reports whether keepalived keeps it to the letter of VRRP, passing over some of
// what is written for it.
func (i SurveyedInstance) Strict() bool { return i.strict != nil && *i.strict }

var errStrict = errors.New("has no counterpart in redislb")

// surveyNames are words of keepalived, by others that mean the same.
var surveyNames = map[string]string{"lb_algo": "lvs_sched", "lb_kind": "lvs_method"}

// ofOneWord are the statements of which keepalived takes one word, and passes over what
// people write behind it without the # of a comment.
var ofOneWord = []string{
	"state", "interface", "virtual_router_id", "priority", "version", "vrrp_version", "advert_int", "preempt_delay", "unicast_src_ip",
	"protocol", "lvs_sched", "persistence_timeout", "persistence_granularity", "delay_loop", "quorum", "hysteresis",
	"weight", "uthreshold", "lthreshold", "connect_port", "connect_timeout", "misc_timeout", "retry", "delay_before_retry", "nb_get_retry",
}

// surveyor gathers what is not told.
type surveyor struct {
	unread []Unread
	path   []string
}

// SurveyOf reads a keepalived.conf by the rules of [Parse], whose errors it returns.
// Includes are not followed and parameters not filled in: they are Unread.
func SurveyOf(data []byte) (Survey, error) {
	nodes, err := Parse(data)
	if err != nil {
		return Survey{}, err
	}
	var s Survey
	var w surveyor
	w.read(nodes, fields{
		"global_defs": func(n Node) error {
			w.block(n, fields{
				"router_id":       into(&s.RouterID),
				"lvs_sync_daemon": s.readSync,
				"lvs_timeouts":    s.Timeouts.read,
				"vrrp_version":    intoOptional(&s.version),
				"vrrp_strict": func(Node) error {
					s.strict = true
					return errStrict
				},
				"script_user": func(n Node) error {
					err := asRoot(n)
					s.scriptsOfOthers = err != nil
					return err
				},
			})
			return nil
		},
		"vrrp_instance":        func(n Node) error { return s.readInstance(&w, n) },
		"vrrp_sync_group":      func(n Node) error { return s.readGroup(&w, n) },
		"virtual_server_group": func(n Node) error { return s.readServerGroup(&w, n) },
		"virtual_server":       func(n Node) error { return s.readVirtualServer(&w, n) },
	}, "global_defs", "vrrp_instance", "vrrp_sync_group", "virtual_server_group", "virtual_server")
	s.unfold()
	for i := range s.Instances {
		s.Instances[i].Version = cmp.Or(s.Instances[i].Version, s.version)
		s.Instances[i].strict = cmp.Or(s.Instances[i].strict, &s.strict)
	}
	s.Unread = w.unread
	return s, nil
}

// block reads the statements of one. Those of the keywords that may be there several times
// all count; of another, the last one does, as for keepalived.
func (w *surveyor) block(n Node, readers fields, several ...string) {
	w.path = append(w.path, strings.Join(append([]string{n.Keyword}, blockName(n)...), " "))
	w.read(n.Block, readers, several...)
	w.path = w.path[:len(w.path)-1]
}

// blockName is what tells a block from others of its kind.
func blockName(n Node) []string {
	if slices.Contains([]string{"vrrp_instance", "vrrp_sync_group", "virtual_server", "real_server"}, n.Keyword) {
		return n.Args
	}
	return nil
}

func (w *surveyor) read(nodes []Node, readers fields, several ...string) {
	last := map[string]int{}
	name := func(n Node) string {
		if same, ok := surveyNames[n.Keyword]; ok {
			return same
		}
		return n.Keyword
	}
	for i, n := range nodes {
		last[name(n)] = i
	}
	for i, n := range nodes {
		keyword := name(n)
		reader, ok := readers[keyword]
		switch {
		case !ok:
			w.leave(n, unreadable(n))
		case last[keyword] != i && !slices.Contains(several, keyword):
			w.leave(n, "is there again further down, and the last one counts")
		case slices.ContainsFunc(n.Args, parameterIn):
			w.leave(n, hasParameter)
		default:
			if len(n.Args) > 1 && !n.HasBlock && slices.Contains(ofOneWord, keyword) {
				w.leave(n, "what follows its first word is left out, as it is by keepalived")
				n.Args = n.Args[:1]
			}
			if err := reader(n); err != nil {
				w.leave(n, err.Error())
			}
		}
	}
}

const hasParameter = "has a parameter ($…), which is not filled in"

var parameterName = regexp.MustCompile(`\$\{?[A-Za-z_]`)

func parameterIn(word string) bool { return parameterName.MatchString(word) }

// unreadable is why a statement is not understood.
func unreadable(n Node) string {
	switch {
	case definition.MatchString(n.Keyword):
		return "defines a parameter, which is not filled in anywhere"
	case include.MatchString(n.Keyword + " "):
		return "names other files, which are not read"
	case strings.HasPrefix(n.Keyword, "$"):
		return "is a parameter, which is not filled in"
	case strings.HasPrefix(n.Keyword, "@"):
		return "is for some hosts only, and which one this is about is not known"
	case strings.HasPrefix(n.Keyword, "~SEQ"), strings.HasPrefix(n.Keyword, "~LST"):
		return "stands for several statements, which are not unfolded"
	}
	return "is not among what is read"
}

func (w *surveyor) leave(n Node, reason string) {
	keyword, _, _ := strings.Cut(n.Keyword, "=")
	w.unread = append(w.unread, Unread{n.Line, strings.Join(append(slices.Clone(w.path), strings.TrimSpace(keyword)), ": "), reason})
}

func (s *Survey) readSync(n Node) error {
	if len(n.Args) == 0 || n.HasBlock {
		return fmt.Errorf("expected an interface")
	}
	d := SurveyedSync{Interface: n.Args[0]}
	words := n.Args[1:]
	if len(words) > 0 && !slices.Contains([]string{"inst", "id"}, words[0]) { // the old form: INTERFACE INSTANCE
		d.Instance, words = words[0], words[1:]
	}
	for ; len(words) >= 2; words = words[2:] {
		switch words[0] {
		case "inst":
			d.Instance = words[1]
		case "id":
			if err := intoOptional(&d.ID)(statement("id", words[1])); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%q is not among what is read", words[0])
		}
	}
	if len(words) > 0 {
		return fmt.Errorf("%q has no value", words[0])
	}
	s.SyncDaemon = &d
	return nil
}

func (s *Survey) readInstance(w *surveyor, n Node) error {
	if len(n.Args) != 1 || !n.HasBlock {
		return fmt.Errorf("expected a block with one name")
	}
	i := SurveyedInstance{Line: n.Line, Name: n.Args[0], Notify: map[string]string{}, Devices: map[string]string{}}
	readers := fields{
		"state":             into(&i.State),
		"interface":         into(&i.Interface),
		"virtual_router_id": intoOptional(&i.VirtualRouterID),
		"priority":          intoOptional(&i.Priority),
		"version":           intoOptional(&i.Version),
		"advert_int":        intoOptionalDuration(&i.AdvertInterval),
		"nopreempt":         intoFlag(&i.NoPreempt),
		"preempt": func(n Node) error { // it takes a nopreempt before it back (vrrp_parser.c, vrrp_preempt_handler)
			i.NoPreempt = false
			return flag(n)
		},
		"strict_mode": func(n Node) error {
			var strict bool
			if err := intoSwitch(&strict)(n); err != nil {
				return err
			}
			if i.strict = &strict; strict {
				return errStrict
			}
			return nil
		},
		"preempt_delay":  intoOptionalDuration(&i.PreemptDelay),
		"authentication": func(n Node) error { return i.readAuthentication(n, w) },
		"auth_hmac": func(Node) error { // nothing in it but secrets
			i.Authentication = "HMAC"
			return nil
		},
		"virtual_ipaddress":          func(n Node) error { return w.addresses(n, &i.VIPs, i.Devices) },
		"virtual_ipaddress_excluded": func(n Node) error { return w.addresses(n, &i.ExcludedVIPs, i.Devices) },
		"lvs_sync_daemon_interface": func(n Node) error { // lvs_sync_daemon by a former name
			if s.SyncDaemon != nil {
				return fmt.Errorf("lvs_sync_daemon is there too")
			}
			d := SurveyedSync{Instance: i.Name}
			err := into(&d.Interface)(n)
			if err == nil {
				s.SyncDaemon = &d
			}
			return err
		},
		"unicast_src_ip": into(&i.UnicastSource),
		"unicast_peer":   func(n Node) error { return w.addresses(n, &i.UnicastPeers, nil) },
	}
	for _, keyword := range []string{"notify", "notify_master", "notify_backup", "notify_fault", "notify_stop"} {
		readers[keyword] = func(n Node) error {
			if len(n.Args) == 0 {
				return fmt.Errorf("expected a command")
			}
			i.Notify[keyword], _, _ = strings.Cut(n.Args[0], " ")
			return nil
		}
	}
	w.block(n, readers, "virtual_ipaddress", "virtual_ipaddress_excluded", "unicast_peer")
	s.Instances = append(s.Instances, i)
	return nil
}

// readAuthentication tells nothing of what it does not know: it may be the password.
func (i *SurveyedInstance) readAuthentication(n Node, w *surveyor) error {
	for _, child := range n.Block {
		switch {
		case child.Keyword == "auth_type" && len(child.Args) == 1:
			i.Authentication = child.Args[0]
		case child.Keyword == "auth_pass":
		default:
			child.Keyword = "(not shown)"
			w.path = append(w.path, n.Keyword)
			w.leave(child, "is not known here, and may be secret")
			w.path = w.path[:len(w.path)-1]
		}
	}
	return nil
}

// addresses reads a block of addresses, each a line of its own, and the devices of those
// that may have one.
func (w *surveyor) addresses(n Node, to *[]string, devices map[string]string) error {
	if !n.HasBlock {
		return fmt.Errorf("expected a block of addresses")
	}
	w.path = append(w.path, n.Keyword)
	defer func() { w.path = w.path[:len(w.path)-1] }()
	for _, child := range n.Block {
		text, _, _ := strings.Cut(child.Keyword, "/")
		if _, err := netip.ParseAddr(text); err != nil || child.HasBlock {
			w.leave(child, unreadable(child))
			continue
		}
		if slices.ContainsFunc(child.Args, parameterIn) {
			w.leave(child, hasParameter)
			continue
		}
		*to = append(*to, child.Keyword)
		more := len(child.Args)
		if at := slices.Index(child.Args, "dev"); devices != nil && at >= 0 && at+1 < len(child.Args) {
			devices[child.Keyword] = child.Args[at+1]
			more -= 2
		}
		if more > 0 {
			w.leave(child, "what follows the address is left out")
		}
	}
	return nil
}

func intoOptional(target **int) func(Node) error {
	return func(n Node) error {
		var value int
		err := intoInt(&value)(n)
		if err == nil {
			*target = &value
		}
		return err
	}
}

func intoOptionalDuration(target **time.Duration) func(Node) error {
	return func(n Node) error {
		var value time.Duration
		err := intoDuration(&value)(n)
		if err == nil {
			*target = &value
		}
		return err
	}
}

// optionalPort reads a port that may be left out.
func optionalPort(words []string) (*int, error) {
	if len(words) == 0 {
		return nil, nil
	}
	port, err := strconv.Atoi(words[0])
	if err != nil || port < 0 || port > 65535 || len(words) > 1 {
		return nil, fmt.Errorf("expected an address and a port")
	}
	return &port, nil
}
