package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// directors are the lab's hosts that are configured.
var directors = []string{"a", "b"}

// bench is what the parts share.
type bench struct {
	options
	root    string // the repository
	dir     string // for files of ours
	started time.Time
	commit  string

	bin         string // the folder of the provider
	measuredBin string // the folder of bench/peak, by the provider's name

	machines   *lab.Lab // nil until a part needs it
	keepalived string   // its version, once it is installed
}

func newBench(ctx context.Context, o options) (*bench, error) {
	b := &bench{options: o, started: time.Now()}
	var err error
	if b.root, err = os.Getwd(); err != nil {
		return nil, err
	}
	labDir, err := lab.Dir("")
	if err != nil {
		return nil, err
	}
	b.dir = filepath.Join(labDir, "bench")
	b.bin, b.measuredBin = filepath.Join(b.dir, "bin"), filepath.Join(b.dir, "measured")
	if err := errors.Join(os.RemoveAll(b.dir), os.MkdirAll(b.dir, 0o755)); err != nil {
		return nil, err
	}
	commit, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--exclude=*").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	b.commit = strings.TrimSpace(string(commit))
	b.say("building the provider")
	const program = "terraform-provider-redislb"
	for from, to := range map[string]string{".": b.bin, "./bench/peak": b.measuredBin} {
		if said, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(to, program), from).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go build %s (run this from the top of the repository): %w: %s", from, err, said)
		}
	}
	return b, nil
}

func (b *bench) provider() string { return filepath.Join(b.bin, "terraform-provider-redislb") }

// lab returns the machines, started when they are first asked for.
func (b *bench) lab(ctx context.Context) (*lab.Lab, error) {
	if b.machines != nil {
		return b.machines, nil
	}
	var err error
	if b.attach {
		b.machines, err = lab.Attach(ctx, "")
		return b.machines, err
	}
	b.say("starting the lab")
	b.machines, err = lab.Up(ctx, lab.Options{Progress: os.Stdout, Tied: true})
	return b.machines, err
}

// bare returns the lab with its hosts as they were when it came up. One that does
// not get there, after a measurement that was too much for it, gives way to a new
// one, whose hosts have other ports.
func (b *bench) bare(ctx context.Context) (*lab.Lab, error) {
	machines, err := b.lab(ctx)
	if err != nil {
		return nil, err
	}
	err = machines.Reset(ctx)
	if err == nil || b.attach || ctx.Err() != nil {
		return machines, err
	}
	b.say("the lab is started anew: %v", err)
	b.machines = nil
	if err := machines.Down(ctx); err != nil {
		return nil, err
	}
	return b.lab(ctx)
}

func (b *bench) close(ctx context.Context) {
	if b.machines == nil {
		return
	}
	if b.attach {
		b.machines.Close()
		return
	}
	if err := b.machines.Down(ctx); err != nil {
		b.say("the lab did not end: %v", err)
	}
}

// on runs a command on a host of the lab and returns what it printed.
func (b *bench) on(ctx context.Context, name, command string) (string, error) {
	r, err := b.machines.Host(name).Exec(ctx, command)
	if err == nil && r.ExitCode != 0 {
		err = fmt.Errorf("%s: %s: exit code %d: %s", name, command, r.ExitCode, r.Stderr)
	}
	return strings.TrimSpace(r.Stdout), err
}

// timed is how long something took that must succeed.
func timed(do func() error) (time.Duration, error) {
	started := time.Now()
	err := do()
	return time.Since(started), err
}
