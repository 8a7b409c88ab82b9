package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
)

// sshHost is where every host's SSH port is forwarded from.
const sshHost = "127.0.0.1"

// pollInterval is the pause between two looks at a host that is not ready.
const pollInterval = 300 * time.Millisecond

// Host is one machine of a lab.
type Host struct {
	Name string `json:"name"`
	// Addr and MAC are eth0's, on the LAN.
	Addr netip.Addr `json:"addr"`
	MAC  string     `json:"mac"`
	// SSHPort of 127.0.0.1 leads to the host's sshd.
	SSHPort int `json:"ssh_port"`

	lab  *Lab
	conn connection
}

func (h *Host) sshAddr() string { return net.JoinHostPort(sshHost, fmt.Sprint(h.SSHPort)) }

// Cable cuts the host's LAN cable, or heals it. The link stays up at both
// ends, as when a switch between them fails.
func (h *Host) Cable(ctx context.Context, cut bool) error {
	if cut {
		return h.do(ctx, "cut")
	}
	return h.do(ctx, "heal")
}

// PowerOff cuts the power. The disk keeps what the host had written to it.
func (h *Host) PowerOff(ctx context.Context) error {
	h.conn.drop()
	return h.do(ctx, "off")
}

// PowerOn starts a host that is off with the disk it had. It does not wait for
// the boot; WaitSSH does.
func (h *Host) PowerOn(ctx context.Context) error { return h.do(ctx, "on") }

// Freeze stops the host's processor, as a hypervisor does that pauses a guest:
// the host neither works nor knows.
func (h *Host) Freeze(ctx context.Context) error { return h.do(ctx, "freeze") }

// Thaw lets a frozen host go on.
func (h *Host) Thaw(ctx context.Context) error { return h.do(ctx, "thaw") }

// HardReset pushes the reset button: the host boots without having shut down.
func (h *Host) HardReset(ctx context.Context) error {
	h.conn.drop()
	return h.do(ctx, "hard-reset")
}

// WaitSSH waits until the host can be logged in to, or for ctx.
func (h *Host) WaitSSH(ctx context.Context) error {
	for {
		_, _, err := h.conn.client(ctx, h)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for ssh: %w (%w)", err, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// Reboot lets the host reboot itself and waits until it has: a new boot id,
// SSH and no start job left to do.
func (h *Host) Reboot(ctx context.Context) error {
	before, err := h.bootID(ctx)
	if err != nil {
		return err
	}
	// In the background, so that the answer is out before sshd goes.
	if _, err := h.Exec(ctx, "systemctl --no-block reboot"); err != nil {
		return err
	}
	for {
		h.conn.drop()
		if err := h.WaitSSH(ctx); err != nil {
			return fmt.Errorf("reboot %s: %w", h.Name, err)
		}
		// An error is the old boot's sshd going down.
		if now, err := h.bootID(ctx); err == nil && now != before {
			return h.settle(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("reboot %s: %w", h.Name, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

func (h *Host) bootID(ctx context.Context) (string, error) {
	return h.output(ctx, "cat /proc/sys/kernel/random/boot_id")
}

// settle waits until systemd has nothing left to start.
func (h *Host) settle(ctx context.Context) error {
	_, err := h.output(ctx, `until [ -z "$(systemctl list-jobs --no-legend)" ]; do sleep 0.3; done`)
	return err
}

// save keeps the host's present state, for reset to go back to.
func (h *Host) save(ctx context.Context, state string) error {
	h.conn.drop() // or the host would come back with a connection nobody has
	return h.do(ctx, "save/"+url.PathEscape(state))
}

func (h *Host) reset(ctx context.Context, state string) error {
	h.conn.drop()
	if err := h.do(ctx, "restore/"+url.PathEscape(state)); err != nil {
		return fmt.Errorf("reset %s: %w", h.Name, err)
	}
	if err := h.WaitSSH(ctx); err != nil {
		return fmt.Errorf("reset %s: %w", h.Name, err)
	}
	// The host's clock went back to the time it was saved at.
	now := fmt.Sprintf("@%.3f", float64(time.Now().UnixMilli())/1000)
	if _, err := h.output(ctx, "date -s "+shellescape.Quote(now)); err != nil {
		return fmt.Errorf("reset %s: set its clock: %w", h.Name, err)
	}
	return nil
}

func (h *Host) do(ctx context.Context, action string) error {
	return h.lab.client.Do(ctx, h.Name, action)
}

// output is Exec for a command that must succeed.
func (h *Host) output(ctx context.Context, cmd string) (string, error) {
	r, err := h.Exec(ctx, cmd)
	if err != nil {
		return "", err
	}
	if r.ExitCode != 0 {
		return "", fmt.Errorf("%s: `%s` ended with %d: %s", h, cmd, r.ExitCode, strings.TrimSpace(r.Stderr))
	}
	return strings.TrimSpace(r.Stdout), nil
}

// String names the host as errors do.
func (h *Host) String() string { return h.Name + " (root@" + h.sshAddr() + ")" }
