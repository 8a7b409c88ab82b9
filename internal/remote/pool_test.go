package remote_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// together starts n callers at once and returns their errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errs
}

func TestFiftyCallersShareOneConnectionWithOneExecEach(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{MaxSessions: 10}) // sshd's default
	c := client(t, s)
	equal(t, "connections before the first use", s.Connections(), 0)
	for i, err := range together(50, func(int) error { _, err := c.Run(context.Background(), sh("sleep 0.05")); return err }) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
	equal(t, "connections", s.Connections(), 1)
	equal(t, "sessions", s.Sessions(), 50)
	equal(t, "exec requests", len(s.Commands()), 50)
}

func TestServerWithFewerSessionsThanWeThinkIsServed(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{MaxSessions: 2})
	c := client(t, s)
	for i, err := range together(20, func(int) error { _, err := c.Run(context.Background(), sh("sleep 0.02")); return err }) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
	equal(t, "connections", s.Connections(), 1)
	equal(t, "exec requests", len(s.Commands()), 20)
}

func TestDeadPooledConnectionIsReplacedOnce(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	run(t, c, ":")
	s.Drop()
	equal(t, "output", run(t, c, "echo ok"), "ok\n")
	equal(t, "connections", s.Connections(), 2)
	equal(t, "exec requests", len(s.Commands()), 2)
}

func TestConnectionFoundDeadOnOpeningASessionIsReplacedOnce(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	c.SetKeepalive(20 * time.Millisecond)
	run(t, c, ":")
	s.Freeze() // the next session is asked for and never answered
	time.AfterFunc(time.Second, s.Thaw)
	within(t, 4*time.Second, func() { equal(t, "output", run(t, c, "echo ok"), "ok\n") })
	equal(t, "connections", s.Connections(), 2)
	equal(t, "exec requests", len(s.Commands()), 2)
}

func TestIdleConnectionIsClosedAndDialledAgain(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	c.SetIdle(150 * time.Millisecond)
	run(t, c, "sleep 0.4") // in use, however long
	equal(t, "connections after a long command", s.Open(), 1)
	run(t, c, ":")
	equal(t, "connections while not idle for long", s.Connections(), 1)
	eventually(t, "the idle connection is closed", func() bool { return s.Open() == 0 })
	run(t, c, ":")
	equal(t, "connections in the end", s.Connections(), 2)
}

func TestServerThatAcceptsAndSaysNothingIsBounded(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Mute: true})
	c := client(t, s, func(c *remote.Config) { c.DialTimeout = 300 * time.Millisecond })
	within(t, 2*time.Second, func() {
		_, err := c.Run(context.Background(), sh(":"))
		var e *remote.ConnectError
		if !errors.As(err, &e) || e.Phase != remote.PhaseHandshake || !remote.Unreachable(err) {
			t.Errorf("got %v, want an unreachable host in the handshake", err)
		}
		says(t, err, "unable to observe host", c.Target(), "300ms", "no SSH server answered")
	})
}

func TestHostThatFreezesInAuthenticationIsBoundedAndNotUnreachable(t *testing.T) {
	sock := agentAt(t)
	hang(t, sock) // the agent is asked in the middle of authentication
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s, func(c *remote.Config) { c.PrivateKey = nil; c.UseAgent = true; c.DialTimeout = 300 * time.Millisecond })
	within(t, 2*time.Second, func() {
		_, err := c.Run(context.Background(), sh(":"))
		var e *remote.ConnectError
		if !errors.As(err, &e) || e.Phase != remote.PhaseAuthentication || remote.Unreachable(err) {
			t.Errorf("got %v, want an authentication that got no answer", err)
		}
		says(t, err, "unable to observe host", c.Target())
	})
}

