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

// dial makes one authenticated connection within cfg.DialTimeout. An attempt
// that could not have done anything (refused, no route, closed before the host
// key) is repeated for as long as patience: a host may be booting, or sshd
// dropping connections at random (MaxStartups).
func dial(ctx context.Context, cfg Config, signer ssh.Signer, patience time.Duration) (*ssh.Client, error) {
	trust, err := newTrust(cfg)
	if err != nil {
		return nil, err
	}
	limit := fmt.Errorf("no answer within %s", cfg.DialTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.DialTimeout, limit)
	defer cancel()
	backoff := retry.WithMaxDuration(patience, retry.WithCappedDuration(time.Second, retry.NewExponential(100*time.Millisecond)))
	var last error
	client, err := retry.DoValue(ctx, backoff, func(ctx context.Context) (*ssh.Client, error) {
		client, err := connect(ctx, cfg, trust, &credentials{cfg: cfg, signer: signer})
		if err != nil {
			last = err
			if harmless(err) {
				err = retry.RetryableError(err)
			}
		}
		return client, err
	})
	if errors.Is(err, limit) && last != nil { // between two attempts
		err = last
	}
	return client, err
}

// harmless reports whether the attempt cannot have done anything and may go
// better in a moment.
func harmless(err error) bool {
	var e *ConnectError
	if !errors.As(err, &e) || e.Phase == PhaseAuthentication || e.protocol {
		return false
	}
	for _, passing := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, syscall.ENETUNREACH, io.EOF} {
		if errors.Is(e.Err, passing) {
			return true
		}
	}
	return false
}

// connect is one attempt. ctx bounds all of it, and its end closes the socket.
func connect(ctx context.Context, cfg Config, trust *trust, creds *credentials) (*ssh.Client, error) {
	fail := func(phase string, err error, protocol bool) error {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return &ConnectError{Target: cfg.Target(), Phase: phase, Err: err, protocol: protocol}
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", cfg.hostPort())
	if err != nil {
		return nil, fail(PhaseDial, err, false)
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	authCtx, cancel := context.WithCancel(ctx) // ends the conversation with the agent
	defer cancel()

	var keyErr error
	verified := false
	conn, chans, reqs, err := ssh.NewClientConn(raw, cfg.hostPort(), &ssh.ClientConfig{
		User:              cfg.User,
		HostKeyAlgorithms: trust.algorithms(),
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			keyErr = trust.check(host, remote, key)
			verified = keyErr == nil
			return keyErr
		},
		AuthCallback: creds.next(authCtx),
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
