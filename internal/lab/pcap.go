package lab

import (
	"context"
	"errors"
	"io"
	"os"
)

// StartPcap records every frame that crosses the LAN from now on into a file,
// for tcpdump or Wireshark, until stop is called or ctx ends. Stop returns
// when the file is whole.
func (l *Lab) StartPcap(ctx context.Context, file string) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	frames, err := l.client.Pcap(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	out, err := os.Create(file)
	if err != nil {
		cancel()
		return nil, errors.Join(err, frames.Close())
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(out, frames)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
		ended <- errors.Join(err, out.Close())
	}()
	return func() error {
		cancel()
		err := <-ended
		frames.Close()
		return err
	}, nil
}
