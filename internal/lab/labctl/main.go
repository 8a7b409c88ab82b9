// Labctl runs the lab: real virtual machines for the acceptance tests, the
// demo and anybody who wants to try the provider.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
	"github.com/redislb/terraform-provider-redislb/internal/lab/supervisor"
)

const usage = `usage: labctl COMMAND

  up [--hosts a,b,client]        build the image if need be, boot the hosts
  down                           end the lab and remove its disks
  status                         what runs, and the counters of the switch
  exec HOST -- CMD...            run a command as root; one word is a shell command
  ssh HOST [ARG...]              log in
  cable HOST cut|heal            the host's LAN cable
  power HOST off|on|freeze|thaw|hard-reset
  reset [HOST...]                back to the bare hosts of right after 'up'
  pcap FILE                      record the LAN until interrupted; - is stdout

The lab lives in $LAB_DIR, or .lab in the repository; 'source .lab/env' tells a
shell about it. LAB_SUITE=bullseye|bookworm|trixie chooses the release,
LAB_ACCEL=kvm|tcg overrides the choice between the two.
`

// usageError is a command line that cannot be carried out.
type usageError string

func (e usageError) Error() string { return string(e) }

// exitCode is a remote command's own.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	var code exitCode
	var bad usageError
	switch {
	case err == nil:
	case errors.As(err, &code):
		os.Exit(int(code))
	case errors.As(err, &bad):
		fmt.Fprintf(os.Stderr, "labctl: %s\n\n%s", bad, usage)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "labctl: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usageError("no command")
	}
	command, args := args[0], args[1:]
	switch command {
	case "help", "-h", "--help":
		_, err := io.WriteString(os.Stdout, usage)
		return err
	case lab.SuperviseCommand:
		return supervise(args)
	case "up":
		return up(ctx, args)
	case "down":
		if len(args) > 0 {
			return usageError("down takes no arguments")
		}
		return lab.Down(ctx, "")
	}
	do := map[string]func(context.Context, *lab.Lab, []string) error{
		"status": status, "exec": execute, "ssh": login, "cable": cable, "power": power, "reset": reset, "pcap": pcap,
	}[command]
	if do == nil {
		return usageError(fmt.Sprintf("no command %q", command))
	}
	l, err := lab.Attach(ctx, "")
	if err != nil {
		return err
	}
	defer l.Close()
	return do(ctx, l, args)
}

// supervise is what lab.Up starts in the background.
func supervise(args []string) error {
	switch {
	case len(args) == 1:
		return supervisor.Run(args[0], false)
	case len(args) == 2 && args[1] == lab.SuperviseTied:
		return supervisor.Run(args[0], true)
	default:
		return usageError(lab.SuperviseCommand + " is for the lab itself")
	}
}

func host(l *lab.Lab, name string) (*lab.Host, error) {
	h := l.Host(name)
	if h == nil {
		return nil, usageError(fmt.Sprintf("no host %q; the lab has %s", name, strings.Join(l.Hosts(), ", ")))
	}
	return h, nil
}

// oneOf carries out the action that args name on the host that they name.
func oneOf(ctx context.Context, l *lab.Lab, command string, args []string, actions map[string]func(*lab.Host, context.Context) error) error {
	var names []string
	for name := range actions {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(args) != 2 || actions[args[1]] == nil {
		return usageError(fmt.Sprintf("want: %s HOST %s", command, strings.Join(names, "|")))
	}
	h, err := host(l, args[0])
	if err != nil {
		return err
	}
	return actions[args[1]](h, ctx)
}
