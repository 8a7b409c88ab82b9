package keepalived

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CheckKind is how the health of a real server is found out.
type CheckKind string

// The kinds of a Check.
const (
	CheckTCP    CheckKind = "tcp"    // it accepts a connection
	CheckHTTP   CheckKind = "http"   // it answers a GET request with a status that is wanted
	CheckRedis  CheckKind = "redis"  // RedisCheckScript finds it well
	CheckScript CheckKind = "script" // a command on the director returns 0
	CheckNone   CheckKind = "none"   // it is taken for healthy
)

// CheckKinds lists them all.
var CheckKinds = []CheckKind{CheckTCP, CheckHTTP, CheckRedis, CheckScript, CheckNone}

// Check takes a real server out that it finds ill. For CheckNone all else is zero.
type Check struct {
	Kind CheckKind
	// Port is connected to; 0 is the real server's.
	Port int
	// Timeout bounds the wait for an answer.
	Timeout time.Duration
	// Retries is how many more failures it takes after the first.
	Retries int
	// RetryDelay is the time between these.
	RetryDelay time.Duration

	HTTP  HTTPCheck  // of CheckHTTP
	Redis RedisCheck // of CheckRedis
	// Script is the command of CheckScript, run as root on the director. The address
	// and the port are its last arguments.
	Script string
}

// HTTPCheck is one GET request.
type HTTPCheck struct {
	Path string
	// Host is the Host header and, with TLS, the server's name; empty is the address.
	Host string
	TLS  bool
	// Status is the codes wanted and ranges of them, with a space between: "200-299 404".
	Status string
}

// RedisModes are what a RedisCheck can want of a server: that it answers PING; that
// it is a master; that it is a master and would take a write now.
var RedisModes = []string{"ping", "master", "writable"}

// RedisCheck is what RedisCheckScript is told.
type RedisCheck struct {
	Mode string
	User string // of Redis 6 and newer; empty is the default user
	// Password says that there is one, in the file of RedisPasswordPath.
	Password bool
	TLS      bool
	// CAFile is where the director has the certificates by which it knows the server;
	// empty: the system's. CertFile is where it has its own and the key of it; empty:
	// none. ServerName is the name that the server's has to have; empty: any. They
	// are of TLS.
	CAFile, CertFile, ServerName string
}

// miscTimeout is when keepalived kills RedisCheckScript, which bounds itself: whole
// seconds, with time for it to start on a busy director.
func miscTimeout(timeout time.Duration) time.Duration {
	return timeout.Truncate(time.Second) + 3*time.Second
}

var (
	statusCodes = regexp.MustCompile(`^[1-5][0-9]{2}(-[1-5][0-9]{2})?$`)
	httpPath    = regexp.MustCompile(`^/[A-Za-z0-9/._~%&=?:@+,;*-]{0,512}$`)
	hostHeader  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(:[0-9]{1,5})?$`)
	redisUser   = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,64}$`)
)

// ValidateHTTPPath checks the path and query of a request.
func ValidateHTTPPath(value string) error {
	if !httpPath.MatchString(value) {
		return fmt.Errorf("%q: a path begins with / and has up to 512 more of the characters A-Z a-z 0-9 / . _ ~ %% & = ? : @ + , ; * -", value)
	}
	return nil
}

// ValidateHTTPHost checks a Host header.
func ValidateHTTPHost(value string) error {
	if !hostHeader.MatchString(value) {
		return fmt.Errorf("%q is no host name, with or without a port", value)
	}
	return nil
}

// ValidateStatus checks the codes and ranges of them (check_http.c,
// status_code_handler).
func ValidateStatus(value string) error {
	for _, one := range strings.Split(value, " ") {
		low, high, ranged := strings.Cut(one, "-")
		if !statusCodes.MatchString(one) || (ranged && low > high) {
			return fmt.Errorf("%q: a status is codes from 100 to 599 and ranges of them, with one space between, such as 200-299 404", value)
		}
	}
	return nil
}

// ValidateRedisUser checks the name of a user of Redis.
func ValidateRedisUser(value string) error {
	if !redisUser.MatchString(value) {
		return fmt.Errorf("%q: a user's name has 1 to 64 of the characters A-Z a-z 0-9 _ . @ -", value)
	}
	return nil
}

