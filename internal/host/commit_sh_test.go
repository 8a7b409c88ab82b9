package host

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// box is a folder that stands in for a host's root: a transaction runs in it, by
// transact.sh, with its absolute paths bent, and with stubs in the place of the
// commands that reach the kernel or the system. It has no systemd.
type box struct {
	*testing.T
	root  string
	spoil func(script string) string // if set, does something to each script
}

// stubs note how they are called in the file log, and keep what they do in files.
var stubs = map[string]string{
	"systemctl": `while case ${1-} in -*) true ;; *) false ;; esac; do shift; done
verb=$1 now= quiet=
shift
while case ${1-} in -*) true ;; *) false ;; esac; do
	case $1 in --now) now=1 ;; -q) quiet=1 ;; esac
	shift
done
unit=${1-}; unit="$root/units/${unit%.service}"
[ ! -e "$root/fail/$verb" ] || { echo "stub: $verb fails" >&2; exit 1; }
case $verb in
is-active) state=$(cat "$unit.active" 2>/dev/null || echo inactive); [ -n "$quiet" ] || echo "$state"; [ "$state" = active ] ;;
is-enabled) cat "$unit.enabled" 2>/dev/null || { echo disabled; exit 1; } ;;
enable) echo enabled >"$unit.enabled" ;;
mask) cp "$unit.enabled" "$unit.unmasked"; echo masked >"$unit.enabled" ;;
unmask) mv "$unit.unmasked" "$unit.enabled" ;;
disable) echo disabled >"$unit.enabled"; [ -z "$now" ] || echo inactive >"$unit.active" ;;
start|restart) echo active >"$unit.active" ;;
stop) echo inactive >"$unit.active" ;;
reload) [ ! -e "$root/reloading" ] || . "$root/reloading" ;;
esac`,
	"keepalived": `. "$root/verdict"`,
	"ipvsadm":    `case $* in *bad*) exit 1 ;; esac`,
	"ip": `[ ! -e "$root/fail/ip-$2" ] || exit 1
case "$1 $2" in
"address add") echo "1: $5    inet $3 scope global" >>"$root/addresses" ;;
"address del") grep -v " $3 " "$root/addresses" >"$root/addresses.new"; mv "$root/addresses.new" "$root/addresses" ;;
"-o address") cat "$root/addresses" ;;
esac`,
	"chown":      ``,
	"modprobe":   ``,
	"rmmod":      ``,
	"nft":        ``,
	"runuser":    `shift 3; exec "$@"`,
	"redis-cli":  `sed "s/^/redis-cli < /" >>"$root/log"; [ ! -e "$root/mute" ] && echo role:master`,
	"journalctl": `echo "keepalived's own words"`,
	"sync":       ``,
}

func newBox(t *testing.T) *box {
	t.Helper()
	t.Parallel()
	b := &box{T: t, root: t.TempDir()}
	for _, dir := range []string{"bin", "tmp", "units", "fail", "etc/keepalived", "etc/sysctl.d", "etc/systemd/system", "var/lib", "var/tmp", "run", "proc/sys/net", "proc/sys/kernel/random", "proc/net"} {
		b.must(os.MkdirAll(filepath.Join(b.root, dir), 0o755))
	}
	for name, code := range stubs {
		b.write("bin/"+name, fmt.Sprintf("#!/bin/sh\nroot='%s'\necho \"%s $*\" >>\"$root/log\"\n%s\n", b.root, name, code), 0o755)
	}
	b.verdict("exit 0")
	b.write("addresses", "", 0o644)
	b.write("proc/net/ip_vs", "IP Virtual Server version 1.2.1 (size=4096)\n", 0o644)
	b.write("proc/sys/kernel/random/boot_id", "this-boot\n", 0o644)
	b.write("proc/modules", "ip_vs_rr 16384 0 - Live 0x0\nip_vs 212992 1 ip_vs_rr, Live 0x0\nnf 1 0 - Live 0x0\n", 0o644)
	return b
}

func (b *box) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *box) write(path, content string, mode fs.FileMode) {
	b.Helper()
	b.must(os.WriteFile(filepath.Join(b.root, path), []byte(content), mode))
	b.must(os.Chmod(filepath.Join(b.root, path), mode))
}

func (b *box) read(path string) string {
	b.Helper()
	content, err := os.ReadFile(filepath.Join(b.root, path))
	b.must(err)
	return string(content)
}

func (b *box) exists(path string) bool {
	_, err := os.Lstat(filepath.Join(b.root, path))
	return err == nil
}

// verdict is the shell code that keepalived -t is.
func (b *box) verdict(code string) { b.write("verdict", code+"\n", 0o644) }

