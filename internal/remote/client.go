package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed is what a Client says after Close.
var ErrClosed = errors.New("the client is closed")

// Client is one host. It is safe for concurrent use.
type Client struct {
	cfg   Config
	tune  tuning
	id    identity
	jumps *JumpHosts
	alone bool // nobody else has jumps

	mu      sync.Mutex
	cur     *conn    // nil or possibly dead
	dialing *dialing // nil if no dial is under way
	closed  bool
}

// dialing is a dial that callers wait for together. It ends early only when the
// last of them has gone.
type dialing struct {
	waiters int // guarded by Client.mu
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // set before done is closed
	failed  error // the last attempt that is being repeated; guarded by Client.mu
}

// NewClient makes a client and touches neither the network nor the disk; what is
// wrong with c comes out at first use (or earlier, by Validate).
func NewClient(c Config) *Client {
	if c.SharedJumps != nil {
		return newClient(c.withDefaults(), c.SharedJumps, defaultTuning)
	}
	client := newClient(c.withDefaults(), new(JumpHosts), defaultTuning)
	client.alone = true
	return client
}

func newClient(c Config, jumps *JumpHosts, tune tuning) *Client {
	return &Client{cfg: c, tune: tune, id: sync.OnceValues(c.keyring), jumps: jumps}
}

// Target returns user@host:port.
func (c *Client) Target() string { return c.cfg.Target() }

// Format shows the target only, for every verb.
func (c *Client) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "remote.Client{%s}", c.Target()) }

// Close ends the connection, and those of its jump hosts that are not shared; commands
// under way fail. A Client that is not closed holds no connection either, some time
// after its last use.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	cur, d := c.cur, c.dialing
	c.cur = nil
	c.mu.Unlock()
	if d != nil {
		d.cancel()
	}
	if cur != nil {
		cur.close(ErrClosed)
		<-cur.gone
	}
	if c.alone {
		c.jumps.close()
	}
	return nil
}

// acquire returns a live connection, retained for the caller. ctx ends the
// caller's wait only.
func (c *Client) acquire(ctx context.Context) (*conn, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return nil, ErrClosed
		}
		if c.cur != nil && c.cur.retain() {
			cur := c.cur
			c.mu.Unlock()
			return cur, nil
		}
		d := c.dialing
		if d == nil {
			d = c.startDial()
		}
		d.waiters++
		c.mu.Unlock()

		select {
		case <-d.done:
			if d.err != nil {
				return nil, d.err
			}
		case <-ctx.Done():
			hindered := c.hindered()
			c.leave(d)
			return nil, &CanceledError{Target: c.Target(), Err: context.Cause(ctx), Last: hindered}
		}
	}
}

// hindered returns what has kept the dial that is under way so far, be it on the way
// to the host; nil if nothing has.
func (c *Client) hindered() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	var failed error
	if c.dialing != nil {
		failed = c.dialing.failed
	}
	c.mu.Unlock()
	if failed == nil {
		if failed = c.way().hindered(); failed != nil {
			return c.onTheWay(c.way(), failed)
		}
	}
	return failed
}

// leave is a waiter that goes before the dial is done.
func (c *Client) leave(d *dialing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.waiters--; d.waiters == 0 {
		d.cancel()
		if c.dialing == d {
			c.dialing = nil // who comes now wants a dial that is not cancelled
		}
	}
}

// startDial is called with c.mu held.
func (c *Client) startDial() *dialing {
	ctx, cancel := context.WithCancel(context.Background())
	d := &dialing{cancel: cancel, done: make(chan struct{})}
	c.dialing = d
	go func() {
		defer cancel()
		l, err := c.reach(ctx, func(err error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			d.failed = err
		})
		c.mu.Lock()
		defer c.mu.Unlock()
		abandoned := c.closed || c.dialing != d
		switch {
		case err == nil && abandoned:
			l.Close()
			d.err = ErrClosed
		case err == nil:
			c.cur = newConn(l, c.tune, c.cfg.MaxSessions)
		case c.closed:
			d.err = ErrClosed
		default:
			d.err = err
		}
		if c.dialing == d {
			c.dialing = nil
		}
		close(d.done)
	}()
	return d
}
