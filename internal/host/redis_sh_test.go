package host

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

// realRedis puts Redis itself into a box, under the name that a host has it by.
func (b *box) realRedis() {
	b.Helper()
	program, err := exec.LookPath("redis-check-rdb")
	if err != nil {
		b.Fatalf("there is no Redis to test with, which make unit installs: %v", err)
	}
	b.write("bin/redis-server", fmt.Sprintf("#!/bin/bash\nexec -a redis-server %s \"$@\"\n", program), 0o755)
}

// written is the steps that write what of an instance deviates, with check and restart.
func written(t *testing.T, r Redis) []step {
	t.Helper()
	var want []Artifact
	for _, a := range r.Artifacts() {
		if _, ok := a.(File); ok {
			want = append(want, a)
		}
	}
	return steps(bareMachine().snapshot(t), want, nil)
}

func TestRedisItselfChecksAConfigurationBeforeItIsRestarted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Redis)
		words  []string // empty: it is taken
	}{
		"as it is": {change: func(*Redis) {}},
		"more": {change: func(r *Redis) {
			r.Settings = map[string]string{"hz": "20", "unixsocket": "/nowhere/x", "logfile": "/nowhere/y"}
		}},
		"no such directive":  {func(r *Redis) { r.Settings = map[string]string{"hertz": "20"} }, []string{"redis-server: ", "hertz 20", "Bad directive"}},
		"wrong value":        {func(r *Redis) { r.Settings = map[string]string{"hz": "never"} }, []string{"'hz", "everything was put back as it was"}},
		"policy of its own":  {func(r *Redis) { r.MaxMemoryPolicy = "whatever" }, []string{"maxmemory-policy"}},
		"user that is none":  {change: func(r *Redis) { r.Client.Text = ` " \ ' #` + "ü" }},
		"another's username": {change: func(r *Redis) { r.ReplicaOf.User = `o'"dd` }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.realRedis()
			b.write("units/redislb-redis-17380.active", "active\n", 0o644)
			r := instances()[1]
			replica := *r.ReplicaOf
			r.ReplicaOf = &replica
			c.change(&r)
			if len(c.words) == 0 {
				b.ok(written(t, r)...)
				if log := b.log(); !strings.Contains(log, "systemctl restart redislb-redis-17380.service") {
					t.Errorf("it is not restarted:\n%s", log)
				}
				return
			}
			said, code := b.commit(written(t, r)...)
			for _, w := range c.words {
				if code == 0 || !strings.Contains(said, w) {
					t.Errorf("exit %d, and it lacks %q:\n%s", code, w, said)
				}
			}
			if strings.Contains(said, "hUsh~") {
				t.Errorf("the error shows a password:\n%s", said)
			}
			if log := b.log(); strings.Contains(log, "systemctl restart") {
				t.Errorf("the old one is restarted:\n%s", log)
			}
			if b.exists("etc/redislb") {
				t.Error("files are left over")
			}
		})
	}
}

func TestWhatRedisSaysOfAPasswordIsNotShown(t *testing.T) {
	b := newBox(t)
	b.realRedis()
	todo := written(t, instances()[0])
	for i, f := range todo[0].files {
		if strings.HasSuffix(f.path, ".password") {
			todo[0].files[i].content = []byte("# h\nrequirepass hUsh~7 hUsh~8\n")
		}
	}
	said, code := b.commit(todo...)
	if code == 0 || !strings.Contains(said, "FATAL CONFIG FILE ERROR") || strings.Contains(said, "hUsh~") {
		t.Errorf("exit %d: %s", code, said)
	}
}

