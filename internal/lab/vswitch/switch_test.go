package vswitch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const silence = 50 * time.Millisecond

var (
	macA = mac{0x52, 0x54, 0, 0, 2, 11}
	macB = mac{0x52, 0x54, 0, 0, 2, 12}
	macC = mac{0x52, 0x54, 0, 0, 2, 20}
	all  = mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// station is a machine plugged into a switch through a real unix socket.
type station struct {
	t    *testing.T
	conn net.Conn
}

func newStations(t *testing.T, names ...string) (*Switch, []station) {
	t.Helper()
	s := New()
	t.Cleanup(s.Close)
	var stations []station
	for _, name := range names {
		s.AddPort(name)
		stations = append(stations, plug(t, s, name))
	}
	return s, stations
}

func plug(t *testing.T, s *Switch, name string) station {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), name)
		if conns[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := s.Plug(name, conns[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conns[1].Close() })
	return station{t, conns[1]}
}

func frame(dst, src mac, payload string) []byte {
	f := append(append([]byte{}, dst[:]...), src[:]...)
	return append(append(f, 0x88, 0xb5), payload...) // local experimental Ethertype
}

func (s station) send(f []byte) {
	s.t.Helper()
	if _, err := s.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...)); err != nil {
		s.t.Fatal(err)
	}
}

func (s station) read(wait time.Duration) ([]byte, error) {
	s.conn.SetReadDeadline(time.Now().Add(wait))
	var header [4]byte
	if _, err := io.ReadFull(s.conn, header[:]); err != nil {
		return nil, err
	}
	f := make([]byte, binary.BigEndian.Uint32(header[:]))
	_, err := io.ReadFull(s.conn, f)
	return f, err
}

func (s station) wantFrame(want []byte) {
	s.t.Helper()
	got, err := s.read(5 * time.Second)
	if err != nil || !bytes.Equal(got, want) {
		s.t.Fatalf("got frame %x, %v; want %x", got, err, want)
	}
}

func (s station) wantSilence() {
	s.t.Helper()
	if got, err := s.read(silence); err == nil {
		s.t.Fatalf("got frame %x, want none", got)
	}
}

func TestBroadcastReachesEveryOtherPort(t *testing.T) {
	_, st := newStations(t, "a", "b", "c")
	f := frame(all, macA, "hello")
	st[0].send(f)
	st[1].wantFrame(f)
	st[2].wantFrame(f)
	st[0].wantSilence()
}

func TestMulticastIsFloodedEvenIfItsAddressWasSeenAsSource(t *testing.T) {
	_, st := newStations(t, "a", "b", "c")
	vrrp := mac{0x01, 0x00, 0x5e, 0, 0, 18}
	st[0].send(frame(all, vrrp, "wrong"))
	st[1].wantFrame(frame(all, vrrp, "wrong"))
	st[2].wantFrame(frame(all, vrrp, "wrong"))
	f := frame(vrrp, macB, "advert")
	st[1].send(f)
	st[0].wantFrame(f)
	st[2].wantFrame(f)
}

func TestUnicastGoesToTheLearnedPortOnly(t *testing.T) {
	_, st := newStations(t, "a", "b", "c")
	st[1].send(frame(all, macB, "i am b"))
	st[0].wantFrame(frame(all, macB, "i am b"))
	st[2].wantFrame(frame(all, macB, "i am b"))
	f := frame(macB, macA, "to b")
	st[0].send(f)
	st[1].wantFrame(f)
	st[2].wantSilence()
}

func TestUnknownUnicastIsFlooded(t *testing.T) {
	_, st := newStations(t, "a", "b", "c")
	f := frame(macC, macA, "who are you")
	st[0].send(f)
	st[1].wantFrame(f)
	st[2].wantFrame(f)
}

func TestAnAddressThatMovesIsLearnedAnew(t *testing.T) {
	_, st := newStations(t, "a", "b", "c")
	for _, i := range []int{0, 1} { // the same address at a, then at b
		f := frame(all, macA, "here")
		st[i].send(f)
		st[1-i].wantFrame(f)
		st[2].wantFrame(f)
	}
	f := frame(macA, macC, "to its new place")
	st[2].send(f)
	st[1].wantFrame(f)
	st[0].wantSilence()
}

func TestACutCableCarriesNothingEitherWayUntilHealed(t *testing.T) {
	s, st := newStations(t, "a", "b", "c")
	must(t, s.SetCut("a", true))
	st[0].send(frame(all, macA, "from a"))
	st[1].wantSilence()
	f := frame(all, macB, "from b")
	st[1].send(f)
	st[2].wantFrame(f)
	st[0].wantSilence()

	must(t, s.SetCut("a", false))
	f = frame(all, macA, "again")
	st[0].send(f)
	st[1].wantFrame(f)
	if p := s.Ports()[0]; p.Dropped != 2 || p.In != 2 || p.Cut {
		t.Errorf("port a is %+v; want 2 frames dropped, 2 in, not cut", p)
	}
}

func TestASlowReaderLosesFramesAndHoldsUpNobody(t *testing.T) {
	s, st := newStations(t, "a", "b", "c")
	go io.Copy(io.Discard, st[2].conn) // c keeps up, b does not read
	big := frame(all, macA, string(make([]byte, 1400)))
	const sent = 4 * queueLength
	for range sent {
		st[0].send(big)
	}
	deadline := time.Now().Add(5 * time.Second)
	for s.Ports()[0].In < sent {
		if time.Now().After(deadline) {
			t.Fatalf("the switch took in %d of %d frames; is it waiting for b?", s.Ports()[0].In, sent)
		}
		time.Sleep(time.Millisecond)
	}
	if dropped := s.Ports()[1].Dropped; dropped == 0 {
		t.Error("b reads nothing and lost nothing")
	}
}

func TestReplacingAConnectionKeepsThePort(t *testing.T) {
	s, st := newStations(t, "a", "b")
	again := plug(t, s, "a")
	if _, err := st[0].read(time.Second); !errors.Is(err, io.EOF) {
		t.Errorf("the old connection gives %v, want EOF", err)
	}
	f := frame(all, macA, "back")
	again.send(f)
	st[1].wantFrame(f)
}

func TestAFrameLargerThanAnyEndsTheConnectionOnly(t *testing.T) {
	_, st := newStations(t, "a", "b", "c")
	if _, err := st[0].conn.Write([]byte{0xff, 0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	if _, err := st[0].read(time.Second); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	f := frame(all, macB, "still here")
	st[1].send(f)
	st[2].wantFrame(f)
}

func TestPlugIntoNoPort(t *testing.T) {
	if err := New().Plug("x", nil); err == nil {
		t.Error("no error")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
