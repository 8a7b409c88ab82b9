package remote_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// Terraform has no moment at which a provider lets go of its hosts, so nobody closes
// the clients here either. Not parallel: what is counted is everybody's.
func TestNoGoroutineOrConnectionOutlivesAnOperation(t *testing.T) {
	type op func(ctx context.Context, c *remote.Client)
	script := func(text string) op {
		return func(ctx context.Context, c *remote.Client) { _, _ = c.Run(ctx, sh(text)) }
	}
	none := func(*remote.Config) {}
	for name, c := range map[string]struct {
		opts   remotetest.Options
		change func(*remote.Config)
		do     op
	}{
		"a script":                 {remotetest.Options{}, none, script("echo ok")},
		"a script that fails":      {remotetest.Options{}, none, script("exit 3")},
		"one that is out of time":  {remotetest.Options{}, func(c *remote.Config) { c.CommandTimeout = 100 * time.Millisecond }, script("sleep 5")},
		"one that is given up":     {remotetest.Options{}, none, script("sleep 5")},
		"one on a fresh link":      {remotetest.Options{}, none, func(ctx context.Context, c *remote.Client) { _, _ = c.RunFresh(ctx, sh(":")) }},
		"a refused command":        {remotetest.Options{RefuseExec: true}, none, script(":")},
		"a refused login":          {remotetest.Options{NoKey: true}, none, script(":")},
		"a wrong host key":         {remotetest.Options{}, func(c *remote.Config) { c.KnownHosts, c.HostKey = nil, authorized(mustKey(t)) }, script(":")},
		"a dial that is given up":  {remotetest.Options{Mute: true}, none, script(":")},
		"a dial that hangs":        {remotetest.Options{Mute: true}, func(c *remote.Config) { c.DialTimeout = 100 * time.Millisecond }, script(":")},
		"a dial that is dropped":   {remotetest.Options{Refuse: 1000}, none, script(":")},
		"a jump host on the way":   {remotetest.Options{}, by(bastion(t, remotetest.Options{})), script(":")},
		"one that lets nobody by":  {remotetest.Options{}, by(remotetest.NewServer(t, remotetest.Options{})), script(":")},
		"a mute host behind a hop": {remotetest.Options{Mute: true}, by(bastion(t, remotetest.Options{})), script(":")},
		"files": {remotetest.Options{}, none, func(ctx context.Context, c *remote.Client) {
			_ = c.Stage(ctx, []remote.StagedFile{{Name: "a", Content: []byte("x")}}, func(string) error { return nil })
		}},
		"files that are given up": {remotetest.Options{}, none, func(ctx context.Context, c *remote.Client) {
			_ = c.Stage(ctx, []remote.StagedFile{{Name: "a", Content: []byte("x")}}, func(string) error { <-ctx.Done(); return ctx.Err() })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := remotetest.NewServer(t, c.opts)
			before := goleak.IgnoreCurrent()
			cfg := s.Config()
			c.change(&cfg)
			client := remote.NewClient(cfg)
			client.SetIdle(50 * time.Millisecond)
			ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
			defer cancel()
			c.do(ctx, client)
			if s.Connections() == 0 && len(cfg.Jumps) == 0 {
				t.Error("positive control: nothing was done")
			}
			var left error
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
				if left = goleak.Find(before); left == nil {
					break
				}
			}
			if left != nil {
				t.Error(left)
			}
			equal(t, "connections", s.Open(), 0)
		})
	}
}
