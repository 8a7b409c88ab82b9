package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// change is a transaction that touches a file, a sysctl and what is remembered, and
// ends with more.
func change(more ...step) []step {
	return append([]step{
		put(keepalived.ConfigPath, "new\n", 0o644, sumOf("old\n")),
		put(healthy, "#!/bin/sh\n", 0o755, "absent"),
		remove("/etc/sysctl.d/x", sumOf("x\n")),
		call("set_sysctl", "net/x", "1"),
	}, more...)
}

func changeable(t *testing.T) *box {
	b := newBox(t)
	b.write(conf, "old\n", 0o640)
	b.write("etc/sysctl.d/x", "x\n", 0o600)
	b.write("proc/sys/net/x", "0\n", 0o644)
	return b
}

// killed runs a transaction that writes the configuration and whose process is
// killed, by SIGKILL, while that is checked at its end.
func (b *box) killed(todo ...step) {
	b.Helper()
	b.verdict(`kill -KILL $(cat "$root"/var/lib/redislb/transactions/*/pid); sleep 0.2`)
	cmd := b.start(txID, append(todo, check()...)...)
	b.must(cmd.Start())
	b.T.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	work := filepath.Join(b.root, "var/lib/redislb/transactions", txID)
	eventually(b.T, func() bool {
		pid, err := os.ReadFile(filepath.Join(work, "pid"))
		return err == nil && b.exists("log") && strings.Contains(b.read("log"), "keepalived -t") &&
			exec.Command("kill", "-0", strings.TrimSpace(string(pid))).Run() != nil
	})
	time.Sleep(300 * time.Millisecond) // what it started holds the lock that long
	equal(b.T, "new in the middle", b.read(conf), "new\n")
	b.must(cmd.Process.Kill()) // who waits for it is gone too
	b.verdict("exit 0")
}

// committed runs a transaction to its end, which must be good, and leaves its
// outcome.
func (b *box) committed(id string, todo ...step) {
	b.Helper()
	said, code := b.ends(b.start(id, todo...))
	equal(b.T, "code: "+said, code, 0)
}

func (b *box) recover(id string) (string, int) {
	return b.ends(b.shell(`sh "$1" recover`, filepath.Join(b.root, "var/lib/redislb/transactions", id, "script")))
}

func TestTransactionThatWasKilledIsTakenBackBySystemdOrByTheNextOne(t *testing.T) {
	for name, next := range map[string]func(b *box, id string){
		"systemd": func(b *box, id string) {
			_, code := b.recover(id)
			equal(b.T, "code", code, 0)
			said, code := b.ends(b.transact("attach", id))
			equal(b.T, "outcome", code, exitHost)
			says(b.T, errorOf(said), "cut short", "everything was put back as it was")
			_, _ = b.ends(b.transact("settle", id))
		},
		"the next": func(b *box, _ string) { b.ok(call("reload_units")) },
	} {
		t.Run(name, func(t *testing.T) {
			b := changeable(t)
			before := b.tree()
			b.killed(change()...)
			next(b, txID)
			b.same(before, b.tree())
		})
	}
}

const txID = "00000000000000aa"

type errorOf string

func (e errorOf) Error() string { return string(e) }

func TestAfterARestartOfTheMachineFilesAreTakenBackAndTheKernelIsLeftAlone(t *testing.T) {
	b := changeable(t)
	before := b.tree()
	b.killed(change()...)
	b.write("proc/sys/kernel/random/boot_id", "another-boot\n", 0o644)
	before["proc/sys/kernel/random/boot_id"] = b.tree()["proc/sys/kernel/random/boot_id"]
	b.write("proc/sys/net/x", "7\n", 0o644) // as the files of that boot had it
	before["proc/sys/net/x"] = b.tree()["proc/sys/net/x"]
	b.must(os.RemoveAll(filepath.Join(b.root, "run/redislb")))
	_, code := b.recover(txID)
	equal(t, "code", code, 0)
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())
}

