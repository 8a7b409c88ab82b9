package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// stage is what the audience sees: titles with the time, what machines printed,
// and claims that were checked.
type stage struct {
	out            io.Writer
	started        time.Time
	passed, failed int
}

func newStage(out io.Writer) *stage { return &stage{out: out, started: time.Now()} }

func (s *stage) title(text string) {
	fmt.Fprintf(s.out, "\n%4ds  %s\n", int(time.Since(s.started).Seconds()), text)
}

// print shows what a machine or a program printed, indented.
func (s *stage) print(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		fmt.Fprint(s.out, "         ", line)
	}
}

// claim checks something that the demo is about to boast of.
func (s *stage) claim(holds bool, format string, args ...any) {
	mark := "ok"
	if holds {
		s.passed++
	} else {
		s.failed++
		mark = "NOT SO"
	}
	fmt.Fprintf(s.out, "   %6s  %s\n", mark, fmt.Sprintf(format, args...))
}

// end prints the counts.
func (s *stage) end() error {
	fmt.Fprintf(s.out, "\n%d s\n%d passed, %d failed\n", int(time.Since(s.started).Seconds()), s.passed, s.failed)
	if s.failed > 0 {
		return fmt.Errorf("%d of %d claims do not hold", s.failed, s.failed+s.passed)
	}
	return nil
}
