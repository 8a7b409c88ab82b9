// Package proxy carries TCP connections to another address on this machine,
// counts what passes, and delays it as a long wire would.
package proxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Counts are what passed, seen from the client.
type Counts struct {
	Connections    int
	Sent, Received int64 // bytes
	// RoundTrips is how often data of the server followed data of the client: the
	// least number of times that the client can have waited for the wire.
	RoundTrips int
}

// Add returns the sum.
func (c Counts) Add(o Counts) Counts {
	return Counts{c.Connections + o.Connections, c.Sent + o.Sent, c.Received + o.Received, c.RoundTrips + o.RoundTrips}
}

// Proxy is a running proxy on a free port of 127.0.0.1.
type Proxy struct {
	target   string
	delay    time.Duration
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	counts Counts
	open   map[net.Conn]struct{}
	closed bool
}

// New starts a proxy to target, host:port. What is sent arrives delay later, in
// either direction; TCP's own handshake takes no time.
func New(target string, delay time.Duration) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, delay: delay, listener: listener, open: map[net.Conn]struct{}{}}
	p.running.Go(p.serve)
	return p, nil
}

// Port is where the proxy listens.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Take returns what was counted since the last Take.
func (p *Proxy) Take() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.counts
	p.counts = Counts{}
	return taken
}

// Close ends the proxy and the connections through it.
func (p *Proxy) Close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.carry(client) })
	}
}

// carry connects the client to the target until both have said all.
func (p *Proxy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.keep(client, server) {
		return
	}
	defer p.drop(client, server)
	t := &turns{proxy: p}
	var both sync.WaitGroup
	both.Go(func() { p.pipe(server, client, t.sent) })
	both.Go(func() { p.pipe(client, server, t.received) })
	both.Wait()
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.counts.Connections++
	for _, c := range conns {
		p.open[c] = struct{}{}
	}
	return true
}

func (p *Proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

// pipe copies one direction and passes its end on. count is told of every piece
// when it comes in, before it goes on.
func (p *Proxy) pipe(to, from net.Conn, count func(n int)) {
	wire := newWire(to, p.delay)
	defer wire.end()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			count(n)
			wire.send(buffer[:n])
		}
		if err != nil {
			if !errors.Is(err, io.EOF) { // reset: so is the other side
				to.Close()
			}
			return
		}
	}
}

// turns counts one connection.
type turns struct {
	proxy *Proxy
	asked bool // the client has sent something since the server last did
}

func (t *turns) sent(n int) {
	t.proxy.mu.Lock()
	defer t.proxy.mu.Unlock()
	t.proxy.counts.Sent += int64(n)
	t.asked = true
}

func (t *turns) received(n int) {
	t.proxy.mu.Lock()
	defer t.proxy.mu.Unlock()
	t.proxy.counts.Received += int64(n)
	if t.asked {
		t.proxy.counts.RoundTrips++
		t.asked = false
	}
}
