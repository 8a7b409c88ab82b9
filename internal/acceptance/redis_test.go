//go:build acceptance

package acceptance

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

const redisPassword = `hUsh "it's" $(7)`

// crossing is the seed's proposal: a server on port 6380, and on 17380 a replica of the
// other machine's. Debian's own Redis, which the image has on 6379, is somebody else's.
func crossing(h *lab.Host) host.RealServer {
	other := map[string]string{"a": "192.0.2.12:6380", "b": "192.0.2.11:6380"}[h.Name]
	secret := host.Password{Version: 1, Text: redisPassword}
	main := redisconf.Instance{
		Name: "main", Port: 6380, Bind: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, Protected: true, Password: true,
		Databases: redisconf.DefaultDatabases, MaxMemory: redisconf.DefaultMaxMemory, MaxMemoryPolicy: redisconf.DefaultMaxMemoryPolicy,
		Save: redisconf.DefaultSave, Settings: map[string]string{"tcp-keepalive": "60", "repl-diskless-sync-delay": "0"},
	}
	replica := main
	replica.Name, replica.Port = "replica", 17380
	replica.ReplicaOf = &redisconf.Replica{Master: netip.MustParseAddrPort(other), Password: true}
	return host.RealServer{VIPs: []netip.Addr{vip}, Install: true, Redis: []host.Redis{
		{Instance: main, Client: secret}, {Instance: replica, Client: secret, Master: secret},
	}}
}

// ask is what a Redis of a host answers to a command.
func ask(h *lab.Host, port int, command string) string {
	return exec(h, fmt.Sprintf("timeout 5 env REDISCLI_AUTH='%s' redis-cli --no-auth-warning -p %d %s", strings.ReplaceAll(redisPassword, "'", `'\''`), port, command))
}

func pidOf(h *lab.Host, unit string) string {
	return exec(h, "systemctl show -p MainPID --value "+unit)
}

func TestCrossReplicasOfRedisLiveByThemselves(t *testing.T) {
	bare(t, "a", "b")
	system := map[string]string{}
	for _, h := range hosts() {
		system[h.Name] = pidOf(h, "redis-server")
	}
	taken := crossing(hostA())
	taken.Redis[0].Port = 6379
	s, err := directly(t, hostA()).Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if problems := fmt.Sprint(taken.Check(s, "")); !strings.Contains(problems, "Port Is Taken") || !strings.Contains(problems, "redis-server.service runs") {
		t.Errorf("the port of the host's own Redis: %v", problems)
	}

	// The replica on a comes before its master on b.
	directly(t, hostA()).must(t, crossing(hostA()).Artifacts(), nil)
	directly(t, hostB()).must(t, crossing(hostB()).Artifacts(), nil)
	crosses := func(value string) {
		t.Helper()
		for from, to := range map[*lab.Host]*lab.Host{hostA(): hostB(), hostB(): hostA()} {
			eventually(t, 60*time.Second, from.Name+" takes a write", func() bool { return ask(from, 6380, "set key "+value+from.Name) == "OK" })
			eventually(t, 90*time.Second, "what is written on "+from.Name+" is on "+to.Name, func() bool { return ask(to, 17380, "get key") == value+from.Name })
		}
	}
	crosses("first")
	if got := exec(client(), "redis-cli -h 192.0.2.11 -p 6380 get key"); !strings.Contains(got, "NOAUTH") {
		t.Errorf("without the password it says %q", got)
	}
	if got := hostA().MustExec(t, "{ cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl -q -o cat; cat /etc/redislb/*.conf /etc/systemd/system/redislb-*; } 2>/dev/null | tr '\\0' '\\n' | grep -ac '[h]Ush' || true"); got != "0" {
		t.Errorf("the password is to be seen %s times", got)
	}
	if got := hostA().MustExec(t, "stat -c '%a %U' /etc/redislb/*.password | sort -u; stat -c '%a %U' /var/lib/redis/redislb-6380"); got != "600 root\n750 redis" {
		t.Errorf("modes and owners: %q", got)
	}

	// A configuration that Redis does not take, and one that it takes.
	before := pidOf(hostA(), "redislb-redis-6380")
	bad := crossing(hostA())
	bad.Redis[0].Settings = map[string]string{"hz": "never"}
	if _, err := directly(t, hostA()).Apply(t.Context(), bad.Artifacts(), nil); err == nil || !strings.Contains(err.Error(), "hz never") {
		t.Errorf("a bad setting: %v", err)
	}
	if pidOf(hostA(), "redislb-redis-6380") != before {
		t.Error("a bad setting restarted Redis")
	}
	good := crossing(hostA())
	good.Redis[0].MaxMemory = "64mb"
	good.Redis[0].AppendOnly = true // by which Redis does not look at its snapshot any more
	directly(t, hostA()).must(t, good.Artifacts(), nil)
	if pidOf(hostA(), "redislb-redis-6380") == before || ask(hostA(), 6380, "get key") != "firsta" {
		t.Errorf("after a change it has not been started again, or its data is gone: %q", ask(hostA(), 6380, "get key"))
	}

	if err := hostA().Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	crosses("second")
	directly(t, hostA()).hasNothingToDo(t, good.Artifacts())

	directly(t, hostB()).must(t, nil, crossing(hostB()).Artifacts())
	if got := hostB().MustExec(t, "ls -d /etc/redislb /etc/systemd/system/redislb-redis-* /var/lib/redis/redislb-6380/dump.rdb 2>/dev/null; pgrep -c redis-server; cat /var/lib/redislb/secrets.sha256 2>/dev/null; true"); got != "/var/lib/redis/redislb-6380/dump.rdb\n1" {
		t.Errorf("after the destroy there is\n%s", got)
	}
	if got := pidOf(hostB(), "redis-server"); got != system["b"] {
		t.Errorf("Debian's own Redis is process %s, it was %s", got, system["b"])
	}
}

