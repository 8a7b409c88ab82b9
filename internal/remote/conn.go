package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// tuning is what only tests change.
type tuning struct {
	idle      time.Duration // an unused connection is closed after this
	keepalive time.Duration // between two keepalive requests
	missed    int           // so many intervals without an answer end the connection
	patience  time.Duration // how long a refused dial is repeated
	crowded   time.Duration // how long a dial that sshd drops is repeated
	start     time.Duration // from exec request to the bootstrap's marker
	grace     time.Duration // for a given up Stage to tidy up
	output    int           // bytes of stdout, and of stderr, that a script may write
}

var defaultTuning = tuning{
	idle: 30 * time.Second, keepalive: 10 * time.Second, missed: 3,
	patience: 3 * time.Second,
	// sshd gives those that hold its places two minutes (LoginGraceTime).
	crowded: 5 * time.Minute,
	start:   time.Minute, grace: 2 * time.Second, output: 64 << 20,
}

var errIdle = errors.New("closed because it was idle")

// conn is the pooled connection. It closes itself when idle or when the host
// has vanished.
type conn struct {
	ssh   *link
	tune  tuning
	slots chan struct{} // a token for each session that may still be opened
	gone  chan struct{} // closed when the connection is dead
	alone chan struct{} // closed when there can be one session at a time only

	closeAlone sync.Once

	mu     sync.Mutex
	users  int         // callers that have it now
	idle   *time.Timer // runs while there are none
	limit  int         // tokens in circulation
	reason error       // why it was closed, once it was
}

func newConn(l *link, tune tuning, sessions int) *conn {
	c := &conn{ssh: l, tune: tune, limit: sessions, slots: make(chan struct{}, sessions), gone: make(chan struct{}), alone: make(chan struct{})}
	if sessions == 1 {
		c.closeAlone.Do(func() { close(c.alone) })
	}
	for range sessions {
		c.slots <- struct{}{}
	}
	c.idle = time.AfterFunc(tune.idle, c.closeIdle)
	go func() {
		err := l.Wait()
		l.Close() // which lets go of the jump host's
		c.mu.Lock()
		if c.reason == nil {
			c.reason = fmt.Errorf("the host closed it (%w)", err)
		}
		c.idle.Stop()
		c.mu.Unlock()
		close(c.gone)
	}()
	go c.watch()
	return c
}

// retain takes the connection for a caller; false if it is dead.
func (c *conn) retain() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.gone:
		return false
	default:
	}
	if c.reason != nil {
		return false
	}
	c.users++
	c.idle.Stop()
	return true
}

func (c *conn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users--; c.users == 0 && c.reason == nil {
		c.idle.Reset(c.tune.idle)
	}
}

func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.users > 0
}

func (c *conn) closeIdle() {
	c.mu.Lock()
	if c.users > 0 || c.reason != nil {
		c.mu.Unlock()
		return
	}
	c.reason = errIdle
	c.mu.Unlock()
	c.ssh.Close()
}

func (c *conn) close(reason error) {
	c.mu.Lock()
	if c.reason == nil {
		c.reason = reason
	}
	c.mu.Unlock()
	c.ssh.Close()
}

// lost returns why the connection is dead, or nil if it is not. A session learns
// of the end a moment before the connection does, hence the wait.
func (c *conn) lost() error {
	select {
	case <-c.gone:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.reason
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

// watch asks the host for a sign of life while somebody uses the connection.
func (c *conn) watch() {
	tick := time.NewTicker(c.tune.keepalive)
	defer tick.Stop()
	answered := make(chan struct{}, 1)
	pending, missed := false, 0
	for {
		select {
		case <-c.gone:
			return
		case <-answered:
			pending, missed = false, 0
		case <-tick.C:
			switch {
			case !c.busy():
				missed = 0
			case pending:
				if missed++; missed >= c.tune.missed {
					c.close(fmt.Errorf("the host vanished: no answer to keepalive requests for %s", time.Duration(missed)*c.tune.keepalive))
					return
				}
			default:
				pending = true
				go func() {
					if _, _, err := c.ssh.SendRequest("keepalive@openssh.com", true, nil); err == nil {
						answered <- struct{}{}
					}
				}()
			}
		}
	}
}

// take waits for a session slot.
func (c *conn) take(ctx context.Context) error {
	select {
	case <-c.slots:
		return nil
	default:
	}
	select {
	case <-c.slots:
		return nil
	case <-c.gone:
		return c.lost()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *conn) give() { c.slots <- struct{}{} }

// shrink takes the caller's slot out of circulation, because the server allows
// fewer sessions than we thought; false if it is the last one.
func (c *conn) shrink() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit == 1 {
		return false
	}
	if c.limit--; c.limit == 1 {
		c.closeAlone.Do(func() { close(c.alone) })
	}
	return true
}

// open opens a session for a caller that has a slot, and has it still afterwards
// whatever the outcome. A server that refuses for there being too many gets
// another request when one of ours has ended; nothing has run, so that is safe.
func (c *conn) open(ctx context.Context) (*ssh.Session, error) {
	for again := 0; ; again++ {
		s, err := c.ssh.NewSession()
		var refused *ssh.OpenChannelError
		if !errors.As(err, &refused) {
			return s, err
		}
		if c.shrink() {
			if err := c.take(context.WithoutCancel(ctx)); err != nil { // somebody's give, or the end of the connection
				c.grow()
				return nil, err
			}
			again = 0
			continue
		}
		if again == 3 {
			return nil, err
		}
		select { // sshd may still be counting a session that has just ended
		case <-time.After(100 * time.Millisecond << again):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// grow undoes shrink.
func (c *conn) grow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit++
}
