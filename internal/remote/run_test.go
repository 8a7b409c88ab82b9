package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestRunReturnsWhatTheScriptSaid(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{}))
	res, err := c.Run(context.Background(), sh("echo out; echo err >&2"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stdout", string(res.Stdout), "out\n")
	equal(t, "stderr", string(res.Stderr), "err\n")
}

func TestRunSetsTheEnvironmentOfTheScript(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Env: []string{"LC_ALL=de_DE.UTF-8", "PATH=/usr/bin:/bin"}})
	out := run(t, client(t, s), `echo $LC_ALL; umask; pwd; cat; case :$PATH: in *:/usr/sbin:*) echo sbin; esac`)
	equal(t, "environment", out, "C\n0077\n/\nsbin\n")
}

func TestRunDropsWhatTheLoginShellPrints(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shell := script(t, dir, "loginsh", `echo welcome; echo mind the gap >&2; shift; exec sh -c "$1"`)
	c := client(t, remotetest.NewServer(t, remotetest.Options{Shell: shell}))
	res, err := c.Run(context.Background(), sh("echo out; echo err >&2"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stdout", string(res.Stdout), "out\n")
	equal(t, "stderr", string(res.Stderr), "err\n")
}

func TestFailingScriptIsACommandErrorWithItsLastWords(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{}))
	res, err := c.Run(context.Background(), sh("for i in 01 02 $(seq 30 60); do echo line-$i >&2; done; exit 7"))
	var e *remote.CommandError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a CommandError", err)
	}
	says(t, err, "unable to observe host: root@127.0.0.1:", "exit code 7", "line-60", "line-41")
	if strings.Contains(err.Error(), "line-40") {
		t.Errorf("the message is too long:\n%s", err)
	}
	equal(t, "exit code of the result", res.ExitCode, 7)
	equal(t, "step", e.Step, "observe host")
	equal(t, "target", e.Target, c.Target())
}

func TestScriptOfAnySizeArrivesAndIsInNoProcessList(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	big := strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 10_000) // 1 MB
	out := run(t, client(t, s), big+`tr '\0' ' ' < /proc/$$/cmdline; printf %s "$1" | wc -c`, "needle"+strings.Repeat("y", 300_000))
	if strings.Contains(out, "needle") || strings.Contains(out, "xxx") {
		t.Error("the script or its argument is in the process list")
	}
	if !strings.HasSuffix(strings.TrimSpace(out), "300006") {
		t.Errorf("the argument was cut: %q", out[max(0, len(out)-50):])
	}
	for _, line := range s.Commands() {
		if len(line) > 2000 {
			t.Errorf("the command line is %d bytes long", len(line))
		}
	}
}

func TestScriptThatArrivesCutShortIsNotExecuted(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "ran")
	line, payload, err := remote.Invocation(remote.Config{User: "root"}, sh("touch "+mark+"\n: the rest"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, 9, len(payload) - 5} {
		out, code := shell(t, line, payload[:len(payload)-cut])
		if _, err := os.Stat(mark); err == nil || code != 125 {
			t.Fatalf("cut by %d: exit code %d, executed: %v\n%s", cut, code, err == nil, out)
		}
	}
	if _, code := shell(t, line, payload); code != 0 {
		t.Fatalf("whole: exit code %d", code)
	}
	if _, err := os.Stat(mark); err != nil {
		t.Error("the positive control did not run")
	}
}

func TestCommandHasATimeLimit(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	mark := filepath.Join(t.TempDir(), "survived")
	within(t, 2*time.Second, func() {
		_, err := c.Run(context.Background(), remote.Command{Step: "observe host", Timeout: 300 * time.Millisecond,
			Script: `echo working on it >&2; sleep 1; touch "$1"`, Args: []string{mark}})
		var e *remote.TimeoutError
		if !errors.As(err, &e) || remote.Unreachable(err) {
			t.Fatalf("got %v, want a TimeoutError", err)
		}
		says(t, err, "observe host", c.Target(), "300ms", "working on it", "command_timeout")
	})
	equal(t, "output on the same connection afterwards", run(t, c, "echo ok"), "ok\n")
	equal(t, "connections", s.Connections(), 1)
	time.Sleep(time.Second)
	if _, err := os.Stat(mark); err == nil {
		t.Error("the command went on after its time")
	}
}

