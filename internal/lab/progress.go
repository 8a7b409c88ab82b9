package lab

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// heartbeatEvery is how often a long wait shows that it is alive.
const heartbeatEvery = 10 * time.Second

// progress writes lines with the seconds since it was made. It may be used
// from any goroutine.
type progress struct {
	out   io.Writer
	start time.Time
	mu    sync.Mutex
}

func newProgress(out io.Writer) *progress { return &progress{out: out, start: time.Now()} }

// Write passes whole lines of others on.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *progress) line(format string, args ...any) {
	fmt.Fprintf(p, "lab: %4.0fs %s\n", time.Since(p.start).Seconds(), fmt.Sprintf(format, args...))
}

// heartbeat repeats what is being waited for until stop is called.
func (p *progress) heartbeat(what string) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(heartbeatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				p.line("%s ...", what)
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
