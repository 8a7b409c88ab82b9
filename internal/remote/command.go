package remote

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
)

// Command is a script for a host.
type Command struct {
	// Step says what it is for, as a verb phrase ("observe host"); messages read
	// "unable to observe host: …".
	Step string
	// Script is POSIX sh text. It runs as root where User is root or Become is
	// set, else as User, with LC_ALL=C, umask 077, the sbin folders on PATH, / as
	// working directory and an empty stdin. It is evaluated by one sh, so $0 says
	// nothing. A process that it leaves behind must not keep stdout or stderr, or
	// the command does not end.
	Script string
	// Args are $1, $2 and so on: any bytes but NUL.
	Args []string
	// Timeout is for this command, from the moment a session is free for it; 0
	// means Config.CommandTimeout.
	Timeout time.Duration
}

// Result is what a script said and how it ended.
type Result struct {
	Stdout, Stderr []byte
	ExitCode       int // 128 + n if a signal ended it
}

// Words of the conversation with the host. bootstrap.sh knows the first two.
const (
	startedMarker = "redislb-started\n"
	scriptHeader  = "redislb-script:"
	sudoPrompt    = "[redislb-sudo-password]"
)

//go:embed bootstrap.sh
var bootstrapFile string

// bootstrap is bootstrap.sh on one line, without comments.
var bootstrap = func() string {
	var code []string
	for line := range strings.Lines(bootstrapFile) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			code = append(code, line)
		}
	}
	return strings.Join(code, " ")
}()

// invocation is a command as it goes over the wire.
type invocation struct {
	line    string // the exec request: fixed words only, nothing of the script
	payload []byte // stdin
}

// newInvocation is the one place where command lines for a host are built.
func newInvocation(cfg Config, cmd Command) (invocation, error) {
	if strings.ContainsRune(cmd.Script, 0) {
		return invocation{}, fmt.Errorf("unable to %s: the script holds a NUL byte, which no shell can take", cmd.Step)
	}
	for i, a := range cmd.Args {
		if strings.ContainsRune(a, 0) {
			return invocation{}, fmt.Errorf("unable to %s: argument %d holds a NUL byte, which no shell can take", cmd.Step, i+1)
		}
	}
	argv := []string{"env", "LC_ALL=C"} // so that sudo, too, speaks the language of our messages
	if cfg.sudo() {
		// No `sudo -n` goes before -S: that asks only where a password is wanted, and is
		// given none otherwise, so it does all that trying -n first would. Where one is
		// wanted, -n would add a refusal to the log (sudo's log_auth_failure: "a password
		// is required") and under mail_badpass a mail, each time.
		if cfg.BecomePassword == "" {
			argv = append(argv, "sudo", "-n", "--")
		} else {
			argv = append(argv, "sudo", "-S", "-p", sudoPrompt, "--")
		}
	}
	argv = append(argv, "sh", "-c", bootstrap)

	set := "set --"
	if len(cmd.Args) > 0 {
		set += " " + shellescape.QuoteCommand(cmd.Args)
	}
	// On the first line of the script, so that sh counts lines as the author does.
	text := strings.TrimRight(set+"; "+cmd.Script, "\n")
	return invocation{
		line:    "exec " + shellescape.QuoteCommand(argv),
		payload: fmt.Appendf(nil, "%s%d\n%s", scriptHeader, len(text), text),
	}, nil
}
