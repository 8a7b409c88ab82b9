package host

import (
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// world is a box whose kernel remembers: modules with their sysctls, addresses, the
// IPVS table and its daemons. It has systemd's word only, as any box.
type world struct{ *box }

var worldStubs = map[string]string{
	"apt-get": `case $* in *redis-server*) printf "#!/bin/sh\ncat >/dev/null\necho Configured to not listen anywhere, exiting.\n" >"$root/bin/redis-server"; chmod 755 "$root/bin/redis-server" ;; esac`,
	"modprobe": `mkdir -p "$root/proc/sys/net/ipv4/vs"
for y in backup_only sync_threshold sync_refresh_period sync_retries sloppy_tcp; do
	[ -e "$root/proc/sys/net/ipv4/vs/$y" ] || echo 0 >"$root/proc/sys/net/ipv4/vs/$y"
done
[ -e "$root/proc/timeouts" ] || echo 900 120 300 >"$root/proc/timeouts"`,
	"rmmod": `rm -rf "$root/proc/sys/net/ipv4/vs" "$root/proc/timeouts"`,
	"ipvsadm": `t="$root/proc/table" d="$root/proc/daemons"
case $1 in
-L) echo "Timeout (tcp tcpfin udp): $(cat "$root/proc/timeouts")" ;;
--set)
	read -r tcp tcpfin udp <"$root/proc/timeouts"
	[ "$2" = 0 ] || tcp=$2
	[ "$3" = 0 ] || tcpfin=$3
	[ "$4" = 0 ] || udp=$4
	echo "$tcp $tcpfin $udp" >"$root/proc/timeouts"
	;;
--start-daemon) echo "$2 $4 $6" >>"$d" ;;
--stop-daemon) sed -i "/^$2 /d" "$d" ;;
-A) ! grep -q -- "^-A $2 $3 " "$t" && echo "$*" >>"$t" ;;
-E) sed -i "s|^-A $2 $3 .*|-A $(shift; echo "$*")|" "$t" ;;
-D) sed -i "\|^-. $2 $3 |d" "$t" ;;
-a) ! grep -q -- "^-a $2 $3 $4 $5 " "$t" && echo "$*" >>"$t" ;;
-e) sed -i "s|^-a $2 $3 $4 $5 .*|-a $(shift; echo "$*")|" "$t" ;;
-d) sed -i "\|^-a $2 $3 $4 $5 |d" "$t" ;;
esac
r=$?
sort -o "$t" "$t"
exit $r`,
	"ip": `a="$root/proc/addresses"
case "$1 $2" in
"address add") echo "1: $5    inet $3 scope global $7" >>"$a" ;;
"address del") grep -qF " $3 " "$a" && sed -i "\| $3 |d" "$a" ;;
"-o address") cat "$a" ;;
esac
r=$?
sort -o "$a" "$a"
exit $r`,
}

func newWorld(t *testing.T) *world {
	b := newBox(t)
	for name, code := range worldStubs {
		b.write("bin/"+name, "#!/bin/sh\nroot='"+b.root+"'\n"+code+"\n", 0o755)
	}
	b.write("bin/sync", "#!/bin/true\n", 0o755)
	for _, y := range arpSysctls() {
		path := filepath.Join("proc/sys", y.path())
		b.must(os.MkdirAll(filepath.Join(b.root, filepath.Dir(path)), 0o755))
		b.write(path, "0\n", 0o644)
	}
	for _, name := range []string{"table", "daemons", "addresses"} {
		b.write("proc/"+name, "", 0o644)
	}
	b.must(os.MkdirAll(filepath.Join(b.root, "etc/modules-load.d"), 0o755))
	for _, unit := range []string{"keepalived", "redislb-realserver", "redis-server", "redislb-redis-6380", "redislb-redis-17380"} {
		b.write("units/"+unit+".active", "inactive\n", 0o644)
		b.write("units/"+unit+".enabled", "disabled\n", 0o644)
	}
	return &world{b}
}

// moment is what is on the disks of a box and in its kernel.
type moment map[string]struct {
	mode    fs.FileMode
	content string
}

var mortal = []string{"etc", "var", "proc", "units", "tmp", "run"}

func (w *world) save() moment {
	m := moment{}
	for _, dir := range mortal {
		w.must(filepath.WalkDir(filepath.Join(w.root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			e := m[path]
			e.mode = info.Mode()
			switch {
			case info.Mode().IsRegular():
				content, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				e.content = string(content)
			case e.mode&fs.ModeSymlink != 0:
				e.content, _ = os.Readlink(path)
			}
			m[path] = e
			return nil
		}))
	}
	return m
}

func (w *world) restore(m moment) {
	for _, dir := range mortal {
		w.must(os.RemoveAll(filepath.Join(w.root, dir)))
	}
	for _, path := range slices.Sorted(maps.Keys(m)) {
		switch e := m[path]; {
		case e.mode.IsDir():
			w.must(os.Mkdir(path, e.mode.Perm()))
			w.must(os.Chmod(path, e.mode.Perm()))
		case e.mode&fs.ModeSymlink != 0:
			w.must(os.Symlink(e.content, path))
		default:
			w.must(os.WriteFile(path, []byte(e.content), e.mode.Perm()))
			w.must(os.Chmod(path, e.mode.Perm()))
		}
	}
}

// halts runs a transaction to its end and returns what there was before each of its
// calls and, last, behind them: what a script leaves that is killed there.
func (w *world) halts(todo []step) (calls []string, moments []moment) {
	w.Helper()
	text, _ := script("", slices.Clone(todo))
	_, body, _ := strings.Cut(text, mainHead)
	lines := strings.Split(strings.TrimSuffix(body, "\n"+mainTail), "\n")
	for _, line := range lines {
		name, _, _ := strings.Cut(line, " ")
		calls = append(calls, name)
	}
	calls = append(calls, "the end")
	halt := "echo >" + w.root + "/stands; read _ <" + w.root + "/goes\n"
	w.spoil = func(text string) string {
		head, body, _ := strings.Cut(text, mainHead)
		lines := strings.Split(strings.TrimSuffix(body, "\n"+mainTail), "\n")
		return head + mainHead + halt + strings.Join(lines, "\n"+halt) + "\n" + halt + mainTail
	}
	defer func() { w.spoil = nil }()
	fifo := func(name string) *os.File {
		path := filepath.Join(w.root, name)
		_ = os.Remove(path)
		w.must(syscall.Mkfifo(path, 0o600))
		f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
		w.must(err)
		return f
	}
	stands, goes := fifo("stands"), fifo("goes")
	defer stands.Close()
	defer goes.Close()
	cmd := w.start(txID, todo...)
	// Who confirms is as fast as can be.
	w.must(os.MkdirAll(filepath.Join(w.root, "run/redislb/results", txID), 0o700))
	w.write("run/redislb/results/"+txID+"/confirmed", "", 0o600)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	w.must(cmd.Start())
	for range calls {
		w.must(stands.SetReadDeadline(time.Now().Add(20 * time.Second)))
		if _, err := stands.Read(make([]byte, 1)); err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			log, _ := os.ReadFile(filepath.Join(w.root, "run/redislb/results", txID, "log"))
			w.Fatalf("before call %d, %s: %v\n%s%s", len(moments), calls[len(moments)], err, said.String(), log)
		}
		moments = append(moments, w.save())
		_, err := goes.Write([]byte("\n"))
		w.must(err)
	}
	if err := cmd.Wait(); err != nil {
		w.Fatalf("%v\n%s", err, said.String())
	}
	return calls, moments
}

