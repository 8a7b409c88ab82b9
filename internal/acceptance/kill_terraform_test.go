//go:build acceptance

package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

// workspace is a folder with a configuration, and a provider built with the points
// at which tests stop it.
type workspace struct {
	dir string
	env []string
}

func newWorkspace(t *testing.T) workspace {
	t.Helper()
	tf := workspace{dir: t.TempDir()}
	build := osexec.CommandContext(t.Context(), "go", "build", "-tags", "acceptance", "-o", filepath.Join(tf.dir, "terraform-provider-redislb"), "../..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the provider: %v\n%s", err, out)
	}
	tf.write(t, "cli.tfrc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"redislb/redislb\" = %q\n  }\n  direct {}\n}\n", tf.dir))
	tf.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(tf.dir, "cli.tfrc"), "TF_IN_AUTOMATION=1")
	return tf
}

func (tf workspace) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(tf.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command is Terraform about to start; its script on the host stops before a step,
// if one is named.
func (tf workspace) command(ctx context.Context, step string, args ...string) (*osexec.Cmd, *bytes.Buffer) {
	cmd := osexec.CommandContext(ctx, "terraform", append([]string{"-chdir=" + tf.dir}, args...)...)
	cmd.Env = append(slices.Clone(tf.env), host.FaultStep+"="+step)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

func (tf workspace) must(t *testing.T, args ...string) {
	t.Helper()
	cmd, out := tf.command(t.Context(), "", args...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// hasEmptyPlan fails the test if Terraform would change anything.
func (tf workspace) hasEmptyPlan(t *testing.T) {
	t.Helper()
	cmd, out := tf.command(t.Context(), "", "plan", "-no-color", "-detailed-exitcode")
	if err := cmd.Run(); err != nil {
		t.Errorf("the plan is not empty (%v):\n%s", err, out)
	}
}

// childOf returns the provider that a Terraform process has started.
func childOf(t *testing.T, parent int) *os.Process {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		content, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		// proc(5): pid (comm) state ppid
		_, rest, _ := strings.Cut(string(content), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			if err != nil {
				t.Fatal(err)
			}
			p, err := os.FindProcess(pid)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	t.Fatal("Terraform runs no provider")
	return nil
}

// TestTerraformKilledInTheMiddle is TestKilledAtEveryStep's end-to-end proof: a few
// of its cases with Terraform around them.
func TestTerraformKilledInTheMiddle(t *testing.T) {
	alone(t, hostA())
	bare(t, "a")
	h := hostA()
	wire := newProxy(t, net.JoinHostPort("127.0.0.1", fmt.Sprint(h.SSHPort)))
	tf := newWorkspace(t)
	configure := func(vip string) {
		tf.write(t, "main.tf", strings.NewReplacer(
			fmt.Sprint("port = ", h.SSHPort), fmt.Sprint("port = ", wire.port()), "192.0.2.229", vip,
		).Replace(realServer(h, fmt.Sprintf("private_key_file = %q, known_hosts = %q", machines.KeyFile(), newJob(t, h, wire.port()).KnownHosts))))
	}
	before := fingerprintOf(t, h)
	kill := func(t *testing.T, p *os.Process) {
		if err := p.Signal(syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	cases := []struct {
		name, vip string
		args      []string
		strike    func(t *testing.T, terraform *os.Process)
	}{
		{"the provider is killed in a create", "192.0.2.229", []string{"apply", "-auto-approve", "-no-color"}, func(t *testing.T, p *os.Process) { kill(t, childOf(t, p.Pid)) }},
		{"the connection is cut in an apply", "192.0.2.230", []string{"apply", "-auto-approve", "-no-color"}, func(*testing.T, *os.Process) { wire.cut() }},
		{"Terraform and the provider are killed in a destroy", "192.0.2.230", []string{"destroy", "-auto-approve", "-no-color"}, func(t *testing.T, p *os.Process) {
			kill(t, childOf(t, p.Pid))
			kill(t, p)
		}},
	}
	if !full { // a killed provider leaves its change to wait for a confirmation, a minute each
		cases = cases[1:]
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			configure(c.vip)
			h.MustExec(t, "rm -f "+host.FaultReached)
			cmd, out := tf.command(t.Context(), "0.3", c.args...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			script := 0
			eventually(t, 2*time.Minute, "the script on the host stops", func() bool {
				script, _ = standing(h)
				return script != 0
			})
			c.strike(t, cmd.Process)
			release(t, h)
			var exit *osexec.ExitError
			if err := <-ended; err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			t.Logf("terraform ended with %d:\n%s", cmd.ProcessState.ExitCode(), out)
			// Where nobody confirms it, it takes itself back after a minute.
			eventually(t, 3*time.Minute, "the script on the host ends", func() bool { return exec(h, fmt.Sprintf("[ -d /proc/%d ] || echo over", script)) == "over" })
			tf.must(t, c.args...)
			if c.args[0] == "apply" {
				tf.hasEmptyPlan(t)
			}
			if left := fingerprintOf(t, h).left; left != "" {
				t.Errorf("left behind:\n%s", left)
			}
		})
	}
	isAsBefore(t, h, before)
}
