//go:build acceptance

package acceptance

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// goldenVIP is a VIP of the golden files, which have every keyword that there is.
func goldenVIP(t *testing.T, name string) host.VIP {
	t.Helper()
	file := func(kind string) []byte { return []byte(goldenFile(t, "vip-"+name+"."+kind+".conf")) }
	vip, err := keepalived.ParseVIP(file("address"), file("services"))
	if err != nil {
		t.Fatal(err)
	}
	v := host.VIP{VIP: vip, Passwords: map[string]host.Password{}}
	for _, s := range vip.Services {
		if s.Check.Redis.Password {
			v.Passwords[s.Name] = host.Password{Version: 1, Text: "pass phrase"}
		}
	}
	return v
}

// What keepalived takes of each keyword, and what it makes of it in the kernel; the
// commit itself fails where keepalived -t complains.
func TestServicesOfEveryKindAreInTheKernelAsTheyAreMeant(t *testing.T) {
	furnished(t)
	hostA().MustExec(t, "printf '#!/bin/sh\n' >/usr/local/bin/check-dns; chmod 755 /usr/local/bin/check-dns")
	a := directly(t, hostA())
	version := int64(1)
	a.must(t, host.Director{Name: "a", Install: true, Password: "s3cret", PasswordVersion: &version, VRRP: keepalived.Director{
		Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: 100, AdvertInterval: time.Second,
	}}.Artifacts(), nil)
	var all []host.Artifact
	for _, name := range []string{"full", "several", "ipv6", "inside"} {
		all = append(all, goldenVIP(t, name).Artifacts()...)
	}
	a.must(t, all, nil)

	// The sorry server stands in, since nobody listens on port 16380; who fails is
	// out, or there with the weight 0 where that is wanted.
	lines := []string{
		"-A -t 192.0.2.231:6379 -s rr -p 360 -M 255.255.255.0",
		"-a -t 192.0.2.231:6379 -r 192.0.2.11:6379 -g -w 1",
		"-a -t 192.0.2.231:6379 -r 192.0.2.12:6379 -g -w 1",
		"-A -t 192.0.2.231:6380 -s mh -b mh-fallback,mh-port",
		"-a -t 192.0.2.231:6380 -r 192.0.2.13:6380 -g -w 1",
		"-A -t 192.0.2.231:80 -s sh -b sh-fallback,sh-port",
		"-A -t 192.0.2.231:443 -s rr",
		"-A -u 192.0.2.231:53 -s rr -o",
		"-a -u 192.0.2.231:53 -r 192.0.2.12:53 -g -w 1",
		"-a -u 192.0.2.231:514 -r 192.0.2.11:514 -g -w 1",
		"-A -t [2001:db8::229]:6379 -s rr -p 60 -M 64",
		"-A -u 192.0.2.230:53 -s mh",
		"-A -f 7 -s rr",
		"-a -f 7 -r 192.0.2.13:0 -g -w 1",
		"-A -f 8 -s rr",
		"-a -f 8 -r 192.0.2.11:0 -m -w 1",
		"-a -f 8 -r 192.0.2.12:8080 -m -w 1",
	}
	var table, wrong string
	defer func() {
		if wrong != "" {
			t.Errorf("the table is\n%s\nand this is wrong of it:\n%s", table, wrong)
		}
	}()
	eventually(t, 60*time.Second, "the table is what the services are", func() bool {
		table, wrong = exec(hostA(), "ipvsadm -Sn"), ""
		for _, line := range lines {
			if !strings.Contains(table+"\n", line+"\n") {
				wrong += "lacks " + line + "\n"
			}
		}
		for _, part := range []string{"-r 192.0.2.11:8081", "-a -t 192.0.2.231:6380 -r 192.0.2.11"} {
			if strings.Contains(table, part) {
				wrong += "has " + part + "\n"
			}
		}
		return wrong == ""
	})
	if got := exec(hostA(), "ipvsadm -Ln --thresholds"); !regexp.MustCompile(`192\.0\.2\.12:6379 +1000 +900 `).MatchString(got) {
		t.Errorf("thresholds:\n%s", got)
	}
	if got := exec(hostA(), "ip -o address show dev eth1"); !strings.Contains(got, " 198.51.100.1/24 ") {
		t.Errorf("the master has no VIP on another interface: %q", got)
	}
	if got := exec(hostA(), "ip -o address show dev eth0 to 2001:db8::229"); !strings.Contains(got, "2001:db8::229/64") {
		t.Errorf("the master has no IPv6 VIP: %q", got)
	}
	// What keepalived does to ill real servers is nothing to mend.
	directly(t, hostA()).hasNothingToDo(t, all)

	for what, by := range map[string]string{
		"thresholds":      "ipvsadm -e -t 192.0.2.231:6379 -r 192.0.2.12:6379 -g -w 1 -x 5 -y 4",
		"scheduler flags": "ipvsadm -E -t 192.0.2.231:6380 -s mh -b mh-port",
		"the mask":        "ipvsadm -E -t 192.0.2.231:6379 -s rr -p 360 -M 255.0.0.0",
		"one packet":      "ipvsadm -E -u 192.0.2.231:53 -s rr",
		"a stand-in":      "ipvsadm -a -t 192.0.2.231:6379 -r 192.0.2.13:6379 -g",
		"an IPv6 service": "ipvsadm -D -t [2001:db8::229]:6379",
		"a firewall mark": "ipvsadm -d -f 8 -r 192.0.2.11:0",
	} {
		hostA().MustExec(t, by)
		again := directly(t, hostA()) // what a has just seen is not looked at once more
		again.must(t, all, nil)
		if again.conn.changes.Load() == 0 {
			t.Errorf("%s: a change by hand was not seen: %s", what, by)
		}
	}
	// Nobody listens there: not by HTTP, of which keepalived never says that it is down, and
	// not where a service was deleted and came back.
	if table := exec(hostA(), "ipvsadm -Sn"); strings.Contains(table, ":8081") || strings.Contains(table, "[2001:db8::11]") {
		t.Errorf("real servers that are down came in:\n%s", table)
	}
	a.must(t, nil, all)
	if table := exec(hostA(), "ipvsadm -Sn"); table != "" {
		t.Errorf("after the destroy the table holds\n%s", table)
	}
	if files := exec(hostA(), "ls /etc/keepalived/redislb | grep vip; cat /var/lib/redislb/secrets.sha256"); strings.Contains(files, "vip") {
		t.Errorf("after the destroy there are\n%s", files)
	}
}

