package remote_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// bastion is a server that lets clients through.
func bastion(t testing.TB, opts remotetest.Options) *remotetest.Server {
	opts.Forward = true
	return remotetest.NewServer(t, opts)
}

func by(jumps ...*remotetest.Server) func(*remote.Config) {
	return func(c *remote.Config) {
		for _, j := range jumps {
			c.Jumps = append(c.Jumps, j.Config())
		}
	}
}

func TestAnyNumberOfJumpHostsIsPassedEachWithItsOwnLogin(t *testing.T) {
	t.Parallel()
	way := []*remotetest.Server{bastion(t, remotetest.Options{User: "one"}), bastion(t, remotetest.Options{User: "two"}), bastion(t, remotetest.Options{User: "three"})}
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s, by(way...))
	for range 3 {
		equal(t, "output", run(t, c, "echo ok"), "ok\n")
	}
	for _, w := range append(way, s) {
		equal(t, "connections", w.Connections(), 1)
		equal(t, "logins", w.Handshakes(), 1)
		if w != s {
			equal(t, "forwards", w.Forwards(), 1)
			equal(t, "sessions on a jump host", w.Sessions(), 0)
		}
	}
	c.Close()
	for _, w := range append(way, s) {
		eventually(t, "the whole chain is closed", func() bool { return w.Open() == 0 })
	}
}

func TestIdleChainIsClosedWholly(t *testing.T) {
	t.Parallel()
	j, s := bastion(t, remotetest.Options{}), remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s, by(j))
	c.SetIdle(100 * time.Millisecond)
	run(t, c, ":")
	eventually(t, "both connections are closed", func() bool { return s.Open() == 0 && j.Open() == 0 })
	run(t, c, ":")
}

func TestLostJumpHostIsReplacedWithTheConnectionBehindIt(t *testing.T) {
	t.Parallel()
	j, s := bastion(t, remotetest.Options{}), remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s, by(j))
	run(t, c, ":")
	j.Drop()
	run(t, c, ":")
	equal(t, "connections to the jump host", j.Connections(), 2)
	equal(t, "connections to the host", s.Connections(), 2)
}

func TestFailureOnTheWayNamesTheHop(t *testing.T) {
	t.Parallel()
	gone := remotetest.NewServer(t, remotetest.Options{})
	gone.Close()
	closed := remotetest.NewServer(t, remotetest.Options{}) // lets nobody through
	stranger := bastion(t, remotetest.Options{NoKey: true})
	fine := bastion(t, remotetest.Options{})
	s := remotetest.NewServer(t, remotetest.Options{})
	for name, c := range map[string]struct {
		to          *remotetest.Server
		jumps       []*remotetest.Server
		hop         int // 0: not a HopError
		unreachable bool
		words       []string
	}{
		"first is away":          {s, []*remotetest.Server{gone}, 1, true, []string{"dial", "refused", "jump host 1 of 1"}},
		"second is away":         {s, []*remotetest.Server{fine, gone}, 2, true, []string{"dial from root@127.0.0.1", "jump host 2 of 2"}},
		"second lets nobody in":  {s, []*remotetest.Server{fine, stranger}, 2, false, []string{"refused the login", "jump host 2 of 2"}},
		"lets nobody through":    {s, []*remotetest.Server{closed}, 0, false, []string{"dial from root@127.0.0.1", "AllowTcpForwarding"}},
		"the host itself is off": {gone, []*remotetest.Server{fine}, 0, true, []string{"dial from root@127.0.0.1", "Check from the jump host"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cl := client(t, c.to, by(c.jumps...))
			_, err := cl.Run(context.Background(), sh(":"))
			says(t, err, append(c.words, "unable to observe host: ", cl.Target())...)
			var e *remote.HopError
			if errors.As(err, &e) != (c.hop > 0) {
				t.Fatalf("got %v", err)
			}
			if c.hop > 0 {
				equal(t, "hop", e.Hop, c.jumps[c.hop-1].Config().Target())
				equal(t, "number", e.Number, c.hop)
			}
			equal(t, "Unreachable", remote.Unreachable(err), c.unreachable)
		})
	}
}