// log is how the stubs were called, without those that only ask.
func (b *box) log() string {
	var lines []string
	for line := range strings.Lines(b.read("log")) {
		if !strings.HasPrefix(line, "systemctl is-") && !strings.HasPrefix(line, "ip -o") && !strings.HasPrefix(line, "sync") && !strings.HasPrefix(line, "journalctl") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// tree is what a commit can change, path by path.
func (b *box) tree() map[string]string {
	b.Helper()
	tree := map[string]string{}
	for _, dir := range []string{"etc", "var", "proc", "units", "tmp"} {
		b.must(filepath.WalkDir(filepath.Join(b.root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(b.root, path)
			info, err := d.Info()
			if err != nil {
				return err
			}
			content := ""
			switch {
			case info.Mode().IsRegular():
				content = b.read(name)
			case info.Mode()&fs.ModeSymlink != 0:
				content, _ = os.Readlink(path)
			}
			tree[name] = info.Mode().String() + " " + content
			return nil
		}))
	}
	return tree
}

// same complains of what differs between two trees.
func (b *box) same(before, after map[string]string) {
	b.Helper()
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if got, ok := after[path]; !ok {
			b.Errorf("%s is gone", path)
		} else if got != before[path] {
			b.Errorf("%s:\n got %.300q\nwant %.300q", path, got, before[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[path]; !ok {
			b.Errorf("%s is left over: %.300q", path, after[path])
		}
	}
}

// bend makes the absolute paths of a text those of the box.
func (b *box) bend(text string) string {
	for _, path := range []string{"/etc/", "/var/lib/", "/var/tmp/", "/run/", "/proc/sys/", "/proc/net/", "/proc/modules", "/tmp/.redislb"} {
		text = strings.ReplaceAll(text, path, b.root+path)
	}
	text = strings.Replace(text, "until=$((now + 60))", "until=$((now + 1))", 1)
	text = strings.ReplaceAll(text, "/usr/sbin/policy-rc.d", b.root+"/etc/policy-rc.d")
	text = strings.ReplaceAll(text, "/var"+b.root+"/tmp/", "/var/tmp/")
	return strings.Replace(text, "flock -w 240 ", "flock -w 0.3 ", 1)
}

// shell runs a text of ours as the host does.
func (b *box) shell(text string, args ...string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", "umask 077\n" + text, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PATH="+b.root+"/bin:"+os.Getenv("PATH"), "TMPDIR="+b.root+"/tmp")
	cmd.Dir = b.root
	return cmd
}

func (b *box) transact(verb string, args ...string) *exec.Cmd {
	return b.shell(b.bend(transact), append([]string{verb}, args...)...)
}

// stage puts a transaction where SFTP would.
func (b *box) stage(todo ...step) (dir, sum string) {
	b.Helper()
	for i, s := range todo {
		s.files = slices.Clone(s.files)
		for j := range s.files {
			s.files[j].path = b.root + s.files[j].path
		}
		todo[i] = s
	}
	text, members := script("terraform on here", slices.Clone(todo))
	if b.spoil != nil {
		text = b.spoil(text)
	}
	packed := bundle(b.bend(text), members)
	dir, err := os.MkdirTemp(filepath.Join(b.root, "var/tmp"), ".redislb-")
	b.must(err)
	b.must(os.WriteFile(filepath.Join(dir, "bundle"), packed, 0o600))
	return dir, fmt.Sprintf("%x", sha256.Sum256(packed))
}

func (b *box) start(id string, todo ...step) *exec.Cmd {
	b.Helper()
	dir, sum := b.stage(todo...)
	return b.transact("start", id, dir, sum)
}

// commit runs the steps as one transaction to its end.
func (b *box) commit(todo ...step) (string, int) {
	b.Helper()
	id := newID()
	said, code := b.ends(b.start(id, todo...))
	if rest, status := b.ends(b.transact("settle", id)); status != 0 || rest != "" {
		b.Errorf("settle: %d %s", status, rest)
	}
	return said, code
}

// ends runs a command; what it said, with the box's own path taken out, and how it
// ended.
func (b *box) ends(cmd *exec.Cmd) (string, int) {
	b.Helper()
	out, err := cmd.CombinedOutput()
	said := strings.ReplaceAll(string(out), b.root, "")
	var exit *exec.ExitError
	switch {
	case err == nil:
		return said, 0
	case errors.As(err, &exit):
		return said, exit.ExitCode()
	}
	b.Fatal(err)
	return "", 0
}

func (b *box) ok(todo ...step) {
	b.Helper()
	if said, code := b.commit(todo...); code != 0 {
		b.Fatalf("exit %d:\n%s", code, said)
	}
}

// fails wants an error that says all the words, and no leftovers.
func (b *box) fails(words []string, todo ...step) {
	b.Helper()
	said, code := b.commit(todo...)
	if code == 0 {
		b.Fatalf("it succeeded; want an error that says %q\n%s", words, said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			b.Errorf("the message lacks %q:\n%s", w, said)
		}
	}
}

func put(path, content string, mode fs.FileMode, expect string) step {
	return step{files: []fileChange{{path: path, expect: expect, content: []byte(content), mode: mode}}}
}

func remove(path, expect string) step {
	return step{files: []fileChange{{path: path, expect: expect, remove: true}}}
}

func sumOf(content string) string { return File{}.expectation(file(content)) }

func check() []step {
	return []step{call("check_keepalived", keepalived.HarmlessComplaint), call("reload_keepalived")}
}

const (
	conf    = "etc/keepalived/keepalived.conf"
	odd     = "a'b\"$(x)\\\t\n\n\x00\xff no newline at the end"
	healthy = "/etc/keepalived/redislb/health.sh"
)

// A director's change has keepalived read the files of its VIPs too, which may be due to be
// healed behind it.
func TestReloadBringsNothingToLifeThatSomebodyElseDidToAVIP(t *testing.T) {
	const dir = "etc/keepalived/redislb/"
	at := func(vip string) string { return dir + "vip-" + vip + ".services.conf" }
	for name, runs := range map[string]bool{"it runs": true, "it does not run": false} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.must(os.MkdirAll(filepath.Join(b.root, dir), 0o755))
			written := func(path string, mode fs.FileMode) { b.ok(put("/"+path, "written\n", mode, "absent")) }
			loaded := "4711\n"
			for vip, content := range map[string]string{
				"edited": "written\n", "linked": "written\n", "deleted": "written\n", "changing": "written\n", "folder": "written\n", "gone": "written\n",
				"loaded-by-hand": "by hand\n",
			} {
				written(at(vip), 0o640)
				loaded += sumOf(content) + "  " + b.root + "/" + at(vip) + "\n"
			}
			written(dir+"vip-deleted.address.conf", 0o640) // else all of it would be
			written(dir+"vip-x.password", 0o600)
			written(at("never-loaded"), 0o640)
			b.must(os.MkdirAll(filepath.Join(b.root, "run/redislb"), 0o755))
			b.write("run/redislb/loaded", loaded, 0o600)
			b.write(at("edited"), "other\n", 0o640)
			b.write(at("changing"), "other\n", 0o640)
			b.write(at("loaded-by-hand"), "other\n", 0o640)
			b.write(at("never-loaded"), "other\n", 0o640)
			b.write(at("theirs"), "theirs\n", 0o640)
			for _, vip := range []string{"linked", "deleted", "folder", "gone"} {
				b.must(os.Remove(filepath.Join(b.root, at(vip))))
			}
			b.must(os.Symlink("/dev/null", filepath.Join(b.root, at("linked"))))
			b.must(os.Mkdir(filepath.Join(b.root, at("folder")), 0o755))
			b.write("units/keepalived.active", "inactive\n", 0o644)
			if runs {
				b.write("units/keepalived.active", "active\n", 0o644)
			}
			before := b.tree()
			change := put("/"+at("changing"), "new\n", 0o600, sumOf("other\n"))
			change.files = append(change.files, put(keepalived.ConfigPath, "new\n", 0o644, "absent").files...)
			b.ok(append([]step{change}, check()...)...)
			after := b.tree()
			want := maps.Clone(before)
			want[conf] = "-rw-r--r-- new\n"
			for _, file := range []string{at("changing"), "var/lib/redislb/vips/vip-changing.services.conf"} {
				want[file] = "-rw------- new\n"
			}
			if runs {
				for _, vip := range []string{"edited", "linked", "deleted"} {
					want[at(vip)] = "-rw-r----- written\n"
				}
			}
			b.same(want, after)
		})
	}
}

