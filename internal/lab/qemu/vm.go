package qemu

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// quitTimeout is how long a process may take to close its disk before it is
// killed.
const quitTimeout = 10 * time.Second

// VM is a running QEMU process.
type VM struct {
	cmd     *exec.Cmd
	monitor *monitor
	output  lockedBuffer
	done    chan struct{} // closed when the process has been waited for
}

// Start runs the machine. A snapshot that is not empty is continued from
// instead of booting. LAN is the far end of eth0's cable, in the format of
// `-netdev stream`; the caller owns it.
func Start(ctx context.Context, c Config, snapshot string) (vm *VM, lan net.Conn, err error) {
	monitorConn, monitorFile, err := socketPair("monitor")
	if err != nil {
		return nil, nil, err
	}
	defer monitorFile.Close()
	lan, lanFile, err := socketPair("lan")
	if err != nil {
		monitorConn.Close()
		return nil, nil, err
	}
	defer lanFile.Close()

	vm = &VM{cmd: exec.Command(Program, c.args(snapshot)...), done: make(chan struct{})}
	vm.cmd.Stdout, vm.cmd.Stderr = &vm.output, &vm.output
	vm.cmd.ExtraFiles = []*os.File{monitorFile, lanFile}
	vm.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := vm.spawn(); err != nil {
		monitorConn.Close()
		lan.Close()
		return nil, nil, fmt.Errorf("virtual machine %s: start %s: %w", c.Name, Program, err)
	}
	// QEMU's own ends must be closed here for a dead process to be noticed.
	monitorFile.Close()
	lanFile.Close()
	if vm.monitor, err = newMonitor(ctx, monitorConn); err != nil {
		vm.kill()
		lan.Close()
		return nil, nil, fmt.Errorf("virtual machine %s: %w; QEMU said: %s", c.Name, err, vm.Output())
	}
	return vm, lan, nil
}

// spawn starts the process from an operating system thread that lives as long
// as the process: Pdeathsig is sent when the parent *thread* dies, and Go ends
// threads as it likes (golang.org/issue/27505).
func (vm *VM) spawn() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := vm.cmd.Start()
		started <- err
		if err == nil {
			_ = vm.cmd.Wait() // how it ended is in its output
			close(vm.done)
		}
	}()
	return <-started
}

// PID is the process's id.
func (vm *VM) PID() int { return vm.cmd.Process.Pid }

// Done is closed when the process has ended.
func (vm *VM) Done() <-chan struct{} { return vm.done }

// Output is what QEMU itself said, which is nothing if all is well.
func (vm *VM) Output() string { return strings.TrimSpace(vm.output.String()) }

// Quit cuts the machine's power and waits until the process is gone. What the
// guest had written to its disk is kept.
func (vm *VM) Quit() {
	ctx, cancel := context.WithTimeout(context.Background(), quitTimeout)
	defer cancel()
	// An error is no news: the process may end before it answers.
	_, _ = vm.monitor.execute(ctx, "quit", nil)
	select {
	case <-vm.done:
	case <-ctx.Done():
	}
	vm.kill()
}

// kill ends the process if need be and frees what belongs to it.
func (vm *VM) kill() {
	_ = vm.cmd.Process.Kill() // an ended process cannot be killed
	<-vm.done
	if vm.monitor != nil {
		vm.monitor.close()
	}
}

// Freeze stops the machine's processor; Thaw lets it go on.
func (vm *VM) Freeze(ctx context.Context) error { return vm.execute(ctx, "stop") }

// Thaw continues a frozen machine.
func (vm *VM) Thaw(ctx context.Context) error { return vm.execute(ctx, "cont") }

// HardReset pushes the machine's reset button.
func (vm *VM) HardReset(ctx context.Context) error { return vm.execute(ctx, "system_reset") }

// Save keeps the machine as it is now, memory and disk, under a name.
func (vm *VM) Save(ctx context.Context, snapshot string) error {
	return vm.monitor.human(ctx, fmt.Sprintf("savevm %q", snapshot))
}

// Load puts the machine back to what Save kept, running.
func (vm *VM) Load(ctx context.Context, snapshot string) error {
	if err := vm.monitor.human(ctx, fmt.Sprintf("loadvm %q", snapshot)); err != nil {
		return err
	}
	return vm.Thaw(ctx)
}

func (vm *VM) execute(ctx context.Context, command string) error {
	_, err := vm.monitor.execute(ctx, command, nil)
	return err
}

// socketPair returns our end as a connection and the child's as a file.
func socketPair(name string) (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair for the %s: %w", name, err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name)
	defer ours.Close() // FileConn duplicates it
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("socket pair for the %s: %w", name, err)
	}
	return conn, theirs, nil
}

// lockedBuffer may be read while the process still writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
