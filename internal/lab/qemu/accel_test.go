package qemu

import (
	"errors"
	"testing"
)

func TestKVMIsUsedOnlyWhereItWorks(t *testing.T) {
	const intel, amd, none = "flags\t: fpu vmx sse\n", "flags : fpu svm\n", "model name : vmx 3000\nflags : fpu vme\nbugs : svm\n"
	works := func() error { return nil }
	broken := func() error { return errors.New("KVM_CREATE_VM: no such device") }
	for _, c := range []struct {
		name    string
		probe   Probe
		want    Accel
		wantErr bool
	}{
		{"Intel", Probe{CPUInfo: intel, CreateVM: works}, KVM, false},
		{"AMD", Probe{CPUInfo: amd, CreateVM: works}, KVM, false},
		{"no flags but a /dev/kvm that opens", Probe{CPUInfo: none, CreateVM: works}, TCG, false},
		{"flags but no virtual machine can be made", Probe{CPUInfo: intel, CreateVM: broken}, TCG, false},
		{"forced kvm", Probe{Override: "kvm", CPUInfo: none, CreateVM: broken}, KVM, false},
		{"forced tcg", Probe{Override: "tcg", CPUInfo: intel, CreateVM: works}, TCG, false},
		{"a typing error", Probe{Override: "kmv", CPUInfo: intel, CreateVM: works}, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.probe.Accel()
			if got != c.want || (err != nil) != c.wantErr {
				t.Errorf("got %q, %v; want %q, error %v", got, err, c.want, c.wantErr)
			}
		})
	}
}