func TestAfterARestartOfTheMachineUnitsAreStartedAndStoppedAsTheyWere(t *testing.T) {
	for verb, todo := range map[string]step{"start": call("stop_unit", keepalivedUnit), "stop": call("start_unit", keepalivedUnit)} {
		t.Run(verb, func(t *testing.T) {
			b := changeable(t)
			state := map[string][2]string{"start": {"active", "enabled"}, "stop": {"inactive", "disabled"}}[verb]
			b.write("units/keepalived.active", state[0]+"\n", 0o644)
			b.write("units/keepalived.enabled", state[1]+"\n", 0o644)
			b.killed(todo, put(keepalived.ConfigPath, "new\n", 0o644, sumOf("old\n")))
			b.write("proc/sys/kernel/random/boot_id", "another-boot\n", 0o644)
			_, _ = b.recover(txID)
			for file, want := range map[string]string{"active": state[0], "enabled": state[1]} {
				equal(t, file, strings.TrimSpace(b.read("units/keepalived."+file)), want)
			}
		})
	}
}

func TestRecoveryCutShortIsDoneAgain(t *testing.T) {
	b := changeable(t)
	before := b.tree()
	b.killed(change()...)
	b.write("bin/tar", "#!/bin/sh\nkill -KILL $PPID\n", 0o755)
	_, _ = b.recover(txID)
	b.must(os.Remove(filepath.Join(b.root, "bin/tar")))
	_, _ = b.recover(txID)
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())
}

func TestCommittedTransactionIsTakenBackOnDemandUntilAnotherCame(t *testing.T) {
	b := changeable(t)
	before := b.tree()
	b.committed(txID, change(check()...)...)
	equal(t, "new", b.read(conf), "new\n")
	said, code := b.ends(b.transact("revert", txID))
	equal(t, "code: "+said, code, 0)
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())

	b.committed(txID, change(check()...)...)
	b.ok(call("reload_units"))
	_, code = b.ends(b.transact("revert", txID))
	equal(t, "code of a revert after another change", code, exitNoTrace)
	equal(t, "still new", b.read(conf), "new\n")
}

func TestSignalAtTheCommitComesTooLate(t *testing.T) {
	b := changeable(t)
	b.write("bin/sync", "#!/bin/sh\n[ ! -e '"+b.root+"'/var/lib/redislb/transactions/*/committed ] || kill -TERM $PPID\n", 0o755)
	b.committed(txID, change()...)
	equal(t, "new", b.read(conf), "new\n")
}

func TestCommitThatDidNotSucceedIsTakenBackEvenIfThatIsCutShort(t *testing.T) {
	b := changeable(t)
	before := b.tree()
	b.write("bin/tar", "#!/bin/sh\ncase $* in *-x*old*) kill -KILL $PPID ;; esac\nexec $(PATH=${PATH#*:} command -v tar) \"$@\"\n", 0o755)
	cmd := b.start(txID, change(call("eval", `durable() { [ ! -e "$work/committed" ] || fail no; }`))...)
	b.must(cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	log := "run/redislb/results/" + txID + "/log"
	eventually(t, func() bool { return b.exists(log) && strings.Contains(b.read(log), "failed to commit") })
	eventually(t, func() bool {
		return exec.Command("kill", "-0", strings.TrimSpace(b.read("var/lib/redislb/transactions/"+txID+"/pid"))).Run() != nil
	})
	b.must(os.Remove(filepath.Join(b.root, "bin/tar")))
	_, _ = b.recover(txID)
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())
}

func TestForgettingThatIsCutShortTakesNothingBack(t *testing.T) {
	for _, name := range []string{"settle", "the next"} {
		t.Run(name, func(t *testing.T) {
			b := changeable(t)
			b.committed(txID, change()...)
			b.write("bin/rm", `#!/bin/sh
PATH=${PATH#*:}
case $* in "-rf "*/`+txID+`) rm "$2/committed"; kill -KILL $PPID; exit ;; esac
exec rm "$@"
`, 0o755)
			cmd := b.transact("settle", txID)
			if name == "the next" {
				cmd = b.start("00000000000000bb", call("reload_units"))
			}
			b.must(cmd.Start())
			eventually(t, func() bool { return !b.exists("var/lib/redislb/transactions/" + txID + "/committed") })
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			b.must(os.Remove(filepath.Join(b.root, "bin/rm")))
			b.must(os.RemoveAll(filepath.Join(b.root, "run/redislb"))) // an hour later, or after a restart
			b.ok(call("reload_units"))
			equal(t, "still new", b.read(conf), "new\n")
		})
	}
}

