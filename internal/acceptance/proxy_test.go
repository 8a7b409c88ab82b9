//go:build acceptance

package acceptance

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy is a wire between a provider and a port of 127.0.0.1 that can be cut.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	target   string
	open     []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target}
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
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(far, near)
		far.Close()
		near.Close()
	}()
	_, _ = io.Copy(near, far)
	far.Close()
	near.Close()
}

// cut breaks the connections that there are. New ones can be made.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		c.Close()
	}
	p.open = nil
}

// lead makes new connections go elsewhere.
func (p *proxy) lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}
