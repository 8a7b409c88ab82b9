package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// swapBox is a box with a VIP's services in its files and a process that is called
// keepalived. Its systemctl reloads: the table becomes what the included file says,
// after the seconds in the file delay.
type swapBox struct {
	*box
	keepalived int // the process
}

func newSwapBox(t *testing.T) swapBox {
	b := newBox(t)
	sleep, err := exec.LookPath("sleep")
	b.must(err)
	b.must(os.MkdirAll(filepath.Join(b.root, "daemon"), 0o755))
	// By another process: a file that this one writes may be open in one that it forks just
	// then for another test, and nobody can run it so long.
	b.must(exec.Command("cp", sleep, filepath.Join(b.root, "daemon/keepalived")).Run())
	daemon := exec.Command(filepath.Join(b.root, "daemon/keepalived"), "600")
	b.must(daemon.Start())
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	b.must(os.MkdirAll(filepath.Join(b.root, "etc/keepalived/redislb"), 0o755))
	b.must(os.MkdirAll(filepath.Join(b.root, "run/redislb"), 0o755))
	_, services := redisVIP().Render()
	b.write(keepalived.VIPServicesPath(vip), string(services), 0o644)
	b.write("delay", "0\n", 0o644)
	b.write("table", "-A -t 192.0.2.9:6379 -s rr\n", 0o644) // somebody else's
	b.write("bin/systemctl", "#!/bin/sh\nroot='"+b.root+`'
echo "systemctl $* $(cat "$root/run/redislb/swapping")/$(grep -c 229 "$root/table")" >>"$root/log"
(
	sleep "$(cat "$root/delay")"
	sed -i /229/d "$root/table"
	grep -q '^include' "$root/run/redislb/services.conf" && echo "-A -t 192.0.2.229:6379 -s rr" >>"$root/table"
) >/dev/null 2>&1 8>&- &
[ "$(cat "$root/delay")" != 0 ] || wait
`, 0o755)
	b.write("bin/ipvsadm", "#!/bin/sh\nroot='"+b.root+`'
case $1 in
-Sn) cat "$root/table" ;;
-D) grep -q -- "^-A $2 $3 " "$root/table" && sed -i "\|^-A $2 $3 |d" "$root/table" && echo "ipvsadm $*" >>"$root/log" ;;
esac
`, 0o755)
	return swapBox{b, daemon.Process.Pid}
}

func (b swapBox) note(state string, pid int) {
	b.write("run/redislb/role", fmt.Sprintf("%d %s 5 5\n", pid, state), 0o644)
}

func (b swapBox) swap(args ...string) *exec.Cmd {
	return b.shell(b.bend(strings.Replace(swapText, "tries=50", "tries=20", 1)), args...)
}

func (b swapBox) swaps(args ...string) {
	b.Helper()
	if said, code := b.ends(b.swap(args...)); code != 0 || said != "" {
		b.Errorf("exit %d: %s", code, said)
	}
}

// includes is whether keepalived is to have the services.
func (b swapBox) includes() bool {
	b.Helper()
	content := b.read("run/redislb/services.conf")
	if content == b.bend("include /etc/keepalived/redislb/vip-*.services.conf\n") {
		return true
	}
	equal(b, "the file without", strings.HasPrefix(content, "# none"), true)
	return false
}

func (b swapBox) told() string {
	b.Helper()
	if !b.exists("log") {
		return ""
	}
	defer b.write("log", "", 0o644)
	return b.read("log")
}

func TestServicesAreSwappedAsKeepalivedsRoleIs(t *testing.T) {
	b := newSwapBox(t)
	const theirs = "-A -t 192.0.2.9:6379 -s rr\n"
	b.swaps("START")
	equal(t, "at boot", b.includes(), false)
	equal(t, "at boot: told", b.told(), "")
	b.note("BACKUP", b.keepalived)
	b.swaps()
	equal(t, "backup from the beginning: told", b.told(), "")

	b.note("MASTER", b.keepalived)
	b.swaps()
	equal(t, "master", b.includes(), true)
	equal(t, "master: table", b.read("table"), theirs+"-A -t 192.0.2.229:6379 -s rr\n")
	told := b.told()
	if !strings.HasPrefix(told, "systemctl kill -s HUP --kill-who=main keepalived ") || strings.Contains(told, " /0") || strings.Count(told, "\n") != 1 {
		t.Errorf("told %q, with the process that swaps noted meanwhile", told)
	}
	equal(t, "nobody swaps", b.exists("run/redislb/swapping"), false)
	b.swaps()
	equal(t, "still master: told", b.told(), "")

	b.note("FAULT", b.keepalived)
	b.swaps()
	equal(t, "fault", b.includes(), false)
	equal(t, "fault: table", b.read("table"), theirs)
	equal(t, "fault: told", strings.Count(b.told(), "HUP"), 1)

	b.note("MASTER", b.keepalived)
	b.swaps()
	b.told()
	b.note("STOP", b.keepalived)
	b.swaps()
	equal(t, "stop", b.includes(), false)
	equal(t, "stop: told, since it goes by itself", b.told(), "")

	b.note("MASTER", 1) // of one that is gone
	b.swaps()
	equal(t, "nobody's word", b.includes(), false)
}

