package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redislb/terraform-provider-redislb/bench/proxy"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// reach is how clients get to the lab's hosts, all at 127.0.0.1.
type reach struct {
	ports                          map[string]int
	keyFile, knownHosts, sshConfig string
}

func direct(machines *lab.Lab) reach {
	r := reach{map[string]int{}, machines.KeyFile(), machines.KnownHostsFile(), machines.SSHConfigFile()}
	for _, name := range directors {
		r.ports[name] = machines.Host(name).SSHPort
	}
	return r
}

// proxied is the same through a proxy for each host.
func proxied(dir string, to reach) (reach, map[string]*proxy.Proxy, error) {
	r := reach{map[string]int{}, to.keyFile, filepath.Join(dir, "known_hosts"), filepath.Join(dir, "ssh_config")}
	proxies := map[string]*proxy.Proxy{}
	var hosts, config []string
	for name, port := range to.ports {
		p, err := proxy.New(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 0)
		if err != nil {
			return r, proxies, err
		}
		proxies[name], r.ports[name] = p, p.Port()
		hosts = append(hosts, fmt.Sprintf("[127.0.0.1]:%d ", port), fmt.Sprintf("[127.0.0.1]:%d ", p.Port()))
		config = append(config, fmt.Sprintf("Port %d\n", port), fmt.Sprintf("Port %d\n", p.Port()))
	}
	config = append(config, strconv.Quote(to.knownHosts), strconv.Quote(r.knownHosts))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return r, proxies, err
	}
	for _, f := range []struct {
		from, to string
		words    []string
	}{{to.knownHosts, r.knownHosts, hosts}, {to.sshConfig, r.sshConfig, config}} {
		text, err := os.ReadFile(f.from)
		if err != nil {
			return r, proxies, err
		}
		if err := os.WriteFile(f.to, []byte(strings.NewReplacer(f.words...).Replace(string(text))), 0o600); err != nil {
			return r, proxies, err
		}
	}
	return r, proxies, nil
}
