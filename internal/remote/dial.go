package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/sethvargo/go-retry"
	"golang.org/x/crypto/ssh"
)

// dial makes one authenticated connection, through way if that is not nil, each
// attempt within cfg.DialTimeout. One that could not have done anything is repeated:
// one that was refused for as long as tune.patience, since a host may be booting; one
// that was cut off before the host key for as long as tune.crowded, since sshd drops
// connections at random where many come at once (MaxStartups). failed hears of each
// that is repeated.
func dial(ctx context.Context, cfg Config, id identity, way *conn, tune tuning, failed func(error)) (*ssh.Client, error) {
	trust, err := newTrust(cfg)
	if err != nil {
		return nil, err
	}
	keys, err := id()
	if err != nil {
		return nil, err
	}
	limit := fmt.Errorf("no answer within %s", cfg.DialTimeout)
	backoff := retry.WithJitterPercent(30, retry.WithCappedDuration(2*time.Second, retry.NewExponential(100*time.Millisecond)))
	start, attempts := time.Now(), 0
	return retry.DoValue(ctx, backoff, func(ctx context.Context) (*ssh.Client, error) {
		attempts++
		ctx, cancel := context.WithTimeoutCause(ctx, cfg.DialTimeout, limit)
		defer cancel()
		client, err := connect(ctx, cfg, way, trust, &credentials{cfg: cfg, keyring: keys})
		var e *ConnectError
		if errors.As(err, &e) {
			e.Attempts = attempts
		}
		if err != nil && time.Since(start) < chance(err).patience(tune) {
			failed(err)
			err = retry.RetryableError(err)
		}
		return client, err
	})
}

// prospect is whether a failed attempt may go better in a moment.
type prospect int

const (
	never   prospect = iota
	closed           // nobody listens, yet
	crowded          // somebody listens and has too much to do
)

// patience is for how long attempts with that prospect are repeated.
func (p prospect) patience(tune tuning) time.Duration {
	return map[prospect]time.Duration{closed: tune.patience, crowded: tune.crowded}[p]
}

// chance looks at an attempt that failed. Only one that cannot have done anything
// has a chance.
func chance(err error) prospect {
	var e *ConnectError
	if !errors.As(err, &e) || e.Phase == PhaseAuthentication || e.protocol {
		return never
	}
	var unopened *ssh.OpenChannelError
	for _, passing := range []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		if errors.Is(e.Err, passing) {
			return closed
		}
	}
	if errors.As(e.Err, &unopened) {
		return closed
	}
	if e.Phase == PhaseHandshake || e.Via == "" {
		for _, dropped := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
			if errors.Is(e.Err, dropped) {
				return crowded
			}
		}
	}
	return never
}

// connect is one attempt. ctx bounds all of it, and its end closes the connection.
func connect(ctx context.Context, cfg Config, way *conn, trust *trust, creds *credentials) (*ssh.Client, error) {
	heard := new(greeting)
	fail := func(phase string, err error, protocol bool) error {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return &ConnectError{Target: cfg.Target(), Phase: phase, Via: way.String(), Said: heard.words(), Err: err, protocol: protocol}
	}
	raw, err := way.dial(ctx, cfg.hostPort())
	if err != nil {
		var refused *ssh.OpenChannelError
		return nil, fail(PhaseDial, err, errors.As(err, &refused) && refused.Reason != ssh.ConnectionFailed)
	}
	heard.Conn = raw
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	authCtx, cancel := context.WithCancel(ctx) // ends the conversation with the agent
	defer cancel()

	var keyErr error
	verified := false
	conn, chans, reqs, err := ssh.NewClientConn(heard, cfg.hostPort(), &ssh.ClientConfig{
		User:              cfg.User,
		HostKeyAlgorithms: trust.algorithms(),
		HostKeyCallback:   trust.callback(func(err error) { keyErr, verified = err, err == nil }),
		AuthCallback:      creds.next(authCtx),
	})
	switch {
	case err == nil && stop():
		return ssh.NewClient(conn, chans, reqs), nil
	case err == nil: // ctx ended at the last moment and closed the socket
		conn.Close()
		return nil, fail(PhaseAuthentication, net.ErrClosed, false)
	case keyErr != nil:
		return nil, keyErr
	case ctx.Err() != nil && verified:
		return nil, fail(PhaseAuthentication, err, false)
	case verified && (len(creds.offered) > 0 || strings.Contains(err.Error(), "disconnect")):
		return nil, creds.refused(err)
	case verified:
		return nil, fail(PhaseAuthentication, err, false)
	default:
		return nil, fail(PhaseHandshake, err, ctx.Err() == nil && !broken(err))
	}
}

// broken reports whether err is the end of the wire rather than an answer.
func broken(err error) bool {
	var netErr net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &netErr)
}