// keepalived was killed as a master: its services are in the kernel, its word stands, and
// another director holds the VIPs.
func TestKeepalivedStartsWithoutServicesAfterACrash(t *testing.T) {
	b := newSwapBox(t)
	b.note("MASTER", b.keepalived)
	b.swaps()
	b.told()
	b.swaps("START")
	equal(t, "included", b.includes(), false)
	equal(t, "told", b.told(), "ipvsadm -D -t 192.0.2.229:6379\n")
	equal(t, "table", b.read("table"), "-A -t 192.0.2.9:6379 -s rr\n")
}

// Signals to reload that come together are one, and keepalived would take services for
// there that are not.
func TestSwapWaitsUntilTheOneBeforeIsDone(t *testing.T) {
	b := newSwapBox(t)
	b.write("delay", "0.7\n", 0o644)
	b.note("MASTER", b.keepalived)
	first := b.swap()
	b.must(first.Start())
	eventually(t, func() bool { return b.exists("run/redislb/services.conf") })
	b.note("BACKUP", b.keepalived)
	second := b.swap()
	b.must(second.Start())
	b.must(first.Wait())
	b.must(second.Wait())
	var had []string
	for line := range strings.Lines(b.told()) {
		had = append(had, line[strings.LastIndex(line, "/")+1:])
	}
	equal(t, "rows in the table at each signal", strings.Join(had, ""), "0\n1\n")
	equal(t, "in the end", b.includes(), false)
	equal(t, "table", strings.Contains(b.read("table"), "229"), false)
}

func TestServicesThatKeepalivedDoesNotTakeOutAreTakenOut(t *testing.T) {
	b := newSwapBox(t)
	b.write("run/redislb/services.conf", b.bend("include /etc/keepalived/redislb/vip-*.services.conf\n"), 0o644)
	b.write("table", "-A -t 192.0.2.229:6379 -s rr\n", 0o644)
	b.write("delay", "600\n", 0o644)
	b.write("bin/sleep", "#!/bin/sh\n[ \"$1\" != 600 ] || exec /bin/false\n", 0o755)
	b.write("bin/systemctl", "#!/bin/sh\n", 0o755)
	b.note("BACKUP", b.keepalived)
	b.swaps()
	equal(t, "table", b.read("table"), "")
}

// A change that makes keepalived include the services by way of the other file makes that
// file first, and keepalived checks what the host is to have as a master.
func TestReloadFindsTheServicesThatFitTheRole(t *testing.T) {
	for state, want := range map[string]bool{"MASTER": true, "BACKUP": false} {
		t.Run(state, func(t *testing.T) {
			b := newSwapBox(t)
			b.write("bin/systemctl", fmt.Sprintf("#!/bin/sh\nroot='%s'\necho \"systemctl $*\" >>\"$root/log\"\n%s\n", b.root, stubs["systemctl"]), 0o755)
			b.write("units/keepalived.active", "active\n", 0o644)
			b.note(state, b.keepalived)
			b.verdict(`cp "$3" "$root/tested"; exit 0`)
			b.write("reloading", `cp "$root/run/redislb/services.conf" "$root/included"`, 0o644)
			content := b.bend("vrrp_instance a {\n}\ninclude " + keepalived.ServicesPath + "\n")
			b.ok(append([]step{put(keepalived.ConfigPath, content, 0o644, "absent")}, check()...)...)
			equal(t, "what keepalived checks", b.read("tested"), b.bend("vrrp_instance a {\n}\ninclude /etc/keepalived/redislb/vip-*.services.conf\n"))
			equal(t, "what the reload finds", strings.HasPrefix(b.read("included"), "include "), want)
		})
	}
}

// The probe tells the role before and after it looks at the table.
func TestRoleThatChangesWhileTheHostIsLookedAtIsOnItsWay(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		moving        bool
	}{
		"a master":     {"MASTER\n", "MASTER\n", false},
		"no word":      {"", "", false},
		"a new master": {"BACKUP\n", "MASTER\n", true},
		"a first word": {"", "BACKUP\n", true},
		"swapping":     {"MASTER\nswapping\n", "MASTER\n", true},
		"swapping, no word of a running keepalived": {"swapping\n", "", true},
	} {
		out := strings.Replace(string(director().probe()), "== health\n", "== role before\n"+c.before+"== health\n", 1)
		out = strings.Replace(out, "== unit\n", "== role\n"+c.after+"== unit\n", 1)
		s, err := parseSnapshot([]byte(out))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, s.Moving, c.moving)
		equal(t, name+": noted", s.noted, roles[strings.TrimSpace(c.after)])
	}
}

func TestProbeTellsTheRoleAndWhetherServicesAreBeingSwapped(t *testing.T) {
	b := newSwapBox(t)
	_, part, _ := strings.Cut(probe, "\nrole() {")
	part, _, _ = strings.Cut("role() {"+part, "# Real servers that")
	tells := func() string {
		said, _ := b.ends(b.shell(b.bend(part)))
		return said
	}
	equal(t, "nothing noted", tells(), "== role before\n")
	b.note("MASTER", b.keepalived)
	equal(t, "a master", tells(), "== role before\nMASTER\n")
	b.write("run/redislb/swapping", fmt.Sprintln(b.keepalived), 0o644)
	equal(t, "swapping", tells(), "== role before\nMASTER\nswapping\n")
	b.write("run/redislb/swapping", "999999999\n", 0o644)
	b.note("MASTER", 1)
	equal(t, "of processes that are gone", tells(), "== role before\n")
}
