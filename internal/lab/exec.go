package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// cancelGrace is how long a cancelled command's session may take to close
// before the whole connection is given up.
const cancelGrace = 2 * time.Second

// Result is what a command printed and how it ended.
type Result struct {
	Stdout   string
	Stderr   string
	ExitCode int
}

// Streams are a command's standard input and outputs; nil ones are empty.
type Streams struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Exec runs a shell command as root. An error means that the host could not be
// asked; how the command ended is in the result. All commands share one
// connection, of which sshd allows ten at a time.
func (h *Host) Exec(ctx context.Context, cmd string) (Result, error) {
	var stdout, stderr bytes.Buffer
	code, err := h.Run(ctx, cmd, Streams{Stdout: &stdout, Stderr: &stderr})
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), ExitCode: code}, err
}

// Run is Exec with the command's streams given.
func (h *Host) Run(ctx context.Context, cmd string, s Streams) (exitCode int, err error) {
	client, session, err := h.session(ctx)
	if err != nil {
		return 0, err
	}
	defer session.Close()
	session.Stdin, session.Stdout, session.Stderr = s.Stdin, s.Stdout, s.Stderr
	ended := make(chan error, 1)
	go func() { ended <- session.Run(cmd) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = session.Close()
		select {
		case <-ended: //nolint:errcheck // the context's end is the error
		case <-time.After(cancelGrace):
			h.conn.dropIf(client) // a host that hangs never closes a session
			<-ended               //nolint:errcheck // likewise
		}
		return 0, fmt.Errorf("ssh %s: `%s`: %w", h, cmd, ctx.Err())
	}
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.ExitStatus(), nil
	default:
		h.conn.dropIf(client)
		return 0, fmt.Errorf("ssh %s: `%s`: %w", h, cmd, err)
	}
}

// TB is the part of testing.TB that MustExec needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Context() context.Context
}

// MustExec runs a shell command as root and returns what it printed, trimmed.
// It ends the test if the command does not succeed.
func (h *Host) MustExec(t TB, cmd string) string {
	t.Helper()
	r, err := h.Exec(t.Context(), cmd)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if r.ExitCode != 0 {
		t.Fatalf("%s: `%s` ended with %d\nstdout: %s\nstderr: %s", h, cmd, r.ExitCode, r.Stdout, r.Stderr)
	}
	return strings.TrimSpace(r.Stdout)
}
