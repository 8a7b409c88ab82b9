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

// Lacks says what of the director the version cannot do; empty is nothing. All that
// it may have is in Minimum too, and no version's sources say otherwise but for two
// things. auth_hmac came with 2.4.0. 2.2.5 to 2.2.7 end themselves by a signal when they check a configuration in which
// a script has another user (lib/notify.c, check_script_secure, which takes the
// missing parent of `keepalived -t` for one that died).
func (d Director) Lacks(v Version) string {
	if d.HMAC && v.Compare(Version{2, 4, 0}) < 0 {
		return fmt.Sprintf("keepalived %s has no auth_hmac, which came with 2.4.0: use a password (auth_pass_wo), or install a newer keepalived on every director of the group", v)
	}
	if v.Compare(Version{2, 2, 5}) < 0 || v.Compare(Version{2, 2, 7}) > 0 {
		return ""
	}
	for _, s := range d.Track.sorted().Scripts {
		if s.User != "" && s.User != "root" {
			return fmt.Sprintf("keepalived %s cannot check a configuration in which a script has a user other than root, as %q has (2.2.5 to 2.2.7 end themselves): leave user out, and have the script change it", v, s.Name)
		}
	}
	return ""
}

// String is "2.2.7".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }
