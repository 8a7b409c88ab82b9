package remote_test

import (
	"bufio"
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

// fakeSudo behaves like sudo 1.9 as far as we use it: -n, -S, -p PROMPT, --. It
// notes its arguments and what it was given as passwords. $MODE says how the
// user fares: free (NOPASSWD), asks (wants $RIGHT), barred (not in sudoers).
const fakeSudo = `
printf '%s\n' "$@" >> "$NOTES/argv"
n= S= p='[sudo] password: '
while [ $# -gt 0 ]; do case $1 in -n) n=1;; -S) S=1;; -p) p=$2; shift;; --) shift; break;; esac; shift; done
[ "$MODE" = free ] && exec env SUDO=1 "$@"
[ "$n" ] && { echo 'sudo: a password is required' >&2; exit 1; }
[ "$S" ] || { echo 'sudo: a terminal is required to read the password' >&2; exit 1; }
printf '\nWe trust you have received the usual lecture.\n' >&2
for try in 1 2 3; do
  printf %s "$p" >&2
  IFS= read -r pw || { printf '\nsudo: no password was provided\nsudo: %s incorrect password attempt\n' $((try - 1)) >&2; exit 1; }
  printf '%s\n' "$pw" >> "$NOTES/passwords"
  if [ "$pw" = "$RIGHT" ]; then
    [ "$MODE" = barred ] && { echo 'adm is not in the sudoers file.' >&2; exit 1; }
    exec env SUDO=1 "$@"
  fi
  echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2; exit 1`

// sudoer makes a client of a server where adm may use the fake sudo.
func sudoer(t *testing.T, mode, password string) (c *remote.Client, notes func(name string) string) {
	dir := t.TempDir()
	script(t, dir, "sudo", fakeSudo)
	s := remotetest.NewServer(t, remotetest.Options{User: "adm", Env: []string{
		"PATH=" + dir + ":/usr/bin:/bin", "NOTES=" + dir, "MODE=" + mode, "RIGHT=" + secret}})
	c = client(t, s, func(c *remote.Config) { c.Become = true; c.BecomePassword = password })
	return c, func(name string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		return string(b)
	}
}

func TestSudoRunsTheScriptWhetherItAsksOrNot(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"free", "asks"} {
		c, notes := sudoer(t, mode, secret)
		res, err := c.Run(context.Background(), sh(`echo "sudo=$SUDO"; echo words >&2; cat; exit 0`))
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		equal(t, mode+": stdout", string(res.Stdout), "sudo=1\n")
		equal(t, mode+": stderr, without sudo's words", string(res.Stderr), "words\n")
		equal(t, mode+": passwords asked for", notes("passwords"), map[string]string{"free": "", "asks": secret + "\n"}[mode])
		if argv := notes("argv"); strings.Count(argv, "--\n") != 1 || strings.Contains(argv, "-n\n") {
			t.Errorf("%s: sudo was tried more than once, or where it may log a refusal:\n%s", mode, argv)
		}
		if strings.Contains(notes("argv"), secret) || strings.Contains(notes("argv"), "words") {
			t.Errorf("%s: the password or the script is in sudo's arguments:\n%s", mode, notes("argv"))
		}
	}
}

func TestSudoWithoutAPasswordUsesN(t *testing.T) {
	t.Parallel()
	c, notes := sudoer(t, "free", "")
	equal(t, "stdout", run(t, c, `echo "sudo=$SUDO"`), "sudo=1\n")
	if !strings.HasPrefix(notes("argv"), "-n\n") {
		t.Errorf("arguments: %s", notes("argv"))
	}
}

func TestSudoThatRefusesIsASudoErrorWithItsWordsAndAdvice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode, password string
		words          []string
		tries          int
	}{
		"password wanted, none given": {"asks", "", []string{"a password is required", "become_password", "NOPASSWD"}, 0},
		"wrong password":              {"asks", "wrong-pw", []string{"Sorry, try again", "become_password is not the one", "once"}, 1},
		"not in sudoers":              {"barred", secret, []string{"not in the sudoers file", "/etc/sudoers.d", "user = \"root\""}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client, notes := sudoer(t, c.mode, c.password)
			mark := filepath.Join(t.TempDir(), "ran")
			within(t, 5*time.Second, func() {
				_, err := client.Run(context.Background(), sh("touch "+mark))
				var e *remote.SudoError
				if !errors.As(err, &e) {
					t.Fatalf("got %v, want a SudoError", err)
				}
				says(t, err, append(c.words, "unable to observe host: "+client.Target())...)
				for _, s := range []string{secret, "wrong-pw", "redislb"} {
					if strings.Contains(err.Error(), s) {
						t.Errorf("%q is in the message:\n%s", s, err)
					}
				}
			})
			equal(t, "passwords tried", strings.Count(notes("passwords"), "\n"), c.tries)
			if exists(mark) {
				t.Error("the script ran")
			}
		})
	}
}

func TestSudoThatIsNotInstalledIsASudoError(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for _, tool := range []string{"env", "sh"} {
		if err := os.Symlink(filepath.Join("/usr/bin", tool), filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	for _, password := range []string{"", secret} {
		s := remotetest.NewServer(t, remotetest.Options{User: "adm", Env: []string{"PATH=" + bin}})
		_, err := client(t, s, func(c *remote.Config) { c.Become = true; c.BecomePassword = password }).Run(context.Background(), sh(":"))
		var e *remote.SudoError
		if !errors.As(err, &e) {
			t.Fatalf("got %v, want a SudoError", err)
		}
		says(t, err, "sudo", "Install sudo")
	}
}

func TestHostThatEchoesThePasswordDoesNotGetItIntoTheMessage(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{User: "adm", Exec: func(_ string, in io.Reader, _, stderr io.Writer) int {
		fmt.Fprint(stderr, "[redislb-sudo-password]")
		typed, _ := bufio.NewReader(in).ReadString('\n')
		fmt.Fprintf(stderr, "you typed %s", typed)
		return 1
	}})
	_, err := client(t, s, func(c *remote.Config) { c.Become = true; c.BecomePassword = secret }).Run(context.Background(), sh(":"))
	says(t, err, "you typed (redacted)")
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the password is in the message: %s", err)
	}
}

func TestFailureOfAScriptUnderSudoIsNotSudos(t *testing.T) {
	t.Parallel()
	c, _ := sudoer(t, "asks", secret)
	_, err := c.Run(context.Background(), sh("echo 'sudo: a password is required' >&2; exit 1"))
	var e *remote.CommandError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a CommandError", err)
	}
}

func TestRootAndUsersWithoutBecomeUseNoSudo(t *testing.T) {
	t.Parallel()
	for _, cfg := range []remote.Config{{User: "root", Become: true, BecomePassword: "x"}, {User: "adm"}} {
		line, _, err := remote.Invocation(cfg, sh(":"))
		if err != nil || strings.Contains(line, "sudo -") {
			t.Errorf("%v: %q %v", cfg, line, err)
		}
	}
}
