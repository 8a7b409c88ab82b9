//go:build acceptance

package acceptance

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// reused are connections that outlive the Terraform operations of a test: a handshake takes a second or
// two on an emulated machine, and a step of Terraform's test framework is five or six
// operations. That each makes one connection of its own otherwise is shown by the demo and
// by the tests of package provider.
var reused = struct {
	mu   sync.Mutex
	made map[string]*remote.Client
}{made: map[string]*remote.Client{}}

// overShared is a way to a host by a connection that was made before for the same
// settings, if it still works.
func overShared(cfg remote.Config) host.Conn {
	return &shared{cfg: cfg, client: sync.OnceValue(func() *remote.Client {
		same := cfg
		same.Accepted, same.SharedJumps = nil, nil // of the operation
		key := fmt.Sprintf("%#v", same)
		reused.mu.Lock()
		client := reused.made[key]
		reused.mu.Unlock()
		if client != nil {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if _, err := client.Run(ctx, remote.Command{Step: "see whether the connection still works", Script: ":"}); err == nil {
				return client
			}
			go client.Close()
		}
		client = remote.NewClient(cfg)
		reused.mu.Lock()
		reused.made[key] = client
		reused.mu.Unlock()
		return client
	})}
}

type shared struct {
	cfg    remote.Config
	client func() *remote.Client
}

func (s *shared) Target() string { return s.cfg.Target() }

func (s *shared) Run(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	return s.client().Run(ctx, cmd)
}

func (s *shared) RunFresh(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	return s.client().RunFresh(ctx, cmd)
}

func (s *shared) Stage(ctx context.Context, files []remote.StagedFile, use func(string) error) error {
	return s.client().Stage(ctx, files, use)
}
