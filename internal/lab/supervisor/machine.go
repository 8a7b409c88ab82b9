package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redislb/terraform-provider-redislb/internal/lab/qemu"
	"github.com/redislb/terraform-provider-redislb/internal/lab/vswitch"
)

// Power is the state of a machine.
type Power string

// A machine's power.
const (
	On     Power = "on"
	Off    Power = "off"
	Frozen Power = "frozen"
)

// machine is a virtual machine whose process comes and goes.
type machine struct {
	config qemu.Config
	lan    *vswitch.Switch

	mu     sync.Mutex
	vm     *qemu.VM // nil while off
	frozen bool
	said   string // by the last process as it ended by itself
}

// start boots the machine, or continues from a snapshot that is not empty. The
// caller holds the mutex.
func (m *machine) start(ctx context.Context, snapshot string) error {
	vm, lan, err := qemu.Start(ctx, m.config, snapshot)
	if err != nil {
		return err
	}
	if err := m.lan.Plug(m.config.Name, lan); err != nil {
		lan.Close()
		vm.Quit()
		return err
	}
	m.vm, m.frozen, m.said = vm, false, ""
	go m.watch(vm)
	return nil
}

// watch notes that a process ended by itself: the guest powered off.
func (m *machine) watch(vm *qemu.VM) {
	<-vm.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vm == vm {
		m.said = vm.Output()
		m.stop()
	}
}

// stop cuts the power; the caller holds the mutex.
func (m *machine) stop() {
	if m.vm != nil {
		m.vm.Quit()
		m.vm = nil
	}
}

func (m *machine) off() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stop()
}

func (m *machine) on(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vm != nil {
		return nil
	}
	return m.start(ctx, "")
}

func (m *machine) freeze(ctx context.Context) error {
	return m.running(func(vm *qemu.VM) error {
		if err := vm.Freeze(ctx); err != nil {
			return err
		}
		m.frozen = true
		return nil
	})
}

func (m *machine) thaw(ctx context.Context) error {
	return m.running(func(vm *qemu.VM) error {
		if err := vm.Thaw(ctx); err != nil {
			return err
		}
		m.frozen = false
		return nil
	})
}

func (m *machine) hardReset(ctx context.Context) error {
	return m.running(func(vm *qemu.VM) error { return vm.HardReset(ctx) })
}

// save keeps the machine as it is now, as a state to go back to.
func (m *machine) save(ctx context.Context, state string) error {
	return m.running(func(vm *qemu.VM) error { return vm.Save(ctx, state) })
}

// restore goes back to a saved state from any other, with an intact cable.
func (m *machine) restore(ctx context.Context, state string) error {
	if err := m.lan.SetCut(m.config.Name, false); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vm == nil {
		return m.start(ctx, state)
	}
	if err := m.vm.Load(ctx, state); err != nil {
		return err
	}
	m.frozen = false
	return nil
}

func (m *machine) running(do func(*qemu.VM) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vm == nil {
		return fmt.Errorf("%s is powered off; `labctl power %s on` starts it", m.config.Name, m.config.Name)
	}
	if err := do(m.vm); err != nil {
		return errors.Join(err, m.saidError())
	}
	return nil
}

// saidError is QEMU's own complaint, if it has one.
func (m *machine) saidError() error {
	if said := m.vm.Output(); said != "" {
		return errors.New("QEMU said: " + said)
	}
	return nil
}

func (m *machine) status() MachineStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := MachineStatus{Name: m.config.Name, Power: On, Said: m.said}
	switch {
	case m.vm == nil:
		s.Power = Off
		return s
	case m.frozen:
		s.Power = Frozen
	}
	s.PID = m.vm.PID()
	return s
}
