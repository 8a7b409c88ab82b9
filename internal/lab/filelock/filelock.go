// Package filelock keeps processes that work in the same folder apart.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// poll is the pause between two tries.
const poll = 100 * time.Millisecond

// Lock takes the exclusive lock that the file at path stands for and makes the
// file if need be. If somebody else has it, it calls waiting once and tries
// until ctx is done. The lock ends with unlock or with the process.
func Lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		waiting()
		waiting = func() {}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("another process holds the lock %s: %w", path, ctx.Err())
		case <-time.After(poll):
		}
	}
}
