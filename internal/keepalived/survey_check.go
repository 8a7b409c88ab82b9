package keepalived

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SurveyedCheck is a health check. Its command, or the URL that it asks for, may have a
// password in it: these are for [Survey.Counterpart] alone.
type SurveyedCheck struct {
	Keyword             string // TCP_CHECK, HTTP_GET, MISC_CHECK, …
	Port                *int
	Timeout, RetryDelay *time.Duration
	Retries             *int

	command string // misc_path
	asRoot  bool   // user
	host    string // virtualhost, which that of the URL goes before
	http    HTTPCheck
	// indispensable is a statement that is not read, and not one of dispensable.
	indispensable string
}

// dispensable are the statements that can go: without them a check passes wherever it passed,
// or it is by TCP too that they are lost (bindto and such).
var dispensable = []string{
	"digest", "regex", "regex_no_match", "regex_options", "regex_min_offset", "regex_max_offset", "regex_stack", "enable_sni", "tls_compliant",
	"connect_timeout", "misc_timeout", "retry", "nb_get_retry", "delay_before_retry", "delay_loop", "warmup", "alpha", "fast_recovery",
	"bindto", "bind_port", "bind_if", "fwmark", "log_all_failures",
}

// read is for the check n of the real server r.
func (c *SurveyedCheck) read(w *surveyor, n Node, r SurveyedRealServer) {
	before := len(w.unread)
	readers := fields{
		"connect_ip":         same(r.Address, "is another address than the real server's"),
		"connect_port":       intoOptional(&c.Port),
		"connect_timeout":    intoOptionalDuration(&c.Timeout),
		"retry":              intoOptional(&c.Retries),
		"delay_before_retry": intoOptionalDuration(&c.RetryDelay),
		"nb_get_retry": func(Node) error { // check_http.c, install_http_ssl_check_keyword
			return errors.New("is known to keepalived in HTTP_GET and SSL_GET alone; elsewhere it is retry")
		},
	}
	switch n.Keyword {
	case "HTTP_GET", "SSL_GET":
		readers = readers.and(c.httpFields(w))
	case "MISC_CHECK":
		readers = readers.and(fields{
			"misc_path":    into(&c.command),
			"misc_timeout": intoOptionalDuration(&c.Timeout),
			"user": func(n Node) error {
				err := asRoot(n)
				c.asRoot = err == nil
				return err
			},
		})
	}
	w.block(n, readers, "url")
	for _, u := range w.unread[before:] {
		if keyword := u.keyword(); c.indispensable == "" && !slices.Contains(dispensable, keyword) {
			c.indispensable = keyword
		}
	}
}

func (c *SurveyedCheck) httpFields(w *surveyor) fields {
	c.http.TLS = c.Keyword == "SSL_GET"
	asked := false
	return fields{
		"nb_get_retry":  intoOptional(&c.Retries), // retry by its former name
		"virtualhost":   into(&c.host),
		"http_protocol": same("1.0", "is another one than 1.0, which redislb has"), // check_http.c, alloc_http_get
		"enable_sni":    flag,
		"url": func(n Node) error {
			if asked {
				return errors.New("is a further one, of which only the first is read")
			}
			asked = true
			w.block(n, fields{
				"path":        into(&c.http.Path),
				"virtualhost": into(&c.http.Host),
				"status_code": func(n Node) error {
					c.http.Status = strings.TrimLeft(c.http.Status+" "+strings.Join(n.Args, " "), " ")
					return nil
				},
			}, "status_code")
			return nil
		},
	}
}

// same reads a statement that says what is so without it.
func same(value, otherwise string) func(Node) error {
	return func(n Node) error {
		if got, err := n.value(); err != nil || got != value {
			return errors.New(otherwise)
		}
		return nil
	}
}

// defaultStatus is of a URL without status_code (check_http.c, url_check).
const defaultStatus = "200-299"

// asRoot reads who runs scripts: USER, or USER and GROUP.
func asRoot(n Node) error {
	if len(n.Args) == 0 || slices.ContainsFunc(n.Args, func(word string) bool { return word != "root" }) {
		return errors.New("is another one than root, who runs the scripts of redislb")
	}
	return nil
}

// virtualHost is the virtualhost of a block as it is written; checks by HTTP inside that have
// none of their own send it (check_http.c, http_request).
func virtualHost(n Node) string {
	for _, child := range slices.Backward(n.Block) {
		if child.Keyword == "virtualhost" {
			return strings.Join(child.Args, " ")
		}
	}
	return ""
}

// Counterpart is what kind of check of redislb's the one of the real server is: times and
// retries are left out, and the Port is 0 where it is not written. An error says why there
// is none; what is written of a command or a URL is not in it.
func (s Survey) Counterpart(v SurveyedVirtualServer, r SurveyedRealServer) (Check, error) {
	c := r.Check
	switch c.Keyword {
	case "TCP_CHECK":
		return Check{Kind: CheckTCP, Port: optionalInt(c.Port)}, nil
	case "HTTP_GET", "SSL_GET", "MISC_CHECK":
	default:
		return Check{}, errors.New("redislb has none of its kind")
	}
	if c.indispensable != "" {
		return Check{}, fmt.Errorf("its %s is not taken over", c.indispensable)
	}
	if c.Keyword == "MISC_CHECK" {
		return s.script(c, r.Address)
	}
	check := Check{Kind: CheckHTTP, Port: optionalInt(c.Port), HTTP: c.http}
	check.HTTP.Host = cmp.Or(c.http.Host, c.host, r.virtualHost, v.virtualHost)
	check.HTTP.Status = cmp.Or(c.http.Status, defaultStatus)
	switch {
	case ValidateHTTPPath(check.HTTP.Path) != nil:
		return Check{}, errors.New("its path is none that a check of type http takes")
	case check.HTTP.Host != "" && ValidateHTTPHost(check.HTTP.Host) != nil:
		return Check{}, errors.New("its virtualhost is none that a check of type http takes")
	case ValidateStatus(check.HTTP.Status) != nil:
		return Check{}, errors.New("its status_code is none that a check of type http takes")
	}
	return check, nil
}

// script is the counterpart of a MISC_CHECK.
func (s Survey) script(c *SurveyedCheck, address string) (Check, error) {
	words := strings.Split(c.command, " ")
	last := len(words) - 2
	if last < 1 || words[last] != address {
		return Check{}, errors.New("a check of type script has the address and the port of the real server as further arguments, so write a command that takes them")
	}
	port, err := strconv.Atoi(words[last+1])
	command := strings.Join(words[:last], " ")
	switch {
	case err != nil || ValidatePort(port) != nil || strconv.Itoa(port) != words[last+1]:
		return Check{}, errors.New("its last argument is not the port that it checks, as it is of a check of type script")
	case ValidateCommand(command) != nil:
		return Check{}, errors.New("its command is none that a check of type script takes: write a script on the host for it")
	case c.Timeout != nil && *c.Timeout%time.Second != 0:
		return Check{}, errors.New("its misc_timeout is no whole number of seconds")
	case s.scriptsOfOthers && !c.asRoot:
		return Check{}, errors.New("script_user is another one than root, who runs the scripts of redislb")
	}
	return Check{Kind: CheckScript, Port: port, Script: command}, nil
}

func optionalInt(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