func TestFileIsReplacedInOneMotionWithItsModeAndContent(t *testing.T) {
	b := newBox(t)
	b.write(conf, "old\n", 0o640)
	b.must(os.Link(filepath.Join(b.root, conf), filepath.Join(b.root, "tmp/witness")))
	b.ok(put(keepalived.ConfigPath, odd, 0o644, sumOf("old\n")), put(healthy, "#!/bin/sh\n", 0o755, "absent"))
	equal(t, "content", b.read(conf), odd)
	equal(t, "what had the old file open still sees it whole", b.read("tmp/witness"), "old\n")
	tree := b.tree()
	equal(t, "mode", tree[conf][:10], "-rw-r--r--")
	equal(t, "mode of the script", tree[healthy[1:]][:10], "-rwxr-xr-x")
	for path := range tree {
		if strings.Contains(path, ".redislb") {
			t.Errorf("%s is left over", path)
		}
	}
	if b.exists("var/lib/redislb") {
		t.Error("the folder for what was before is left over although nothing is remembered")
	}
}

func TestFileThatChangedSinceItWasReadIsRefusedAndNothingIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(b *box)
		todo    step
	}{
		"edited":                   {func(b *box) { b.write(conf, "theirs\n", 0o644) }, put(keepalived.ConfigPath, "ours\n", 0o644, sumOf("old\n"))},
		"made":                     {func(b *box) { b.write(conf, "theirs\n", 0o644) }, put(keepalived.ConfigPath, "ours\n", 0o644, "absent")},
		"link made":                {func(b *box) { b.must(os.Symlink("/nowhere", filepath.Join(b.root, conf))) }, put(keepalived.ConfigPath, "ours\n", 0o644, "absent")},
		"gone":                     {func(*box) {}, put(keepalived.ConfigPath, "ours\n", 0o644, sumOf("old\n"))},
		"edited and to be removed": {func(b *box) { b.write(conf, "theirs\n", 0o644) }, remove(keepalived.ConfigPath, sumOf("old\n"))},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			c.prepare(b)
			before := b.tree()
			b.fails([]string{"/etc/keepalived/keepalived.conf was changed on the host since it was read; nothing was overwritten", "everything was put back"},
				put("/etc/sysctl.d/first", "x\n", 0o644, "absent"), c.todo)
			b.same(before, b.tree())
		})
	}
}

func TestConfigurationThatKeepalivedRefusesIsTakenBackByteForByte(t *testing.T) {
	b := newBox(t)
	b.write(conf, odd, 0o604)
	b.write("etc/sysctl.d/x", "old\n", 0o600)
	b.must(os.Symlink("../x", filepath.Join(b.root, "etc/sysctl.d/link")))
	b.write("units/keepalived.active", "active\n", 0o644)
	b.verdict(`echo "(/etc/keepalived/keepalived.conf: Line 3) Unknown keyword 'protocl'" >&2; exit 5`)
	before := b.tree()
	todo := append([]step{
		put("/etc/sysctl.d/new", "new\n", 0o644, "absent"),
		put("/etc/sysctl.d/link", "no link\n", 0o644, "any"),
		put(keepalived.ConfigPath, "new\n", 0o644, sumOf(odd)),
		remove("/etc/sysctl.d/x", sumOf("old\n")),
		put(healthy, "#!/bin/sh\n", 0o755, "absent"),
	}, check()...)
	b.fails([]string{"keepalived -t: ", "Line 3) Unknown keyword 'protocl'", "failed to check the configuration of keepalived", "everything was put back as it was"}, todo...)
	b.same(before, b.tree())
	if strings.Contains(b.log(), "reload") {
		t.Errorf("keepalived got to see it:\n%s", b.log())
	}
}

// version21 answers keepalived -v as Debian 11's does.
const version21 = `[ "$1" != -v ] || { echo "Keepalived v2.1.5 (07/13,2020)" >&2; exit 0; }
`

func TestVerdictOfKeepalivedIsReadTogetherWithWhatItSays(t *testing.T) {
	for name, c := range map[string]struct {
		verdict string
		good    bool
	}{
		"fine":                          {"exit 0", true},
		"fine and talkative":            {"echo hello; exit 0", true},
		"harmless":                      {`echo "(VI_1) No VIP specified; at least one is sensible" >&2; exit 5`, true},
		"harmless, all drained":         {`echo "Warning - quorum 1 for [192.0.2.229]:tcp:6379 exceeds total weight of real servers 0, reducing quorum to 0"; echo "Virtual server [192.0.2.229]:tcp:6379: hysteresis 0 >= quorum 0; setting hysteresis to 4294967295"; exit 5`, true},
		"harmless with harm":            {`echo "(VI_1) No VIP specified; at least one is sensible"; echo "Unknown keyword 'x'"; exit 5`, false},
		"harm that quotes the harmless": {`echo "Unknown keyword '(VI_1) No VIP specified; at least one is sensible'"; exit 5`, false},
		"silent failure":                {"exit 5", false},
		"script security":               {`echo "SECURITY VIOLATION - scripts are being executed but script_security not enabled."; exit 6`, false},
		"killed":                        {"kill -KILL $$", false},
		"harmless, up to 2.1.5":         {`echo "(VI_1) No VIP specified; at least one is sensible"; exit 4`, true},
		"harmless, then out of time":    {`echo "(VI_1) No VIP specified; at least one is sensible"; exit 124`, false},
		"harmless, then a crash":        {`echo "(VI_1) No VIP specified; at least one is sensible"; kill -SEGV $$`, false},
		"fine but for a line":           {`echo "(/etc/keepalived/keepalived.conf: Line 3) Unknown keyword 'x'"; exit 0`, false},
		"2.1 that complains":            {version21 + `echo "Virtual server [192.0.2.229]:tcp:6379 has no real servers - ignoring" >&2; exit 0`, false},
		"2.1, harmless":                 {version21 + `echo "(VI_1) No VIP specified; at least one is sensible" >&2; exit 0`, true},
		"2.1, silent":                   {version21 + "exit 0", true},
		"fine but for a line, one file": {`echo "(Line 3) Unknown keyword 'x'"; exit 0`, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write("units/keepalived.active", "active\n", 0o644)
			b.verdict(c.verdict)
			said, code := b.commit(append([]step{put(keepalived.ConfigPath, "x\n", 0o644, "absent")}, check()...)...)
			equal(t, "accepted", code == 0, c.good)
			equal(t, "in place", b.exists(conf), c.good)
			equal(t, "reloaded", strings.Contains(b.log(), "systemctl reload keepalived"), c.good)
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}

func TestMissingOrEmptyConfigurationIsRefusedWithoutAskingKeepalived(t *testing.T) {
	for name, content := range map[string]string{"missing": "", "empty": "-"} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if content != "" {
				b.write(conf, "", 0o644)
			}
			b.fails([]string{"is missing or empty: this host is not a redislb_director"},
				append([]step{put("/etc/keepalived/redislb/vip-1.address.conf", "x\n", 0o644, "absent")}, check()...)...)
			equal(t, "nothing left", b.exists("etc/keepalived/redislb"), false)
		})
	}
}

