package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// terraform is a folder with examples/complete, and the provider as it was built.
type terraform struct {
	dir string
	env []string
}

func newTerraform(dir string, machines *lab.Lab) (*terraform, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "examples", "complete"))); err != nil {
		return nil, fmt.Errorf("run the demo from the top of the repository: %w", err)
	}
	hosts := map[string]any{}
	for _, name := range []string{"a", "b"} {
		hosts[name] = map[string]any{"address": "127.0.0.1", "port": machines.Host(name).SSHPort}
	}
	variables, err := json.MarshalIndent(map[string]any{
		"hosts":            hosts,
		"private_key_file": machines.KeyFile(),
		"known_hosts_file": machines.KnownHostsFile(),
		"vrrp_password":    "s3cret",
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	// Terraform is told to take the provider from the folder of the build.
	override := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"redislb/redislb\" = %q\n  }\n  direct {}\n}\n", filepath.Join(root, "bin"))
	for name, content := range map[string]string{"terraform.tfvars.json": string(variables), "cli.tfrc": override} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	return &terraform{dir: dir, env: append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")}, nil
}

// run returns what Terraform printed, without its words on the override.
func (t *terraform) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "terraform", append([]string{"-chdir=" + t.dir}, args...)...)
	cmd.Env = t.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	text := out.String()
	if _, rest, found := strings.Cut(text, "published\nreleases.\n"); found {
		text = rest
	}
	return strings.TrimSpace(text), err
}

// apply runs terraform apply and fails where it does.
func (t *terraform) apply(ctx context.Context) (string, error) {
	out, err := t.run(ctx, "apply", "-auto-approve", "-no-color")
	if err != nil {
		return "", fmt.Errorf("terraform apply: %w:\n%s", err, out)
	}
	return out, nil
}

// plan runs terraform plan; changes tells whether it would change anything.
func (t *terraform) plan(ctx context.Context) (out string, changes bool, err error) {
	out, err = t.run(ctx, "plan", "-no-color", "-detailed-exitcode")
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out, false, nil
	case errors.As(err, &exit) && exit.ExitCode() == 2: // -detailed-exitcode: there are changes
		return out, true, nil
	}
	return "", false, fmt.Errorf("terraform plan: %w:\n%s", err, out)
}
