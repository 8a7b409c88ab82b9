package image

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// heartbeat is how often a long phase shows that it is alive.
	heartbeat = 10 * time.Second
	// tailLines is how much of a failed program's output an error shows.
	tailLines = 25
)

// phases tells what is being done and since when, one line per phase.
type phases struct {
	out   io.Writer
	what  string
	start time.Time
	done  chan struct{}
	wg    sync.WaitGroup

	mu    sync.Mutex
	phase string
}

func newPhases(out io.Writer, what string) *phases {
	p := &phases{out: out, what: what, start: time.Now(), done: make(chan struct{})}
	p.wg.Go(p.beat)
	return p
}

func (p *phases) begin(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = phase
	p.line(phase)
}

func (p *phases) stop() {
	close(p.done)
	p.wg.Wait()
	p.line("end")
}

func (p *phases) beat() {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-ticker.C:
			p.mu.Lock()
			p.line(p.phase + " ...")
			p.mu.Unlock()
		}
	}
}

func (p *phases) line(text string) {
	fmt.Fprintf(p.out, "%s: %4.0fs %s\n", p.what, time.Since(p.start).Seconds(), text)
}

// phaseReader reads mmdebstrap's and the hooks' output: their own headings
// begin phases, and the last lines are kept for an error.
type phaseReader struct {
	phases  *phases
	partial []byte
	lines   []string
}

func (r *phaseReader) Write(p []byte) (int, error) {
	r.partial = append(r.partial, p...)
	for {
		line, rest, found := bytes.Cut(r.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		r.partial = rest
		r.line(strings.TrimRight(string(line), "\r"))
	}
}

func (r *phaseReader) line(line string) {
	r.lines = append(r.lines, line)
	if len(r.lines) > tailLines {
		r.lines = r.lines[1:]
	}
	if text, ok := strings.CutPrefix(line, "lab: "); ok {
		r.phases.begin(text)
	} else if text, ok := strings.CutPrefix(line, "I: "); ok && strings.HasSuffix(text, "...") && !strings.Contains(text, "/") {
		r.phases.begin(strings.TrimSuffix(text, "..."))
	}
}

func (r *phaseReader) tail() string { return strings.Join(append(r.lines, string(r.partial)), "\n") }
