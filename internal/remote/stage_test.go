package remote_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// stage returns the directory as use gets to see it.
func stage(ctx context.Context, c *remote.Client, files []remote.StagedFile) (dir string, err error) {
	err = c.Stage(ctx, files, func(d string) error { dir = d; return nil })
	return dir, err
}

func TestStagedFilesAreHeldOpenForAsLongAsTheyAreUsed(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{}))
	held := func(dir string) string {
		return run(t, c, `find /proc/[0-9]*/fd -maxdepth 1 -lname "$1/*" -print -quit 2>/dev/null; true`, dir)
	}
	var staged string
	refused := errors.New("refused")
	err := c.Stage(context.Background(), []remote.StagedFile{{Name: "a"}}, func(dir string) error {
		staged = dir
		eventually(t, "the file is open", func() bool { return held(dir) != "" })
		return refused
	})
	defer os.RemoveAll(staged)
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	eventually(t, "the file is closed", func() bool { return held(staged) == "" })
}

func TestServerOfOneSessionAtATimeLetsWhatIsStagedBeUsed(t *testing.T) {
	t.Parallel()
	for _, sessions := range []int{0, 1} { // what we know of it
		s := remotetest.NewServer(t, remotetest.Options{MaxSessions: 1})
		cfg := s.Config()
		cfg.MaxSessions = sessions
		c := remote.NewClient(cfg)
		defer c.Close()
		within(t, 10*time.Second, func() {
			err := c.Stage(context.Background(), []remote.StagedFile{{Name: "a", Content: []byte("A")}}, func(dir string) error {
				equal(t, "content", run(t, c, `cat "$1/a"; rm -rf "$1"`, dir), "A")
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStagedFilesArriveWholeInAPrivateDirectory(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	files := []remote.StagedFile{
		{Name: "keepalived.conf", Content: []byte("vrrp_instance redislb {}\n"), Mode: 0o640},
		{Name: "empty"},
		{Name: "big file", Content: bytes.Repeat([]byte("0123456789abcdef"), 40_000), Mode: 0o600},
	}
	dir, err := stage(context.Background(), c, files)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	info, err := os.Lstat(dir)
	if err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("directory: %v %v", info.Mode(), err)
	}
	for _, f := range files {
		got, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil || !bytes.Equal(got, f.Content) {
			t.Errorf("%s: %d bytes, %v", f.Name, len(got), err)
		}
		info, _ := os.Stat(filepath.Join(dir, f.Name))
		want := f.Mode
		if want == 0 {
			want = 0o600
		}
		equal(t, "mode of "+f.Name, info.Mode(), want)
	}
	left, _ := os.ReadDir(dir)
	equal(t, "files in the directory", len(left), len(files))
	second, err := stage(context.Background(), c, nil)
	if err != nil || second == dir {
		t.Errorf("second directory: %q %v", second, err)
	}
	equal(t, "what a script then does with them", run(t, c, `cat "$1/keepalived.conf"; rm -rf "$1" "$2"`, dir, second), string(files[0].Content))
	equal(t, "connections", s.Connections(), 1)
	equal(t, "sessions", s.Sessions(), 3)
}

func TestBadFileNamesAreRefusedBeforeAnythingIsDialled(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	for _, names := range [][]string{{""}, {".."}, {"a/b"}, {"a\x00"}, {"a", "a"}, {"a", "a.part"}} {
		var files []remote.StagedFile
		for _, n := range names {
			files = append(files, remote.StagedFile{Name: n})
		}
		var e *remote.StageError
		if _, err := stage(context.Background(), c, files); !errors.As(err, &e) {
			t.Errorf("%q: got %v, want a StageError", names, err)
		}
	}
	equal(t, "connections", s.Connections(), 0)
}

func TestServerWithoutSFTPIsAClearError(t *testing.T) {
	t.Parallel()
	c := client(t, remotetest.NewServer(t, remotetest.Options{NoSFTP: true}))
	_, err := stage(context.Background(), c, nil)
	var e *remote.StageError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a StageError", err)
	}
	says(t, err, "unable to stage files: "+c.Target(), "no sftp subsystem", "Subsystem sftp internal-sftp")
	equal(t, "output on the same connection", run(t, c, "echo ok"), "ok\n")
}

// errSwallow makes a faulty file system lose what is written and say yes.
var errSwallow = errors.New("swallow")

// faulty is a file system in memory that fails on writing.
type faulty struct {
	sftp.FileWriter
	fault func() error
	count atomic.Int64
}

func (f *faulty) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	w, err := f.FileWriter.Filewrite(r)
	if err != nil {
		return nil, err
	}
	return writerAt(func(p []byte, at int64) (int, error) {
		if f.count.Add(1) > 2 {
			if err := f.fault(); errors.Is(err, errSwallow) {
				return len(p), nil
			} else if err != nil {
				return 0, err
			}
		}
		return w.WriteAt(p, at)
	}), nil
}

// noModes lets chmod succeed, which the file system in memory does not know.
type noModes struct{ sftp.FileCmder }

func (n noModes) Filecmd(r *sftp.Request) error {
	if r.Method == "Setstat" {
		return nil
	}
	return n.FileCmder.Filecmd(r)
}

func (n noModes) PosixRename(r *sftp.Request) error {
	return n.FileCmder.(sftp.PosixRenameFileCmder).PosixRename(r)
}

type writerAt func(p []byte, at int64) (int, error)

func (f writerAt) WriteAt(p []byte, at int64) (int, error) { return f(p, at) }

// memory serves files from memory, with a fault from the third write on.
func memory(t *testing.T, fault func() error) (remotetest.Options, func() []string) {
	handlers := sftp.InMemHandler()
	list := func() []string {
		l, err := handlers.FileList.Filelist(sftp.NewRequest("List", "/var/tmp"))
		if err != nil {
			t.Fatal(err)
		}
		infos := make([]os.FileInfo, 100)
		n, _ := l.ListAt(infos, 0)
		var names []string
		for _, i := range infos[:n] {
			names = append(names, i.Name())
		}
		return names
	}
	for _, dir := range []string{"/var", "/var/tmp"} {
		if err := handlers.FileCmd.Filecmd(sftp.NewRequest("Mkdir", dir)); err != nil {
			t.Fatal(err)
		}
	}
	handlers.FileCmd = noModes{handlers.FileCmd}
	handlers.FilePut = &faulty{FileWriter: handlers.FilePut, fault: fault}
	return remotetest.Options{SFTP: &handlers}, list
}

func threeFiles() (files []remote.StagedFile) {
	for _, n := range []string{"a", "b", "c"} {
		files = append(files, remote.StagedFile{Name: n, Content: bytes.Repeat([]byte(n), 100_000)})
	}
	return files
}

func TestFailureInTheMiddleOfAnUploadLeavesNothingAndQuotesTheServer(t *testing.T) {
	t.Parallel()
	opts, list := memory(t, func() error { return errors.New("No space left on device") })
	c := client(t, remotetest.NewServer(t, opts))
	_, err := stage(context.Background(), c, threeFiles())
	var e *remote.StageError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a StageError", err)
	}
	says(t, err, "unable to stage files: "+c.Target(), "/var/tmp/.redislb-", "No space left on device", "df")
	equal(t, "left on the host", strings.Join(list(), " "), "")

	opts, list = memory(t, func() error { return nil })
	if _, err := stage(context.Background(), client(t, remotetest.NewServer(t, opts)), threeFiles()); err != nil {
		t.Fatalf("the positive control: %v", err)
	}
	equal(t, "directories of the positive control", len(list()), 1)
}

func TestFileThatArrivesShortIsNotTakenForWhole(t *testing.T) {
	t.Parallel()
	opts, list := memory(t, func() error { return errSwallow })
	_, err := stage(context.Background(), client(t, remotetest.NewServer(t, opts)), threeFiles())
	says(t, err, "unable to stage files", "of 100000 bytes arrived")
	equal(t, "left on the host", strings.Join(list(), " "), "")
}

func TestCancelOfAnUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	opts, list := memory(t, func() error { cancel(); return nil })
	c := client(t, remotetest.NewServer(t, opts))
	within(t, 4*time.Second, func() {
		_, err := stage(ctx, c, threeFiles())
		var e *remote.CanceledError
		if !errors.As(err, &e) {
			t.Fatalf("got %v, want a CanceledError", err)
		}
	})
	eventually(t, "the directory is removed", func() bool { return len(list()) == 0 })
}

func TestUploadToAFrozenHostEnds(t *testing.T) {
	t.Parallel()
	var s *remotetest.Server
	opts, _ := memory(t, func() error { s.Freeze(); return nil })
	s = remotetest.NewServer(t, opts)
	c := client(t, s)
	c.SetKeepalive(50 * time.Millisecond)
	within(t, 5*time.Second, func() {
		_, err := stage(context.Background(), c, threeFiles())
		var e *remote.LostError
		if !errors.As(err, &e) {
			t.Fatalf("got %v, want a LostError", err)
		}
		says(t, err, "stage files", "vanished")
	})
}

func TestStageAgainstTheRealFileSystemLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s)
	name := strings.Repeat("n", 251) // with .part longer than a name may be
	_, err := stage(context.Background(), c, []remote.StagedFile{{Name: "a"}, {Name: name}})
	var e *remote.StageError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a StageError", err)
	}
	if dir := filepath.Dir(e.Path); !strings.Contains(dir, ".redislb-") || exists(dir) {
		t.Errorf("%s is left, or was never made", dir)
	}
}
