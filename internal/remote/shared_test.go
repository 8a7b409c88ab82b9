package remote_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// behind makes n hosts and a client for each, by one jump host that they share.
func behind(t *testing.T, j *remotetest.Server, n int) (hosts []*remotetest.Server, clients []*remote.Client) {
	shared := new(remote.JumpHosts)
	for range n {
		s := remotetest.NewServer(t, remotetest.Options{})
		hosts = append(hosts, s)
		c := client(t, s, by(j), func(c *remote.Config) { c.SharedJumps = shared })
		c.SetIdle(200 * time.Millisecond)
		clients = append(clients, c)
	}
	return hosts, clients
}

func all(t *testing.T, clients []*remote.Client) {
	t.Helper()
	for i, err := range together(len(clients), func(i int) error { _, err := clients[i].Run(context.Background(), sh(":")); return err }) {
		if err != nil {
			t.Errorf("client %d: %v", i, err)
		}
	}
}

// Not parallel: what is counted in the end is everybody's.
func TestHostsBehindOneJumpHostShareItsConnectionAndLeaveNone(t *testing.T) {
	j := bastion(t, remotetest.Options{})
	hosts, clients := behind(t, j, 20)
	before := goleak.IgnoreCurrent()
	all(t, clients)
	equal(t, "logins to the jump host", j.Handshakes(), 1)
	equal(t, "connections through it", j.Forwards(), 20)
	for _, s := range hosts {
		equal(t, "logins", s.Handshakes(), 1)
	}
	eventually(t, "all is closed", func() bool { return j.Open() == 0 && goleak.Find(before) == nil })
	all(t, clients)
	equal(t, "logins to the jump host after a pause", j.Handshakes(), 2)
}

func TestLostSharedJumpHostIsReplacedForAll(t *testing.T) {
	t.Parallel()
	j := bastion(t, remotetest.Options{})
	_, clients := behind(t, j, 5)
	all(t, clients)
	j.Drop()
	all(t, clients)
	equal(t, "logins to the jump host", j.Handshakes(), 2)
}

func TestSharedJumpHostThatIsFoundDeadWhenItIsWantedIsReplaced(t *testing.T) {
	t.Parallel()
	j := bastion(t, remotetest.Options{})
	_, clients := behind(t, j, 2)
	clients[0].SetKeepalive(20 * time.Millisecond)
	run(t, clients[0], ":")
	j.Freeze() // the next connection through it is asked for and never answered
	time.AfterFunc(time.Second, j.Thaw)
	within(t, remote.DefaultDialTimeout/2, func() { run(t, clients[1], ":") })
	equal(t, "logins to the jump host", j.Handshakes(), 2)
}

func TestCloseOfOneClientLeavesTheOthersBehindTheJumpHostAlone(t *testing.T) {
	t.Parallel()
	j := bastion(t, remotetest.Options{})
	_, clients := behind(t, j, 2)
	var busy sync.WaitGroup
	busy.Go(func() { equal(t, "output", run(t, clients[0], "sleep 0.5; echo ok"), "ok\n") })
	run(t, clients[1], ":")
	clients[1].Close()
	busy.Wait()
	run(t, clients[0], ":")
	equal(t, "logins to the jump host", j.Handshakes(), 1)
}

func TestMuteHostBehindASharedJumpHostHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	j := bastion(t, remotetest.Options{})
	_, clients := behind(t, j, 2)
	run(t, clients[0], ":")
	shared := new(remote.JumpHosts)
	use := func(c *remote.Config) { c.SharedJumps = shared }
	mute := client(t, remotetest.NewServer(t, remotetest.Options{Mute: true}), by(j), use)
	fine := client(t, remotetest.NewServer(t, remotetest.Options{}), by(j), use)
	ctx, cancel := context.WithCancel(context.Background())
	var stuck sync.WaitGroup
	stuck.Go(func() {
		if _, err := mute.Run(ctx, sh(":")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	within(t, remote.DefaultDialTimeout/2, func() { run(t, fine, ":") })
	cancel()
	stuck.Wait()
	run(t, fine, ":") // its connection was not cut
	equal(t, "logins to the jump host", j.Handshakes(), 2)
}

func TestJumpHostIsSharedOnlyByThoseWhoReachAndTrustItInTheSameWay(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*remote.Config){
		"a credential": func(c *remote.Config) { c.Password = "x" },
		"what is trusted": func(c *remote.Config) {
			c.KnownHosts = append([]byte("# other\n"), c.KnownHosts...)
		},
		"the policy": func(c *remote.Config) { c.HostKeyPolicy = remote.HostKeyInsecure },
		"what came new": func(c *remote.Config) {
			c.HostKeyPolicy, c.Accepted = remote.HostKeyAcceptNew, new(remote.AcceptedKeys)
		},
		"a time": func(c *remote.Config) { c.DialTimeout = time.Minute },
	} {
		j, shared := bastion(t, remotetest.Options{}), new(remote.JumpHosts)
		for _, f := range []func(*remote.Config){func(*remote.Config) {}, change} {
			s := remotetest.NewServer(t, remotetest.Options{})
			run(t, client(t, s, by(j), func(c *remote.Config) { f(&c.Jumps[0]); c.SharedJumps = shared }), ":")
		}
		equal(t, "logins to the jump host where "+name+" differs", j.Handshakes(), 2)
	}
}

func TestFreshConnectionTakesAWayOfItsOwn(t *testing.T) {
	t.Parallel()
	j := bastion(t, remotetest.Options{})
	_, clients := behind(t, j, 1)
	run(t, clients[0], ":")
	if _, err := clients[0].RunFresh(context.Background(), sh(":")); err != nil {
		t.Fatal(err)
	}
	equal(t, "logins to the jump host", j.Handshakes(), 2)
}