func TestRedisThatDoesNotAnswerGetsItsOldConfigurationBack(t *testing.T) {
	b := newBox(t)
	b.realRedis()
	r := instances()[0]
	b.write("units/redislb-redis-6380.active", "active\n", 0o644)
	b.ok(written(t, r)...)
	before := b.read("etc/redislb/redis-6380.conf")
	b.write("mute", "", 0o644)
	r.MaxMemory = "1gb"
	conf := r.Artifacts()[0].(File)
	b.write("log", "", 0o644)
	said, code := b.commit(step{files: []fileChange{{path: conf.Path, expect: "any", content: conf.Content, mode: conf.Mode}}}, call("check_redis", "6380"), call("restart_redis", "6380"))
	if code == 0 || !strings.Contains(said, "failed to have Redis on port 6380 answer") {
		t.Errorf("exit %d: %s", code, said)
	}
	equal(t, "configuration", b.read("etc/redislb/redis-6380.conf"), before)
	equal(t, "restarts", strings.Count(b.log(), "systemctl restart redislb-redis-6380.service"), 2)
}

// The password goes neither by argument nor by environment, and comes as it was.
func TestRunningRedisIsAskedWithItsPassword(t *testing.T) {
	b := newBox(t)
	b.must(os.Remove(filepath.Join(b.root, "bin/redis-cli")))
	const secret = ` "it's" \n $(x) ü#`
	for name, line := range map[string]string{"with a password": "requirepass", "without": ""} {
		r := instances()[0]
		r.Bind = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		r.Client.Text = secret
		text, err := redisconf.RenderPassword("# h\n", redisconf.RequirePass, secret, 1, false)
		b.must(err)
		server := newRedis(t, "save 3600 1 300 100 60 10000")
		if line != "" {
			server = newRedis(t, "save 3600 1 300 100 60 10000", strings.Split(strings.TrimSpace(string(text)), "\n")[2])
		}
		r.Port = int(server.at.Port())
		b.must(os.MkdirAll(filepath.Join(b.root, "etc/redislb"), 0o755))
		b.write(fmt.Sprintf("etc/redislb/redis-%d.conf", r.Port), string(r.Render("")), 0o644)
		if line != "" {
			b.write(fmt.Sprintf("etc/redislb/redis-%d.password", r.Port), string(text), 0o600)
		}
		said, _ := b.ends(b.shell(b.bend(redisLibrary) + "\nask_redis " + fmt.Sprint(r.Port)))
		equal(t, name, redisconf.ParseLive(said), r.Live())
	}
}

func TestRedisOfTheDistributionDoesNotRunWhenItsPackageComes(t *testing.T) {
	installs := `echo "apt-get $*" >>"$root/log"
case $* in *install*)
	cp "$root/etc/policy-rc.d" "$root/policy-seen" 2>/dev/null
	echo enabled >"$root/units/redis-server.enabled"
	printf '#!/bin/sh\n' >"$root/bin/redis-server"; chmod 755 "$root/bin/redis-server" ;;
esac`
	for name, c := range map[string]struct {
		there, policy bool
		enabled       string
	}{
		"nothing there":       {enabled: "disabled\n"},
		"a policy of theirs":  {policy: true, enabled: "disabled\n"},
		"a Redis of somebody": {there: true, enabled: "enabled\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write("bin/apt-get", "#!/bin/sh\nroot='"+b.root+"'\n"+installs+"\n", 0o755)
			if c.there {
				b.write("bin/redis-server", "#!/bin/sh\n", 0o755)
			}
			if c.policy {
				b.write("etc/policy-rc.d", "theirs\n", 0o755)
			}
			b.ok(call("install_packages", "redis-server"))
			equal(t, "unit", b.read("units/redis-server.enabled"), c.enabled)
			equal(t, "a policy is left", b.exists("etc/policy-rc.d"), c.policy)
			if c.policy {
				equal(t, "policy", b.read("etc/policy-rc.d"), "theirs\n")
			}
			if c.there || c.policy {
				return
			}
			policy := filepath.Join(b.root, "policy-seen")
			for unit, want := range map[string]int{"redis-server": 101, "redis-server.service": 101, "keepalived": 0} {
				_, code := b.ends(exec.Command("sh", policy, unit, "start"))
				equal(t, "policy of "+unit, code, want)
			}
		})
	}
}

