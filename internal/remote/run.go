package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/ssh"
)

// Run runs a script on the host: one session, one exec request, at most once.
//
// The error is nil only if the script ran and ended with 0. A script that ended
// otherwise is a *CommandError, one that was not let to run a *SudoError,
// *StartError or *SessionError; see errors.go for the rest. Result holds what is
// known in every case. A script that ends early does not make an error by not
// reading its input.
func (c *Client) Run(ctx context.Context, cmd Command) (Result, error) {
	inv, err := newInvocation(c.cfg, cmd)
	if err != nil {
		return Result{}, err
	}
	limit := cmd.Timeout
	if limit <= 0 {
		limit = c.cfg.CommandTimeout
	}
	res, err := do(ctx, c, job[Result]{step: cmd.Step, limit: limit,
		work: func(ctx context.Context, s *ssh.Session, _ *conn) (Result, error) { return c.exec(ctx, s, inv) }})
	var late *TimeoutError
	if errors.As(err, &late) {
		late.Stderr = res.Stderr
	}
	return res, err
}

// RunFresh is Run over a connection of its own: what it proves is that the host
// can be reached now.
func (c *Client) RunFresh(ctx context.Context, cmd Command) (Result, error) {
	cfg := c.cfg
	cfg.SharedJumps = nil
	fresh := NewClient(cfg)
	defer fresh.Close()
	return fresh.Run(ctx, cmd)
}

// exec is the conversation with one command.
func (c *Client) exec(ctx context.Context, s *ssh.Session, inv invocation) (Result, error) {
	stop := func() {
		go func() { // on a dead connection both writes may block until it is closed
			_ = s.Signal(ssh.SIGTERM)
			_ = s.Close()
		}()
	}
	stdout, stderr := newCapture(c.tune.output, stop), newCapture(c.tune.output, stop)
	s.Stdout, s.Stderr = stdout, stderr
	stdin, err := s.StdinPipe()
	if err != nil {
		return Result{}, err
	}
	if err := s.Start(inv.line); err != nil {
		if ctx.Err() != nil {
			return Result{}, context.Cause(ctx)
		}
		if errors.Is(err, io.EOF) {
			return Result{}, &LostError{Target: c.Target(), Started: true, Err: err}
		}
		return Result{}, &SessionError{Target: c.Target(), What: "the command", Err: errors.New("exec request denied")}
	}
	ended, fed := make(chan struct{}), make(chan error, 1)
	go func() { fed <- c.feed(stdin, inv.payload, stdout.started, stderr.prompts, ended, stop) }()
	err = s.Wait()
	close(ended)
	fault := <-fed
	res := Result{Stdout: stdout.bytes(), Stderr: stderr.bytes()}
	switch {
	case ctx.Err() != nil:
		return res, context.Cause(ctx)
	case stdout.overran() || stderr.overran():
		return res, &OutputError{Target: c.Target(), Limit: c.tune.output}
	case errors.Is(fault, errNotStarted):
		return res, c.unstarted(res, stdout, stderr, fault)
	}
	var exit *ssh.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		res.ExitCode = exit.ExitStatus()
	default: // no exit code: the connection broke, or the server gave the session up
		return res, &LostError{Target: c.Target(), Started: true, Err: errors.New("the session ended without an exit code")}
	}
	select {
	case <-stdout.started:
	default:
		return res, c.unstarted(res, stdout, stderr, fault)
	}
	if res.ExitCode != 0 {
		return res, &CommandError{Target: c.Target(), ExitCode: res.ExitCode, Stderr: res.Stderr, Stdout: res.Stdout}
	}
	return res, nil
}

// feed gives the bootstrap the script, and sudo its password if it asks. Without
// a password to give, the script is sent at once; else only to a bootstrap that
// has spoken, so that sudo can never take script for a password nor the
// bootstrap a password for script.
func (c *Client) feed(stdin io.WriteCloser, payload []byte, started <-chan struct{}, prompts <-chan struct{}, ended <-chan struct{}, stop func()) error {
	defer stdin.Close()
	late := time.NewTimer(c.tune.start)
	defer late.Stop()
	if !c.cfg.sudo() || c.cfg.BecomePassword == "" {
		// A command that ends without reading makes the write fail; its exit says more.
		_, _ = stdin.Write(payload)
		stdin.Close()
		prompts, payload = nil, nil
	}
	for asked := false; ; {
		select {
		case <-started:
			_, _ = stdin.Write(payload)
			return nil
		case <-prompts:
			if asked { // the password was wrong: no second try on the account's count
				return errWrongPassword
			}
			asked = true
			_, _ = io.WriteString(stdin, c.cfg.BecomePassword+"\n")
		case <-ended:
			return nil
		case <-late.C:
			stop()
			return fmt.Errorf("%w within %s", errNotStarted, c.tune.start)
		}
	}
}

var (
	errWrongPassword = errors.New("wrong password")
	errNotStarted    = errors.New("the script did not start")
)
