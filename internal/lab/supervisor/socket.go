package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// viaDescriptor calls do with a short path to the control socket. The path of
// a unix socket has room for 107 bytes, which a checkout in a deep folder
// exceeds; through a descriptor of the folder it is always short.
func viaDescriptor[T any](dir string, do func(path string) (T, error)) (T, error) {
	d, err := os.Open(dir)
	if err != nil {
		var none T
		return none, err
	}
	defer d.Close()
	return do(fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), socketFile))
}

func listen(dir string) (net.Listener, error) {
	// The caller holds the lock, so a socket that is there is a dead one's.
	if err := os.Remove(filepath.Join(dir, socketFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return viaDescriptor(dir, func(path string) (net.Listener, error) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return nil, err
		}
		l.SetUnlinkOnClose(false) // the path means nothing once the descriptor is closed
		return l, nil
	})
}

func dial(ctx context.Context, dir string) (net.Conn, error) {
	return viaDescriptor(dir, func(path string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	})
}
