package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"
)

// StagedFile is a file for the host.
type StagedFile struct {
	Name    string // in the staging directory: no slash
	Content []byte
	Mode    os.FileMode // permission bits; 0 means 0600
}

const (
	stageStep = "stage files"
	// parallelUploads hides the round trips of a far host.
	parallelUploads = 8
)

// stageParents are where a staging directory may be, best first: /var/tmp is on a
// disk, /tmp may be memory.
var stageParents = []string{"/var/tmp", "/tmp"}

// Stage puts files into a fresh directory on the host, and calls use with its path;
// a script that use runs consumes and removes the directory. It has mode 0700,
// belongs to User and has a name that cannot be guessed. Each file is written
// under another name, its size compared, and then renamed, so a NAME that exists
// is whole. On failure what was made is removed as far as the host still answers.
//
// While use runs, the server holds one of the files open: so whoever finds the
// directory can tell whether anybody still means to use it. (Not so where the
// server allows one session at a time.)
//
// The error is that of use, or one of the staging, with the step "stage files";
// besides the connection's errors there is *StageError.
func (c *Client) Stage(ctx context.Context, files []StagedFile, use func(dir string) error) error {
	if err := checkNames(files); err != nil {
		return &StageError{Target: c.Target(), Step: stageStep, Err: err}
	}
	staged := make(chan string, 1)
	release, ended := make(chan struct{}), make(chan struct{})
	var err error
	go func() {
		defer close(ended)
		_, err = do(ctx, c, job[struct{}]{step: stageStep, limit: c.cfg.CommandTimeout, grace: c.tune.grace,
			work: func(ctx context.Context, s *ssh.Session, cn *conn) (struct{}, error) {
				defer close(staged)
				u, err := newUpload(c.Target(), s)
				if err != nil {
					return struct{}{}, err
				}
				defer u.sftp.Close()
				dir, err := u.all(ctx, files)
				if err != nil {
					return struct{}{}, err
				}
				staged <- dir
				u.hold(ctx, dir, files, release, cn.alone)
				return struct{}{}, nil
			}})
	}()
	var dir string
	select {
	case dir = <-staged:
	case <-ended: // before, or just after, the files were there
		select {
		case dir = <-staged:
		default:
		}
	}
	if dir == "" {
		<-ended
		return err
	}
	useErr := use(dir)
	close(release)
	<-ended // the session's fate does not matter any more
	return useErr
}

// hold keeps a file of the directory open until release, or until the session is
// the only one that the server allows.
func (u *upload) hold(ctx context.Context, dir string, files []StagedFile, release, alone <-chan struct{}) {
	if len(files) > 0 {
		if f, err := u.sftp.Open(path.Join(dir, files[0].Name)); err == nil {
			defer f.Close()
		}
	}
	select {
	case <-release:
	case <-alone:
	case <-ctx.Done():
	}
}

func checkNames(files []StagedFile) error {
	taken := map[string]bool{}
	for _, f := range files {
		if f.Name == "" || f.Name == "." || f.Name == ".." || strings.ContainsAny(f.Name, "/\x00\n") {
			return fmt.Errorf("%q is not a file name", f.Name)
		}
		for _, n := range []string{f.Name, part(f.Name)} {
			if taken[n] {
				return fmt.Errorf("%q is there twice", n)
			}
			taken[n] = true
		}
	}
	return nil
}

// part is the name of a file that is being written.
func part(name string) string { return name + ".part" }

// upload is one sftp conversation.
type upload struct {
	target string
	sftp   *sftp.Client
	rename func(from, to string) error
}

func newUpload(target string, s *ssh.Session) (*upload, error) {
	w, err := s.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.RequestSubsystem("sftp"); err != nil {
		return nil, &StageError{Target: target, Err: fmt.Errorf("the server has no sftp subsystem (%w)", err),
			Hint: "Add to its sshd_config: Subsystem sftp internal-sftp, and reload sshd."}
	}
	client, err := sftp.NewClientPipe(r, w, sftp.UseConcurrentWrites(true))
	if err != nil {
		return nil, &StageError{Target: target, Err: fmt.Errorf("the sftp subsystem does not answer as it should (%w)", err),
			Hint: "Check that sftp-server is installed on the host, and that the user's shell start files print nothing."}
	}
	u := &upload{target: target, sftp: client, rename: client.Rename}
	if _, ok := client.HasExtension("posix-rename@openssh.com"); ok {
		u.rename = client.PosixRename
	}
	return u, nil
}

func (u *upload) all(ctx context.Context, files []StagedFile) (string, error) {
	dir, err := u.mkdir()
	if err != nil {
		return "", u.fail(dir, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelUploads)
	for _, f := range files {
		g.Go(func() error {
			if err := u.file(ctx, dir, f); err != nil {
				return u.fail(path.Join(dir, f.Name), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		u.remove(dir, files)
		return "", err
	}
	return dir, nil
}

// mkdir makes the private directory. Mkdir fails on what exists, be it a
// symbolic link, and the directory is empty until its mode is right.
func (u *upload) mkdir() (dir string, err error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand, Go 1.24)
	for _, parent := range stageParents {
		dir = path.Join(parent, ".redislb-"+hex.EncodeToString(id[:]))
		mkErr := u.sftp.Mkdir(dir)
		if mkErr == nil {
			if err = u.sftp.Chmod(dir, 0o700); err != nil {
				u.remove(dir, nil)
			}
			return dir, err
		}
		err = errors.Join(err, mkErr)
	}
	return dir, err
}

func (u *upload) file(ctx context.Context, dir string, f StagedFile) error {
	from, to := path.Join(dir, part(f.Name)), path.Join(dir, f.Name)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w, err := u.sftp.OpenFile(from, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = w.Write(f.Content)
	if err == nil {
		err = w.Chmod(cmp.Or(f.Mode.Perm(), 0o600))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	info, err := u.sftp.Lstat(from)
	if err != nil {
		return err
	}
	if info.Size() != int64(len(f.Content)) {
		return fmt.Errorf("%d of %d bytes arrived", info.Size(), len(f.Content))
	}
	return u.rename(from, to)
}

// remove takes away what was made, as far as it can.
func (u *upload) remove(dir string, files []StagedFile) {
	for _, f := range files {
		_ = u.sftp.Remove(path.Join(dir, f.Name))
		_ = u.sftp.Remove(path.Join(dir, part(f.Name)))
	}
	_ = u.sftp.RemoveDirectory(dir)
}

// fail makes the error for a path. sftp's protocol has no word for a full disk,
// only "Failure", so the file system is asked.
func (u *upload) fail(at string, err error) error {
	e := &StageError{Target: u.target, Path: at, Err: err,
		Hint: "Check that " + strings.Join(stageParents, " or ") + " can be written by this user and that there is room (df)."}
	if fs, statErr := u.sftp.StatVFS(path.Dir(at)); statErr == nil && fs.Bavail == 0 {
		e.Hint = fmt.Sprintf("The file system there is full: 0 of %d bytes are free. Make room on the host.", fs.TotalSpace())
	}
	return e
}
