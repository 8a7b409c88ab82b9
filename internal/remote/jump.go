package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"sync"

	"golang.org/x/crypto/ssh"
)

// JumpHosts are the connections to jump hosts that several clients go through, so
// that a jump host sees one login and not one for each host behind it. They end by
// themselves when nobody uses them. It is safe for concurrent use.
type JumpHosts struct {
	mu      sync.Mutex // never held while dialling
	clients []*Client
}

// client returns the client of a jump host, one for all who would reach and trust it
// in the same way.
func (j *JumpHosts) client(cfg Config, tune tuning) *Client {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.clients {
		if c.cfg.sameAs(cfg) {
			return c
		}
	}
	c := newClient(cfg, j, tune)
	j.clients = append(j.clients, c)
	return c
}

func (j *JumpHosts) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.clients {
		c.Close()
	}
}

// sameAs reports whether nothing differs: address, user, credentials, trust, and
// the same of each host on the way.
func (c Config) sameAs(other Config) bool {
	if c.HostKeyPolicy == HostKeyAcceptNew && c.Accepted != other.Accepted || len(c.Jumps) != len(other.Jumps) {
		return false
	}
	for i := range c.Jumps {
		if !c.Jumps[i].sameAs(other.Jumps[i]) {
			return false
		}
	}
	for _, x := range []*Config{&c, &other} {
		x.Accepted, x.SharedJumps, x.Jumps = nil, nil, nil
	}
	return reflect.DeepEqual(c, other)
}

// way is the client of the last jump host, with those before it on its own way; nil
// where there is none.
func (c *Client) way() *Client {
	n := len(c.cfg.Jumps)
	if n == 0 {
		return nil
	}
	last := c.cfg.Jumps[n-1]
	last.Jumps = c.cfg.Jumps[:n-1]
	return c.jumps.client(last, c.tune)
}

// link is an authenticated connection, and the one of the jump host that it goes
// through.
type link struct {
	*ssh.Client
	target string
	under  *conn // retained until Close; nil for none
	free   func()
}

func newLink(client *ssh.Client, target string, under *conn) *link {
	return &link{client, target, under, sync.OnceFunc(func() {
		if under != nil {
			under.release()
		}
	})}
}

// Close leaves the jump host's connection to others.
func (l *link) Close() error {
	err := l.Client.Close()
	l.free()
	return err
}

// reach makes the connection, through that of the jump host. failed hears of
// attempts that are repeated. A jump host's connection that turns out dead is
// replaced once: nothing was started behind it.
func (c *Client) reach(ctx context.Context, failed func(error)) (*link, error) {
	way := c.way()
	if way == nil {
		client, err := dial(ctx, c.cfg, c.id, nil, c.tune, failed)
		if err != nil {
			return nil, err
		}
		return newLink(client, c.Target(), nil), nil
	}
	for again := false; ; again = true {
		under, err := way.acquire(ctx)
		if err != nil {
			return nil, c.onTheWay(way, err)
		}
		client, err := dial(ctx, c.cfg, c.id, under, c.tune, failed)
		if err == nil {
			return newLink(client, c.Target(), under), nil
		}
		var e *ConnectError
		dead := errors.As(err, &e) && e.Phase != PhaseAuthentication && under.lost() != nil
		under.release()
		if !dead || again {
			return nil, err
		}
	}
}

// onTheWay says where on the way to c it was that err happened.
func (c *Client) onTheWay(way *Client, err error) error {
	hop := &HopError{Hop: way.Target(), Number: len(c.cfg.Jumps), Err: err}
	var before *HopError
	if errors.As(err, &before) {
		hop = &HopError{Hop: before.Hop, Number: before.Number, Err: before.Err}
	}
	hop.Of, hop.Target = len(c.cfg.Jumps), c.Target()
	return hop
}

// String is user@host:port; empty for the network.
func (c *conn) String() string {
	if c == nil {
		return ""
	}
	return c.ssh.target
}

// dial opens a TCP connection from the host at the far end; from here for nil.
func (c *conn) dial(ctx context.Context, hostPort string) (net.Conn, error) {
	if c == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", hostPort)
	}
	channel, err := c.ssh.DialContext(ctx, "tcp", hostPort)
	if err != nil {
		return nil, err
	}
	return newForwarded(channel), nil
}

// forwarded is a connection through a jump host whose Close ends a Read at once: by
// itself, a channel waits for the word of a host that may be gone.
type forwarded struct {
	net.Conn
	in *io.PipeReader
}

func newForwarded(channel net.Conn) *forwarded {
	in, out := io.Pipe()
	go func() { // ends with the channel or the connection that it is on
		_, err := io.Copy(out, channel)
		out.CloseWithError(err) // nil is io.EOF
	}()
	return &forwarded{channel, in}
}

func (f *forwarded) Read(p []byte) (int, error) { return f.in.Read(p) }
func (f *forwarded) Close() error {
	go f.Conn.Close() // words, which may have to wait
	return f.in.CloseWithError(net.ErrClosed)
}

// HopError is a jump host that could not be passed; Err says why.
type HopError struct {
	Target     string // where the way leads
	Hop        string // user@host:port of the jump host
	Number, Of int    // which one it is, counted from 1, and how many there are
	Err        error
}

func (e *HopError) at(step string) error { c := *e; c.Err = at(e.Err, step); return &c }
func (e *HopError) Unwrap() error        { return e.Err }
func (e *HopError) Error() string {
	return e.Err.Error() + fmt.Sprintf("\n%s is jump host %d of %d on the way to %s.", e.Hop, e.Number, e.Of, e.Target)
}
