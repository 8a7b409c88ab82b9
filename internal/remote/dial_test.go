package remote_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestConnectionsThatSshdDropsAreRepeatedBeyondThePatienceForAClosedPort(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"", "Exceeded MaxStartups\r\n"} {
		s := remotetest.NewServer(t, remotetest.Options{Refuse: 4, RefuseWords: words})
		c := client(t, s)
		c.SetPatience(time.Millisecond)
		run(t, c, ":")
		equal(t, "connections", s.Connections(), 5)
		equal(t, "commands", len(s.Commands()), 1)
	}
}

func TestConnectionsThatSshdDropsAreRepeatedBeyondTheDialTimeout(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Refuse: 5})
	c := client(t, s, func(c *remote.Config) { c.DialTimeout = time.Second })
	start := time.Now()
	run(t, c, ":")
	if d := time.Since(start); d < time.Second {
		t.Errorf("positive control: it took %s only", d)
	}
	equal(t, "connections", s.Connections(), 6)
	equal(t, "commands", len(s.Commands()), 1)
}

func TestAttemptThatHangsIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Refuse: 1, Mute: true})
	c := client(t, s, func(c *remote.Config) { c.DialTimeout = 300 * time.Millisecond })
	within(t, 2*time.Second, func() {
		_, err := c.Run(context.Background(), sh(":"))
		says(t, err, "no answer within 300ms", "2 attempts")
	})
	equal(t, "connections", s.Connections(), 2)
}

func TestDropsEndWithTheCallersDeadlineAndAreQuoted(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Refuse: 1000, RefuseWords: "Exceeded MaxStartups\r\n"})
	c := client(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	within(t, 3*time.Second, func() {
		_, err := c.Run(ctx, sh(":"))
		says(t, err, "unable to observe host: "+c.Target(), "given up: context deadline exceeded", "the server said: Exceeded MaxStartups", "-parallelism")
		var e *remote.CanceledError
		if !errors.As(err, &e) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	n := s.Connections()
	time.Sleep(time.Second)
	equal(t, "connections afterwards", s.Connections(), n)
}

func TestDropsEndSomeTimeAndAreQuoted(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Refuse: 1000, RefuseWords: "Exceeded MaxStartups\r\n"})
	c := client(t, s)
	c.SetCrowded(700 * time.Millisecond)
	within(t, 3*time.Second, func() {
		_, err := c.Run(context.Background(), sh(":"))
		says(t, err, "unable to observe host: "+c.Target(), "handshake", "the server said: Exceeded MaxStartups", "attempts)", "-parallelism")
		var e *remote.ConnectError
		if !errors.As(err, &e) || e.Attempts < 2 || e.Attempts != s.Connections() {
			t.Errorf("got %+v for %d connections", e, s.Connections())
		}
	})
}

func TestDropsBehindAJumpHostAreRepeatedOnTheSameWay(t *testing.T) {
	t.Parallel()
	j, s := bastion(t, remotetest.Options{}), remotetest.NewServer(t, remotetest.Options{Refuse: 3})
	run(t, client(t, s, by(j)), ":")
	equal(t, "connections to the jump host", j.Connections(), 1)
	equal(t, "connections to the host", s.Connections(), 4)
}
