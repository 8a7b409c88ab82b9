package proxy

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// echo answers each piece with itself and then, when the client has ended, with
// "bye".
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
				_, _ = c.Write([]byte("bye"))
			}()
		}
	}()
	return l.Addr().String()
}

func through(t *testing.T, delay time.Duration) (*Proxy, *net.TCPConn) {
	t.Helper()
	p, err := New(echo(t), delay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.Port()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return p, c.(*net.TCPConn)
}

// ask sends and waits for all of the answer.
func ask(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len(text))
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != text {
		t.Fatalf("%q, %v", answer, err)
	}
}

func TestBytesAndRoundTripsAreCountedUntilTaken(t *testing.T) {
	p, c := through(t, 0)
	ask(t, c, "one")
	ask(t, c, "three")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); err != nil || string(rest) != "bye" {
		t.Fatalf("the end did not pass: %q, %v", rest, err)
	}
	// What came without being asked for is no round trip.
	if got, want := p.Take(), (Counts{Connections: 1, Sent: 8, Received: 11, RoundTrips: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := p.Take(); got != (Counts{}) {
		t.Errorf("taken twice: %+v", got)
	}
}

func TestDelayIsForEachDirectionAndNotForEachPiece(t *testing.T) {
	const delay = 40 * time.Millisecond
	_, c := through(t, delay)
	started := time.Now()
	for range 20 { // under way together
		if _, err := io.WriteString(c, "piece"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	first := time.Since(started)
	if _, err := io.ReadFull(c, make([]byte, 19*5)); err != nil {
		t.Fatal(err)
	}
	all := time.Since(started)
	if first < 2*delay {
		t.Errorf("the first answer came after %v, faster than the wire", first)
	}
	if all > 20*delay {
		t.Errorf("all answers took %v: the pieces waited for each other", all)
	}
}

func TestConnectionToNobodyIsClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	p, err := New(nobody, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.Port()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("somebody answered")
	}
	if got := p.Take(); got != (Counts{}) {
		t.Errorf("counted: %+v", got)
	}
}