func TestKeepalivedThatDoesNotRunIsNotReloaded(t *testing.T) {
	b := newBox(t)
	b.ok(append([]step{put(keepalived.ConfigPath, "x\n", 0o644, "absent")}, check()...)...)
	if strings.Contains(b.log(), "reload") {
		t.Errorf("log:\n%s", b.log())
	}
}

func TestReloadThatFailsPutsTheFilesBackAndReloadsAgain(t *testing.T) {
	b := newBox(t)
	b.write(conf, "old\n", 0o644)
	b.write("units/keepalived.active", "active\n", 0o644)
	b.write("fail/reload", "", 0o644)
	before := b.tree()
	b.fails([]string{"failed to reload keepalived", "keepalived's own words", "everything was put back as it was"}, append([]step{put(keepalived.ConfigPath, "new\n", 0o644, sumOf("old\n"))}, check()...)...)
	b.same(before, b.tree())
	equal(t, "log", b.log(), "keepalived -t -f "+filepath.Join(b.root, conf)+"\nsystemctl reload keepalived\nsystemctl kill -s HUP --kill-who=main keepalived\n")
}

func TestKeepalivedThatAReloadKilledIsStartedWithTheOldConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		startFails bool
		says       string
	}{
		"it starts":   {false, "everything was put back as it was"},
		"it does not": {true, "could not be put back: live reload_old_configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write(conf, "old\n", 0o644)
			b.write("units/keepalived.active", "active\n", 0o644)
			b.write("reloading", "echo failed >\"$unit.active\"\n", 0o644)
			before := b.tree()
			if c.startFails {
				b.write("fail/start", "", 0o644)
			}
			b.fails([]string{"keepalived ended when it was reloaded", c.says}, append([]step{put(keepalived.ConfigPath, "new\n", 0o644, sumOf("old\n"))}, check()...)...)
			equal(t, "configuration", b.read(conf), "old\n")
			if !c.startFails {
				b.same(before, b.tree())
				equal(t, "resets", strings.Count(b.log(), "systemctl reset-failed keepalived\nsystemctl start keepalived\n"), 1)
			}
		})
	}
}

func TestKeepalivedThatEndedSinceIsStartedByARevert(t *testing.T) {
	b := newBox(t)
	b.write(conf, "old\n", 0o644)
	b.write("units/keepalived.active", "active\n", 0o644)
	before := b.tree()
	b.committed(txID, append([]step{put(keepalived.ConfigPath, "new\n", 0o644, sumOf("old\n"))}, check()...)...)
	b.write("units/keepalived.active", "failed\n", 0o644)
	said, code := b.ends(b.transact("revert", txID))
	equal(t, "code: "+said, code, 0)
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())
}

func TestSysctlIsRememberedFromBeforeTheFirstChangeAndPutBackAtTheEnd(t *testing.T) {
	b := newBox(t)
	b.write("proc/sys/net/sync_threshold", "3\t50\n", 0o644)
	b.ok(call("set_sysctl", "net/sync_threshold", "1 0"))
	equal(t, "live", b.read("proc/sys/net/sync_threshold"), "1 0\n")
	b.write("proc/sys/net/sync_threshold", "9\t9\n", 0o644) // by hand
	b.ok(call("set_sysctl", "net/sync_threshold", "1 0"))
	b.ok(call("restore_sysctl", "net/sync_threshold"))
	equal(t, "put back", strings.Join(strings.Fields(b.read("proc/sys/net/sync_threshold")), " "), "3 50")
	equal(t, "nothing is remembered any more", b.exists("var/lib/redislb"), false)
	b.ok(call("restore_sysctl", "net/sync_threshold"), call("restore_sysctl", "net/gone"))
	equal(t, "a second time changes nothing", strings.Join(strings.Fields(b.read("proc/sys/net/sync_threshold")), " "), "3 50")
}

func TestSysctlsOfAFailedCommitAreTakenBackWhole(t *testing.T) {
	b := newBox(t)
	b.write("proc/sys/net/sync_threshold", "3\t50\n", 0o644)
	b.fails([]string{"everything was put back"}, call("set_sysctl", "net/sync_threshold", "1 0"), call("fail", "no"))
	equal(t, "value", strings.Join(strings.Fields(b.read("proc/sys/net/sync_threshold")), " "), "3 50")
}

func TestUnitIsStartedEnabledAndGoesAgainUnlessItRanBefore(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"new":         {"", "inactive\n"},
		"ran before":  {"active\n", "active\n"},
		"had stopped": {"inactive\n", "inactive\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if c.before != "" {
				b.write("units/keepalived.active", c.before, 0o644)
			}
			for range 2 {
				b.ok(call("start_unit", keepalivedUnit))
				equal(t, "active", b.read("units/keepalived.active"), "active\n")
				equal(t, "enabled", b.read("units/keepalived.enabled"), "enabled\n")
			}
			b.ok(call("stop_unit", keepalivedUnit))
			equal(t, "active afterwards", b.read("units/keepalived.active"), c.after)
			equal(t, "nothing is remembered any more", b.exists("var/lib/redislb"), false)
		})
	}
}

