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

func TestDropsEndWithTheDialTimeoutAndAreQuoted(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{Refuse: 1000, RefuseWords: "Exceeded MaxStartups\r\n"})
	c := client(t, s, func(c *remote.Config) { c.DialTimeout = 700 * time.Millisecond })
	within(t, 3*time.Second, func() {
		_, err := c.Run(context.Background(), sh(":"))
		says(t, err, "unable to observe host: "+c.Target(), "handshake", "the server said: Exceeded MaxStartups", "attempts)", "dial_timeout", "-parallelism")
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
