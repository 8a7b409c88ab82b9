//go:build acceptance

package acceptance

import (
	"reflect"
	"slices"
	"sync"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// reused are connections that outlive the Terraform operations of a test: a handshake
// takes a second or two on an emulated machine, and a step of Terraform's test framework
// is five or six operations. That each makes one connection of its own otherwise is shown
// by the demo and by the tests of package provider.
var reused = struct {
	mu   sync.Mutex
	made []reusedClient
}{}

type reusedClient struct {
	cfg    remote.Config
	client *remote.Client
}

// overShared is a way to a host by a connection that was made before for the same
// settings. One that has ended is made again by the client.
func overShared(cfg remote.Config) host.Conn {
	cfg.Accepted, cfg.SharedJumps = nil, nil // of the operation
	reused.mu.Lock()
	defer reused.mu.Unlock()
	for _, r := range reused.made {
		// Not by what is printed of them, which hides what they trust and the secrets.
		if reflect.DeepEqual(r.cfg, cfg) {
			return r.client
		}
	}
	client := remote.NewClient(cfg)
	reused.made = append(reused.made, reusedClient{cfg, client})
	return client
}

// forgetConnections is for hosts that are reset, all if none is named: the far ends of
// their connections are gone without a word.
func forgetConnections(names ...string) {
	reused.mu.Lock()
	defer reused.mu.Unlock()
	reused.made = slices.DeleteFunc(reused.made, func(r reusedClient) bool {
		of := len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return machines.Host(name).SSHPort == r.cfg.Port })
		if of {
			go r.client.Close() // which waits for an answer
		}
		return of
	})
}
