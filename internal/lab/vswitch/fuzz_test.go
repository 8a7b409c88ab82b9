package vswitch

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// wire is a connection that says what it holds and then ends.
type wire struct {
	net.Conn
	*bytes.Reader
}

func (w wire) Read(p []byte) (int, error) { return w.Reader.Read(p) }

// Every frame that came whole is handed on, byte by byte, and nothing else.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 2, 'b'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 'a'})
	f.Fuzz(func(t *testing.T, stream []byte) {
		var frames []byte
		newLink(wire{Reader: bytes.NewReader(stream)}).receive(func(frame []byte) {
			frames = binary.BigEndian.AppendUint32(frames, uint32(len(frame)))
			frames = append(frames, frame...)
		})
		rest, ok := bytes.CutPrefix(stream, frames)
		if !ok {
			t.Fatalf("%x was handed on as %x", stream, frames)
		}
		if len(rest) >= 4 {
			if n := binary.BigEndian.Uint32(rest); n <= maxFrame && int(n) <= len(rest)-4 {
				t.Fatalf("the frame %x was not handed on", rest)
			}
		}
	})
}

func FuzzParseARPReply(f *testing.F) {
	reply := append(frame(all, macA, ""), 0, 1, 8, 0, 6, 4, 0, 2)
	binary.BigEndian.PutUint16(reply[12:], 0x0806)
	reply = append(append(reply, macA[:]...), 192, 0, 2, 229)
	f.Add(append(append(reply, all[:]...), 192, 0, 2, 229))
	f.Fuzz(func(t *testing.T, frame []byte) {
		a, ok := parseARPReply(frame)
		if !ok {
			return
		}
		hw, err := net.ParseMAC(a.MAC)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(frame[22:32], slices.Concat(hw, a.IP.AsSlice())) || frame[12] != 8 || frame[13] != 6 {
			t.Errorf("%x is read as %+v", frame, a)
		}
		if a.Gratuitous != (a.IP == netip.AddrFrom4([4]byte(frame[38:42]))) {
			t.Errorf("%x: gratuitous is %t", frame, a.Gratuitous)
		}
	})
}
