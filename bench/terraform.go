package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// terraform is a folder with a configuration, and the provider as it was built.
type terraform struct {
	dir    string
	limit  time.Duration
	plain  []string // the environment
	peaked []string // the same, with the provider's memory measured
	peaks  string
}

// newTerraform makes a fresh folder without state; each file is given by its name
// and its content.
func (b *bench) newTerraform(name string, variables map[string]any, files map[string][]byte) (*terraform, error) {
	t := &terraform{dir: filepath.Join(b.dir, name), limit: b.limit}
	t.peaks = filepath.Join(t.dir, "peaks")
	if err := errors.Join(os.RemoveAll(t.dir), os.MkdirAll(t.dir, 0o755)); err != nil {
		return nil, err
	}
	given, err := json.MarshalIndent(variables, "", "  ")
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{"terraform.tfvars.json": given}
	for file, content := range files {
		all[file] = content
	}
	for bin, rc := range map[string]string{b.bin: "plain.tfrc", b.measuredBin: "peaked.tfrc"} {
		// Terraform is told to take the provider from the folder of the build.
		all[rc] = fmt.Appendf(nil, "provider_installation {\n  dev_overrides {\n    \"redislb/redislb\" = %q\n  }\n  direct {}\n}\n", bin)
	}
	for file, content := range all {
		if err := os.WriteFile(filepath.Join(t.dir, file), content, 0o600); err != nil {
			return nil, err
		}
	}
	env := func(rc string) []string {
		return append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_CLI_CONFIG_FILE="+filepath.Join(t.dir, rc))
	}
	t.plain = env("plain.tfrc")
	t.peaked = append(env("peaked.tfrc"), "BENCH_PROVIDER="+b.provider(), "BENCH_PEAKS="+t.peaks)
	return t, nil
}

// example is a folder with examples/complete for the lab's hosts.
func (b *bench) example(name string, r reach) (*terraform, error) {
	files := map[string][]byte{}
	for _, file := range []string{"main.tf", "variables.tf"} {
		content, err := os.ReadFile(filepath.Join(b.root, "examples", "complete", file))
		if err != nil {
			return nil, err
		}
		files[file] = content
	}
	return b.newTerraform(name, exampleVariables(r), files)
}

func exampleVariables(r reach) map[string]any {
	hosts := map[string]any{}
	for name, port := range r.ports {
		hosts[name] = map[string]any{"address": "127.0.0.1", "port": port}
	}
	return map[string]any{
		"hosts":            hosts,
		"private_key_file": r.keyFile,
		"known_hosts_file": r.knownHosts,
		"vrrp_password":    "s3cret",
	}
}

// weigh gives every real server of examples/complete another weight.
func (t *terraform) weigh(weight int) error {
	path := filepath.Join(t.dir, "main.tf")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	other := []byte(fmt.Sprintf("weight = %d }", weight))
	changed := bytes.Replace(text, []byte(fmt.Sprintf("weight = %d }", 3-weight)), other, 1)
	if !bytes.Contains(changed, other) {
		return fmt.Errorf("%s has no weight to change", path)
	}
	return os.WriteFile(path, changed, 0o600)
}

// firstError is the line that Terraform begins its first error with.
var firstError = regexp.MustCompile(`(?m)Error: .*$`)

func (t *terraform) run(ctx context.Context, env []string, args ...string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "terraform", append([]string{"-chdir=" + t.dir}, args...)...)
	cmd.Env = env
	// Terraform ends its providers when it is interrupted, not when it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	took, err := timed(cmd.Run)
	switch {
	case ctx.Err() != nil:
		return took, fmt.Errorf("terraform %s: not done within %v", args[0], t.limit)
	case err != nil:
		return took, fmt.Errorf("terraform %s: %w: %s\n%s", args[0], err, firstError.Find(out.Bytes()), out.Bytes())
	}
	return took, nil
}

// apply must succeed.
func (t *terraform) apply(ctx context.Context) (time.Duration, error) {
	return t.run(ctx, t.plain, applyArgs(nil)...)
}

// plan must find nothing to do: -detailed-exitcode makes anything else an error.
func (t *terraform) plan(ctx context.Context, args ...string) (time.Duration, error) {
	return t.run(ctx, t.plain, planArgs(args)...)
}

func applyArgs(args []string) []string {
	return append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, args...)
}

func planArgs(args []string) []string {
	return append([]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, args...)
}

// peak runs Terraform and returns how long it took and the most memory that a
// process of the provider had, in MB.
func (t *terraform) peak(ctx context.Context, args ...string) (took time.Duration, megabytes float64, err error) {
	if err := os.RemoveAll(t.peaks); err != nil {
		return 0, 0, err
	}
	if took, err = t.run(ctx, t.peaked, args...); err != nil {
		return took, 0, err
	}
	peaks, err := os.Open(t.peaks)
	if err != nil {
		return took, 0, fmt.Errorf("the provider's memory was not measured: %w", err)
	}
	defer peaks.Close()
	for lines := bufio.NewScanner(peaks); lines.Scan(); {
		kib, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			return took, 0, err
		}
		megabytes = max(megabytes, kib*1024/1e6)
	}
	return took, megabytes, nil
}

func (t *terraform) peakOfPlan(ctx context.Context, args ...string) (float64, error) {
	_, megabytes, err := t.peak(ctx, planArgs(args)...)
	return megabytes, err
}

func (t *terraform) peakOfApply(ctx context.Context, args ...string) (time.Duration, float64, error) {
	return t.peak(ctx, applyArgs(args)...)
}
