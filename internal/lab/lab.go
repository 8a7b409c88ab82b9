package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/redislb/terraform-provider-redislb/internal/lab/filelock"
	"github.com/redislb/terraform-provider-redislb/internal/lab/supervisor"
	"github.com/redislb/terraform-provider-redislb/internal/lab/vswitch"
)

// downTimeout is how long a supervisor that was told to end may take before it
// is killed.
const downTimeout = 15 * time.Second

// ErrNotRunning is the reason why there is nothing to attach to.
var ErrNotRunning = errors.New("no lab runs")

// ErrRunning is the reason why a lab is not started.
var ErrRunning = errors.New("a lab runs already")

// ARPAnswer is an ARP reply that crossed the LAN.
type ARPAnswer = vswitch.ARPAnswer

// Lab is a running lab. Its methods may be called from any goroutine.
type Lab struct {
	dir    string
	record record
	client *supervisor.Client
	// lifeline is the tied supervisor's: it ends when this is closed.
	lifeline *os.File
}

// Attach returns the lab that runs in dir (see Dir for the default). The error
// is ErrNotRunning if there is none.
func Attach(_ context.Context, dir string) (*Lab, error) {
	dir, err := Dir(dir)
	if err != nil {
		return nil, err
	}
	pid, err := supervisor.Owner(dir)
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		return nil, fmt.Errorf("%w in %s; `go run ./internal/lab/labctl up` starts one", ErrNotRunning, dir)
	}
	r, err := readRecord(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s yet: its supervisor (process %d) is there, its record is not; is it just starting?",
			ErrNotRunning, dir, pid)
	}
	if err != nil {
		return nil, err
	}
	return newLab(dir, r), nil
}

func newLab(dir string, r record) *Lab {
	l := &Lab{dir: dir, record: r, client: supervisor.NewClient(dir)}
	for _, h := range r.Hosts {
		h.lab = l
	}
	return l
}

// Down ends the lab that l stands for; see the function Down.
func (l *Lab) Down(ctx context.Context) error {
	l.Close()
	return Down(ctx, l.dir)
}

// Close gives back what this process holds, the SSH connections, and leaves an
// untied lab running. A tied lab ends.
func (l *Lab) Close() {
	for _, h := range l.record.Hosts {
		h.conn.drop()
	}
	if l.lifeline != nil {
		l.lifeline.Close()
	}
}

// Down ends whatever lab runs in dir and removes its disks. It is no error if
// none runs, and none is needed that still answers.
func Down(ctx context.Context, dir string) error {
	dir, err := Dir(dir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*downTimeout)
	defer cancel()
	if err := end(ctx, dir); err != nil {
		return err
	}
	unlock, err := filelock.Lock(ctx, filepath.Join(dir, upLockFile), func() {})
	if err != nil {
		return err
	}
	defer unlock()
	return removeState(dir)
}

// end ends the supervisor of dir, politely first.
func end(ctx context.Context, dir string) error {
	pid, err := supervisor.Owner(dir)
	if err != nil || pid == 0 {
		return err
	}
	polite, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	if supervisor.NewClient(dir).Down(polite) == nil && supervisor.AwaitNone(polite, dir) == nil {
		return nil
	}
	if err := supervisor.Kill(dir); err != nil {
		return err
	}
	return supervisor.AwaitNone(ctx, dir)
}

// Reset brings the named hosts, or all, back to bare: as they were when the
// lab had just come up, running, with intact cables and the right time.
func (l *Lab) Reset(ctx context.Context, hosts ...string) error {
	return l.ResetTo(ctx, bare, hosts...)
}

// bare is the state that Up leaves the hosts in.
const bare = "bare"

// Save keeps the present state of the named running hosts, or of all, memory and disk,
// under a name, for ResetTo. It ends with the lab.
func (l *Lab) Save(ctx context.Context, state string, hosts ...string) error {
	return l.each(ctx, hosts, func(h *Host, ctx context.Context) error { return h.save(ctx, state) })
}

// ResetTo brings the named hosts, or all, back to what Save kept of them, running, with
// intact cables and the right time.
func (l *Lab) ResetTo(ctx context.Context, state string, hosts ...string) error {
	return l.each(ctx, hosts, func(h *Host, ctx context.Context) error { return h.reset(ctx, state) })
}

// each does the same to the named hosts, or to all, at once.
func (l *Lab) each(ctx context.Context, names []string, do func(*Host, context.Context) error) error {
	for _, name := range names {
		if l.Host(name) == nil {
			return fmt.Errorf("the lab in %s has no host %q; it has %s", l.dir, name, strings.Join(l.Hosts(), ", "))
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, h := range l.record.Hosts {
		if len(names) == 0 || slices.Contains(names, h.Name) {
			group.Go(func() error { return do(h, ctx) })
		}
	}
	return group.Wait()
}

// Host returns a host by name, or nil if there is none of that name.
func (l *Lab) Host(name string) *Host {
	for _, h := range l.record.Hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// Hosts are the names of all hosts in the order they were asked for.
func (l *Lab) Hosts() []string {
	var names []string
	for _, h := range l.record.Hosts {
		names = append(names, h.Name)
	}
	return names
}

// Dir is the lab's folder.
func (l *Lab) Dir() string { return l.dir }

// Suite is the Debian release that the hosts run.
func (l *Lab) Suite() string { return l.record.Suite }

// Accel is how the machines are made, "kvm" or "tcg".
func (l *Lab) Accel() string { return l.record.Accel }

// KeyFile is the private key that every account of every host accepts.
func (l *Lab) KeyFile() string { return filepath.Join(l.dir, keyFile) }

// KnownHostsFile holds the hosts' keys, as [127.0.0.1]:port.
func (l *Lab) KnownHostsFile() string { return filepath.Join(l.dir, knownHostsFile) }

// SSHConfigFile makes `ssh -F FILE HOST` work.
func (l *Lab) SSHConfigFile() string { return filepath.Join(l.dir, sshConfigFile) }

// EnvFile is for shells to source.
func (l *Lab) EnvFile() string { return filepath.Join(l.dir, envFile) }

// Status is the state of every machine now.
func (l *Lab) Status(ctx context.Context) ([]supervisor.MachineStatus, error) {
	return l.client.Status(ctx)
}

// ARPAnswers returns the ARP replies since a moment that claimed ip, oldest
// first. To know who owns ip now, cause a question first (arping from the
// client) and look at the answers since then.
func (l *Lab) ARPAnswers(ctx context.Context, ip netip.Addr, since time.Time) ([]ARPAnswer, error) {
	return l.client.ARPAnswers(ctx, ip, since)
}
