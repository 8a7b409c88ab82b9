//go:build acceptance

package acceptance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// mishap is something that befalls the master, and how it ends. Both are done when they
// return.
type mishap struct {
	name        string
	begin, over func(h *lab.Host, ctx context.Context) error
	// spares says that the Redis of the host itself is not hurt, so that its
	// connections live too, once they reach it again.
	spares bool
	// long ones are left to the full suite, since another one shows the same quicker.
	long bool
}

var mishaps = []mishap{
	{name: "keepalived killed", begin: command("pkill -9 keepalived"), over: nothing, spares: true},
	{name: "frozen", begin: (*lab.Host).Freeze, over: (*lab.Host).Thaw, spares: true, long: true},
	{name: "cable cut", begin: cut, over: heals, spares: true},
	{name: "kernel panic", begin: panics, over: restart((*lab.Host).HardReset), long: true},
	{name: "power off", begin: (*lab.Host).PowerOff, over: restart((*lab.Host).PowerOn)},
}

func command(text string) func(*lab.Host, context.Context) error {
	return func(h *lab.Host, ctx context.Context) error {
		_, err := h.Exec(ctx, text)
		return err
	}
}

var nothing = func(*lab.Host, context.Context) error { return nil }

var cut = func(h *lab.Host, ctx context.Context) error { return h.Cable(ctx, true) }

// heals lets the master of higher priority be the first whose advertisement gets through, by
// keeping the other one's back until then: the client must learn all the same that the VIP is
// not there any more.
var heals = func(h *lab.Host, ctx context.Context) error {
	other := hostB()
	run := func(command string) error {
		r, err := other.Exec(ctx, command)
		if err == nil && r.ExitCode != 0 {
			err = fmt.Errorf("%s: %s", command, r.Stderr)
		}
		return err
	}
	if err := run(`nft -f - <<'RULES'
		add table ip lab
		add set ip lab heard { type inet_proto; flags dynamic,timeout; }
		add chain ip lab hears { type filter hook input priority -400; }
		add rule ip lab hears ip saddr 192.0.2.11 ip protocol 112 update @heard { ip protocol timeout 1h }
		add chain ip lab says { type filter hook output priority -400; }
		add rule ip lab says ip protocol 112 ip protocol != @heard drop
RULES`); err != nil {
		return err
	}
	if err := h.Cable(ctx, false); err != nil {
		return err
	}
	return run("for i in $(seq 100); do ip -4 address show dev eth0 | grep -qF 192.0.2.229/ || break; sleep 0.1; done; nft delete table ip lab; [ $i -lt 100 ]")
}

// panics answers no more, so nobody waits for it.
var panics = func(h *lab.Host, ctx context.Context) error {
	_, err := h.Exec(ctx, "sysctl -qw kernel.panic=0 kernel.sysrq=1; (sleep 0.2; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
	return err
}

func restart(power func(*lab.Host, context.Context) error) func(*lab.Host, context.Context) error {
	return func(h *lab.Host, ctx context.Context) error {
		if err := power(h, ctx); err != nil {
			return err
		}
		return h.WaitSSH(ctx)
	}
}

// takeover is how long it may take until new connections succeed: three advertisements, the skew of
// priority 90 (below a second), and what emulation takes.
const takeover = 3*time.Second + time.Second + 2*time.Second

// befall has it happen to the master: the connections to the surviving machine live, and
// live on when the master has come back and taken the VIP again.
func (m mishap) befall(t *testing.T) {
	connections, before := holdKnown(t)
	defer connections.close()
	survivor := serverID(t, hostB().Addr.String())
	surviving := leadingTo(t, hostB(), before)

	if err := m.begin(hostA(), t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "b holds the VIP", func() bool { return holdsVIP(hostB()) })
	connections.survive("those on the surviving machine", surviving)
	gap, worst := connections.figures(survivor)
	t.Logf("failover: no new connection for %.1f s; the slowest answer on the surviving machine took %.1f s", gap.Seconds(), worst.Seconds())
	if gap > takeover {
		t.Errorf("no new connection succeeded for %.1f s, want at most %.1f", gap.Seconds(), takeover.Seconds())
	}

	connections.again()
	if err := m.over(hostA(), t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 90*time.Second, "a alone holds the VIP again", func() bool { return holdsVIP(hostA()) && !holdsVIP(hostB()) })
	if m.spares {
		surviving = before
	}
	connections.survive("the master is back", surviving)
	gap, worst = connections.figures(survivor)
	t.Logf("failback: no new connection for %.1f s; the slowest answer on the surviving machine took %.1f s", gap.Seconds(), worst.Seconds())
	connections.knownTo(surviving, hosts()...)
}
