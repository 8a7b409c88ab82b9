package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// needed maps each program to the Debian package that brings it.
var needed = []struct{ program, pkg string }{
	{"qemu-system-x86_64", "qemu-system-x86"},
	{"qemu-img", "qemu-utils"},
	{"mmdebstrap", "mmdebstrap"},
	{"mke2fs", "e2fsprogs"},
	{"unshare", "util-linux"},
}

// neededByUsers is needed where the image is not built by root: mmdebstrap's
// user namespace.
var neededByUsers = struct{ program, pkg string }{"newuidmap", "uidmap"}

// system is what Ensure asks of the machine; tests give another.
type system struct {
	root    bool
	has     func(program string) bool
	install func(ctx context.Context, packages []string, progress io.Writer) error
}

// Ensure installs what is missing where it can: as root, with apt-get. Else
// the error names everything that is missing and the command that installs it.
func Ensure(ctx context.Context, progress io.Writer) error {
	return system{
		root: os.Geteuid() == 0,
		has: func(program string) bool {
			_, err := exec.LookPath(program)
			return err == nil
		},
		install: aptInstall,
	}.ensure(ctx, progress)
}

func (s system) ensure(ctx context.Context, progress io.Writer) error {
	want := needed
	if !s.root {
		want = append(slices.Clone(needed), neededByUsers)
	}
	var programs, packages []string
	for _, n := range want {
		// mke2fs lies in /sbin, which is not on every user's path.
		if !s.has(n.program) && !s.has("/sbin/"+n.program) {
			programs = append(programs, n.program)
			packages = append(packages, n.pkg)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	by := "apt-get install --no-install-recommends " + strings.Join(packages, " ")
	missing := fmt.Errorf("the lab needs programs that are not installed: %s", strings.Join(programs, ", "))
	switch {
	case !s.has("apt-get"):
		return fmt.Errorf("%w; this is not a Debian or Ubuntu system, so install what brings them (there: %s)", missing, by)
	case !s.root:
		return fmt.Errorf("%w; run: sudo %s", missing, by)
	}
	fmt.Fprintf(progress, "tools: installing %s\n", strings.Join(packages, " "))
	if err := s.install(ctx, packages, progress); err != nil {
		return errors.Join(missing, fmt.Errorf("%s: %w", by, err))
	}
	return nil
}

func aptInstall(ctx context.Context, packages []string, progress io.Writer) error {
	for _, args := range [][]string{
		{"update", "-q"},
		append([]string{"install", "-q", "--yes", "--no-install-recommends"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
		cmd.Stdout, cmd.Stderr = progress, progress
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	return nil
}
