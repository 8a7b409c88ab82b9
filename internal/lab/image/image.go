package image

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/lab/filelock"
)

//go:embed recipe
var recipe embed.FS

// Suites are the Debian releases that an image can be made of.
var Suites = []string{"bullseye", "bookworm", "trixie"}

// DefaultSuite is used where none is asked for.
const DefaultSuite = "bookworm"

// packages are in the image beside mmdebstrap's minbase variant. keepalived,
// ipvsadm and nftables must not be: they wait in the image's local archive.
var packages = []string{
	"systemd-sysv", "dbus", "openssh-server", "redis-server", "iproute2", "kmod", "procps", "sudo",
	"arping", "iputils-ping",
}

// Image is a built image.
type Image struct{ dir string }

// Rootfs is a raw ext4 file system, to be used through overlays only.
func (i Image) Rootfs() string { return filepath.Join(i.dir, "rootfs.ext4") }

// Kernel is a bzImage.
func (i Image) Kernel() string { return filepath.Join(i.dir, "vmlinuz") }

// Initrd is a cpio archive; another archive appended to it must bring the
// files that recipe/init.sh reads below /seed.
func (i Image) Initrd() string { return filepath.Join(i.dir, "initrd") }

// Name tells images apart, "bookworm-0123456789ab".
func (i Image) Name() string { return filepath.Base(i.dir) }

// Ensure returns the image of a release below dir and builds it if it is not
// there. What is going on is told to progress.
func Ensure(ctx context.Context, dir, suite string, progress io.Writer) (Image, error) {
	if !slices.Contains(Suites, suite) {
		return Image{}, fmt.Errorf("lab image: release %q: want one of %s (LAB_SUITE)", suite, strings.Join(Suites, ", "))
	}
	hash, err := recipeHash(suite)
	if err != nil {
		return Image{}, err
	}
	img := Image{dir: filepath.Join(dir, suite+"-"+hash)}
	if img.complete() {
		return img, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Image{}, err
	}
	unlock, err := filelock.Lock(ctx, filepath.Join(dir, ".lock"), func() {
		fmt.Fprintln(progress, "image: another process is building one here, waiting")
	})
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if img.complete() { // by the builder that held the lock
		return img, nil
	}
	if err := build(ctx, img, suite, progress); err != nil {
		return Image{}, fmt.Errorf("lab image %s: %w", img.Name(), err)
	}
	return img, nil
}

// complete relies on the folder appearing under its name only when whole.
func (i Image) complete() bool {
	_, err := os.Stat(i.dir)
	return err == nil
}

// recipeHash changes with everything that decides what is in the image, except
// for what the archives hold on the day it is built.
func recipeHash(suite string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, suite, packages)
	files, err := recipe.ReadDir("recipe")
	if err != nil {
		return "", err
	}
	for _, f := range files {
		content, err := recipe.ReadFile("recipe/" + f.Name())
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, f.Name(), len(content))
		h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}
