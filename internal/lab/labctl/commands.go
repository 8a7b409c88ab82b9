package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"al.essio.dev/pkg/shellescape"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

func up(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	hosts := flags.String("hosts", strings.Join(lab.DefaultHosts, ","), "names of the hosts")
	if err := flags.Parse(args); err != nil {
		return usageError(err.Error())
	}
	if flags.NArg() > 0 {
		return usageError(fmt.Sprintf("up: unexpected %q", flags.Args()))
	}
	names := strings.Split(*hosts, ",")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	l, err := lab.Up(ctx, lab.Options{Hosts: names, Progress: os.Stderr, Labctl: self})
	if errors.Is(err, lab.ErrRunning) {
		var attachErr error
		if l, attachErr = lab.Attach(ctx, ""); attachErr != nil || !slices.Equal(l.Hosts(), names) {
			return errors.Join(err, attachErr)
		}
		fmt.Fprintf(os.Stderr, "labctl: the lab is up already\n")
	} else if err != nil {
		return err
	}
	defer l.Close()
	fmt.Printf("lab in %s: %s\nshell variables: . %s\nlog in: ssh -F %s %s\n",
		l.Dir(), strings.Join(l.Hosts(), " "), shellescape.Quote(l.EnvFile()), shellescape.Quote(l.SSHConfigFile()), l.Hosts()[0])
	return nil
}

func status(ctx context.Context, l *lab.Lab, args []string) error {
	if len(args) > 0 {
		return usageError("status takes no arguments")
	}
	machines, err := l.Status(ctx)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "HOST\tPOWER\tCABLE\tADDRESS\tMAC\tSSH\tFRAMES OUT\tIN\tDROPPED")
	for _, m := range machines {
		h, cable := l.Host(m.Name), "ok"
		if m.Port.Cut {
			cable = "cut"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t127.0.0.1:%d\t%d\t%d\t%d\n",
			m.Name, m.Power, cable, h.Addr, h.MAC, h.SSHPort, m.Port.In, m.Port.Out, m.Port.Dropped)
	}
	return out.Flush()
}

// execute runs one word as a shell command and several as they are.
func execute(ctx context.Context, l *lab.Lab, args []string) error {
	if len(args) >= 2 && args[1] == "--" {
		args = slices.Delete(slices.Clone(args), 1, 2)
	}
	if len(args) < 2 {
		return usageError("want: exec HOST -- CMD...")
	}
	h, err := host(l, args[0])
	if err != nil {
		return err
	}
	command := args[1]
	if len(args) > 2 {
		command = shellescape.QuoteCommand(args[1:])
	}
	code, err := h.Run(ctx, command, lab.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		return err
	}
	if code != 0 {
		return exitCode(code)
	}
	return nil
}

// login becomes OpenSSH, which knows about terminals.
func login(_ context.Context, l *lab.Lab, args []string) error {
	if len(args) == 0 {
		return usageError("want: ssh HOST [ARG...]")
	}
	if _, err := host(l, args[0]); err != nil {
		return err
	}
	command := append([]string{"ssh", "-F", l.SSHConfigFile()}, args...)
	program, err := exec.LookPath("ssh")
	if err != nil {
		return fmt.Errorf("%w; with OpenSSH's client installed this runs: %s", err, shellescape.QuoteCommand(command))
	}
	return syscall.Exec(program, command, os.Environ())
}

func cable(ctx context.Context, l *lab.Lab, args []string) error {
	return oneOf(ctx, l, "cable", args, map[string]func(*lab.Host, context.Context) error{
		"cut":  func(h *lab.Host, ctx context.Context) error { return h.Cable(ctx, true) },
		"heal": func(h *lab.Host, ctx context.Context) error { return h.Cable(ctx, false) },
	})
}

func power(ctx context.Context, l *lab.Lab, args []string) error {
	return oneOf(ctx, l, "power", args, map[string]func(*lab.Host, context.Context) error{
		"off": (*lab.Host).PowerOff, "on": (*lab.Host).PowerOn,
		"freeze": (*lab.Host).Freeze, "thaw": (*lab.Host).Thaw, "hard-reset": (*lab.Host).HardReset,
	})
}

func reset(ctx context.Context, l *lab.Lab, args []string) error { return l.Reset(ctx, args...) }

func pcap(ctx context.Context, l *lab.Lab, args []string) error {
	if len(args) != 1 {
		return usageError("want: pcap FILE")
	}
	file := args[0]
	if file == "-" {
		file = "/dev/stdout"
	}
	stop, err := l.StartPcap(ctx, file)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return stop()
}