func (c Check) validate() error {
	if !slices.Contains(CheckKinds, c.Kind) {
		return fmt.Errorf("%q: the kind of a check is one of %s", c.Kind, list(CheckKinds))
	}
	own := Check{Kind: c.Kind}
	if c.Kind == CheckNone {
		if c != own {
			return errors.New("where nothing is checked there is nothing to set")
		}
		return nil
	}
	errs := []error{ValidateConnectTimeout(c.Timeout), ValidateRetries(c.Retries), ValidateRetryDelay(c.RetryDelay)}
	if c.Port != 0 {
		errs = append(errs, ValidatePort(c.Port))
	}
	own.Port, own.Timeout, own.Retries, own.RetryDelay = c.Port, c.Timeout, c.Retries, c.RetryDelay
	switch c.Kind {
	case CheckHTTP:
		own.HTTP = c.HTTP
		errs = append(errs, ValidateHTTPPath(c.HTTP.Path), ValidateStatus(c.HTTP.Status))
		if c.HTTP.Host != "" {
			errs = append(errs, ValidateHTTPHost(c.HTTP.Host))
		}
	case CheckRedis:
		own.Redis = c.Redis
		if !slices.Contains(RedisModes, c.Redis.Mode) {
			errs = append(errs, fmt.Errorf("%q: the mode is one of %s", c.Redis.Mode, list(RedisModes)))
		}
		if c.Redis.User != "" {
			errs = append(errs, ValidateRedisUser(c.Redis.User))
			if !c.Redis.Password {
				errs = append(errs, errors.New("a user of Redis needs a password"))
			}
		}
		for _, path := range []string{c.Redis.CAFile, c.Redis.CertFile} {
			if path != "" {
				errs = append(errs, ValidatePath(path))
			}
		}
		if c.Redis.ServerName != "" {
			errs = append(errs, ValidateHTTPHost(c.Redis.ServerName))
		}
		if !c.Redis.TLS && c.Redis.CAFile+c.Redis.CertFile+c.Redis.ServerName != "" {
			errs = append(errs, errors.New("certificates and names are of TLS, which is off"))
		}
	case CheckScript:
		own.Script = c.Script
		errs = append(errs, ValidateCommand(c.Script))
		if c.Timeout%time.Second != 0 {
			errs = append(errs, fmt.Errorf("%s: the timeout of a script has whole seconds", c.Timeout))
		}
	}
	if c != own {
		errs = append(errs, fmt.Errorf("a check of kind %s has settings of another kind", c.Kind))
	}
	return errors.Join(errs...)
}

// list is for messages: "a, b, c".
func list[S ~string](values []S) string {
	if len(values) == 0 {
		return "none"
	}
	return strings.Join(names(values, func(v S) string { return string(v) }), ", ")
}

// checkNode is the check of one real server; false: there is none.
func (s VirtualServer) checkNode(vip netip.Addr, r RealServer) (Node, bool) {
	c := s.Check
	port := r.Port
	if c.Port != 0 {
		port = c.Port
	}
	retry := []Node{
		number("retry", c.Retries),
		statement("delay_before_retry", seconds(c.RetryDelay)),
	}
	connect := append([]Node{
		number("connect_port", port),
		statement("connect_timeout", seconds(c.Timeout)),
	}, retry...)
	misc := func(limit time.Duration, words ...string) Node {
		return blockOf("MISC_CHECK", nil, append([]Node{
			statement("misc_path", strings.Join(words, " ")),
			statement("misc_timeout", seconds(limit)),
		}, retry...)...)
	}
	switch c.Kind {
	case CheckTCP:
		return blockOf("TCP_CHECK", nil, connect...), true
	case CheckHTTP:
		keyword := "HTTP_GET"
		url := []Node{statement("path", c.HTTP.Path), statement("status_code", strings.Split(c.HTTP.Status, " ")...)}
		var more []Node
		if c.HTTP.Host != "" {
			more = append(more, statement("virtualhost", c.HTTP.Host))
		}
		if c.HTTP.TLS {
			keyword = "SSL_GET"
			if c.HTTP.Host != "" {
				more = append(more, statement("enable_sni"))
			}
		}
		return blockOf(keyword, nil, slices.Concat([]Node{blockOf("url", nil, url...)}, more, connect)...), true
	case CheckRedis:
		words := []string{RedisCheckScript, c.Redis.Mode, r.Address.String(), strconv.Itoa(port), seconds(c.Timeout)}
		if c.Redis.User != "" {
			words = append(words, "user="+c.Redis.User)
		}
		if c.Redis.Password {
			words = append(words, "password="+RedisPasswordPath(vip, s.Protocol, s.Port))
		}
		if c.Redis.TLS {
			words = append(words, "tls")
		}
		if c.Redis.CAFile != "" {
			words = append(words, "ca="+c.Redis.CAFile)
		}
		if c.Redis.CertFile != "" {
			words = append(words, "cert="+c.Redis.CertFile)
		}
		if c.Redis.ServerName != "" {
			words = append(words, "name="+c.Redis.ServerName)
		}
		return misc(miscTimeout(c.Timeout), words...), true
	case CheckScript:
		return misc(c.Timeout, c.Script, r.Address.String(), strconv.Itoa(port)), true
	}
	return Node{}, false
}
