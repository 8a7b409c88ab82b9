package vswitch

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

const (
	// ethernetHeader is the length of the shortest frame worth looking at.
	ethernetHeader = 14
	// maxFrame bounds what a length prefix may ask for. QEMU's own limit for
	// a stream frame is 68 KiB (NET_BUFSIZE: 64 KiB of payload and headers).
	maxFrame = 4096 + 65536
	// queueLength is how many frames wait for a slow reader before more are
	// dropped.
	queueLength = 1024
)

// PortStatus is a port as seen at one moment. Counts are of frames since the
// switch was made.
type PortStatus struct {
	Name string `json:"name"`
	Cut  bool   `json:"cut"`
	// In counts frames the port's machine sent, Out those it was handed,
	// Dropped those lost to a cut cable or a full queue.
	In      uint64 `json:"in"`
	Out     uint64 `json:"out"`
	Dropped uint64 `json:"dropped"`
}

// port is a socket of the switch. Everything but the counters is guarded by
// the switch's mutex.
type port struct {
	name     string
	cut      bool
	link     *link
	counters counters
}

type counters struct{ in, out, dropped atomic.Uint64 }

// offer queues a frame for the port's machine, or drops it.
func (p *port) offer(frame []byte) {
	if p.link == nil {
		return
	}
	if p.cut || !p.link.enqueue(frame) {
		p.counters.dropped.Add(1)
	}
}

// link is one connection plugged into a port.
type link struct {
	conn  net.Conn
	queue chan []byte
	gone  chan struct{}
	once  sync.Once
}

func newLink(conn net.Conn) *link {
	return &link{conn: conn, queue: make(chan []byte, queueLength), gone: make(chan struct{})}
}

func (l *link) enqueue(frame []byte) bool {
	select {
	case l.queue <- frame:
		return true
	default:
		return false
	}
}

// unplug ends both of the link's goroutines.
func (l *link) unplug() {
	l.once.Do(func() {
		close(l.gone)
		l.conn.Close()
	})
}

// send writes queued frames until the link is gone.
func (l *link) send(c *counters) {
	var buf []byte
	for {
		select {
		case <-l.gone:
			return
		case frame := <-l.queue:
			buf = binary.BigEndian.AppendUint32(buf[:0], uint32(len(frame)))
			if _, err := l.conn.Write(append(buf, frame...)); err != nil {
				l.unplug()
				return
			}
			c.out.Add(1)
		}
	}
}

// receive hands every frame to forward until the connection ends or breaks the
// framing. Each frame is a slice of its own that nobody writes to again.
func (l *link) receive(forward func([]byte)) {
	r := bufio.NewReaderSize(l.conn, 1<<16)
	var header [4]byte
	for {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(header[:])
		if n > maxFrame {
			return
		}
		frame := make([]byte, n)
		if _, err := io.ReadFull(r, frame); err != nil {
			return
		}
		forward(frame)
	}
}
