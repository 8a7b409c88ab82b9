package host

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

//go:embed transact.sh
var transact string

// Exit codes of transact.sh. Any other than 0 is a failure that may lie in a part of
// the change.
const (
	exitStale    = 75 // what the change was based on is not true any more
	exitAwaiting = 76 // it waits to be confirmed over a new connection
	exitNoTrace  = 77 // the host knows nothing of the transaction
	// exitHost: the host as a whole cannot be changed now, whatever the change is: its
	// lock, its package manager, the room on its disks, a reload that does not end, a
	// process that was killed, something that could not be put back.
	exitHost = 78
)

const (
	changeStep = "change the host"
	// reconnecting is for how long a host is tried again whose connection was lost in
	// the middle of a transaction: a restart of its network, or of itself, fits in.
	reconnecting = 3 * time.Minute
	// confirming is for how long a change that may have cut the way to the host
	// waits for a new connection.
	confirming = 60 * time.Second
	// tidying bounds what is done after the caller has given up.
	tidying = 30 * time.Second
)

// transaction is one change of a host, whole or not at all.
type transaction struct {
	host     *Host
	id       string // on the host
	begun    bool   // it may have begun there
	reverted bool   // it was committed, and is to be taken back
	installs bool   // packages, which stay when it is taken back
}

// transact carries the steps out as one transaction, and observes the host in the
// command that waits for its end. It is the one place from which a host is changed.
//
// atRisk says that the change may cut the way to the host: it then stays only if a
// new connection confirms it.
//
// However the connection and this process fare, the host is afterwards as the steps
// make it or as it was. Where the connection is lost, the outcome is fetched over a
// new one.
func (h *Host) transact(ctx context.Context, todo []step, atRisk bool) (*transaction, error) {
	if atRisk {
		todo = append(slices.Clone(todo), call("await_confirmation", fmt.Sprintf("%.0f", confirming.Seconds())))
	}
	t := &transaction{host: h, id: newID(), installs: slices.ContainsFunc(todo, func(s step) bool {
		return len(s.words) > 0 && s.words[0] == installPackages
	})}
	result, err := t.start(ctx, bundle(script(holder(), todo)))
	result, err = t.outcome(ctx, result, err)
	h.forget()
	if err != nil {
		return nil, err
	}
	if s, err := parseSnapshot(result.Stdout); err == nil {
		h.remember(s)
	}
	return t, nil
}

// start stages the transaction and starts it. What breaks before the host was told
// to start is tried again: nothing can have happened.
func (t *transaction) start(ctx context.Context, packed []byte) (result remote.Result, err error) {
	sum := sha256.Sum256(packed)
	started := false
	use := func(dir string) (err error) {
		started = true
		result, err = t.run(ctx, t.host.conn.Run, "start", dir, hex.EncodeToString(sum[:]))
		return err
	}
	for deadline := time.Now().Add(reconnecting); ; {
		err = t.host.conn.Stage(ctx, []remote.StagedFile{{Name: "bundle", Content: packed}}, use)
		if err == nil || started || !mayPass(err) || time.Now().After(deadline) || sleep(ctx, time.Second) != nil {
			return result, err
		}
	}
}

// runner is Run or RunFresh of a [Conn].
type runner func(context.Context, remote.Command) (remote.Result, error)

// run runs transact.sh, and after it, if the transaction was committed, the probe.
func (t *transaction) run(ctx context.Context, run runner, verb string, args ...string) (remote.Result, error) {
	return run(ctx, remote.Command{Step: changeStep, Script: transact + probe, Args: append([]string{verb, t.id}, args...)})
}

// outcome follows the transaction to its end.
func (t *transaction) outcome(ctx context.Context, result remote.Result, err error) (remote.Result, error) {
	deadline := time.Now().Add(reconnecting)
	for {
		var said *remote.CommandError
		var late *remote.TimeoutError
		var canceled *remote.CanceledError
		switch {
		case err == nil:
			return result, nil
		case errors.As(err, &said) && said.ExitCode == exitAwaiting:
			t.begun = true
			result, err = t.run(ctx, t.host.conn.RunFresh, "confirm")
			continue
		case errors.As(err, &said) && said.ExitCode == exitNoTrace:
			return result, &LostTransactionError{Host: t.host.Name, Target: t.host.Target(), ID: t.id, Reverted: t.reverted}
		case errors.As(err, &said):
			t.host.settle(t.id)
			return result, err
		case ctx.Err() != nil, errors.As(err, &late), errors.As(err, &canceled):
			return result, t.abort(err)
		case !mayPass(err) && !t.begun: // it was refused before anything was started
			return result, err
		case !mayPass(err):
			return result, fmt.Errorf("%w\n%s", err, t.leftToItself())
		case time.Now().After(deadline):
			return result, fmt.Errorf("%w\nThe host was tried again for %v. %s", err, reconnecting, t.leftToItself())
		}
		t.begun = true
		if sleepErr := sleep(ctx, time.Second); sleepErr != nil {
			return result, t.abort(err)
		}
		result, err = t.run(ctx, t.host.conn.Run, "attach")
	}
}

// leftToItself says what is true of a transaction whose outcome nobody could fetch.
func (t *transaction) leftToItself() string {
	if t.reverted {
		return fmt.Sprintf("The committed change is still there, or is taken back by the host itself (transaction %s): run terraform plan when the host can be reached", t.id)
	}
	return fmt.Sprintf("What had begun there ends by itself or is taken back by itself (transaction %s): apply again when the host can be reached", t.id)
}

