package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/redislb/terraform-provider-redislb/internal/lab/filelock"
	"github.com/redislb/terraform-provider-redislb/internal/lab/image"
	"github.com/redislb/terraform-provider-redislb/internal/lab/qemu"
	"github.com/redislb/terraform-provider-redislb/internal/lab/supervisor"
	"github.com/redislb/terraform-provider-redislb/internal/lab/tools"
)

const (
	// bootTimeout bounds the start of all hosts. Three emulated ones take
	// about half a minute on two idle cores.
	bootTimeout = 5 * time.Minute
	// memory of a machine in MiB; the image uses about 100.
	memory = 320
)

// Up builds the image if need be, starts a lab and waits until every host
// answers by SSH and has finished booting. The error is ErrRunning if one runs
// in the folder already.
func Up(ctx context.Context, o Options) (*Lab, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	say := newProgress(o.Progress)
	if err := tools.Ensure(ctx, say); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	img, err := image.Ensure(ctx, o.Images, o.Suite, say)
	if err != nil {
		return nil, err
	}
	unlock, err := filelock.Lock(ctx, filepath.Join(o.Dir, upLockFile), func() {
		say.line("another process is starting or ending the lab in %s, waiting", o.Dir)
	})
	if err != nil {
		return nil, err
	}
	defer unlock()
	if pid, err := supervisor.Owner(o.Dir); err != nil || pid != 0 {
		return nil, errors.Join(err, fmt.Errorf("%w in %s; `go run ./internal/lab/labctl down` ends it", ErrRunning, o.Dir))
	}
	l, err := prepare(ctx, o, img)
	if err != nil {
		return nil, fmt.Errorf("prepare the lab in %s: %w", o.Dir, err)
	}
	if err := l.start(ctx, o, say); err != nil {
		l.Close()
		return nil, errors.Join(fmt.Errorf("start the lab in %s: %w", o.Dir, err), end(context.WithoutCancel(ctx), o.Dir))
	}
	return l, nil
}

// prepare writes everything that the supervisor and the users of a new lab
// need.
func prepare(ctx context.Context, o Options, img image.Image) (*Lab, error) {
	if err := removeState(o.Dir); err != nil {
		return nil, err
	}
	accel, err := qemu.HostProbe().Accel()
	if err != nil {
		return nil, err
	}
	hosts, err := newHosts(o.Hosts)
	if err != nil {
		return nil, err
	}
	client, err := clientKey(o.Dir)
	if err != nil {
		return nil, err
	}
	keys := map[string]keyPair{}
	var config supervisor.Config
	for _, h := range hosts {
		if keys[h.Name], err = newKeyPair(h.Name); err != nil {
			return nil, err
		}
		machine := h.machine(filepath.Join(o.Dir, hostsDir, h.Name), accel, img)
		if err := os.MkdirAll(filepath.Dir(machine.Disk), 0o755); err != nil {
			return nil, err
		}
		if err := writeInitrd(machine.Initrd, img.Initrd(), h, hosts, keys[h.Name], client); err != nil {
			return nil, err
		}
		if err := overlay(ctx, machine.Disk, img.Rootfs()); err != nil {
			return nil, err
		}
		config.Machines = append(config.Machines, machine)
	}
	r := record{Suite: o.Suite, Accel: string(accel), Hosts: hosts}
	return newLab(o.Dir, r), errors.Join(
		writeEnv(o.Dir, o.Suite, hosts, keys), r.write(o.Dir), supervisor.WriteConfig(o.Dir, config))
}

func newHosts(names []string) ([]*Host, error) {
	addrs, err := addresses(names)
	if err != nil {
		return nil, err
	}
	var hosts []*Host
	taken := map[int]bool{}
	for _, name := range names {
		port, err := freePort(taken)
		if err != nil {
			return nil, err
		}
		taken[port] = true
		last := addrs[name].As4()[3]
		hosts = append(hosts, &Host{Name: name, Addr: addrs[name], MAC: fmt.Sprintf("52:54:00:00:02:%02x", last), SSHPort: port})
	}
	return hosts, nil
}

func (h *Host) machine(dir string, accel qemu.Accel, img image.Image) qemu.Config {
	return qemu.Config{
		Name: h.Name, Accel: accel, Memory: memory,
		Kernel: img.Kernel(), Initrd: filepath.Join(dir, "initrd"),
		Disk: filepath.Join(dir, "disk.qcow2"), Console: filepath.Join(dir, "console.log"),
		LANMAC: h.MAC, ManagementMAC: fmt.Sprintf("52:54:00:00:ff:%02x", h.Addr.As4()[3]),
		SSHPort: h.SSHPort,
	}
}

// freePort finds a port below those the kernel gives to outgoing connections,
// so that it is still free when a host that was off is powered on.
func freePort(taken map[int]bool) (int, error) {
	const first, count, tries = 20000, 10000, 100
	var last error
	for range tries {
		port := first + rand.IntN(count)
		if taken[port] {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(sshHost, fmt.Sprint(port)))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port on %s in %d tries: %w", sshHost, tries, last)
}

func overlay(ctx context.Context, path, base string) error {
	cmd := exec.CommandContext(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", path)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("qemu-img create %s: %w: %s", path, err, strings.TrimSpace(string(said)))
	}
	return nil
}

// start runs the supervisor, waits for the hosts and keeps them as bare.
func (l *Lab) start(ctx context.Context, o Options, say *progress) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	ctx, died, err := l.startSupervisor(ctx, o)
	if err != nil {
		return err
	}
	defer died()
	say.line("%s booting (%s, %s)", strings.Join(l.Hosts(), ", "), l.record.Suite, l.record.Accel)
	group, groupCtx := errgroup.WithContext(ctx)
	for _, h := range l.record.Hosts {
		group.Go(func() error {
			if err := h.boot(groupCtx); err != nil {
				return errors.Join(err, h.consoleTail(o.Dir))
			}
			say.line("%s is up (%s, ssh 127.0.0.1:%d)", h.Name, h.Addr, h.SSHPort)
			return nil
		})
	}
	stop := say.heartbeat("booting")
	err = group.Wait()
	stop()
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	if err := l.Save(ctx, bare); err != nil {
		return err
	}
	say.line("bare state saved")
	return nil
}

// boot waits for a booting host.
func (h *Host) boot(ctx context.Context) error {
	if err := h.WaitSSH(ctx); err != nil {
		return err
	}
	return h.settle(ctx)
}

// consoleTail is an error that shows what the machine printed last.
func (h *Host) consoleTail(dir string) error {
	path := filepath.Join(dir, hostsDir, h.Name, "console.log")
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const most = 1500
	return fmt.Errorf("the console of %s (%s) ends with:\n%s", h.Name, path, content[max(0, len(content)-most):])
}
