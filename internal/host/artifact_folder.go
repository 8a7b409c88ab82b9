package host

import (
	"fmt"
	"io/fs"
	"strings"
)

// Folder is one of keepalived's, which from its next start or reload on does not run scripts
// in a folder that others can change (keepalived's lib/notify.c, check_security). The files
// in it make it, and it goes with them.
type Folder struct {
	Path string
	// Packaged is one that the package brings: its mode and group are for the package to
	// say, as far as root alone can change it.
	Packaged bool
}

// setFolder is the step of a folder. keepalived may have refused scripts in it meanwhile, so
// it is reloaded.
const setFolder = "set_folder"

// Key implements [Artifact].
func (f Folder) Key() string { return "folder " + f.Path }

func (f Folder) phase() phase { return phaseFolder }

// Want implements [Artifact].
func (f Folder) Want() string {
	if f.Packaged {
		return "owner root, writable by nobody else"
	}
	return folderText(0o755, "root:root")
}

func folderText(mode fs.FileMode, owner string) string {
	return fmt.Sprintf("mode %04o, owner %s", mode.Perm(), owner)
}

// Found implements [Artifact].
func (f Folder) Found(s *Snapshot) (string, bool) {
	state, ok := s.Files[f.Path]
	if !ok {
		return "", false
	}
	user, group, _ := strings.Cut(state.Owner, ":")
	closed := user == "root" && state.Mode&0o002 == 0 && (state.Mode&0o020 == 0 || group == "root")
	if f.Packaged && closed {
		return f.Want(), true
	}
	return folderText(state.Mode, state.Owner), true
}

func (f Folder) establish(s *Snapshot) []step {
	_, there := s.Files[f.Path]
	switch {
	case !there: // it comes with the first file
		return nil
	case f.Packaged:
		return []step{call(setFolder, f.Path, "root", "go-w")}
	}
	return []step{call(setFolder, f.Path, "root:root", "755")}
}

func (f Folder) remove(*Snapshot) []step { return nil }