func TestDriftOfRedisIsSeenAndHealed(t *testing.T) {
	alone(t, hostB())
	bare(t, "b")
	server := crossing(hostB())
	open := server.Redis[0].Instance
	open.Name, open.Port, open.Password, open.Protected, open.Save = "open", 6390, false, false, ""
	server.Redis = append(server.Redis, host.Redis{Instance: open})
	want := server.Artifacts()
	directly(t, hostB()).must(t, want, nil)
	if got := exec(hostB(), "redis-cli -p 6390 set kept value"); got != "OK" {
		t.Errorf("without a password: %q", got)
	}
	cli := func(port int, command string) string {
		return fmt.Sprintf("env REDISCLI_AUTH='%s' redis-cli --no-auth-warning -p %d %s", strings.ReplaceAll(redisPassword, "'", `'\''`), port, command)
	}
	type change struct{ what, artifact, by string }
	for _, changes := range [][2]change{
		{{"an edited configuration", "file /etc/redislb/redis-6380.conf", "echo 'hz 50' >>/etc/redislb/redis-6380.conf"},
			{"a promoted replica", "redis 17380", cli(17380, "replicaof no one")}},
		{{"an edited password", "file /etc/redislb/redis-6380.password", "echo >>/etc/redislb/redis-6380.password"},
			{"a stopped unit", "unit redislb-redis-17380.service", "systemctl stop redislb-redis-17380"}},
		{{"a disabled unit", "unit redislb-redis-6380.service", "systemctl -q disable redislb-redis-6380"},
			{"data of somebody else", "redis 17380", "chown root /var/lib/redis/redislb-17380"}},
		{{"another limit", "redis 6390", "redis-cli -p 6390 config set maxmemory 77mb"},
			{"no password", "redis 17380", cli(17380, "config set requirepass ''")}},
		{{"a master made a replica", "redis 6380", cli(6380, "replicaof 192.0.2.66 1")},
			{"another password", "redis 17380", cli(17380, "config set requirepass other")}},
	} {
		for _, c := range changes {
			hostB().MustExec(t, c.by)
		}
		again := directly(t, hostB()) // what b has just seen is not looked at once more
		s, err := again.Observe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found, wanted := host.Found(want, s), host.Wanted(want)
		for _, c := range changes {
			if found[c.artifact] == wanted[c.artifact] || wanted[c.artifact] == "" {
				t.Errorf("%s: %s is %q", c.what, c.artifact, found[c.artifact])
			}
		}
		again.must(t, want, nil)
		again.hasNothingToDo(t, want)
		if got := ask(hostB(), 6380, "role") + ask(hostB(), 17380, "role"); !strings.HasPrefix(got, "master") || !strings.Contains(got, "slave\n192.0.2.11\n6380") {
			t.Errorf("%s, %s: not healed: %s", changes[0].what, changes[1].what, got)
		}
	}
	if got := exec(hostB(), "redis-cli -p 6390 get kept"); got != "value" {
		t.Errorf("a restart of a server without snapshots lost its data: %q", got)
	}
}
