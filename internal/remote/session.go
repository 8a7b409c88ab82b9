package remote

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// job is what one session is for. work runs in a goroutine of its own and owns
// the session; it may watch ctx to tidy up in time, for the session is aborted
// when ctx has ended and grace has passed.
type job[T any] struct {
	step  string
	limit time.Duration
	grace time.Duration
	work  func(ctx context.Context, s *ssh.Session, cn *conn) (T, error)
}

// outcome is what became of a job's session.
type outcome[T any] struct {
	opened bool // the session came to be, so work may have had an effect
	cut    bool // ctx ended first
	value  T
	err    error
}

// errLimit is the cause of a context that the job's own limit ended.
var errLimit = errors.New("time limit")

// do runs a job in one session of the pooled connection. If the connection turns
// out dead before the session is open, it tries once more on a new one.
func do[T any](ctx context.Context, c *Client, j job[T]) (T, error) {
	for again := false; ; again = true {
		cn, err := c.acquire(ctx)
		if err != nil {
			var none T
			return none, c.explain(ctx, j.step, err)
		}
		out := inSession(ctx, cn, j)
		var lost error
		if out.err != nil && !out.cut && !final(out.err) {
			lost = cn.lost()
		}
		cn.release()
		switch {
		case out.err == nil:
			return out.value, nil
		case errors.Is(out.err, errLimit):
			err = &TimeoutError{Target: c.Target(), Step: j.step, Limit: j.limit}
		case out.cut:
			err = c.explain(ctx, j.step, out.err)
		case lost != nil && !out.opened && !again && !errors.Is(lost, ErrClosed):
			continue
		case lost != nil:
			err = &LostError{Target: c.Target(), Step: j.step, Started: out.opened, Err: lost}
		case !out.opened && ctx.Err() == nil:
			err = &SessionError{Target: c.Target(), Step: j.step, What: "a session", Err: out.err}
		default:
			err = c.explain(ctx, j.step, out.err)
		}
		return out.value, err
	}
}

// final reports whether err already says all. A StageError or LostError does not
// if the connection knows why it broke.
func final(err error) bool {
	var s stepped
	var stage *StageError
	var lost *LostError
	return errors.As(err, &s) && !errors.As(err, &stage) && !errors.As(err, &lost)
}

// explain gives an error its type, target and step.
func (c *Client) explain(ctx context.Context, step string, err error) error {
	var s stepped
	switch {
	case errors.As(err, &s):
		return s.at(step)
	case errors.Is(err, ErrClosed):
		return &LostError{Target: c.Target(), Step: step, Err: err}
	case ctx.Err() != nil:
		return &CanceledError{Target: c.Target(), Step: step, Err: context.Cause(ctx)}
	}
	return at(err, step)
}

func inSession[T any](ctx context.Context, cn *conn, j job[T]) outcome[T] {
	if err := cn.take(ctx); err != nil {
		return outcome[T]{err: err, cut: ctx.Err() != nil}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, j.limit, errLimit)
	defer cancel()
	h := new(handle)
	ended := make(chan outcome[T], 1)
	go func() {
		defer cn.give()
		s, err := cn.open(ctx)
		if err != nil {
			ended <- outcome[T]{err: err}
			return
		}
		defer s.Close()
		if !h.hold(s) {
			ended <- outcome[T]{err: context.Cause(ctx)}
			return
		}
		value, err := j.work(ctx, s, cn)
		ended <- outcome[T]{opened: true, value: value, err: err}
	}()
	select {
	case out := <-ended:
		if cause := context.Cause(ctx); cause != nil && errors.Is(out.err, cause) {
			out.cut, out.err = true, cause
		}
		return out
	case <-ctx.Done():
	}
	out, ok := within(ended, j.grace)
	if !ok {
		h.abort()
		// What a live host has said so far comes at once; a dead one is not waited for.
		out, _ = within(ended, 250*time.Millisecond)
	}
	out.cut, out.err = true, context.Cause(ctx)
	return out
}

func within[T any](c <-chan T, d time.Duration) (v T, ok bool) {
	select {
	case v = <-c:
		return v, true
	case <-time.After(d):
		return v, false
	}
}

// handle lets a caller abort a session that another goroutine opens and owns.
type handle struct {
	mu      sync.Mutex
	session *ssh.Session
	aborted bool
}

// hold reports false if the session is not wanted any more.
func (h *handle) hold(s *ssh.Session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.session = s
	return !h.aborted
}

// abort tells the command to stop and closes the session. It does not wait: on a
// dead connection both writes may block until the connection is closed.
func (h *handle) abort() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.aborted = true
	if s := h.session; s != nil {
		go func() {
			_ = s.Signal(ssh.SIGTERM)
			_ = s.Close()
		}()
	}
}