// Who masks keepalived's unit keeps the director from working, which is drift like any
// other; one that was masked when it became a director is so again when it is none.
func TestMaskedUnitIsUnmaskedAndMaskedAgainWhereItWasBefore(t *testing.T) {
	mask := func(b *box) {
		b.write("units/keepalived.unmasked", "disabled\n", 0o644)
		b.write("units/keepalived.enabled", "masked\n", 0o644)
	}
	for name, before := range map[string]bool{"before": true, "since": false} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if before {
				mask(b)
			}
			b.ok(call("start_unit", keepalivedUnit))
			mask(b)
			b.ok(call("start_unit", keepalivedUnit))
			equal(t, "enabled", b.read("units/keepalived.enabled"), "enabled\n")
			equal(t, "active", b.read("units/keepalived.active"), "active\n")
			b.ok(call("stop_unit", keepalivedUnit))
			equal(t, "enabled afterwards", b.read("units/keepalived.enabled"), map[bool]string{true: "masked\n", false: "disabled\n"}[before])
			equal(t, "nothing is remembered any more", b.exists("var/lib/redislb"), false)
		})
	}
	b := newBox(t)
	mask(b)
	b.write("fail/start", "", 0o644)
	b.fails([]string{"everything was put back"}, call("start_unit", keepalivedUnit))
	equal(t, "masked again", b.read("units/keepalived.enabled"), "masked\n")
}

func TestUnitThatDoesNotStartIsTakenBackWithItsFile(t *testing.T) {
	b := newBox(t)
	b.write("fail/start", "", 0o644)
	b.fails([]string{"failed to start and enable redislb-realserver.service", "everything was put back"},
		put(realServerUnitFile, "[Unit]\n", 0o644, "absent"), call("reload_units"), call("start_unit", realServerUnit))
	equal(t, "unit file", b.exists(realServerUnitFile[1:]), false)
	equal(t, "enabled", b.read("units/redislb-realserver.enabled"), "disabled\n")
	equal(t, "systemd was told of both changes", strings.Count(b.log(), "systemctl daemon-reload"), 2)
}

func TestForeignConfigurationIsKeptAndPutBack(t *testing.T) {
	b := newBox(t)
	b.write(conf, odd, 0o640)
	b.ok(call("keep_foreign_file", keepalived.ConfigPath), put(keepalived.ConfigPath, "ours\n", 0o644, sumOf(odd)))
	b.ok(call("keep_foreign_file", keepalived.ConfigPath), put(keepalived.ConfigPath, "ours, second\n", 0o644, sumOf("ours\n")))
	equal(t, "in place", b.read(conf), "ours, second\n")
	b.ok(call("stop_unit", keepalivedUnit), remove(keepalived.ConfigPath, sumOf("ours, second\n")))
	equal(t, "put back", b.tree()[conf], "-rw-r----- "+odd)
	equal(t, "no copy is left", b.exists("var/lib/redislb"), false)
}

func TestForeignConfigurationOutlivesADestroyThatFails(t *testing.T) {
	b := newBox(t)
	b.write(conf, "theirs\n", 0o644)
	b.write("units/keepalived.active", "active\n", 0o644)
	b.ok(call("keep_foreign_file", keepalived.ConfigPath), put(keepalived.ConfigPath, "ours\n", 0o644, sumOf("theirs\n")), call("start_unit", keepalivedUnit))
	before := b.tree()
	b.write("fail/reload", "", 0o644)
	b.fails(nil, call("stop_unit", keepalivedUnit), remove(keepalived.ConfigPath, sumOf("ours\n")), call("reload_keepalived"))
	b.must(os.Remove(filepath.Join(b.root, "fail/reload")))
	b.same(before, b.tree()) // what is remembered, too
	b.ok(call("stop_unit", keepalivedUnit), remove(keepalived.ConfigPath, sumOf("ours\n")), call("reload_keepalived"))
	equal(t, "the second try puts it back", b.read(conf), "theirs\n")
	equal(t, "and leaves keepalived running as it was", b.read("units/keepalived.active"), "active\n")
}

func TestDestroyWhereKeepalivedRanBeforeGoesBackToItsConfiguration(t *testing.T) {
	b := newBox(t)
	b.write(conf, "theirs\n", 0o644)
	b.write("units/keepalived.active", "active\n", 0o644)
	b.ok(call("keep_foreign_file", keepalived.ConfigPath), put(keepalived.ConfigPath, "ours\n", 0o644, sumOf("theirs\n")), call("start_unit", keepalivedUnit))
	b.ok(call("stop_unit", keepalivedUnit), remove(keepalived.ConfigPath, sumOf("ours\n")), call("reload_keepalived"))
	equal(t, "configuration", b.read(conf), "theirs\n")
	equal(t, "runs", b.read("units/keepalived.active"), "active\n")
	equal(t, "reloads", strings.Count(b.log(), "systemctl reload keepalived"), 1)
}

// Their configuration was good enough for keepalived before we came: what -t says
// of it must not keep the director from being destroyed.
func TestDestroyGoesBackToAConfigurationThatKeepalivedWarnsOf(t *testing.T) {
	b := newBox(t)
	b.write(conf, "theirs\n", 0o644)
	b.write("units/keepalived.active", "active\n", 0o644)
	b.ok(call("keep_foreign_file", keepalived.ConfigPath), put(keepalived.ConfigPath, "ours\n", 0o644, sumOf("theirs\n")), call("start_unit", keepalivedUnit))
	b.verdict(`echo "(VI_1) No VIP specified; at least one is sensible"; exit 5`)
	b.ok(call("stop_unit", keepalivedUnit), remove(keepalived.ConfigPath, sumOf("ours\n")), call("reload_keepalived"))
}

func TestFailedDestroyLeavesTheUnitRunning(t *testing.T) {
	b := newBox(t)
	b.ok(call("start_unit", keepalivedUnit))
	before := b.tree()
	b.fails([]string{"everything was put back"}, call("stop_unit", keepalivedUnit), call("fail", "no"))
	b.same(before, b.tree())
}

func TestFailedChangeOfThePasswordLeavesItsChecksumInStep(t *testing.T) {
	b := newBox(t)
	b.ok(put(keepalived.AuthPath, "old\n", 0o600, "absent"), call("seal_secret", keepalived.AuthPath))
	before := b.tree()
	b.fails([]string{"everything was put back"}, put(keepalived.AuthPath, "new\n", 0o600, "any"), call("seal_secret", keepalived.AuthPath), call("fail", "no"))
	b.same(before, b.tree())
}

func TestFailedCreateLeavesNothing(t *testing.T) {
	b := newBox(t)
	before := b.tree()
	b.write("proc/sys/net/x", "0\n", 0o644)
	before["proc/sys/net/x"] = b.tree()["proc/sys/net/x"]
	b.fails([]string{"everything was put back"},
		call("load_module", "ip_vs"), put(keepalived.AuthPath, "old\n", 0o600, "absent"), call("seal_secret", keepalived.AuthPath), call("set_sysctl", "net/x", "1"), call("fail", "no"))
	b.same(before, b.tree())
}

