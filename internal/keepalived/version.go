package keepalived

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version of keepalived.
type Version struct{ Major, Minor, Patch int }

// Minimum is the oldest version whose source was read for this package: every
// keyword that it writes, and lvs_sync_daemon with inst and id, are there. It is
// that of Debian 11.
var Minimum = Version{2, 1, 5}

var versionText = regexp.MustCompile(`Keepalived v([0-9]{1,6})\.([0-9]{1,6})(?:\.([0-9]{1,6}))?\b`)

// ParseVersion reads what `keepalived -v` prints, which goes to standard error:
// "Keepalived v2.2.7 (01/16,2022)" and more.
func ParseVersion(text string) (Version, error) {
	found := versionText.FindStringSubmatch(text)
	if found == nil {
		first, _, _ := strings.Cut(text, "\n")
		return Version{}, fmt.Errorf("%.80q is no output of keepalived -v", first)
	}
	var numbers [3]int
	for i, digits := range found[1:] {
		numbers[i], _ = strconv.Atoi(digits) // "" is 0
	}
	return Version{numbers[0], numbers[1], numbers[2]}, nil
}

// Compare is negative if v is older than o, 0 if they are the same.
func (v Version) Compare(o Version) int {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Patch, o.Patch))
}

// Lacks says what the version is missing for us; empty is nothing.
func (v Version) Lacks() string {
	if v.Compare(Minimum) < 0 {
		return fmt.Sprintf("keepalived %s is older than %s, the oldest that is supported", v, Minimum)
	}
	return ""
}

// String is "2.2.7".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }
