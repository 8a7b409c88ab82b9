package tools

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestEnsure(t *testing.T) {
	everything := []string{"qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "unshare", "newuidmap", "apt-get"}
	without := func(programs ...string) []string {
		return slices.DeleteFunc(slices.Clone(everything), func(p string) bool { return slices.Contains(programs, p) })
	}
	for _, c := range []struct {
		name      string
		has       []string
		root      bool
		installed []string
		wantErr   []string
	}{
		{"nothing is missing", everything, false, nil, nil},
		{"root installs what is missing", without("qemu-img", "mmdebstrap"), true, []string{"qemu-utils", "mmdebstrap"}, nil},
		{"root needs no uidmap", without("newuidmap"), true, nil, nil},
		{"a user is told all of it at once", without("qemu-img", "newuidmap"), false, nil,
			[]string{"qemu-img, newuidmap", "sudo apt-get install --no-install-recommends qemu-utils uidmap"}},
		{"another system", without("qemu-img", "apt-get"), true, nil, []string{"qemu-img", "not a Debian", "qemu-utils"}},
		{"mke2fs in /sbin will do", append(without("mke2fs"), "/sbin/mke2fs"), false, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var installed []string
			err := system{
				root: c.root,
				has:  func(p string) bool { return slices.Contains(c.has, p) },
				install: func(_ context.Context, packages []string, _ io.Writer) error {
					installed = packages
					return nil
				},
			}.ensure(t.Context(), io.Discard)
			if !slices.Equal(installed, c.installed) {
				t.Errorf("installed %v, want %v", installed, c.installed)
			}
			if (err != nil) != (c.wantErr != nil) {
				t.Fatalf("error %v, want one with %q", err, c.wantErr)
			}
			for _, part := range c.wantErr {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

func TestEnsureSaysWhyInstallingFailed(t *testing.T) {
	err := system{
		root:    true,
		has:     func(p string) bool { return p == "apt-get" },
		install: func(context.Context, []string, io.Writer) error { return errors.New("exit status 100") },
	}.ensure(t.Context(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "exit status 100") || !strings.Contains(err.Error(), "mmdebstrap") {
		t.Errorf("error %v", err)
	}
}
