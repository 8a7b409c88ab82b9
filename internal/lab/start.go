package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab/supervisor"
)

// SuperviseCommand is the subcommand of labctl that is the supervisor, used by
// this package alone. Its arguments are the folder and, for a tied lab, "tied".
const (
	SuperviseCommand = "supervise"
	SuperviseTied    = "tied"
)

// startSupervisor starts the lab's process and waits until it answers. The
// returned context ends, with the reason as its cause, if the process does;
// stop ends that watch.
func (l *Lab) startSupervisor(ctx context.Context, o Options) (watched context.Context, stop func(), err error) {
	program, err := labctl(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	logPath := filepath.Join(o.Dir, supervisor.LogFile)
	log, err := os.Create(logPath)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, SuperviseCommand, o.Dir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no signal of our terminal reaches it
	if o.Tied {
		theirs, ours, err := os.Pipe()
		if err != nil {
			return nil, nil, err
		}
		defer theirs.Close()
		l.lifeline = ours
		cmd.ExtraFiles = []*os.File{theirs} // supervisor.LifelineFD
		cmd.Args = append(cmd.Args, SuperviseTied)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the supervisor: %w", err)
	}
	watched, cancel := context.WithCancelCause(ctx)
	go func() {
		err := cmd.Wait()
		said, _ := os.ReadFile(logPath) // the log is all there is to say
		cancel(fmt.Errorf("the supervisor ended (%w); its log %s says:\n%s", err, logPath, bytes.TrimSpace(said)))
	}()
	for {
		if _, err := l.client.Status(watched); err == nil {
			return watched, func() { cancel(nil) }, nil
		}
		select {
		case <-watched.Done():
			return nil, nil, context.Cause(watched)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// labctl is the program that can be a supervisor: the one that runs, if it is
// labctl, or one that is built now.
func labctl(ctx context.Context, o Options) (string, error) {
	if o.Labctl != "" {
		return o.Labctl, nil
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	path := filepath.Join(o.Dir, "labctl")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./internal/lab/labctl")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("go build ./internal/lab/labctl in %s: %w", root, err), errors.New(string(said)))
	}
	return path, nil
}
