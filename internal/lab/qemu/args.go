package qemu

import (
	"fmt"
	"strings"
)

// Program is the emulator, found by PATH.
const Program = "qemu-system-x86_64"

// File descriptors that the process inherits (exec.Cmd.ExtraFiles start at 3).
const (
	monitorFD = 3
	lanFD     = 4
)

// Config is one virtual machine. Paths must be absolute.
type Config struct {
	Name    string
	Accel   Accel
	Kernel  string
	Initrd  string
	Disk    string // qcow2
	Console string // what the serial console says is appended here
	Memory  int    // MiB
	// LANMAC is eth0's address, ManagementMAC eth1's.
	LANMAC        string
	ManagementMAC string
	// SSHPort of 127.0.0.1 is forwarded to port 22 of the machine.
	SSHPort int
}

// kernelOptions make an emulated boot quick: no Spectre mitigations, no
// calibration of clocks that cannot drift apart, no renaming of interfaces. And
// every program at one address always: QEMU keeps what it translated by its
// address, so that each start of one elsewhere is translated anew, which takes
// four times as long as the start itself.
const kernelOptions = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off " +
	"tsc=reliable no_timer_check nowatchdog audit=0 norandmaps random.trust_cpu=on panic=-1"

// args is QEMU's command line, without the program. If snapshot is not empty
// the machine continues from it instead of booting.
func (c Config) args(snapshot string) []string {
	cpu := "max"
	if c.Accel == KVM {
		cpu = "host"
	}
	args := []string{
		"-name", "lab-" + c.Name,
		"-nodefaults", "-no-user-config", "-display", "none",
		"-machine", "q35,accel=" + string(c.Accel),
		"-cpu", cpu, "-smp", "1", "-m", fmt.Sprint(c.Memory),
		"-kernel", c.Kernel, "-initrd", c.Initrd, "-append", kernelOptions,
		"-chardev", "file,id=console,append=on,path=" + escape(c.Console), "-serial", "chardev:console",
		"-chardev", fmt.Sprintf("socket,id=monitor,fd=%d", monitorFD), "-mon", "chardev=monitor,mode=control",
		// Nothing on the disk outlives the lab, so the host need not sync it.
		"-drive", "if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file=" + escape(c.Disk),
		"-device", "virtio-blk-pci,drive=disk",
		// The order of these two makes eth0 and eth1.
		"-netdev", fmt.Sprintf("stream,id=lan,server=off,addr.type=fd,addr.str=%d", lanFD),
		"-device", "virtio-net-pci,netdev=lan,romfile=,mac=" + c.LANMAC,
		"-netdev", fmt.Sprintf("user,id=management,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:%d-:22", c.SSHPort),
		"-device", "virtio-net-pci,netdev=management,romfile=,mac=" + c.ManagementMAC,
		"-object", "rng-random,id=entropy,filename=/dev/urandom",
		"-device", "virtio-rng-pci,rng=entropy",
	}
	if snapshot != "" {
		args = append(args, "-loadvm", snapshot)
	}
	return args
}

// escape writes a value inside a comma separated option of QEMU.
func escape(value string) string { return strings.ReplaceAll(value, ",", ",,") }
