//go:build acceptance

package lab_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
	"github.com/redislb/terraform-provider-redislb/internal/lab/supervisor"
)

// startLab boots real machines.
func startLab(t *testing.T, hosts ...string) *lab.Lab {
	t.Helper()
	l, err := lab.Up(t.Context(), lab.Options{Dir: t.TempDir(), Images: images(t), Hosts: hosts, Progress: t.Output(), Tied: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// images is the folder of images that all labs of a repository share.
func images(t *testing.T) string {
	t.Helper()
	dir, err := lab.Dir("")
	must(t, err)
	return filepath.Join(dir, "images")
}

func reset(t *testing.T, l *lab.Lab, hosts ...string) {
	t.Helper()
	start := time.Now()
	if err := l.Reset(t.Context(), hosts...); err != nil {
		t.Fatal(err)
	}
	t.Logf("reset took %.1fs", time.Since(start).Seconds())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLab(t *testing.T) {
	l := startLab(t, "a", "b")
	a, b := l.Host("a"), l.Host("b")

	t.Run("a host is bare and has what bootstrap needs", func(t *testing.T) {
		a.MustExec(t, `! command -v python3 && ! command -v keepalived && ! command -v ipvsadm && ! command -v nft &&
			[ ! -e /proc/net/ip_vs ] && [ ! -e /usr/sbin/policy-rc.d ] && [ -z "$(systemctl list-units --failed --no-legend)" ]`)
		a.MustExec(t, "modprobe ip_vs && modprobe nf_tables && head -n 1 /proc/net/ip_vs")
		a.MustExec(t, "redis-cli -h 192.0.2.12 ping | grep PONG")
		a.MustExec(t, `for u in ops opspw nosudo; do id $u || exit; done; su ops -c 'sudo -n true' && ! su opspw -c 'sudo -n true' &&
			echo opspw-secret | su opspw -c "sudo -S -p '' true" && ! echo nosudo-secret | su nosudo -c "sudo -S -p '' true"`)
		if r, err := a.Exec(t.Context(), "echo out; echo err >&2; exit 7"); err != nil || r != (lab.Result{Stdout: "out\n", Stderr: "err\n", ExitCode: 7}) {
			t.Errorf("got %+v, %v", r, err)
		}
	})
	t.Run("commands share one connection", func(t *testing.T) {
		count := func() string { return a.MustExec(t, "journalctl -u ssh | grep -c 'Accepted publickey'") }
		if before, after := count(), count(); before != after {
			t.Errorf("%s connections, then %s", before, after)
		}
	})
	t.Run("exactly one MAC answers for an address", func(t *testing.T) {
		since := time.Now()
		a.MustExec(t, "arping -c 2 -w 10 -I eth0 192.0.2.12")
		answers, err := l.ARPAnswers(t.Context(), b.Addr, since)
		must(t, err)
		macs := map[string]bool{}
		for _, answer := range answers {
			macs[answer.MAC] = true
		}
		if len(macs) != 1 || !macs[b.MAC] {
			t.Errorf("answers %+v; want only %s", answers, b.MAC)
		}
		if none, err := l.ARPAnswers(t.Context(), netip.MustParseAddr("192.0.2.99"), since); err != nil || len(none) != 0 {
			t.Errorf("answers for an address nobody has: %+v, %v", none, err)
		}
	})
	t.Run("a cut cable separates hosts, not their management", func(t *testing.T) {
		must(t, b.Cable(t.Context(), true))
		a.MustExec(t, "! ping -c 1 -W 2 192.0.2.12")
		b.MustExec(t, "true")
		must(t, b.Cable(t.Context(), false))
		a.MustExec(t, "ping -c 3 -W 5 192.0.2.12")
	})
	t.Run("pcap", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "lan.pcap")
		stop, err := l.StartPcap(t.Context(), file)
		must(t, err)
		a.MustExec(t, "ping -c 1 -W 5 -p 7265646973 192.0.2.12")
		must(t, stop())
		content, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(content), "redisredis") {
			t.Errorf("%d bytes, %v, without the ping", len(content), err)
		}
	})
	t.Run("a power cut keeps the disk", func(t *testing.T) {
		b.MustExec(t, "echo kept > /root/mark && sync")
		boot := b.MustExec(t, "cat /proc/sys/kernel/random/boot_id")
		must(t, b.PowerOff(t.Context()))
		a.MustExec(t, "! ping -c 1 -W 2 192.0.2.12")
		must(t, b.PowerOn(t.Context()))
		must(t, b.WaitSSH(t.Context()))
		if got := b.MustExec(t, "cat /root/mark"); got != "kept" {
			t.Errorf("mark is %q", got)
		}
		if b.MustExec(t, "cat /proc/sys/kernel/random/boot_id") == boot {
			t.Error("the same boot goes on")
		}
	})
	t.Run("a host reboots itself and keeps addresses and disk", func(t *testing.T) {
		must(t, b.Reboot(t.Context()))
		b.MustExec(t, "grep kept /root/mark && ip -4 addr show eth0 | grep 192.0.2.12/24")
	})
	t.Run("a frozen host is silent and goes on when thawed", func(t *testing.T) {
		must(t, b.Freeze(t.Context()))
		a.MustExec(t, "! ping -c 1 -W 2 192.0.2.12")
		must(t, b.Thaw(t.Context()))
		a.MustExec(t, "ping -c 3 -W 5 192.0.2.12")
	})
	t.Run("a saved state is gone back to, from running and from off", func(t *testing.T) {
		b.MustExec(t, "echo saved > /root/saved; modprobe ip_vs")
		must(t, l.Save(t.Context(), "with ip_vs", "b"))
		for _, off := range []bool{false, true} {
			b.MustExec(t, "rm /root/saved")
			if off {
				must(t, b.PowerOff(t.Context()))
			}
			must(t, l.ResetTo(t.Context(), "with ip_vs", "b"))
			b.MustExec(t, "grep saved /root/saved && [ -e /proc/net/ip_vs ]")
		}
		if err := l.ResetTo(t.Context(), "nosuch", "b"); err == nil || !strings.Contains(err.Error(), "nosuch") {
			t.Errorf("a state that nobody saved: %v", err)
		}
		reset(t, l, "b")
		b.MustExec(t, "[ ! -e /root/saved ] && [ ! -e /proc/net/ip_vs ]")
	})
	t.Run("reset undoes everything", func(t *testing.T) {
		spoil := map[string]func(*testing.T){
			"running":             func(*testing.T) {},
			"powered off":         func(t *testing.T) { must(t, b.PowerOff(t.Context())) },
			"frozen":              func(t *testing.T) { must(t, b.Freeze(t.Context())) },
			"cut":                 func(t *testing.T) { must(t, b.Cable(t.Context(), true)) },
			"shut down by itself": func(t *testing.T) { b.MustExec(t, "systemctl --no-block poweroff"); awaitOff(t, l, "b") },
		}
		for name, do := range spoil {
			t.Run(name, func(t *testing.T) {
				b.MustExec(t, "echo dirt > /root/dirt; ip addr add 192.0.2.229/32 dev lo; modprobe ip_vs")
				do(t)
				reset(t, l, "b")
				b.MustExec(t, "[ ! -e /root/dirt ] && [ ! -e /root/mark ] && [ ! -e /proc/net/ip_vs ] && ! ip addr | grep 192.0.2.229")
				a.MustExec(t, "ping -c 3 -W 5 192.0.2.12")
				var seconds int64
				if _, err := fmt.Sscan(b.MustExec(t, "date +%s"), &seconds); err != nil {
					t.Fatal(err)
				}
				if off := time.Since(time.Unix(seconds, 0)); off < -5*time.Second || off > 5*time.Second {
					t.Errorf("the clock is off by %s", off)
				}
			})
		}
	})
	t.Run("bootstrap's packages install without a network", func(t *testing.T) {
		a.MustExec(t, "apt-get update -q && apt-get install -q -y keepalived ipvsadm nftables && keepalived --version && ipvsadm -Ln")
		reset(t, l)
		a.MustExec(t, "! command -v keepalived")
	})
	t.Run("killing the supervisor leaves no machine", func(t *testing.T) {
		pids := machinePIDs(t, l)
		must(t, supervisor.Kill(l.Dir()))
		awaitGone(t, pids)
		must(t, l.Down(t.Context()))
	})
}

// TestATestThatDiesLeavesNoMachine runs itself in a process of its own, which
// starts a tied lab and is killed.
func TestATestThatDiesLeavesNoMachine(t *testing.T) {
	if dir := os.Getenv("LAB_TEST_VICTIM"); dir != "" {
		if _, err := lab.Up(t.Context(), lab.Options{Dir: dir, Images: images(t), Hosts: []string{"a"}, Tied: true}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("up")
		select {}
	}
	dir := t.TempDir()
	victim := exec.Command(os.Args[0], "-test.run=^TestATestThatDiesLeavesNoMachine$")
	victim.Env = append(os.Environ(), "LAB_TEST_VICTIM="+dir)
	out, err := victim.StdoutPipe()
	must(t, err)
	must(t, victim.Start())
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	attached, err := lab.Attach(t.Context(), dir)
	must(t, err)
	pids := machinePIDs(t, attached)
	must(t, victim.Process.Kill())
	_ = victim.Wait() // killed
	awaitGone(t, pids)
	must(t, lab.Down(t.Context(), dir))
}

func machinePIDs(t *testing.T, l *lab.Lab) []int {
	t.Helper()
	machines, err := l.Status(t.Context())
	must(t, err)
	var pids []int
	for _, m := range machines {
		if m.PID == 0 || syscall.Kill(m.PID, 0) != nil {
			t.Fatalf("%s has no process: %+v", m.Name, m)
		}
		pids = append(pids, m.PID)
	}
	return pids
}

func awaitGone(t *testing.T, pids []int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); len(pids) > 0; time.Sleep(50 * time.Millisecond) {
		if syscall.Kill(pids[0], 0) != nil {
			pids = pids[1:]
		} else if time.Now().After(deadline) {
			t.Fatalf("processes %v are left", pids)
		}
	}
}

func awaitOff(t *testing.T, l *lab.Lab, host string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		machines, err := l.Status(t.Context())
		must(t, err)
		for _, m := range machines {
			if m.Name == host && m.Power == supervisor.Off {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still on: %+v", host, machines)
		}
	}
}