func TestCancelEndsTheWaitAndTheCommand(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		eventually(t, "the command runs", func() bool { return exists(dir, "begun") })
		cancel()
	}()
	within(t, 3*time.Second, func() {
		_, err := c.Run(ctx, sh(`touch "$1/begun"; sleep 1; touch "$1/survived"`, dir))
		var e *remote.CanceledError
		if !errors.As(err, &e) || !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want a CanceledError", err)
		}
		says(t, err, "observe host", c.Target())
	})
	time.Sleep(1200 * time.Millisecond)
	if exists(dir, "survived") {
		t.Error("the command went on after cancel")
	}
}

func TestCancelOfAFrozenHostIsPrompt(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	run(t, c, ":")
	s.Freeze()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	within(t, time.Second, func() {
		_, err := c.Run(ctx, sh("echo never"))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDeathOfTheServerInACommandIsAnErrorAndNoSecondRun(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	dir := t.TempDir()
	go func() {
		eventually(t, "the command runs", func() bool { return exists(dir, "begun") })
		s.Drop()
	}()
	_, err := c.Run(context.Background(), sh(`echo once >> "$1/runs"; touch "$1/begun"; sleep 5`, dir))
	var e *remote.LostError
	if !errors.As(err, &e) || !e.Started || remote.Unreachable(err) {
		t.Fatalf("got %v, want a LostError of a started command", err)
	}
	says(t, err, "observe host", c.Target(), "not known")
	time.Sleep(200 * time.Millisecond)
	runs, _ := os.ReadFile(filepath.Join(dir, "runs"))
	equal(t, "executions", string(runs), "once\n")
	equal(t, "exec requests", len(s.Commands()), 1)
	equal(t, "output after it", run(t, c, "echo ok"), "ok\n")
}

func TestVanishedHostIsNoticedByKeepalive(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	c.SetKeepalive(50 * time.Millisecond)
	dir := t.TempDir()
	go func() {
		eventually(t, "the command runs", func() bool { return exists(dir, "runs") })
		s.Freeze()
	}()
	within(t, 5*time.Second, func() {
		_, err := c.Run(context.Background(), sh(`touch "$1/runs"; sleep 20`, dir))
		var e *remote.LostError
		if !errors.As(err, &e) {
			t.Fatalf("got %v, want a LostError", err)
		}
		says(t, err, "vanished", "keepalive", "150ms")
	})
}

func TestKeepaliveLeavesALivingHostAlone(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{}))
	c.SetKeepalive(10 * time.Millisecond)
	equal(t, "output", run(t, c, "sleep 0.5; echo ok"), "ok\n")
}

func TestForcedCommandOrNologinIsAStartError(t *testing.T) {
	t.Parallel()
	words := `Please login as the user "debian" rather than the user "root".`
	s := remotetest.NewServer(t, remotetest.Options{Exec: func(_ string, _ io.Reader, out, _ io.Writer) int {
		fmt.Fprintln(out, words)
		return 142
	}})
	_, err := client(t, s).Run(context.Background(), sh("id"))
	var e *remote.StartError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a StartError", err)
	}
	says(t, err, "observe host", words, "142")
}

func TestScriptThatNeverStartsHasALimitOfItsOwn(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Shell: script(t, t.TempDir(), "slow", "sleep 5")})
	c := client(t, s)
	c.SetStart(200 * time.Millisecond)
	within(t, 2*time.Second, func() {
		_, err := c.Run(context.Background(), sh("id"))
		says(t, err, "observe host", c.Target(), "200ms")
	})
}

func TestRefusedExecIsASessionErrorWithoutTheCommandLine(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{RefuseExec: true}))
	_, err := c.Run(context.Background(), sh("id"))
	var e *remote.SessionError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a SessionError", err)
	}
	if strings.Contains(err.Error(), "redislb_text") {
		t.Errorf("the bootstrap is in the message: %s", err)
	}
}

func TestTooMuchOutputIsAnError(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{}))
	c.SetOutput(100_000)
	within(t, 5*time.Second, func() {
		_, err := c.Run(context.Background(), sh("while :; do echo spam; done"))
		var e *remote.OutputError
		if !errors.As(err, &e) {
			t.Fatalf("got %v, want an OutputError", err)
		}
	})
}
