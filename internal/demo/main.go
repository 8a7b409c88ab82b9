// Command demo brings a Redis load balancer to life on the lab's machines with
// examples/complete, and shows on them what the provider claims. Each claim is
// checked: one that does not hold makes the demo fail.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

func main() {
	keep := flag.Bool("keep", false, "leave the lab running afterwards and say how to use it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, keep bool) error {
	s := newStage(os.Stdout)
	s.title("A lab of three machines")
	machines, err := lab.Up(ctx, lab.Options{Progress: os.Stdout, Tied: !keep})
	if errors.Is(err, lab.ErrRunning) {
		return fmt.Errorf("%w. If it is yours from an earlier 'make demo KEEP=1', end it with 'make lab-down' first", err)
	}
	if err != nil {
		return err
	}
	defer machines.Close()
	tf, err := newTerraform(filepath.Join(machines.Dir(), "demo"), machines)
	if err != nil {
		return err
	}
	show := &show{stage: s, machines: machines, tf: tf}
	if err := show.play(ctx); err != nil {
		return err
	}
	if keep {
		show.farewell()
	} else if err := machines.Down(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return s.end()
}
