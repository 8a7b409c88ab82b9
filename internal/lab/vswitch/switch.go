package vswitch

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Switch joins ports into one broadcast domain. Its methods may be called from
// any goroutine.
type Switch struct {
	now func() time.Time

	mu     sync.Mutex
	ports  map[string]*port
	macs   map[mac]*port
	arp    []ARPAnswer
	taps   map[*tap]struct{}
	closed bool
	wg     sync.WaitGroup
}

type mac [6]byte

func (m mac) group() bool { return m[0]&1 == 1 }

// New returns a switch without ports.
func New() *Switch {
	return &Switch{
		now:   time.Now,
		ports: map[string]*port{},
		macs:  map[mac]*port{},
		taps:  map[*tap]struct{}{},
	}
}

// AddPort makes a port with an intact cable and nothing plugged in.
func (s *Switch) AddPort(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ports[name] == nil {
		s.ports[name] = &port{name: name}
	}
}

// Plug connects conn to the port and switches its frames until conn ends. What
// was plugged in before is unplugged. The switch owns conn from here on.
func (s *Switch) Plug(name string, conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.ports[name]
	if p == nil || s.closed {
		return fmt.Errorf("switch has no port %q", name)
	}
	if p.link != nil {
		p.link.unplug()
	}
	l := newLink(conn)
	p.link = l
	s.wg.Go(func() { l.send(&p.counters) })
	s.wg.Go(func() {
		l.receive(func(frame []byte) { s.forward(p, l, frame) })
		l.unplug()
	})
	return nil
}

// SetCut cuts the port's cable or heals it.
func (s *Switch) SetCut(name string, cut bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.ports[name]
	if p == nil {
		return fmt.Errorf("switch has no port %q", name)
	}
	p.cut = cut
	return nil
}

// Close unplugs everything, ends all captures and waits until no goroutine of
// the switch is left.
func (s *Switch) Close() {
	s.mu.Lock()
	s.closed = true
	for _, p := range s.ports {
		if p.link != nil {
			p.link.unplug()
		}
	}
	for t := range s.taps {
		s.removeTap(t)
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// forward takes one frame in at port p through link l.
func (s *Switch) forward(p *port, l *link, frame []byte) {
	if len(frame) < ethernetHeader {
		return
	}
	dst, src := mac(frame[:6]), mac(frame[6:12])
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.link != l {
		return // unplugged while the frame was on its way
	}
	p.counters.in.Add(1)
	if p.cut {
		p.counters.dropped.Add(1)
		return
	}
	now := s.now()
	s.recordARP(now, p.name, frame)
	for t := range s.taps {
		t.offer(now, frame)
	}
	if !src.group() {
		s.macs[src] = p
	}
	if out := s.macs[dst]; out != nil { // never a group: those are not learned
		if out != p {
			out.offer(frame)
		}
		return
	}
	for _, out := range s.ports {
		if out != p {
			out.offer(frame)
		}
	}
}

// Ports tells the state of every port, ordered by name.
func (s *Switch) Ports() []PortStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []PortStatus
	for _, p := range s.ports {
		all = append(all, PortStatus{
			Name:    p.name,
			Cut:     p.cut,
			In:      p.counters.in.Load(),
			Out:     p.counters.out.Load(),
			Dropped: p.counters.dropped.Load(),
		})
	}
	slices.SortFunc(all, func(a, b PortStatus) int { return strings.Compare(a.Name, b.Name) })
	return all
}