// mayPass reports whether err is of a connection that a later one may replace.
func mayPass(err error) bool {
	var lost *remote.LostError
	return errors.As(err, &lost) || remote.Unreachable(err)
}

// abort has the transaction taken back, because the caller has given up with err,
// and returns what to say.
func (t *transaction) abort(err error) error {
	if t.reverted { // nobody wants it half-way back
		return fmt.Errorf("%w\n%s", err, t.leftToItself())
	}
	ctx, cancel := context.WithTimeout(context.Background(), tidying)
	defer cancel()
	_, fate := t.run(ctx, t.host.conn.Run, "abort")
	var said *remote.CommandError
	switch {
	case fate == nil:
		t.host.settle(t.id)
		return fmt.Errorf("%w\nBy then the change had come to its end, so the host is as was wanted", err)
	case errors.As(fate, &said) && said.ExitCode == exitNoTrace:
		return fmt.Errorf("%w\nThe host has no trace of the change, or none of its end: either it had not begun, or its process was killed, and what it had done is taken back by the host itself or by the next apply (transaction %s)", err, t.id)
	case errors.As(fate, &said):
		t.host.settle(t.id)
		return fmt.Errorf("%w\nThe change was taken back; the host said:\n%s", err, strings.TrimSpace(string(said.Stderr)))
	}
	return fmt.Errorf("%w\nWhether the change was taken back could not be learnt (%w); what had begun ends by itself or is taken back by itself (transaction %s)", err, fate, t.id)
}

// revert takes back transactions that were committed, the last first.
func (h *Host) revert(committed []*transaction) error {
	ctx, cancel := context.WithTimeout(context.Background(), reconnecting)
	defer cancel()
	defer h.forget()
	for _, t := range slices.Backward(committed) {
		t.begun, t.reverted = true, true
		result, err := t.run(ctx, h.conn.Run, "revert")
		if _, err = t.outcome(ctx, result, err); err != nil {
			return err
		}
		h.settle(t.id)
	}
	return nil
}

// settle forgets the way back of transactions. That it fails does no harm: the
// next transaction does it too.
func (h *Host) settle(ids ...string) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tidying)
	defer cancel()
	_, _ = h.conn.Run(ctx, remote.Command{Step: "tidy up", Script: transact, Args: append([]string{"settle"}, ids...)})
}

// hostWide reports whether a change failed for a reason that is not in the change:
// no part of it would fare better alone.
func hostWide(err error) bool {
	var said *remote.CommandError
	return errors.As(err, &said) && said.ExitCode == exitHost
}

// LostTransactionError is a change of which the host has no trace. Reverted: it was
// to be taken back after it had been committed.
type LostTransactionError struct {
	Host, Target, ID string
	Reverted         bool
}

func (e *LostTransactionError) Error() string {
	if e.Reverted {
		return fmt.Sprintf("unable to take back a committed change: %s: the host %q keeps no way back of it any more, or nothing of its end (transaction %s). Either another change came after it, and then this one is still there; or the process that took it back was killed, and the host itself or the next apply ends that. Run terraform plan to see what is there.", e.Target, e.Host, e.ID)
	}
	return fmt.Sprintf("unable to %s: %s: the host %q has no trace of the change any more, or none of its end (transaction %s). Either it was killed, or the host restarted, before it had begun; or another run has come since and tidied up after it; or it was killed in the middle, and the host itself or the next apply takes it back: apply again.", changeStep, e.Target, e.Host, e.ID)
}

// holder says who changes a host, for whoever finds it locked. Since when, the host
// adds, by its own clock.
func holder() string {
	name, err := os.Hostname()
	if err != nil {
		name = "an unknown machine"
	}
	return fmt.Sprintf("terraform on %s, process %d", name, os.Getpid())
}

// risksTheWay reports whether the steps could cut the way by which the host is
// reached: they change an address, or how ARP is answered, or what VRRP does, on
// the interface that SSH comes in by. Where that is not known, they could.
func risksTheWay(todo []step, s *Snapshot) bool {
	interfaceOf := func(addr netip.Addr) string {
		for _, a := range s.Addresses {
			if a.Prefix.Addr() == addr {
				return a.Device
			}
		}
		return ""
	}
	way := interfaceOf(s.Management)
	touchesVRRP, vrrp := false, ""
	if c, err := keepalived.ParseDirector(s.Files[keepalived.ConfigPath].Content); err == nil {
		vrrp = c.Interface
	}
	for _, st := range todo {
		for _, f := range st.files {
			name := f.path
			if name == keepalived.ConfigPath || strings.HasPrefix(name, keepalived.Dir+"/vip-") && strings.HasSuffix(name, ".address.conf") {
				touchesVRRP = true
			}
			if name == keepalived.ConfigPath && !f.remove {
				if c, err := keepalived.ParseDirector(f.content); err == nil && (way == "" || c.Interface == way) {
					return true
				}
			}
		}
		if len(st.words) < 2 {
			continue
		}
		switch st.words[0] {
		case "set_sysctl", "restore_sysctl":
			if rest, ok := strings.CutPrefix(st.words[1], "net/ipv4/conf/"); ok && (way == "" || strings.HasPrefix(rest, "all/") || strings.HasPrefix(rest, way+"/")) {
				return true
			}
		case "add_address", "delete_address":
			if way == "" || st.words[1] == way {
				return true
			}
		}
	}
	return touchesVRRP && (way == "" || vrrp == way)
}
