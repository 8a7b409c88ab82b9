package remote

import (
	"fmt"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
)

// TimeoutError is a command that did not end within its limit. It may go on.
type TimeoutError struct {
	Target, Step string
	Limit        time.Duration
	Stderr       []byte // what it had said by then
}

// Timeout makes it a timeout in the sense of net.Error.
func (e *TimeoutError) Timeout() bool        { return true }
func (e *TimeoutError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *TimeoutError) Error() string {
	msg := unable(e.Step, e.Target) + fmt.Sprintf("the command did not end within %s, so its session was closed; it may have done part of its work or still be at it.", e.Limit)
	if q := quote(e.Stderr); q != "" {
		msg += " It had said:\n" + q
	}
	return msg + "\nLook at the host's load, or raise command_timeout."
}

// StartError is a script that did not start: what the host ran instead (a login
// shell that says no, a forced command) ended before the bootstrap spoke.
type StartError struct {
	Target, Step string
	ExitCode     int
	Said         string
}

func (e *StartError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *StartError) Error() string {
	return unable(e.Step, e.Target) + fmt.Sprintf("the script did not start (exit code %d). The host said:\n%s\nThe user needs a login shell and may have no forced command.", e.ExitCode, quoteOr(e.Said))
}

// SudoError is sudo that did not let the script run as root.
type SudoError struct {
	Target, Step string
	ExitCode     int
	Said         string // sudo's own words
	Hint         string // what to do
}

func (e *SudoError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *SudoError) Error() string {
	return unable(e.Step, e.Target) + fmt.Sprintf("sudo refused (exit code %d). It said:\n%s\n%s", e.ExitCode, quoteOr(e.Said), e.Hint)
}

// CommandError is a script that ran and ended with a code other than 0.
type CommandError struct {
	Target, Step   string
	ExitCode       int // 128 + n if a signal ended it
	Stderr, Stdout []byte
}

func (e *CommandError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *CommandError) Error() string {
	msg := unable(e.Step, e.Target) + fmt.Sprintf("the command ended with exit code %d", e.ExitCode)
	if q := quote(e.Stderr); q != "" {
		return msg + " and said:\n" + q
	}
	if q := quote(e.Stdout); q != "" {
		return msg + ", with nothing on stderr. Its output ended with:\n" + q
	}
	return msg + " and said nothing."
}

// OutputError is a script that wrote more than fits; its session was closed.
type OutputError struct {
	Target, Step string
	Limit        int // bytes
}

func (e *OutputError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *OutputError) Error() string {
	return unable(e.Step, e.Target) + fmt.Sprintf("the command wrote more than %d bytes, so its session was closed.", e.Limit)
}

// StageError is a file that could not be put on the host.
type StageError struct {
	Target, Step string
	Path         string // on the host; empty if it did not come to a file
	Err          error
	Hint         string
}

func (e *StageError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *StageError) Unwrap() error        { return e.Err }
func (e *StageError) Error() string {
	what := e.Err.Error()
	if e.Path != "" {
		what = e.Path + ": " + what
	}
	return strings.TrimSpace(unable(e.Step, e.Target) + what + ".\n" + e.Hint)
}

// quotedLines is how many of a command's last lines a message shows.
const quotedLines = 20

// quote returns the last lines of said, indented, without control characters.
func quote(said []byte) string {
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	if len(lines) > quotedLines {
		lines = append([]string{"…"}, lines[len(lines)-quotedLines:]...)
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight("  "+shellescape.StripUnsafe(strings.ReplaceAll(l, "\t", "  ")), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), " \n")
}

func quoteOr(said string) string {
	if q := quote([]byte(said)); q != "" {
		return q
	}
	return "  (nothing)"
}