// A check by TCP calls each of these well (lvs.md); the one of Redis takes the server
// out, and in again when it is well.
func TestSickRedisIsTakenOutAndComesBack(t *testing.T) {
	furnished(t)
	a := directly(t, hostA())
	const password = "open sesame"
	a.must(t, host.Director{Name: "a", Install: true, VRRP: keepalived.Director{
		Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: 100, AdvertInterval: time.Second,
	}}.Artifacts(), nil)
	vip := goldenVIP(t, "redis")
	service := vip.Services[0]
	vip.Services = nil
	for i, mode := range append([]string{"tcp"}, keepalived.RedisModes...) {
		s := service
		s.Name, s.DelayLoop = mode, time.Second
		s.Check = keepalived.Check{Kind: keepalived.CheckRedis, Timeout: time.Second, Retries: 1, RetryDelay: time.Second, Port: 6379,
			Redis: keepalived.RedisCheck{Mode: mode, Password: true}}
		if mode == "tcp" {
			s.Check.Kind, s.Check.Redis = keepalived.CheckTCP, keepalived.RedisCheck{}
		}
		s.Port = 6400 + i // a service each; what is checked is the one Redis
		s.RealServers = nil
		for _, r := range service.RealServers {
			r.Port = s.Port
			s.RealServers = append(s.RealServers, r)
		}
		vip.Services = append(vip.Services, s)
		vip.Passwords[mode] = host.Password{Version: 1, Text: password}
	}
	delete(vip.Passwords, "tcp")
	together(t, hosts(), func(h *lab.Host) error {
		_, err := h.Exec(t.Context(), "redis-cli config set requirepass '"+password+"'")
		return err
	})
	a.must(t, vip.Artifacts(), nil)

	cli := "redis-cli --no-auth-warning -a '" + password + "' "
	in := func(want string) func() bool {
		return func() bool {
			table, got := exec(hostA(), "ipvsadm -Sn"), ""
			for i, s := range vip.Services {
				if strings.Contains(table, fmt.Sprintf("-a -t 192.0.2.229:%d -r 192.0.2.12:%d ", 6400+i, s.Port)) {
					got += s.Name + " "
				}
			}
			return strings.TrimSpace(got) == want
		}
	}
	const everywhere = "tcp ping master writable"
	eventually(t, 60*time.Second, "b is well", in(everywhere))
	for i, c := range []struct{ what, make, mend, in string }{
		{"hung", "kill -STOP $(pidof redis-server)", "kill -CONT $(pidof redis-server)", "tcp"},
		{"wrong password", cli + "config set requirepass other", "redis-cli --no-auth-warning -a other config set requirepass '" + password + "'", "tcp"},
		{"read-only replica", cli + "replicaof 192.0.2.11 6379", cli + "replicaof no one", "tcp ping"},
		{"min-replicas unmet", cli + "config set min-replicas-to-write 1", cli + "config set min-replicas-to-write 0", "tcp ping master"},
		{"memory full", cli + "config set maxmemory 1", cli + "config set maxmemory 0", "tcp ping master"},
		{"replica with a broken link", cli + "replicaof 192.0.2.99 6379", cli + "replicaof no one", "tcp ping"},
		// A client waits, and is the only one that may.
		{"maxclients", "(setsid " + cli + "blpop nothing 0 >/dev/null 2>&1 </dev/null & echo $! >/tmp/holder); sleep 0.5; " + cli + "config set maxclients 1",
			"kill $(cat /tmp/holder); until " + cli + "config set maxclients 10000 | grep OK; do sleep 0.1; done", "tcp"},
		// A key takes 50 ms to load, until that is taken back. Redis answers every 2 MB. Before
		// it loads it has stopped: a check that took it for well now would have done so in 3 s.
		{"loading", "printf 'requirepass \"" + password + "\"\\nkey-load-delay 50000\\nrdbcompression no\\n' >>/etc/redis/redis.conf; " + cli + "config set rdbcompression no; " +
			cli + "eval 'local v = string.rep(\"x\", 100000); for i = 1, 400 do redis.call(\"set\", \"key:\" .. i, v) end' 0; systemctl --no-block restart redis-server; " +
			"until " + cli + "ping 2>&1 | grep -q LOADING; do sleep 0.1; done; sleep 3",
			cli + "ping | grep LOADING && " + cli + "config set key-load-delay 0", "tcp"},
		{"busy", cli + "config set lua-time-limit 1; (" + cli + "eval 'while true do end' 0 >/dev/null 2>&1 </dev/null &) ; sleep 0.1", cli + "script kill", "tcp"},
	} {
		hostB().MustExec(t, c.make)
		out := eventually(t, 40*time.Second, c.what+": b is in "+c.in+" alone", in(c.in))
		if i == 0 || full { // a, which has a check to run every quarter of a second, takes a while
			directly(t, hostA()).hasNothingToDo(t, vip.Artifacts())
		}
		hostB().MustExec(t, c.mend)
		back := eventually(t, 40*time.Second, c.what+": b is well again", in(everywhere))
		t.Logf("%s: out after %.1f s, back after %.1f s", c.what, out.Seconds(), back.Seconds())
	}

	// It fails again and again, but never for as long as its retries: it stays in. One
	// service alone, so that the checks of the others do not make this one late.
	alone := vip
	alone.Services = vip.Services[1:2]
	a.must(t, alone.Artifacts(), host.Obsolete(vip.Artifacts(), alone.Artifacts()))
	hostB().MustExec(t, "(for i in 1 2 3; do kill -STOP $(pidof redis-server); sleep 1.4; kill -CONT $(pidof redis-server); sleep 3; done >/dev/null 2>&1 </dev/null &)")
	for began := time.Now(); time.Since(began) < 14*time.Second; {
		if table := exec(hostA(), "ipvsadm -Sn"); !strings.Contains(table, "-r 192.0.2.12:6401 ") {
			t.Errorf("a server that flaps is taken out %.1f s after it began to:\n%s", time.Since(began).Seconds(), table)
			break
		}
	}
	if seen := exec(hostA(), "tr '\\0' ' ' </proc/[0-9]*/cmdline 2>/dev/null | grep -c '"+password+"'"); strings.Contains(seen, password) {
		t.Errorf("the password is in a process list: %s", seen)
	}
}
