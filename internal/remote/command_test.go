package remote_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// script writes an executable sh script.
func script(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func exists(parts ...string) bool {
	_, err := os.Stat(filepath.Join(parts...))
	return err == nil
}

// shell does what sshd does with an exec request.
func shell(t testing.TB, line string, stdin []byte) (string, int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

const printArgs = `printf '%s\0' "$#" "$@"`

// argsThrough sends arguments through the builder and a real sh and returns what
// the script saw.
func argsThrough(t testing.TB, args []string) []string {
	t.Helper()
	line, payload, err := remote.Invocation(remote.Config{User: "root"}, remote.Command{Script: printArgs, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	out, code := shell(t, line, payload)
	_, out, _ = strings.Cut(out, "redislb-started\nredislb-started\n")
	if code != 0 || out == "" {
		t.Fatalf("exit code %d: %s", code, out)
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")[1:]
}

var nastyArgs = []string{"", "a b", "'", `"`, "$(reboot)", "`id`", "; rm -rf /", "\n", "a\nb\n\n", "\\", "\\'", "!x", "{", "#", "*",
	"-n", "--", "~", "&", "|", "\t\r", "äöü", "\x80\x81\x82\xff\xfe", "\x01\x1b[31m\x7f", "redislb-started\n", "[redislb-sudo-password]", "'\"'\"'"}

func TestArgumentsArriveUnchanged(t *testing.T) {
	t.Parallel()
	got := argsThrough(t, nastyArgs)
	for i, want := range nastyArgs {
		if i >= len(got) || got[i] != want {
			t.Fatalf("argument %d of %d: got %q, want %q", i+1, len(got), got, want)
		}
	}
}

func TestArbitraryArgumentsArriveUnchanged(t *testing.T) {
	t.Parallel()
	anyByte := rapid.OneOf(rapid.ByteRange(1, 255), rapid.SampledFrom([]byte("'\"\\$`;\n\t !*?[]{}()<>|&#~-=\x80\x81\x82\x88\xff")))
	args := rapid.SliceOfN(rapid.Map(rapid.SliceOfN(anyByte, 0, 40), func(b []byte) string { return string(b) }), 1, 5)
	rapid.Check(t, func(r *rapid.T) {
		want := args.Draw(r, "args")
		got := argsThrough(t, want)
		if strings.Join(got, "\x00") != strings.Join(want, "\x00") {
			r.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestArgumentsArriveUnchangedOverSSH(t *testing.T) {
	t.Parallel()
	out := run(t, client(t, remotetest.NewServer(t, remotetest.Options{})), printArgs, nastyArgs...)
	if _, got, _ := strings.Cut(out, "\x00"); got != strings.Join(nastyArgs, "\x00")+"\x00" {
		t.Errorf("got %q", got)
	}
}

func TestBootstrapWorksInEveryShellAtHand(t *testing.T) {
	t.Parallel()
	for _, sh := range [][]string{{"dash"}, {"bash"}, {"bash", "--posix"}, {"busybox", "ash"}, {"mksh"}, {"zsh"}} {
		path, err := exec.LookPath(sh[0])
		if err != nil {
			continue
		}
		t.Run(strings.Join(sh, " "), func(t *testing.T) {
			_, payload, err := remote.Invocation(remote.Config{User: "root"}, remote.Command{Script: printArgs, Args: nastyArgs})
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, append(sh[1:], "-c", remote.Bootstrap)...)
			cmd.Stdin = bytes.NewReader(payload)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasSuffix(out, []byte("\x00"+strings.Join(nastyArgs, "\x00")+"\x00")) {
				t.Errorf("got %q", out)
			}
		})
	}
}

func TestBootstrapIsSafeForEveryLoginShell(t *testing.T) {
	t.Parallel()
	if i := strings.IndexAny(remote.Bootstrap, "'\\!\n"); i >= 0 {
		t.Errorf("%q at %d is quoted differently by fish or csh", remote.Bootstrap[i], i)
	}
	if len(remote.Bootstrap) < 100 {
		t.Error("the bootstrap is gone")
	}
}

func TestNothingOfTheScriptIsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, cfg := range []remote.Config{{User: "root"}, {User: "a", Become: true}, {User: "a", Become: true, BecomePassword: "hunter2"}} {
		line, _, err := remote.Invocation(cfg, sh("secretscript", "secretarg"))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"secretscript", "secretarg", "hunter2"} {
			if strings.Contains(line, s) {
				t.Errorf("%q is on the command line %q", s, line)
			}
		}
	}
}

func TestNulIsRefusedBeforeAnythingIsDialled(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	_, err := c.Run(context.Background(), sh("echo $1", "a\x00b"))
	says(t, err, "observe host", "argument 1", "NUL")
	_, err = c.Run(context.Background(), sh("echo \x00"))
	says(t, err, "observe host", "script", "NUL")
	equal(t, "connections", s.Connections(), 0)
}

func TestSyntaxErrorInAScriptIsACommandError(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{}))
	_, err := c.Run(context.Background(), sh("if"))
	var e *remote.CommandError
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	says(t, err, "yntax error")
}
