package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// File is a file with its content. Its owner is root:root.
type File struct {
	Path    string
	Mode    fs.FileMode
	Content []byte
	// Label, where set, makes the file a secret: its content is never read back
	// nor shown. What is shown are these comment lines, which the content must
	// begin with, and whether the file is still as it was last written.
	Label string
	// Adopt lets a foreign file at Path be taken over; it is kept on the host and
	// put back when the artifact is removed.
	Adopt bool

	also []step // what else there is to do when it is in place
}

// inlineSecret is a statement that people write into a keepalived.conf of their own,
// which must not get into a plan (keepalived.conf(5)).
var inlineSecret = regexp.MustCompile(`(?m)^(\s*(?:auth_pass|password|key\s+\d+)\s+).*$`)

// Key implements [Artifact].
func (f File) Key() string { return "file " + f.Path }

func (f File) phase() phase { return phaseFile }

// Want implements [Artifact].
func (f File) Want() string {
	if f.Label != "" {
		return f.Label + "(secret, unchanged on the host)\n"
	}
	return string(f.Content)
}

// Found implements [Artifact].
func (f File) Found(s *Snapshot) (string, bool) {
	state, ok := s.Files[f.Path]
	if !ok {
		return "", false
	}
	if !state.Mode.IsRegular() {
		return fmt.Sprintf("(not a regular file: %s)\n", state.Mode.Type()), true
	}
	text := strings.ToValidUTF8(string(state.Content), "�")
	if text != string(f.Content) {
		text = inlineSecret.ReplaceAllString(text, "${1}(not shown)")
	}
	if f.outdated(s, state) {
		text = "(not what keepalived runs by: changed and loaded by hand, and put back since, or never loaded)\n" + text
	}
	if state.Mode != f.Mode || state.Owner != "root:root" {
		text = fmt.Sprintf("(mode %04o, owner %s)\n", state.Mode, state.Owner) + text
	}
	return text, true
}

// outdated reports whether keepalived runs by another content than this file has, which is
// the wanted one. Of one that is not, the difference is shown.
func (f File) outdated(s *Snapshot, state FileState) bool {
	return s.Loaded != nil && loadedByKeepalived(f.Path) && bytes.Equal(state.Content, f.Content) && s.Loaded[f.Path] != f.expectation(state)
}

// loadedByKeepalived tells the files whose sums role.sh notes.
func loadedByKeepalived(path string) bool {
	return path == keepalived.ConfigPath || path == keepalived.InstancePath || strings.HasPrefix(path, keepalived.Dir+"/vip") && strings.HasSuffix(path, ".conf")
}

func (f File) establish(s *Snapshot) []step {
	expect := "absent"
	if state, ok := s.Files[f.Path]; ok {
		expect = f.expectation(state)
	}
	steps := []step{}
	files := []fileChange{{path: f.Path, expect: expect, content: f.Content, mode: f.Mode}}
	var also []step
	if f.Adopt {
		steps = append(steps, call("keep_foreign_file", f.Path))
		for _, c := range s.carried() {
			files = append(files, fileChange{path: c.Path, expect: "absent", content: c.Content, mode: c.Mode})
			also = append(also, c.also...)
		}
	}
	steps = append(steps, step{files: files})
	if f.Label != "" {
		steps = append(steps, call("seal_secret", f.Path))
	}
	return slices.Concat(steps, also, f.also)
}

func (f File) remove(s *Snapshot) []step {
	steps := []step{{files: []fileChange{{path: f.Path, expect: f.expectation(s.Files[f.Path]), remove: true}}}}
	if f.Label != "" {
		steps = append(steps, call("unseal_secret", f.Path))
	}
	return steps
}

// expectation is what check_files of commit.sh compares the file with before it is
// touched, so that nobody's edit since the observation is lost.
func (f File) expectation(state FileState) string {
	if f.Label != "" || !state.Mode.IsRegular() {
		return "any"
	}
	sum := sha256.Sum256(state.Content)
	return hex.EncodeToString(sum[:])
}
