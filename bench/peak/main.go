// Command peak stands in for the provider's binary where its memory is measured:
// it runs the program $BENCH_PROVIDER and appends the most memory that it had
// resident, in KiB, as a line to the file $BENCH_PEAKS. Terraform starts a
// provider several times a command, so there are several lines.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peak:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run() (exitCode int, err error) {
	runtime.LockOSThread() // Pdeathsig goes by the thread that started the child
	cmd := exec.Command(os.Getenv("BENCH_PROVIDER"), os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runErr := cmd.Run()
	if cmd.ProcessState == nil {
		return 0, runErr
	}
	peaks, err := os.OpenFile(os.Getenv("BENCH_PEAKS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	// Linux counts ru_maxrss in KiB (getrusage(2)).
	_, err = fmt.Fprintln(peaks, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	var exit *exec.ExitError
	if runErr != nil && !errors.As(runErr, &exit) {
		err = errors.Join(err, runErr)
	}
	return max(0, cmd.ProcessState.ExitCode()), errors.Join(err, peaks.Close())
}