func TestFileThatCannotBeFinishedLeavesNoPieceBehind(t *testing.T) {
	b := newBox(t)
	b.write(conf, "old\n", 0o644)
	b.write("bin/cp", "#!/bin/sh\nexit 1\n", 0o755)
	before := b.tree()
	b.fails([]string{"failed to write the files", "everything was put back"}, put(keepalived.ConfigPath, "new\n", 0o644, sumOf("old\n")))
	b.same(before, b.tree())
}

func TestDiskWithoutRoomDoesNotCostWhatIsRemembered(t *testing.T) {
	b := newBox(t)
	b.write(conf, "theirs\n", 0o644)
	b.ok(call("keep_foreign_file", keepalived.ConfigPath), put(keepalived.ConfigPath, "ours\n", 0o644, sumOf("theirs\n")))
	before := b.tree()
	b.write("bin/cp", "#!/bin/sh\necho 'cp: no space left on device' >&2\nexit 1\n", 0o755)
	b.fails([]string{"no space left on device"}, put(keepalived.ConfigPath, "new\n", 0o644, sumOf("ours\n")))
	b.same(before, b.tree())
}

func TestSealIsTheChecksumThatTheProbeCompares(t *testing.T) {
	b := newBox(t)
	b.ok(put(keepalived.AuthPath, "hush\n", 0o600, "absent"), call("seal_secret", keepalived.AuthPath))
	other := keepalived.Dir + "/vip-192.0.2.229.tcp-6379.password"
	b.ok(put(other, "1\n", 0o600, "absent"), call("seal_secret", other))
	b.ok(put(other, "2\n", 0o600, "any"), call("seal_secret", other))
	seal := "var/lib/redislb/secrets.sha256"
	equal(t, "mode", b.tree()[seal][:10], "-rw-------")
	equal(t, "the folder is closed", b.tree()["var/lib/redislb"][:10], "drwx------")
	sum := func() bool {
		return exec.Command("sha256sum", "--status", "-c", filepath.Join(b.root, seal)).Run() == nil
	}
	equal(t, "unchanged", sum(), true)
	b.write(keepalived.AuthPath[1:], "else\n", 0o600)
	equal(t, "changed", sum(), false)
	equal(t, "one line for each", strings.Count(b.read(seal), "\n"), 2)
	b.ok(remove(other, "any"), call("unseal_secret", other))
	equal(t, "the line of the other stays", strings.Count(b.read(seal), keepalived.AuthPath), 1)
	b.ok(remove(keepalived.AuthPath, "any"), call("unseal_secret", keepalived.AuthPath))
	equal(t, "nothing is left", b.exists("var/lib/redislb") || b.exists("etc/keepalived/redislb"), false)
}

// hold takes the lock as another commit does, and returns what lets it go.
func (b *box) hold() (release func()) {
	b.Helper()
	b.must(os.MkdirAll(filepath.Join(b.root, "run/redislb"), 0o755))
	lock, err := os.Create(filepath.Join(b.root, "run/redislb/lock"))
	b.must(err)
	b.must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	b.write("run/redislb/holder", "terraform on elsewhere, process 7, since noon\n", 0o644)
	return func() { lock.Close() }
}

func TestLockThatAnotherHoldsIsAnErrorThatNamesTheHolder(t *testing.T) {
	b := newBox(t)
	release := b.hold()
	defer release()
	b.fails([]string{"another change is under way: terraform on elsewhere, process 7, since noon", "failed to take the lock of this host"}, put(keepalived.ConfigPath, "x\n", 0o644, "absent"))
	equal(t, "nothing was written", b.exists(conf), false)
	equal(t, "the holder stays", b.read("run/redislb/holder"), "terraform on elsewhere, process 7, since noon\n")
}

func TestCommitThatDoesNotGetTheLockLeavesTheOthersFoldersAlone(t *testing.T) {
	b := newBox(t)
	release := b.hold()
	defer release()
	b.must(os.MkdirAll(filepath.Join(b.root, "var/lib/redislb/before"), 0o700))
	b.must(os.MkdirAll(filepath.Join(b.root, "var/lib/redislb/transactions"), 0o700)) // the other's is there
	b.must(os.MkdirAll(filepath.Join(b.root, "etc/keepalived/redislb"), 0o755))
	before := b.tree()
	b.fails([]string{"another change is under way"}, call("load_module", "ip_vs"))
	b.same(before, b.tree())
}