func TestRedisIsRefusedWhereSomebodyElseListens(t *testing.T) {
	for name, c := range map[string]struct {
		bind, listeners string
		ours            bool
		problem         bool
	}{
		"free":               {"0.0.0.0", "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n", false, false},
		"taken":              {"0.0.0.0", "LISTEN 0 511 0.0.0.0:6380 0.0.0.0:*\n", false, true},
		"by ours":            {"0.0.0.0", "LISTEN 0 511 0.0.0.0:6380 0.0.0.0:*\n", true, false},
		"on loopback":        {"0.0.0.0", "LISTEN 0 511 127.0.0.1:6380 0.0.0.0:*\n", false, true},
		"on another address": {"192.0.2.11", "LISTEN 0 511 127.0.0.1:6380 0.0.0.0:*\n", false, false},
		"of both families":   {"192.0.2.11", "LISTEN 0 511 *:6380 *:*\n", false, true},
		"of the other one":   {"::1", "LISTEN 0 511 0.0.0.0:6380 0.0.0.0:*\n", false, false},
		"on an interface":    {"0.0.0.0", "LISTEN 0 511 127.0.0.53%lo:6380 0.0.0.0:*\n", false, true},
	} {
		m := bareMachine()
		r := servingRedis()
		if c.ours {
			m.hold(r.Artifacts())
		}
		m.listeners = c.listeners
		r.Redis[0].Bind = []netip.Addr{netip.MustParseAddr(c.bind)}
		problems := r.Check(m.snapshot(t), "")
		taken := slices.ContainsFunc(problems, func(p Problem) bool {
			return p.Summary == "Port Is Taken" && slices.Equal(p.Attribute, []string{"redis", "main", "port"})
		})
		equal(t, name, taken, c.problem)
	}
}

func TestInstancesAreReadBack(t *testing.T) {
	found, err := RealServerOn(bareMachine().hold(servingRedis().Artifacts()).snapshot(t))
	if err != nil {
		t.Fatal(err)
	}
	want := servingRedis()
	for i := range want.Redis {
		want.Redis[i].Client.Text, want.Redis[i].Master.Text = "", ""
	}
	equal(t, "real server", fmt.Sprintf("%+v", textsOf(found)), fmt.Sprintf("%+v", textsOf(want)))
	equal(t, "passwords", fmt.Sprint(found.Redis[0].Client, found.Redis[1].Client, found.Redis[1].Master), "{1  false} {2  true} {3  false}")
}

func textsOf(r RealServer) map[string]string { return Wanted(r.Artifacts()) }

func TestRestartIsForeseenWhereItHappens(t *testing.T) {
	now := Wanted(servingRedis().Artifacts())
	for name, c := range map[string]struct {
		change func(map[string]string)
		want   string
	}{
		"nothing changed": {func(map[string]string) {}, "[]"},
		"configuration":   {func(m map[string]string) { m["file /etc/redislb/redis-6380.conf"] += "x" }, "[6380]"},
		"password":        {func(m map[string]string) { m["file /etc/redislb/redis-17380.password"] += "x" }, "[17380]"},
		"role":            {func(m map[string]string) { m["redis 17380"] += "x" }, "[17380]"},
		"unit stopped": {func(m map[string]string) {
			m["redis 17380"] = "(not running)\n"
			m["file /etc/redislb/redis-17380.conf"] += "x"
		}, "[]"},
		"new":  {func(m map[string]string) { clear(m) }, "[]"},
		"VIPs": {func(m map[string]string) { m["file "+realServerUnitFile] += "x" }, "[]"},
	} {
		before := Wanted(servingRedis().Artifacts())
		c.change(before)
		equal(t, name, fmt.Sprint(RestartedRedis(before, now)), c.want)
	}
}
