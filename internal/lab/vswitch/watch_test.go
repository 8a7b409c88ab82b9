package vswitch

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"testing"
	"time"
)

func arpReply(src mac, sender, target string) []byte {
	f := frame(all, src, "")
	f[12], f[13] = 0x08, 0x06
	f = append(f, 0, 1, 8, 0, 6, 4, 0, 2)
	s, d := netip.MustParseAddr(sender).As4(), netip.MustParseAddr(target).As4()
	f = append(append(f, src[:]...), s[:]...)
	return append(append(f, macC[:]...), d[:]...)
}

func TestARPAnswers(t *testing.T) {
	s, st := newStations(t, "a", "b")
	vip := netip.MustParseAddr("192.0.2.229")
	request := arpReply(macA, "192.0.2.229", "192.0.2.20")
	request[21] = 1
	other := arpReply(macA, "192.0.2.11", "192.0.2.20")
	ipv6 := arpReply(macA, "192.0.2.229", "192.0.2.20")
	ipv6[16] = 0x86
	start := time.Now()
	for _, f := range [][]byte{request, other, ipv6, request[:30], arpReply(macA, "192.0.2.229", "192.0.2.20")} {
		st[0].send(f)
		st[1].wantFrame(f)
	}
	between := time.Now()
	gratuitous := arpReply(macB, "192.0.2.229", "192.0.2.229")
	st[1].send(gratuitous)
	st[0].wantFrame(gratuitous)
	must(t, s.SetCut("b", true))
	st[1].send(gratuitous)
	st[0].wantSilence()

	got := s.ARPAnswers(vip, start)
	if len(got) != 2 || got[0].MAC != "52:54:00:00:02:0b" || got[0].Port != "a" || got[0].Gratuitous ||
		got[1].MAC != "52:54:00:00:02:0c" || got[1].Port != "b" || !got[1].Gratuitous {
		t.Errorf("answers are %+v; want a's and b's gratuitous one", got)
	}
	if got := s.ARPAnswers(vip, between); len(got) != 1 {
		t.Errorf("answers since the last one are %+v; want one", got)
	}
}

func TestCaptureIsAPcapFileOfWhatCrossed(t *testing.T) {
	s, st := newStations(t, "a", "b")
	s.now = func() time.Time { return time.Unix(7, 9) }
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Capture(ctx, w)
		ended <- err
		w.Close()
	}()
	header := make([]byte, 24)
	if _, err := io.ReadFull(r, header); err != nil {
		t.Fatal(err)
	}
	wantHeader := []byte{0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 1, 0, 0, 0}
	if !bytes.Equal(header, wantHeader) {
		t.Errorf("header %x, want %x", header, wantHeader)
	}
	for !s.tapped() {
		time.Sleep(time.Millisecond)
	}
	f := frame(all, macA, "seen")
	st[0].send(f)
	want := append([]byte{7, 0, 0, 0, 9, 0, 0, 0, byte(len(f)), 0, 0, 0, byte(len(f)), 0, 0, 0}, f...)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("record %x, %v; want %x", got, err, want)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func (s *Switch) tapped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.taps) > 0
}

func TestCloseEndsACapture(t *testing.T) {
	s := New()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Capture(context.Background(), io.Discard)
		ended <- err
	}()
	for !s.tapped() {
		time.Sleep(time.Millisecond)
	}
	s.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