func TestRefusedPortIsUnreachableSoon(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	s.Close()
	c := client(t, s)
	c.SetPatience(400 * time.Millisecond)
	start := time.Now()
	_, err := c.Run(context.Background(), sh(":"))
	if d := time.Since(start); d < 300*time.Millisecond || d > 3*time.Second {
		t.Errorf("gave up after %s", d)
	}
	if !remote.Unreachable(err) {
		t.Errorf("not Unreachable: %v", err)
	}
	says(t, err, "unable to observe host: "+c.Target()+": dial: ", "connection refused", "sshd listens")
}

func TestHostThatBootsWhileDiallingIsReached(t *testing.T) {
	t.Parallel()
	down := remotetest.NewServer(t, remotetest.Options{})
	cfg := down.Config()
	down.Close()
	late := make(chan net.Listener, 1)
	time.AfterFunc(300*time.Millisecond, func() {
		l, _ := net.Listen("tcp", down.Addr())
		late <- l
	})
	c := remote.NewClient(cfg)
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := c.Run(ctx, sh(":")) // it connects to a listener that never answers
	l := <-late
	if l == nil {
		t.Skip("the port was taken meanwhile")
	}
	defer l.Close()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(5 * time.Second))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the caller's deadline since the dial went on", err)
	}
	if conn, err := l.Accept(); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
}

func TestPortOfAnotherProtocolIsNotCalledUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("SSH-1.0-antique\r\n"))
			c.Close()
		}
	}()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s, func(c *remote.Config) { c.Port = l.Addr().(*net.TCPAddr).Port })
	_, err = c.Run(context.Background(), sh(":"))
	var e *remote.ConnectError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a ConnectError", err)
	}
}

func TestCancelOfOneCallerLeavesTheDialToTheOthers(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	s.Freeze()
	time.AfterFunc(500*time.Millisecond, s.Thaw)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	var patient, impatient error
	var both sync.WaitGroup
	both.Go(func() {
		within(t, 400*time.Millisecond, func() { _, impatient = c.Run(ctx, sh(":")) })
	})
	both.Go(func() { _, patient = c.Run(context.Background(), sh(":")) })
	both.Wait()
	if !errors.Is(impatient, context.DeadlineExceeded) || patient != nil {
		t.Errorf("the impatient got %v, the patient %v", impatient, patient)
	}
	equal(t, "connections", s.Connections(), 1)
}

func TestDialThatNobodyWaitsForIsEnded(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Mute: true})
	c := client(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Run(ctx, sh(":"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	equal(t, "connections", s.Connections(), 1)
	for range 50 { // who comes then gets a dial of his own, not the end of the old one
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Millisecond)
		if _, err := c.Run(ctx, sh(":")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the next caller got %v", err)
		}
		cancel()
	}
	eventually(t, "the connection is closed", func() bool { return s.Open() == 0 })
}

func TestDeadHostDoesNotHoldUpAnother(t *testing.T) {
	t.Parallel()
	dead := client(t, remotetest.NewServer(t, remotetest.Options{Mute: true}))
	alive := client(t, remotetest.NewServer(t, remotetest.Options{}))
	ctx, cancel := context.WithCancel(context.Background())
	var stuck sync.WaitGroup
	stuck.Go(func() { _, _ = dead.Run(ctx, sh(":")) })
	within(t, 2*time.Second, func() { run(t, alive, ":") })
	cancel()
	stuck.Wait()
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	go func() {
		eventually(t, "the command runs", func() bool { return len(s.Commands()) == 1 })
		c.Close()
	}()
	within(t, 3*time.Second, func() {
		_, err := c.Run(context.Background(), sh("sleep 5"))
		if !errors.Is(err, remote.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
	_, err := c.Run(context.Background(), sh(":"))
	if !errors.Is(err, remote.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	equal(t, "connections", s.Connections(), 1)
}

func TestNameThatDoesNotResolveIsUnreachable(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s, func(c *remote.Config) { c.Address = "no-such-host.invalid"; c.DialTimeout = 3 * time.Second })
	_, err := c.Run(context.Background(), sh(":"))
	if !remote.Unreachable(err) {
		t.Errorf("not Unreachable: %v", err)
	}
}