// suffers makes a change, and has its script killed before each call. It returns the
// calls; the box is afterwards as the change makes it.
func (w *world) suffers(t *testing.T, name string, todo []step) []string {
	t.Helper()
	before := w.tree()
	calls, moments := w.halts(todo)
	_, _ = w.ends(w.transact("settle", txID))
	after, done := w.tree(), w.save()
	if maps.Equal(before, after) {
		t.Errorf("%s changes nothing: this proves nothing", name)
	}
	for i, m := range moments {
		w.restore(m)
		said, code := w.ends(w.shell(`sh "$1" recover`, filepath.Join(w.root, "var/lib/redislb/transactions", txID, "script")))
		_, _ = w.ends(w.transact("settle", txID))
		want := before
		if calls[i] == "the end" {
			want = after
		}
		if got := w.tree(); code != 0 || !maps.Equal(got, want) {
			t.Errorf("%s, killed before call %d, %s: exit %d %s", name, i, calls[i], code, said)
			w.same(want, got)
		}
	}
	w.restore(done)
	return calls
}

// TestKilledBeforeEachCall is the fast part of the acceptance suite's matrix: what
// create, update and destroy of each resource call comes from their artifacts.
func TestKilledBeforeEachCall(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 5,000 processes: make test has the time")
	}
	adopting := redisDirector()
	adopting.Adopt = true
	raised := redisDirector()
	raised.VRRP.Priority = 150
	raised.VRRP.Track.Scripts = []keepalived.TrackedScript{{Name: "ready", Command: "/etc/ready", Interval: time.Second, Fall: 1, Rise: 1}}
	raised.VRRP.Track.Files = []keepalived.TrackedFile{{Name: "mine", Path: "/run/mine"}}
	second := int64(2)
	raised.PasswordVersion, raised.Password = &second, "hUsh~8"
	other := netip.MustParseAddr("192.0.2.230")
	weighed := redisVIP()
	weighed.Services[0].RealServers[1].Weight = 3
	weighed.Services[0].Port = 6380
	for i := range weighed.Services[0].RealServers {
		weighed.Services[0].RealServers[i].Port = 6380
	}
	lazy := patientDirector()
	lazy.VRRP.Timeouts = keepalived.IPVSTimeouts{TCP: 2 * time.Hour, TCPFin: time.Second}
	changed := servingRedis()
	changed.Redis[0].MaxMemory, changed.Redis[0].Client = "1gb", Password{Version: 2, Text: "hUsh~6"}
	changed.Redis = changed.Redis[:1]
	var mu sync.Mutex
	seen := map[string]bool{}
	t.Run("all", func(t *testing.T) {
		for name, c := range map[string]struct {
			below, one, two []Artifact
		}{
			"director":   {nil, adopting.Artifacts(), raised.Artifacts()},
			"guard":      {nil, redisDirector().Artifacts(), hashDirector().Artifacts()},
			"swap":       {nil, redisDirector().Artifacts(), swapDirector().Artifacts()},
			"timeouts":   {nil, patientDirector().Artifacts(), lazy.Artifacts()},
			"realserver": {nil, redisServer().Artifacts(), RealServer{VIPs: []netip.Addr{other}}.Artifacts()},
			"redis":      {nil, servingRedis().Artifacts(), changed.Artifacts()},
			"vip":        {redisDirector().Artifacts(), redisVIP().Artifacts(), weighed.Artifacts()},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				m := bareMachine()
				if name == "director" {
					w.write("etc/ready", "#!/bin/sh\n", 0o755)
					w.write(conf, "theirs\n", 0o640)
					w.must(os.Chmod(filepath.Join(w.root, "etc/keepalived"), 0o777))
					m.files[keepalived.ConfigPath] = file("theirs\n")
				}
				if c.below != nil {
					w.ok(steps(m.snapshot(t), c.below, nil)...)
				}
				for _, way := range []struct {
					name       string
					from, want []Artifact
				}{{"create", nil, c.one}, {"update", c.one, c.two}, {"destroy", c.two, nil}} {
					m := bareMachine()
					if name == "director" && way.from == nil {
						m.files[keepalived.ConfigPath] = file("theirs\n")
						m.files["/etc/keepalived"] = FileState{Mode: fs.ModeDir | 0o777, Owner: "root:root"}
					}
					s := m.hold(c.below).hold(way.from).snapshot(t)
					if name == "director" {
						s.ResetGuard = new(string)
					}
					todo := steps(s, deviating(way.want, s), removable(Obsolete(way.from, way.want), s))
					if risksTheWay(todo, s) {
						todo = append(todo, call("await_confirmation", "9"))
					}
					for _, function := range w.suffers(t, way.name, todo) {
						mu.Lock()
						seen[function] = true
						mu.Unlock()
					}
				}
			})
		}
	})
	for _, f := range regexp.MustCompile(`(?m)^(\w+)\(\) \{\n\tstep=`).FindAllStringSubmatch(stepLibrary, -1) {
		if !seen[f[1]] {
			t.Errorf("none of the changes calls %s", f[1])
		}
	}
}