func TestJumpHostWithAnotherKeyGetsNoCredentialNorDoesTheHostBehindIt(t *testing.T) {
	t.Parallel()
	j := bastion(t, remotetest.Options{Password: secret})
	s := remotetest.NewServer(t, remotetest.Options{Password: secret})
	wrong := func(c *remote.Config) { c.KnownHosts, c.HostKey, c.Password = nil, authorized(mustKey(t)), secret }
	cl := client(t, s, by(j), func(c *remote.Config) { wrong(&c.Jumps[0]) })
	_, err := cl.Run(context.Background(), sh(":"))
	var e *remote.HostKeyMismatchError
	if !errors.As(err, &e) || e.Target != j.Config().Target() {
		t.Errorf("got %v", err)
	}
	equal(t, "attempts to log in to the jump host", j.AuthAttempts(), 0)
	equal(t, "connections to the host behind", s.Connections(), 0)
	// The one behind a good jump host is verified for itself.
	for how, trust := range map[string]func(*remote.Config){
		"host_key": wrong,
		"known_hosts": func(c *remote.Config) {
			c.KnownHosts, c.Password = []byte(line(s, mustKey(t).PublicKey())), secret
		},
		"host_ca": func(c *remote.Config) { c.KnownHosts, c.HostCA, c.Password = nil, authorized(mustKey(t)), secret },
	} {
		s := remotetest.NewServer(t, remotetest.Options{Password: secret, HostKeys: []ssh.Signer{hostCert(t, mustKey(t), mustKey(t), nil)}})
		_, err := client(t, s, by(j), trust).Run(context.Background(), sh(":"))
		if err == nil {
			t.Errorf("%s: the host was trusted", how)
		}
		equal(t, how+": connections", s.Connections(), 1)
		equal(t, how+": attempts to log in", s.AuthAttempts(), 0)
	}
}

func TestEachHopHasItsOwnDeadlineAndAFrozenOneIsLeft(t *testing.T) {
	t.Parallel()
	j := bastion(t, remotetest.Options{})
	mute := remotetest.NewServer(t, remotetest.Options{Mute: true})
	c := client(t, mute, by(j), func(c *remote.Config) { c.DialTimeout = 300 * time.Millisecond })
	within(t, 5*time.Second, func() {
		_, err := c.Run(context.Background(), sh(":"))
		says(t, err, mute.Config().Target(), "no answer within 300ms")
	})
	c = client(t, remotetest.NewServer(t, remotetest.Options{}), by(bastion(t, remotetest.Options{}), mute), func(c *remote.Config) { c.Jumps[1].DialTimeout = 300 * time.Millisecond })
	within(t, 5*time.Second, func() {
		_, err := c.Run(context.Background(), sh(":"))
		says(t, err, "no answer within 300ms", "jump host 2 of 2")
	})
	// A jump host that freezes with the connection open does not hold Close up.
	s := remotetest.NewServer(t, remotetest.Options{})
	c = client(t, s, by(j))
	run(t, c, ":")
	j.Freeze()
	within(t, 2*time.Second, func() { c.Close() })
	j.Thaw()
}

func TestWayInACircleIsFoundWithoutTheNetwork(t *testing.T) {
	t.Parallel()
	j, s := bastion(t, remotetest.Options{}), bastion(t, remotetest.Options{})
	for name, jumps := range map[string][]*remotetest.Server{"by itself": {s}, "twice by one": {j, j}} {
		cfg := s.Config()
		by(jumps...)(&cfg)
		var e *remote.ConfigError
		if err := cfg.Validate(); !errors.As(err, &e) || e.Attribute != "jump_hosts" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	cfg := s.Config()
	by(j)(&cfg)
	cfg.Jumps[0].Name, cfg.Jumps[0].HostKey = "bastion", "rubbish"
	says(t, cfg.Validate(), `host "bastion": host_key`)
}
