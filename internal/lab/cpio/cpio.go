package cpio

import (
	"fmt"
	"io"
	"path"
	"strings"
)

// File type bits of a cpio entry's mode (stat(2), S_IFMT).
const (
	modeDir  = 0o040000
	modeFile = 0o100000
)

// trailer is the name that ends every archive.
const trailer = "TRAILER!!!"

// Writer writes one archive. Directories above an entry are added when they
// are first needed, owned by root and with mode 0755; to give one another mode
// call Dir before the entries below it.
type Writer struct {
	out  io.Writer
	n    int64
	ino  int
	dirs map[string]bool // false: a file
}

// NewWriter starts an archive on out.
func NewWriter(out io.Writer) *Writer {
	return &Writer{out: out, dirs: map[string]bool{}}
}

// Dir adds the directory name, given without a leading slash, with permission
// bits perm and the owner uid, whose group has the same number.
func (w *Writer) Dir(name string, perm, uid int) error {
	name = path.Clean(name)
	if err := w.parents(name); err != nil {
		return err
	}
	w.dirs[name] = true
	return w.entry(name, modeDir|perm, uid, nil)
}

// File adds a regular file; see Dir for the arguments.
func (w *Writer) File(name string, perm, uid int, content []byte) error {
	name = path.Clean(name)
	if err := w.parents(name); err != nil {
		return err
	}
	if _, taken := w.dirs[name]; taken {
		return fmt.Errorf("cpio entry %q: is there already", name)
	}
	w.dirs[name] = false
	return w.entry(name, modeFile|perm, uid, content)
}

// Close ends the archive. It pads to 512 bytes, so that another may follow.
func (w *Writer) Close() error {
	if err := w.entry(trailer, 0, 0, nil); err != nil {
		return err
	}
	return w.pad(512)
}

// parents adds the folders that are missing above name. It refuses what the kernel
// would unpack elsewhere, under a shortened name, or not at all.
func (w *Writer) parents(name string) error {
	if name == "." || name == trailer || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "..") || strings.Contains(name, "\x00") {
		return fmt.Errorf("cpio entry %q: want a path below the archive's root", name)
	}
	dir := path.Dir(name)
	if isDir, taken := w.dirs[dir]; taken && !isDir {
		return fmt.Errorf("cpio entry %q: %q is a file", name, dir)
	}
	if dir == "." || dir == "/" || w.dirs[dir] {
		return nil
	}
	return w.Dir(dir, 0o755, 0)
}

func (w *Writer) entry(name string, mode, uid int, content []byte) error {
	w.ino++
	const mtime, links = 0, 1
	header := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		w.ino, mode, uid, uid, links, mtime, len(content), 0, 0, 0, 0, len(name)+1, 0)
	if err := w.write([]byte(header + name + "\x00")); err != nil {
		return err
	}
	if err := w.pad(4); err != nil {
		return err
	}
	if err := w.write(content); err != nil {
		return err
	}
	return w.pad(4)
}

func (w *Writer) pad(to int64) error {
	return w.write(make([]byte, (to-w.n%to)%to))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.n += int64(n)
	return err
}
