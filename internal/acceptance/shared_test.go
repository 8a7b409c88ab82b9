//go:build acceptance

package acceptance

import (
	"fmt"
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
	made map[string]*remote.Client
}{made: map[string]*remote.Client{}}

// overShared is a way to a host by a connection that was made before for the same
// settings. One that has ended is made again by the client.
func overShared(cfg remote.Config) host.Conn {
	same := cfg
	same.Accepted, same.SharedJumps = nil, nil // of the operation
	key := fmt.Sprintf("%#v", same)
	reused.mu.Lock()
	defer reused.mu.Unlock()
	client, ok := reused.made[key]
	if !ok {
		client = remote.NewClient(cfg)
		reused.made[key] = client
	}
	return client
}

// forgetConnections is for hosts that are reset: the far ends of their connections are
// gone without a word.
func forgetConnections() {
	reused.mu.Lock()
	defer reused.mu.Unlock()
	for _, client := range reused.made {
		go client.Close() // which waits for an answer
	}
	clear(reused.made)
}
