package qemu

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Accel is how a virtual machine's processor is made.
type Accel string

const (
	// KVM uses the processor's own virtualization.
	KVM Accel = "kvm"
	// TCG emulates: it works everywhere and is about ten times slower.
	TCG Accel = "tcg"
)

// Probe is what decides between the two.
type Probe struct {
	// Override is the user's choice (LAB_ACCEL): "kvm", "tcg" or empty.
	Override string
	// CPUInfo is the content of /proc/cpuinfo.
	CPUInfo string
	// CreateVM tries to make an empty virtual machine with KVM.
	CreateVM func() error
}

// HostProbe looks at this machine and at LAB_ACCEL.
func HostProbe() Probe {
	info, _ := os.ReadFile("/proc/cpuinfo") // unreadable is the same as no flags
	return Probe{Override: os.Getenv("LAB_ACCEL"), CPUInfo: string(info), CreateVM: createKVM}
}

// Accel chooses KVM only if it really works: /dev/kvm may exist, and even
// open, on a machine whose processor cannot virtualize.
func (p Probe) Accel() (Accel, error) {
	switch p.Override {
	case string(KVM), string(TCG):
		return Accel(p.Override), nil
	case "":
	default:
		return "", fmt.Errorf("LAB_ACCEL=%q: want kvm, tcg or nothing", p.Override)
	}
	if hasVirtualization(p.CPUInfo) && p.CreateVM() == nil {
		return KVM, nil
	}
	return TCG, nil
}

func hasVirtualization(cpuinfo string) bool {
	for line := range strings.Lines(cpuinfo) {
		name, flags, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != "flags" {
			continue
		}
		for _, flag := range strings.Fields(flags) {
			if flag == "vmx" || flag == "svm" {
				return true
			}
		}
		return false
	}
	return false
}

// createKVM asks the kernel for a virtual machine and gives it back
// (Documentation/virt/kvm/api.rst, 4.2 KVM_CREATE_VM).
func createKVM() error {
	const kvmCreateVM = 0xAE01
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer kvm.Close()
	vm, _, errno := unix.Syscall(unix.SYS_IOCTL, kvm.Fd(), kvmCreateVM, 0)
	if errno != 0 {
		return fmt.Errorf("KVM_CREATE_VM: %w", errno)
	}
	return unix.Close(int(vm))
}
