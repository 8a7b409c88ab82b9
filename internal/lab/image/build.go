package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab/cpio"
)

// killDelay is how long mmdebstrap may take to clean up when it is told to
// stop.
const killDelay = 20 * time.Second

func build(ctx context.Context, img Image, suite string, progress io.Writer) error {
	phases := newPhases(progress, "image "+img.Name())
	defer phases.stop()

	// The hooks may run as the root of a user namespace, which is nobody in
	// particular outside: they need a folder that everybody may write to, and
	// that lies below nobody's home.
	work, err := os.MkdirTemp("", "lab-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	out := filepath.Join(work, "out")
	if err := errors.Join(os.Chmod(work, 0o755), os.Mkdir(out, 0o755), os.Chmod(out, 0o777), writeRecipe(work)); err != nil {
		return err
	}
	if err := mmdebstrap(ctx, work, out, suite, phases); err != nil {
		return err
	}

	phases.begin("initrd")
	if err := writeInitrd(out); err != nil {
		return err
	}
	phases.begin("into the cache")
	return install(ctx, out, img.dir)
}

// mmdebstrap makes everything but the initrd in out.
func mmdebstrap(ctx context.Context, work, out, suite string, phases *phases) error {
	cmd := exec.CommandContext(ctx, "mmdebstrap",
		"--variant=minbase", "--format=null", "--include="+strings.Join(packages, ","),
		"--setup-hook="+filepath.Join(work, "sources.sh"),
		"--customize-hook="+filepath.Join(work, "customize.sh"),
		"--customize-hook=unshare --mount "+filepath.Join(work, "mkfs.sh")+` "$1"`,
		suite, os.DevNull)
	cmd.Env = append(os.Environ(), "LAB_OUT="+out, "LAB_SUITE="+suite, "LC_ALL=C")
	log := &phaseReader{phases: phases}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killDelay
	phases.begin("mmdebstrap " + suite)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("mmdebstrap: %w; is an apt mirror reachable? It said:\n%s", err, log.tail())
	}
	return nil
}

func writeRecipe(dir string) error {
	for _, name := range []string{"sources.sh", "customize.sh", "mkfs.sh"} {
		script, err := recipe.ReadFile("recipe/" + name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, script, 0o755), os.Chmod(path, 0o755)); err != nil {
			return err
		}
	}
	return nil
}

// writeInitrd packs the /init script, busybox and the modules.
func writeInitrd(out string) error {
	script, err := recipe.ReadFile("recipe/init.sh")
	if err != nil {
		return err
	}
	busybox, err := os.ReadFile(filepath.Join(out, "busybox"))
	if err != nil {
		return err
	}
	modules, err := filepath.Glob(filepath.Join(out, "modules", "*.ko"))
	if err != nil {
		return err
	}
	sort.Strings(modules)

	var archive bytes.Buffer
	w := cpio.NewWriter(&archive)
	err = errors.Join(w.File("init", 0o755, 0, script), w.File("bin/busybox", 0o755, 0, busybox))
	for _, path := range modules {
		module, readErr := os.ReadFile(path)
		err = errors.Join(err, readErr, w.File("modules/"+filepath.Base(path), 0o644, 0, module))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "initrd"), archive.Bytes(), 0o644)
}

// install moves the finished files into the cache in one step.
func install(ctx context.Context, out, dir string) error {
	partial := dir + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.Mkdir(partial, 0o755)); err != nil {
		return err
	}
	defer os.RemoveAll(partial) // gone already if all went well
	for _, name := range []string{"rootfs.ext4", "vmlinuz", "initrd"} {
		// cp keeps the holes of the file system image; a rename would not
		// cross from one file system to another.
		cp := exec.CommandContext(ctx, "cp", "--sparse=always", filepath.Join(out, name), filepath.Join(partial, name))
		if said, err := cp.CombinedOutput(); err != nil {
			return fmt.Errorf("copy %s to %s: %w: %s", name, partial, err, bytes.TrimSpace(said))
		}
	}
	return os.Rename(partial, dir)
}
