package host

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestFolderThatIsOpenToOthersIsShutAndOpenedAgainByAFailure(t *testing.T) {
	for name, fail := range map[string]bool{"it is shut": false, "it is taken back": true} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.must(os.Mkdir(filepath.Join(b.root, keepalived.Dir), 0o755))
			b.must(os.Chmod(filepath.Join(b.root, keepalived.Dir), 0o757|fs.ModeSticky))
			b.write(healthy[1:], "#!/bin/sh\n", 0o755)
			before := b.tree()
			if fail {
				b.fails([]string{"everything was put back as it was"}, call(setFolder, keepalived.Dir, "root:root", "755"), call("fail", "no"))
				b.same(before, b.tree())
			} else {
				b.ok(call(setFolder, keepalived.Dir, "root:root", "755"))
				equal(t, "mode", b.tree()[keepalived.Dir[1:]], "drwxr-xr-x ")
			}
			equal(t, "owner", strings.Contains(b.log(), "chown root:root "+b.root+keepalived.Dir+"\n"), true)
			equal(t, "owner of before", strings.Contains(b.log(), "chown 0:0 "+b.root+keepalived.Dir+"\n"), fail && os.Getuid() == 0)
		})
	}
}

func TestFolderIsMadeAndGoesWithTheFilesInIt(t *testing.T) {
	b := newBox(t)
	b.write(conf, "x\n", 0o644)
	before := b.tree()
	b.ok(steps(bareMachine().snapshot(t), []Artifact{Folder{Path: keepalived.Dir}, DrainFile(false)}, nil)...)
	equal(t, "mode", b.tree()[keepalived.Dir[1:]], "drwxr-xr-x ")
	s := bareMachine().hold([]Artifact{Folder{Path: keepalived.Dir}, DrainFile(false)}).snapshot(t)
	gone := []Artifact{Folder{Path: keepalived.Dir}, DrainFile(false)}
	b.ok(steps(s, nil, removable(gone, s))...)
	b.same(before, b.tree())
	delete(s.Files, keepalived.DrainPath)
	equal(t, "left to wait for", len(remains(gone, s)), 0)
}

func TestDirectorOfWhichOnlyTheFoldersAreLeftIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{machine: bareMachine().hold([]Artifact{Folder{Path: "/etc/keepalived"}, Folder{Path: keepalived.Dir}})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := New("a", c).Apply(ctx, nil, redisDirector().Artifacts()); err != nil {
			t.Error(err)
		}
		equal(t, "commits", len(c.commits), 0)
	})
}

// The part of probe.sh that packs the files, with a folder for a root.
func TestFoldersAreProbedWithTheirModeWhereTheyAreLinksToo(t *testing.T) {
	root := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(root, "srv/redislb"), 0o755), os.Mkdir(filepath.Join(root, "etc"), 0o755),
		os.Symlink("../srv", filepath.Join(root, "etc/keepalived")),
		os.Chmod(filepath.Join(root, "srv"), 0o750), os.Chmod(filepath.Join(root, "srv/redislb"), 0o777),
		os.WriteFile(filepath.Join(root, "srv/redislb/drain"), []byte("0\n"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, part, _ := strings.Cut(probe, "The note of\n# the role is among them for its time.\n")
	out, err := exec.Command("sh", "-c", strings.NewReplacer("/etc/", root+"/etc/", "/run/", root+"/run/").Replace(part)).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, archive, _ := strings.Cut(string(out), "== tar\n")
	s := &Snapshot{Files: fileMap{}}
	if err := s.parseFiles([]byte(strings.TrimSuffix(archive, "\n== end\n"))); err != nil {
		t.Fatal(err)
	}
	equal(t, "files", len(s.Files), 3)
	equal(t, "folder", s.Files[root+keepalived.Dir].Mode, fs.ModeDir|0o777)
	equal(t, "the one above", s.Files[root+"/etc/keepalived"].Mode, fs.ModeDir|0o750)
	equal(t, "file", string(s.Files[root+keepalived.DrainPath].Content), "0\n")
}