func TestCommitThatWaitedForTheLockFindsItsFolders(t *testing.T) {
	b := newBox(t)
	// Longer than a busy machine takes to come to the release.
	b.spoil = func(text string) string { return strings.Replace(text, "flock -w 240 ", "flock -w 30 ", 1) }
	release := b.hold()
	cmd := b.start(newID(), call("load_module", "ip_vs"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	b.must(cmd.Start())
	for range 100 {
		if b.exists("var/lib/redislb/before") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	// The other ends, as finish does.
	_ = os.Remove(filepath.Join(b.root, "var/lib/redislb/before"))
	_ = os.Remove(filepath.Join(b.root, "var/lib/redislb"))
	release()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, strings.ReplaceAll(said.String(), b.root, ""))
	}
}

// heldBy checks what a file of the box says of a holder: since when is the host's word.
func (b *box) heldBy(file, who string) {
	b.Helper()
	name, since, _ := strings.Cut(strings.TrimSpace(b.read(file)), ", since ")
	equal(b.T, "holder", name, who)
	if at, err := time.Parse(time.RFC3339, since); err != nil || time.Since(at).Abs() > time.Minute {
		b.Errorf("since %q", since)
	}
}

func TestHolderIsNamedWhileACommitRuns(t *testing.T) {
	b := newBox(t)
	b.verdict(`cp "$root/run/redislb/holder" "$root/seen"`)
	b.ok(append([]step{put(keepalived.ConfigPath, "x\n", 0o644, "absent")}, check()...)...)
	b.heldBy("seen", "terraform on here")
}

func TestHolderIsNamedWhileAndAfterOthersAreTakenBack(t *testing.T) {
	b := changeable(t)
	b.killed(change()...)
	b.write("bin/tar", "#!/bin/sh\ncase $* in *-x*old*) cp '"+b.root+"/run/redislb/holder' '"+b.root+"/during' ;; esac\nexec $(PATH=${PATH#*:} command -v tar) \"$@\"\n", 0o755)
	b.ok(call("eval", `cp "$run/holder" '`+b.root+`/after'`))
	b.heldBy("during", "terraform on here")
	b.heldBy("after", "terraform on here")
	equal(t, "it is named no more", b.exists("run/redislb/holder"), false)
}

func TestHolderIsNamedWhileACommittedChangeIsTakenBackOrRecovered(t *testing.T) {
	for verb, who := range map[string]string{"revert": "taking back transaction ", "recover": "the recovery of transaction "} {
		t.Run(verb, func(t *testing.T) {
			b := changeable(t)
			note := "#!/bin/sh\ncase $* in *-x*old*) cp '" + b.root + "/run/redislb/holder' '" + b.root + "/during' ;; esac\nexec $(PATH=${PATH#*:} command -v tar) \"$@\"\n"
			if verb == "revert" {
				b.committed(txID, change()...)
				b.write("bin/tar", note, 0o755)
				_, _ = b.ends(b.transact("revert", txID))
			} else {
				b.killed(change()...)
				b.write("bin/tar", note, 0o755)
				_, _ = b.recover(txID)
			}
			b.heldBy("during", who+txID)
			equal(t, "it is named no more", b.exists("run/redislb/holder"), false)
		})
	}
}

// Nobody waits for it longer than it takes.
func TestRevertThatDoesNotGetTheLockSaysSo(t *testing.T) {
	b := changeable(t)
	b.committed(txID, change()...)
	release := b.hold()
	began := time.Now()
	said, code := b.ends(b.transact("revert", txID))
	release()
	equal(t, "code: "+said, code, exitHost)
	says(t, errorOf(said), "another change is under way: terraform on elsewhere")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	equal(t, "still new", b.read(conf), "new\n")
	said, code = b.ends(b.transact("revert", txID))
	equal(t, "code of a second try: "+said, code, 0)
	equal(t, "old", b.read(conf), "old\n")
}

func TestSignalInTheMiddleTakesTheCommitBack(t *testing.T) {
	// Under nohup, HUP is ignored, in children too, and a shell cannot change that.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
	for _, name := range []string{"HUP", "TERM"} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write(conf, "old\n", 0o644)
			before := b.tree()
			b.verdict("kill -" + name + ` $(cat "$root"/var/lib/redislb/transactions/*/pid); sleep 0.3`)
			b.fails([]string{"failed to check the configuration of keepalived", "everything was put back"}, append([]step{put(keepalived.ConfigPath, "new\n", 0o644, sumOf("old\n"))}, check()...)...)
			b.same(before, b.tree())
		})
	}
}

func TestSignalWhileACommitIsTakenBackDoesNotStopThat(t *testing.T) {
	for _, verb := range []string{"a failure", "recover", "revert"} {
		t.Run(verb, func(t *testing.T) {
			b := changeable(t)
			before := b.tree()
			signal := `for s in HUP INT TERM; do kill -$s "$PPID"; done` + "\n"
			tar := "#!/bin/sh\ncase $* in *-x*old*) " + signal + `sleep 0.2 ;; esac
exec $(PATH=${PATH#*:} command -v tar) "$@"` + "\n"
			switch verb {
			case "recover":
				b.killed(change()...)
				b.write("bin/tar", tar, 0o755)
				_, _ = b.recover(txID)
			case "revert":
				b.committed(txID, change()...)
				b.write("bin/tar", tar, 0o755)
				said, code := b.ends(b.transact("revert", txID))
				equal(t, "code: "+said, code, 0)
			default:
				b.write("bin/tar", tar, 0o755)
				said, _ := b.ends(b.start(txID, change(call("fail", "no"))...))
				says(t, errorOf(said), "everything was put back")
			}
			b.must(os.Remove(filepath.Join(b.root, "bin/tar")))
			_, _ = b.ends(b.transact("settle", txID))
			b.same(before, b.tree())
		})
	}
}

func TestAddressesAreSetAndTakenBack(t *testing.T) {
	b := newBox(t)
	b.write("addresses", "1: lo    inet 192.0.2.229/24 scope global\n", 0o644)
	b.fails([]string{"everything was put back"},
		call("delete_address", "lo", "192.0.2.229/24", "lo"), call("add_address", "lo", "192.0.2.229/32", "lo:1"), call("add_address", "lo", "2001:db8::1/128", "-"), call("fail", "no"))
	equal(t, "calls", b.log(), `ip address del 192.0.2.229/24 dev lo
ip address add 192.0.2.229/32 dev lo label lo:1
ip address add 2001:db8::1/128 dev lo nodad
ip address del 2001:db8::1/128 dev lo
ip address del 192.0.2.229/32 dev lo
ip address add 192.0.2.229/24 dev lo label lo
`)
}

// The provider looks again, and finds what to do about it.
func TestAddressThatCameOrWentSinceItWasReadIsAStaleChange(t *testing.T) {
	for name, c := range map[string]struct {
		there string
		call  step
	}{
		"came": {"1: lo    inet 192.0.2.229/32 scope global\n", call("add_address", "lo", "192.0.2.229/32", "lo:1")},
		"went": {"1: lo    inet 192.0.2.230/32 scope global\n", call("delete_address", "lo", "192.0.2.229/32", "lo:1")},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write("addresses", c.there, 0o644)
			said, code := b.commit(c.call)
			equal(t, "code: "+said, code, exitStale)
			equal(t, "calls", b.log(), "")
			equal(t, "addresses", b.read("addresses"), c.there)
		})
	}
}

// An address that could not be added is somebody else's, or was not added: there
// is nothing to take back.
func TestAddressThatCouldNotBeAddedIsNotDeleted(t *testing.T) {
	b := newBox(t)
	b.write("fail/ip-add", "", 0o644)
	b.fails([]string{"failed to add the address 192.0.2.229/32 to lo", "everything was put back"}, call("add_address", "lo", "192.0.2.229/32", "lo:1"))
	equal(t, "calls", b.log(), "ip address add 192.0.2.229/32 dev lo label lo:1\n")
}

func TestTableIsEditedLineByLineAndALineThatFailsIsNamed(t *testing.T) {
	b := newBox(t)
	edit := step{words: []string{"edit_ipvs", stagedContent, stagedContent}, staged: [][]byte{
		[]byte("-e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n-d -t 192.0.2.229:6379 -r bad\n-D -t never:1\n"),
		[]byte("-e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 5\n-a -t 192.0.2.229:6379 -r bad -g -w 1\n-A -t was:1\n"),
	}}
	b.fails([]string{"failed to edit the IPVS table", "ipvsadm -d -t 192.0.2.229:6379 -r bad", "everything was put back"}, edit)
	equal(t, "calls", b.log(), "ipvsadm -e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\nipvsadm -d -t 192.0.2.229:6379 -r bad\n"+
		"ipvsadm -e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 5\nipvsadm -a -t 192.0.2.229:6379 -r bad -g -w 1\nipvsadm -A -t was:1\n")
}

