package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ErrClosed is what a Client says after Close.
var ErrClosed = errors.New("the client is closed")

// Client is one host. It is safe for concurrent use.
type Client struct {
	cfg  Config
	tune tuning
	hops []hop

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
	c = c.withDefaults()
	client := &Client{cfg: c, tune: defaultTuning}
	for _, cfg := range append(slices.Clone(c.Jumps), c) {
		client.hops = append(client.hops, hop{cfg, sync.OnceValues(cfg.keyring)})
	}
	return client
}

// Target returns user@host:port.
func (c *Client) Target() string { return c.cfg.Target() }

// Format shows the target only, for every verb.
func (c *Client) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "remote.Client{%s}", c.Target()) }

// Close ends the connection, and those of its jump hosts; commands under way fail. A Client that is not
// closed holds no connection either, some time after its last use.
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
			return nil, &CanceledError{Target: c.Target(), Err: context.Cause(ctx), Last: c.leave(d)}
		}
	}
}

// leave is a waiter that goes before the dial is done. It returns what kept the dial
// so far, if anything.
func (c *Client) leave(d *dialing) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.waiters--; d.waiters == 0 {
		d.cancel()
		if c.dialing == d {
			c.dialing = nil // who comes now wants a dial that is not cancelled
		}
	}
	return d.failed
}

// startDial is called with c.mu held.
func (c *Client) startDial() *dialing {
	ctx, cancel := context.WithCancel(context.Background())
	d := &dialing{cancel: cancel, done: make(chan struct{})}
	c.dialing = d
	go func() {
		defer cancel()
		l, err := reach(ctx, c.hops, c.tune, func(err error) {
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
