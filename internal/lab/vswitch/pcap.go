package vswitch

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// tapQueue is how many frames wait for a slow capture file.
const tapQueue = 4096

type captured struct {
	at    time.Time
	frame []byte
}

// tap is one running capture. The switch's mutex guards lost and closed.
type tap struct {
	frames chan captured
	lost   int
	closed bool
}

func (t *tap) offer(at time.Time, frame []byte) {
	select {
	case t.frames <- captured{at, frame}:
	default:
		t.lost++
	}
}

// Capture writes every frame that crosses the switch to w in pcap format, once
// and when it comes in, until ctx is done, the switch is closed or a write
// fails. It returns how many frames were lost because w was too slow.
func (s *Switch) Capture(ctx context.Context, w io.Writer) (lost int, err error) {
	if _, err := w.Write(pcapHeader()); err != nil {
		return 0, err
	}
	t := &tap{frames: make(chan captured, tapQueue)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 0, errors.New("the switch is closed")
	}
	s.taps[t] = struct{}{}
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.removeTap(t)
	})
	defer stop()

	for c := range t.frames {
		if err == nil {
			_, err = w.Write(pcapRecord(c.at, c.frame))
		}
		if err != nil {
			s.mu.Lock()
			s.removeTap(t)
			s.mu.Unlock()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.lost, err
}

// removeTap ends a capture; the caller holds the mutex.
func (s *Switch) removeTap(t *tap) {
	delete(s.taps, t)
	if !t.closed {
		t.closed = true
		close(t.frames)
	}
}

// pcapHeader is the file header of the classic format with nanoseconds
// (draft-ietf-opsawg-pcap), link type Ethernet.
func pcapHeader() []byte {
	const (
		magicNanoseconds = 0xa1b23c4d
		versionMajor     = 2
		versionMinor     = 4
		linkEthernet     = 1
	)
	h := binary.LittleEndian.AppendUint32(nil, magicNanoseconds)
	h = binary.LittleEndian.AppendUint16(h, versionMajor)
	h = binary.LittleEndian.AppendUint16(h, versionMinor)
	h = append(h, make([]byte, 8)...)
	h = binary.LittleEndian.AppendUint32(h, maxFrame)
	return binary.LittleEndian.AppendUint32(h, linkEthernet)
}

func pcapRecord(at time.Time, frame []byte) []byte {
	r := binary.LittleEndian.AppendUint32(nil, uint32(at.Unix()))
	r = binary.LittleEndian.AppendUint32(r, uint32(at.Nanosecond()))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(frame)))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(frame)))
	return append(r, frame...)
}
