//go:build acceptance

package acceptance

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/hold.sh
var holdScript string

// held are connections from the client through the VIP that are kept in use.
type held struct{ t *testing.T }

// hold opens n connections to Redis through the VIP on the client. Each sends a
// PING twice a second and notes when an answer does not come.
func hold(t *testing.T, n int) held {
	t.Helper()
	client().MustExec(t, "rm -rf /tmp/held && mkdir /tmp/held && cat >/tmp/hold.sh <<'EOF'\n"+holdScript+"EOF")
	client().MustExec(t, fmt.Sprintf("for i in $(seq %d); do setsid bash /tmp/hold.sh %s 6379 /tmp/held/$i >/dev/null 2>&1 </dev/null & done", n, vip))
	h := held{t}
	eventually(t, 30*time.Second, "the connections stand", func() bool { return len(h.alive()) == n })
	return h
}

// alive returns the connections that had an answer within the last two seconds
// and never missed one, each with the id of the Redis server behind it.
func (h held) alive() map[string]string {
	out := exec(client(), `now=$(date +%s%6N); for f in /tmp/held/*; do [ -s $f ] || continue; read -r server at state <$f; [ "$state" = ok ] && [ $((now - at)) -lt 2000000 ] && echo "$f $server"; done; true`)
	servers := map[string]string{}
	for _, line := range strings.Split(out, "\n") {
		if file, server, ok := strings.Cut(line, " "); ok {
			servers[file] = server
		}
	}
	return servers
}

// survive fails the test if any of the connections to the given Redis servers
// (none given: all) has died since before. A connection may stall while the VIP
// moves, as long as TCP's retransmissions get through to the same server.
func (h held) survive(what string, before map[string]string, servers ...string) {
	h.t.Helper()
	if lost := h.lost(what, before, servers...); lost > 0 {
		h.t.Errorf("%s: %d of %d established connections were lost", what, lost, len(before))
	}
}

// lost counts what survive would complain of.
func (h held) lost(what string, before map[string]string, servers ...string) int {
	h.t.Helper()
	if len(before) == 0 {
		h.t.Fatalf("%s: there were no connections to survive it", what)
	}
	time.Sleep(2 * time.Second) // what dies, dies within a PING or two
	lost := 0
	for range 100 {
		alive := h.alive()
		lost = 0
		for file, server := range before {
			watched := len(servers) == 0 || slices.Contains(servers, server)
			if watched && alive[file] != server {
				lost++
			}
		}
		if lost == 0 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	return lost
}

func (h held) close() { exec(client(), "rm -rf /tmp/held; sleep 1") }

// serverID is the run id of the Redis on a host.
func serverID(t *testing.T, address string) string {
	t.Helper()
	out := client().MustExec(t, "redis-cli -h "+address+" info server | tr -d '\\r' | sed -n 's/^run_id://p'")
	if len(out) != 40 {
		t.Fatalf("the run id of Redis on %s is %q", address, out)
	}
	return out
}
