package provider

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// workspace is a folder with a configuration and with the provider as a program, for
// Terraform itself.
type workspace struct {
	dir string
	env []string
}

func newWorkspace(t *testing.T, config string, env ...string) workspace {
	t.Helper()
	w := workspace{dir: t.TempDir()}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(w.dir, "terraform-provider-redislb"), "../..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.write(t, "main.tf", config)
	w.write(t, "rc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"redislb/redislb\" = %q\n  }\n  direct {}\n}\n", w.dir))
	w.env = append(append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "rc")), env...)
	return w
}

func (w workspace) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w workspace) read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (w workspace) run(args ...string) ([]byte, error) {
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd.CombinedOutput()
}

func (w workspace) must(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := w.run(args...)
	if err != nil {
		t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
	}
	return out
}
