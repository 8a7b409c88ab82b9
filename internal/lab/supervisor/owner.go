package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// own takes the lock that makes this process the supervisor of dir. It is held
// until the process ends.
func own(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, wholeFile()); err != nil {
		f.Close()
		return nil, fmt.Errorf("another supervisor runs in %s: %w", dir, err)
	}
	return f, nil
}

// Owner returns the process id of the supervisor that runs in dir now, or 0.
// It is the kernel's word on who holds the lock (fcntl(2), F_GETLK).
func Owner(dir string) (int, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lock := wholeFile()
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, lock); err != nil {
		return 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, nil
	}
	return int(lock.Pid), nil
}

// Kill ends the supervisor that runs in dir without asking it, and with it
// every virtual machine. It is for one that no longer answers.
func Kill(dir string) error {
	pid, err := Owner(dir)
	if err != nil || pid == 0 {
		return err
	}
	// The descriptor stays with this process even if its id is reused, so the
	// second look at the lock settles who will be killed.
	process, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("supervisor process %d: %w", pid, err)
	}
	defer unix.Close(process)
	if again, err := Owner(dir); err != nil || again != pid {
		return err
	}
	if err := unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill supervisor process %d: %w", pid, err)
	}
	return nil
}

// AwaitNone waits until no supervisor runs in dir.
func AwaitNone(ctx context.Context, dir string) error {
	for {
		pid, err := Owner(dir)
		if err != nil || pid == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("supervisor process %d of %s still runs: %w", pid, dir, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func wholeFile() *unix.Flock_t {
	return &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
}