func TestAddressInBracketsIsNoPatternOfFileNames(t *testing.T) {
	b := newBox(t)
	line := "-A -t [2001:db8::1]:6379 -s rr\n"
	b.write("tmp/2:6379", "", 0o644) // what it would match
	b.fails(nil, call("cd", b.root+"/tmp"), step{words: []string{"edit_ipvs", stagedContent, stagedContent}, staged: [][]byte{[]byte(line), []byte(line)}}, call("fail", "no"))
	equal(t, "calls", b.log(), "ipvsadm "+line+"ipvsadm "+line)
}

func TestModuleGoesOnlyIfWeBroughtItAndNobodyUsesIt(t *testing.T) {
	for name, c := range map[string]struct {
		load    bool
		table   string
		removed string
	}{
		"ours":   {true, "", "rmmod ip_vs_rr\nrmmod ip_vs\n"},
		"theirs": {false, "", ""},
		"in use": {true, "TCP  C0000263:0050 wlc\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write("log", "", 0o644)
			if c.load {
				b.ok(call("load_module", "ip_vs"))
			}
			b.write("log", "", 0o644)
			b.write("proc/net/ip_vs", "IP Virtual Server version 1.2.1 (size=4096)\n"+c.table, 0o644)
			b.ok(call("unload_module", "ip_vs"))
			equal(t, "calls", b.log(), c.removed)
		})
	}
}

func TestSyncDaemonsOfBothRolesAreStoppedBeforeOneStartsAndComeBack(t *testing.T) {
	b := newBox(t)
	start := step{words: []string{"start_sync_daemon", "backup", "eth0", "51", stagedContent}, staged: [][]byte{[]byte("master eth0 7\nbackup eth1 8\n")}}
	b.ok(start)
	stop := "ipvsadm --stop-daemon master\nipvsadm --stop-daemon backup\n"
	started := stop + "ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 51\n"
	equal(t, "calls", b.log(), started)
	b.fails([]string{"everything was put back"}, start, call("fail", "no"))
	equal(t, "calls", b.log(), started+started+stop+"ipvsadm --start-daemon master --mcast-interface eth0 --syncid 7\nipvsadm --start-daemon backup --mcast-interface eth1 --syncid 8\n")
}

func TestSyncDaemonsAreStoppedAndComeBack(t *testing.T) {
	b := newBox(t)
	stop := step{words: []string{"stop_sync_daemons", stagedContent}, staged: [][]byte{[]byte("master eth0 7\n")}}
	b.ok(stop)
	stopped := "ipvsadm --stop-daemon master\nipvsadm --stop-daemon backup\n"
	equal(t, "calls", b.log(), stopped)
	b.fails([]string{"everything was put back"}, stop, call("fail", "no"))
	equal(t, "calls", b.log(), strings.Repeat(stopped, 3)+"ipvsadm --start-daemon master --mcast-interface eth0 --syncid 7\n")
}

func TestSwitchThatTheKernelDoesNotHaveIsOffAndCannotBeOn(t *testing.T) {
	b := newBox(t)
	before := b.tree()
	b.ok(call("set_sysctl", "net/ipv4/vs/none", "0"))
	b.same(before, b.tree())
	b.fails([]string{"set the sysctl net/ipv4/vs/none", "the kernel of the host has no net/ipv4/vs/none", "another loop_guard, such as config_swap"}, call("set_sysctl", "net/ipv4/vs/none", "1"))
}

func TestDirectoryAtThePathOfAFileIsNotFilled(t *testing.T) {
	b := newBox(t)
	b.must(os.Mkdir(filepath.Join(b.root, conf), 0o755))
	before := b.tree()
	b.fails([]string{"everything was put back"}, put(keepalived.ConfigPath, "x\n", 0o644, "any"))
	b.same(before, b.tree())
}

// TestWholeScriptOfEachResourceRuns guards against a step that commit.sh does not
// know, or calls with other arguments.
func TestWholeScriptOfEachResourceRuns(t *testing.T) {
	b := newBox(t)
	for _, y := range slices.Concat(BackupOnly.sysctls(), Hash.sysctls(), arpSysctls()) {
		path := filepath.Join("proc/sys", y.path())
		b.must(os.MkdirAll(filepath.Join(b.root, filepath.Dir(path)), 0o755))
		b.write(path, "0\n", 0o644)
	}
	b.write("bin/apt-get", "#!/bin/sh\necho \"apt-get $*\" >>'"+b.root+"/log'\n", 0o755)
	b.must(os.MkdirAll(filepath.Join(b.root, "etc/modules-load.d"), 0o755))
	before := b.tree()
	m := bareMachine()
	var all []Artifact
	for _, artifacts := range [][]Artifact{redisServer().Artifacts(), redisDirector().Artifacts(), redisVIP().Artifacts()} {
		b.ok(steps(m.snapshot(t), artifacts, nil)...)
		m.hold(artifacts)
		all = append(all, artifacts...)
	}
	equal(t, "packages", strings.Count(b.log(), "install keepalived ipvsadm"), 1)
	for _, a := range all {
		if f, ok := a.(File); ok {
			equal(t, f.Path, b.read(f.Path[1:]), string(f.Content))
		}
	}
	for _, artifacts := range [][]Artifact{redisVIP().Artifacts(), redisDirector().Artifacts(), redisServer().Artifacts()} {
		b.ok(steps(m.snapshot(t), nil, artifacts)...)
	}
	after := b.tree()
	maps.DeleteFunc(after, func(path, _ string) bool { return strings.HasPrefix(path, "units/") })
	b.same(before, after)
}

func TestPackageManagerThatInstallsNothingIsNotBelieved(t *testing.T) {
	b := newBox(t)
	b.write("bin/apt-get", "#!/bin/sh\necho 'nothing to do'\n", 0o755)
	before := b.tree()
	b.fails([]string{"install missing-command", "missing-command is still missing", "nothing to do", "everything was put back as it was, but for what the package manager did"}, call(installPackages, "missing-command"))
	b.same(before, b.tree())
}
