package redisconf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The directives that a password is for. They are the names of the credentials too.
const (
	RequirePass = "requirepass" // clients give it
	MasterAuth  = "masterauth"  // the instance gives it to its master
)

// What stands before the version in the comment of a file with a password: of one that
// Terraform keeps nowhere, and of one that its state keeps.
const (
	versionComment     = "password_wo_version "
	keptVersionComment = "password version "
)

// RenderPassword is the text of a file with a password: the header, the version by which
// a change is told, and the directive. It fails where the password is empty.
func RenderPassword(header, directive, password string, version int64, kept bool) ([]byte, error) {
	if password == "" {
		return nil, errors.New("there is no password")
	}
	comment := versionComment
	if kept {
		comment = keptVersionComment
	}
	return fmt.Appendf(nil, "%s# %s%d\n%s %s\n", header, comment, version, directive, quote(password)), nil
}

// ParsePasswordVersion reads the version from the text of a file with a password, and
// nothing else of it. Kept: Terraform's state keeps the password.
func ParsePasswordVersion(data []byte) (version int64, kept bool, err error) {
	for line := range strings.Lines(string(data)) {
		for _, comment := range []string{versionComment, keptVersionComment} {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), "# "+comment); ok {
				version, err = strconv.ParseInt(text, 10, 64)
				return version, comment == keptVersionComment, err
			}
		}
	}
	return 0, false, errors.New("no comment with the version of the password")
}