func TestCommittedTransactionKeepsNoPasswordAndOnlyForRoot(t *testing.T) {
	b := changeable(t)
	b.committed(txID, put(keepalived.AuthPath, "hush\n", 0o600, "absent"))
	for path, text := range b.tree() {
		if !strings.HasPrefix(path, "var/lib/redislb") {
			continue
		}
		if strings.Contains(text, "hush") {
			t.Errorf("%s holds it", path)
		}
		if strings.Count(path, "/") < 4 && text[:10] != "drwx------" {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestCommittedTransactionThatWasKilledBeforeItsEndIsTidiedUp(t *testing.T) {
	for name, c := range map[string]struct {
		reverting bool
		code      int
	}{"a change": {false, 0}, "a revert": {true, exitHost}} {
		t.Run(name, func(t *testing.T) {
			b := changeable(t)
			b.committed(txID, change()...)
			// As they were before the end.
			b.must(os.RemoveAll(b.root + "/run/redislb"))
			b.must(os.MkdirAll(b.root+"/etc/systemd/system/sysinit.target.wants", 0o755))
			const unit = "etc/systemd/system/redislb-recover.service"
			b.write(unit, "[Unit]\n", 0o644)
			if c.reverting {
				b.write("var/lib/redislb/transactions/"+txID+"/reverting", "", 0o600)
			}
			_, code := b.recover(txID)
			equal(t, "code", code, 0)
			equal(t, "the unit for the boot is there", b.exists(unit), false)
			equal(t, "somebody holds the lock", b.exists("run/redislb/holder"), false)
			said, code := b.ends(b.transact("attach", txID))
			equal(t, "outcome: "+said, code, c.code)
			equal(t, "still new", b.read(conf), "new\n")
		})
	}
}

func TestUnitForTheBootStaysWhileAnotherIsLeftHalfDone(t *testing.T) {
	b := changeable(t)
	b.killed(change()...)
	b.must(os.MkdirAll(b.root+"/run/systemd/system", 0o755))
	b.write("bin/systemd-run", "#!/bin/sh\nexit 1\n", 0o755)
	b.write("bin/tac", "#!/bin/sh\nkill -KILL $PPID\n", 0o755) // the recovery dies
	b.write("etc/systemd/system/redislb-recover.service", "[Unit]\n", 0o644)
	said, code := b.ends(b.start("00000000000000bb", call("reload_units")))
	equal(t, "code: "+said, code, exitHost)
	equal(t, "the unit for the boot is there", b.exists("etc/systemd/system/redislb-recover.service"), true)
}

func TestCopiesOfWhatCouldNotBePutBackGoAfterAMonth(t *testing.T) {
	b := changeable(t)
	for id, age := range map[string]int{"old": 32, "young": 20} {
		dir := filepath.Join(b.root, "var/lib/redislb/failed", id)
		b.must(os.MkdirAll(dir, 0o700))
		at := time.Now().AddDate(0, 0, -age)
		b.must(os.Chtimes(dir, at, at))
	}
	b.ok(call("reload_units"))
	equal(t, "old", b.exists("var/lib/redislb/failed/old"), false)
	equal(t, "young", b.exists("var/lib/redislb/failed/young"), true)
}

func TestMakerOfTwoTransactionsTakesBackTheFirstAfterTheSecondFailed(t *testing.T) {
	for name, id := range map[string]func() string{
		"proc(5)": func() string { return idOf("0badc0de", "7", "9") },
		"none":    func() string { return idOf("", "7", "") },
	} {
		t.Run(name, func(t *testing.T) {
			b := changeable(t)
			before := b.tree()
			first, second := id(), id()
			b.committed(first, change()...)
			said, code := b.ends(b.start(second, call("eval", "fail no")))
			equal(t, "code of the second: "+said, code, 1)
			said, code = b.ends(b.transact("revert", first))
			equal(t, "code of the revert: "+said, code, 0)
			_, _ = b.ends(b.transact("settle", first, second))
			b.same(before, b.tree())
		})
	}
}

func TestWhatIsRememberedSurvivesTheLossOfPower(t *testing.T) {
	b := changeable(t)
	synced := func(path string) bool {
		for line := range strings.Lines(b.read("log")) {
			if strings.HasPrefix(line, "sync ") && strings.Contains(line, path) {
				return true
			}
		}
		return false
	}
	b.committed(txID, call("set_sysctl", "net/x", "1"))
	if !synced("/var/lib/redislb/before/sysctl.net.x") {
		t.Error("what was before the change may be an empty file after the loss of power")
	}
	b.must(os.Remove(filepath.Join(b.root, "log")))
	b.committed("00000000000000bb", call("reload_units"))
	if !synced("transactions/00000000000000bb/state/before/sysctl.net.x") {
		t.Error("its copy for the way back may be an empty file")
	}
}

func TestStartThatIsRepeatedAfterALostSessionRunsOnce(t *testing.T) {
	b := changeable(t)
	dir, sum := b.stage(change(check()...)...)
	for range 2 {
		said, code := b.ends(b.transact("start", txID, dir, sum))
		equal(t, "code: "+said, code, 0)
	}
	equal(t, "checks", strings.Count(b.log(), "keepalived -t"), 1)
}

func TestStartThatSystemdDidAndDeniedRunsOnce(t *testing.T) {
	for name, wait := range map[string]string{"at once": "", "later": "sleep 0.5; "} {
		t.Run(name, func(t *testing.T) {
			b := changeable(t)
			b.must(os.MkdirAll(b.root+"/run/systemd/system", 0o755))
			// As with -p "ExecStopPost=-/bin/sh SCRIPT recover" … /bin/sh -c COMMAND.
			b.write("bin/systemd-run", "#!/bin/sh\nfor last; do :; done\nfor a; do case $a in ExecStopPost=*) stop=${a#*=-} ;; esac; done\n"+
				`{ `+wait+`sh -c "$last"; $stop; touch '`+b.root+`/stopped'; } >/dev/null 2>&1 &
echo 'Failed to start transient service unit: Connection timed out' >&2
exit 1
`, 0o755)
			b.verdict("sleep 1")
			said, code := b.ends(b.start(txID, change(check()...)...))
			eventually(t, func() bool { return b.exists("stopped") })
			equal(t, "code: "+said, code, 0)
			equal(t, "checks", strings.Count(b.log(), "keepalived -t"), 1)
			equal(t, "the configuration", b.read(conf), "new\n")
		})
	}
}

func TestWaitingEndsWithTheSessionAndTheTransactionGoesOn(t *testing.T) {
	b := changeable(t)
	b.verdict(`while [ ! -e "$root/go" ]; do sleep 0.05; done`)
	start := b.start(txID, change(check()...)...)
	// In place of sshd, a shell of which the waiting one is a child.
	session := exec.Command("sh", append([]string{"-c", `"$@" & echo $!; wait`, "sh"}, start.Args...)...)
	session.Env, session.Dir = start.Env, start.Dir
	out, err := session.StdoutPipe()
	b.must(err)
	b.must(session.Start())
	var waiting int
	_, err = fmt.Fscan(out, &waiting)
	b.must(err)
	eventually(t, func() bool { return b.exists("log") && strings.Contains(b.read("log"), "keepalived -t") })
	b.must(session.Process.Kill())
	_ = session.Wait()
	eventually(t, func() bool { return exec.Command("kill", "-0", strconv.Itoa(waiting)).Run() != nil })
	b.write("go", "", 0o600)
	_, code := b.ends(b.transact("attach", txID))
	equal(t, "code", code, 0)
}

func TestTransactionThatTheHostNeverSawHasNoTrace(t *testing.T) {
	b := newBox(t)
	_, code := b.ends(b.transact("attach", txID))
	equal(t, "code", code, exitNoTrace)
}

func TestTransactionKilledBeforeItBeganSaysSo(t *testing.T) {
	b := changeable(t)
	before := b.tree()
	work := filepath.Join(b.root, "var/lib/redislb/transactions", txID)
	dir, _ := b.stage(change()...)
	b.must(os.MkdirAll(filepath.Join(b.root, "run/redislb/results", txID), 0o755))
	b.must(os.MkdirAll(work, 0o755))
	b.must(exec.Command("tar", "-x", "-C", work, "-f", filepath.Join(dir, "bundle")).Run())
	b.must(os.RemoveAll(dir))
	_, _ = b.recover(txID)
	said, code := b.ends(b.transact("attach", txID))
	equal(t, "code", code, exitHost)
	says(t, errorOf(said), "killed before it began", "nothing was changed")
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())
}

func TestOutcomeStaysWhenTheFolderOfATransactionIsBeingRemoved(t *testing.T) {
	b := changeable(t)
	b.committed(txID, change()...)
	for _, name := range []string{"committed", "undo"} { // the next one has begun
		b.must(os.Remove(filepath.Join(b.root, "var/lib/redislb/transactions", txID, name)))
	}
	_, _ = b.recover(txID)
	_, code := b.ends(b.transact("attach", txID))
	equal(t, "code", code, 0)
}

// A recovery takes seconds, and its folder goes a moment before its outcome comes.
func TestOutcomeOfALongRecoveryIsWaitedFor(t *testing.T) {
	b := changeable(t)
	folder := filepath.Join(b.root, "var/lib/redislb/transactions", txID)
	b.must(errors.Join(os.MkdirAll(folder, 0o700), os.MkdirAll(filepath.Join(b.root, "run/redislb/results", txID), 0o700)))
	go func() {
		time.Sleep(4 * time.Second)
		_ = os.RemoveAll(folder)
		time.Sleep(500 * time.Millisecond)
		b.write("run/redislb/results/"+txID+"/log", "taken back\n", 0o600)
		b.write("run/redislb/results/"+txID+"/status", "78\n", 0o600)
	}()
	said, code := b.ends(b.transact("attach", txID))
	equal(t, "code: "+said, code, exitHost)
}

func TestCommittedTransactionIsKnownAfterARestartOfTheMachine(t *testing.T) {
	b := changeable(t)
	b.committed(txID, change()...)
	b.must(os.RemoveAll(filepath.Join(b.root, "run/redislb")))
	_, code := b.ends(b.transact("attach", txID))
	equal(t, "code", code, 0)
}

func TestStaleChangeHasACodeOfItsOwn(t *testing.T) {
	b := changeable(t)
	b.write(conf, "theirs\n", 0o640)
	_, code := b.ends(b.start(txID, change()...))
	equal(t, "code", code, exitStale)
}

func TestFailureOfTheWholeHostHasACodeOfItsOwn(t *testing.T) {
	edit := func(line string) step {
		return step{words: []string{"edit_ipvs", stagedContent, stagedContent}, staged: [][]byte{[]byte(line + "\n"), nil}}
	}
	for name, c := range map[string]struct {
		prepare func(b *box)
		todo    []step
		code    int
	}{
		"the lock is another's":   {func(b *box) { b.T.Cleanup(b.hold()) }, change(), exitHost},
		"no room to stage":        {func(b *box) { b.write("var/lib/redislb", "", 0o644) }, change(), exitHost},
		"the package manager":     {func(b *box) { b.write("bin/apt-get", "#!/bin/sh\nexit 100\n", 0o755) }, []step{call(installPackages, "x")}, exitHost},
		"a reload that fails":     {func(b *box) { b.write("fail/reload", "", 0o644) }, change(check()...), exitHost},
		"it cannot be put back":   {func(b *box) { b.write("fail/kill", "", 0o644) }, change(append(check(), call("fail", "no"))...), exitHost},
		"a reload that kills":     {func(b *box) { b.write("reloading", `echo failed >"$unit.active"`, 0o644) }, change(check()...), 1},
		"keepalived's verdict":    {func(b *box) { b.verdict("echo no; exit 5") }, change(check()...), 1},
		"a row is refused":        {func(*box) {}, []step{edit("bad")}, 1},
		"a unit does not start":   {func(b *box) { b.write("fail/start", "", 0o644) }, []step{call("start_unit", realServerUnit)}, 1},
		"an address is not added": {func(b *box) { b.write("fail/ip-add", "", 0o644) }, []step{call("add_address", "lo", "192.0.2.229/32", "lo:1")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := changeable(t)
			b.write("units/keepalived.active", "active\n", 0o644)
			c.prepare(b)
			said, code := b.ends(b.start(txID, c.todo...))
			equal(t, "code: "+said, code, c.code)
			equal(t, "host-wide", hostWide(&remote.CommandError{ExitCode: code}), c.code == exitHost)
		})
	}
}

func TestTransactionThatIsAboutToBeginIsLeftAloneByOthers(t *testing.T) {
	b := newBox(t)
	work := filepath.Join(b.root, "var/lib/redislb/transactions", txID)
	b.must(os.MkdirAll(work, 0o755)) // it is being unpacked
	b.ok(call("reload_units"))
	if _, err := os.Stat(work); err != nil {
		t.Error(err)
	}
	_, _ = b.ends(b.transact("settle", txID)) // its maker has died
	if _, err := os.Stat(work); err == nil {
		t.Error("it is still there when nobody will ask for it any more")
	}
}

func TestWhatWasStagedWrongIsNotRun(t *testing.T) {
	b := changeable(t)
	before := b.tree()
	dir, _ := b.stage(change()...)
	said, code := b.ends(b.transact("start", txID, dir, strings.Repeat("0", 64)))
	equal(t, "code", code, exitHost)
	says(t, errorOf(said), "did not arrive whole", "nothing was changed")
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())
}

func TestWhatDeadProvidersStagedIsSweptAndWhatLivingOnesHoldIsNot(t *testing.T) {
	b := newBox(t)
	dead, _ := b.stage(call("reload_units"))
	living, _ := b.stage(call("reload_units"))
	held, err := os.Open(filepath.Join(living, "bundle"))
	b.must(err)
	defer held.Close()
	begun := filepath.Join(b.root, "var/tmp/.redislb-0")
	b.must(os.Mkdir(begun, 0o700)) // somebody is about to upload
	b.ok(call("reload_units"))
	for dir, want := range map[string]bool{dead: false, living: true, begun: true} {
		_, err := os.Stat(dir)
		equal(t, dir, err == nil, want)
	}
}

func TestChangeThatNobodyConfirmsIsTakenBackAndOneThatIsConfirmedStays(t *testing.T) {
	for name, confirmed := range map[string]bool{"confirmed": true, "not": false} {
		t.Run(name, func(t *testing.T) {
			b := changeable(t)
			before := b.tree()
			todo := change(append(check(), call("await_confirmation", "2"))...)
			_, code := b.ends(b.start(txID, todo...))
			equal(t, "code", code, exitAwaiting)
			equal(t, "new meanwhile", b.read(conf), "new\n")
			if confirmed {
				_, code = b.ends(b.transact("confirm", txID))
				equal(t, "code", code, 0)
				equal(t, "new", b.read(conf), "new\n")
				return
			}
			eventually(t, func() bool {
				_, code = b.ends(b.transact("attach", txID))
				return code != exitAwaiting
			})
			equal(t, "code", code, 1)
			_, _ = b.ends(b.transact("settle", txID))
			b.same(before, b.tree())
		})
	}
}

func TestAbortTakesBackWhatIsUnderWay(t *testing.T) {
	b := changeable(t)
	before := b.tree()
	b.verdict("sleep 30")
	start := b.start(txID, change(check()...)...)
	b.must(start.Start())
	eventually(t, func() bool { return b.exists("log") && strings.Contains(b.read("log"), "keepalived -t") })
	said, code := b.ends(b.transact("abort", txID))
	equal(t, "code: "+said, code, 143)
	if err := start.Wait(); err == nil {
		t.Error("who started it was told of success")
	}
	_, _ = b.ends(b.transact("settle", txID))
	b.same(before, b.tree())
}

func TestJournalIsWrittenBeforeEachChange(t *testing.T) {
	// A journal that cannot be written keeps the change from being made.
	b := changeable(t)
	b.write("addresses", "1: lo    inet 192.0.2.230/32 scope global\n", 0o644)
	before := b.tree()
	for _, todo := range [][]step{
		change(), {call("set_sysctl", "net/x", "1")}, {call("load_module", "ip_vs")}, {call("start_unit", keepalivedUnit)},
		{call("add_address", "lo", "192.0.2.229/32", "lo:1")}, {call("delete_address", "lo", "192.0.2.230/32", "lo:1")},
	} {
		_ = os.Remove(filepath.Join(b.root, "log"))
		full := call("eval", `undo() { echo full >&2; return 1; }`)
		b.fails([]string{"full", "everything was put back"}, append([]step{full}, todo...)...)
		b.same(before, b.tree())
		for line := range strings.Lines(b.log()) {
			if !strings.HasPrefix(line, "systemctl reset-failed") {
				t.Errorf("it was done all the same: %s", line)
			}
		}
	}
}
