package proxy

import (
	"net"
	"slices"
	"time"
)

// wire is one direction of a connection: what goes in comes out later, in order,
// however much is under way.
type wire struct {
	to    net.Conn
	delay time.Duration
	queue chan piece
	done  chan struct{}
}

type piece struct {
	due  time.Time
	data []byte
}

// underWay bounds the pieces on a wire: 64 KiB each at most.
const underWay = 1024

func newWire(to net.Conn, delay time.Duration) *wire {
	w := &wire{to: to, delay: delay, queue: make(chan piece, underWay), done: make(chan struct{})}
	go w.deliver()
	return w
}

func (w *wire) send(data []byte) {
	if w.delay == 0 {
		_, _ = w.to.Write(data) // a broken connection ends the reads too
		return
	}
	w.queue <- piece{time.Now().Add(w.delay), slices.Clone(data)}
}

// end waits until all has arrived and tells the receiver that no more comes.
func (w *wire) end() {
	close(w.queue)
	<-w.done
	if half, ok := w.to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

func (w *wire) deliver() {
	defer close(w.done)
	for p := range w.queue {
		time.Sleep(time.Until(p.due))
		_, _ = w.to.Write(p.data)
	}
}
