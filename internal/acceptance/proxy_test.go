//go:build acceptance

package acceptance

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy is a wire between a provider and a port of 127.0.0.1 that can be cut.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	target   string
	open     []net.Conn
	carried  *atomic.Int64 // bytes from the provider, on the newest connection
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, carried: new(atomic.Int64)}
	go p.serve()
	t.Cleanup(func() {
		listener.Close()
		p.cut()
	})
	return p
}

func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.join(near)
	}
}

func (p *proxy) join(near net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	far, err := net.Dial("tcp", target)
	if err != nil {
		near.Close()
		return
	}
	p.mu.Lock()
	p.open = append(p.open, near, far)
	carried := new(atomic.Int64)
	p.carried = carried
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(counter{far, carried}, near)
		far.Close()
		near.Close()
	}()
	_, _ = io.Copy(near, far)
	far.Close()
	near.Close()
}

type counter struct {
	io.Writer
	n *atomic.Int64
}

func (c counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return c.Writer.Write(b)
}

// commands reports whether a provider has sent a command on the newest connection:
// what precedes it is a handshake of some 3 KB, and its text is longer than that.
func (p *proxy) commands() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carried.Load() > 8<<10
}

// cut breaks the connections that there are. New ones can be made.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		c.Close()
	}
	p.open, p.carried = nil, new(atomic.Int64)
}

// lead makes new connections go elsewhere.
func (p *proxy) lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}
