//go:build acceptance

package acceptance

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// machines is the lab that the tests share. Each test begins with bare hosts.
var machines *lab.Lab

func TestMain(m *testing.M) {
	if job := os.Getenv(driverVariable); job != "" {
		os.Exit(drive(job))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	// Those that run beside others mostly wait, for their host.
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for name, value := range map[string]string{
		"TF_ACC":                    "1",
		"TF_CLI_CONFIG_FILE":        os.DevNull,
		"CHECKPOINT_DISABLE":        "1",
		"TF_ACC_PROVIDER_NAMESPACE": "redislb",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	dir, err := lab.Dir("")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// A lab of the tests' own: one that the user started is not disturbed. Only
	// the images are shared.
	machines, err = lab.Up(ctx, lab.Options{
		Dir:      filepath.Join(dir, "acceptance"),
		Images:   filepath.Join(dir, "images"),
		Progress: os.Stderr,
		Tied:     true,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := machines.Down(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	return m.Run()
}
