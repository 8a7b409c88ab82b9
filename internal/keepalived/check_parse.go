package keepalived

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// parseCheck is the inverse of checkNode, but for the port, which it always gives.
func (s VirtualServer) parseCheck(vip netip.Addr, r RealServer, n Node) (Check, error) {
	var c Check
	var command string
	var limit time.Duration
	retry := fields{"retry": intoInt(&c.Retries), "delay_before_retry": intoDuration(&c.RetryDelay)}
	connect := fields{"connect_port": intoInt(&c.Port), "connect_timeout": intoDuration(&c.Timeout)}
	switch n.Keyword {
	case "TCP_CHECK":
		c.Kind = CheckTCP
		return c, connect.and(retry).read(n.Block, "connect_port", "connect_timeout", "retry", "delay_before_retry")
	case "HTTP_GET", "SSL_GET":
		c.Kind, c.HTTP.TLS = CheckHTTP, n.Keyword == "SSL_GET"
		return c, connect.and(retry).and(fields{
			"url": func(n Node) error {
				return fields{
					"path": into(&c.HTTP.Path),
					"status_code": func(n Node) error {
						c.HTTP.Status = strings.Join(n.Args, " ")
						return nil
					},
				}.read(n.Block, "path", "status_code")
			},
			"virtualhost": into(&c.HTTP.Host),
			"enable_sni":  flag,
		}).read(n.Block, "url", "connect_port", "connect_timeout", "retry", "delay_before_retry")
	}
	err := retry.and(fields{"misc_path": into(&command), "misc_timeout": intoDuration(&limit)}).
		read(n.Block, "misc_path", "misc_timeout", "retry", "delay_before_retry")
	if err != nil {
		return Check{}, err
	}
	if words, ours := strings.CutPrefix(command, RedisCheckScript+" "); ours {
		c.Kind = CheckRedis
		if err = s.parseRedisCheck(&c, vip, r, strings.Split(words, " ")); err == nil && limit != miscTimeout(c.Timeout) {
			err = fmt.Errorf("misc_timeout %s, expected %s", limit, miscTimeout(c.Timeout))
		}
		return c, err
	}
	words := strings.Split(command, " ")
	c.Kind, c.Timeout = CheckScript, limit
	last := len(words) - 2
	if last < 1 || words[last] != r.Address.String() {
		return Check{}, errors.New("expected a command, the address and the port")
	}
	c.Script = strings.Join(words[:last], " ")
	c.Port, err = strconv.Atoi(words[last+1])
	return c, err
}

// parseRedisCheck reads the arguments of RedisCheckScript.
func (s VirtualServer) parseRedisCheck(c *Check, vip netip.Addr, r RealServer, words []string) (err error) {
	if len(words) < 4 || words[1] != r.Address.String() {
		return errors.New("expected a mode, the address, the port and the timeout")
	}
	c.Redis.Mode = words[0]
	if c.Port, err = strconv.Atoi(words[2]); err != nil {
		return fmt.Errorf("%q is no port", words[2])
	}
	if err = intoDuration(&c.Timeout)(statement("", words[3])); err != nil {
		return err
	}
	for _, word := range words[4:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "user":
			c.Redis.User = value
		case "password":
			c.Redis.Password = true
			if want := RedisPasswordPath(vip, s.Protocol, s.Port); value != want {
				return fmt.Errorf("the password is in %q, expected %q", value, want)
			}
		case "tls":
			c.Redis.TLS = true
		case "ca":
			c.Redis.CAFile = value
		case "cert":
			c.Redis.CertFile = value
		case "name":
			c.Redis.ServerName = value
		default:
			return fmt.Errorf("%q is no argument of the check", word)
		}
	}
	return nil
}
