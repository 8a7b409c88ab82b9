package keepalived

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	name          = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	interfaceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$`)
	authPass      = regexp.MustCompile("^[!-~]{1,8}$")
	hmacKey       = regexp.MustCompile("^[!-~]{32,64}$")
)

// ValidateName checks a router_id or the name of a VRRP instance.
func ValidateName(value string) error {
	if !name.MatchString(value) {
		return fmt.Errorf("%q: a name has 1 to 63 of the characters A-Z a-z 0-9 . _ - and begins with a letter or digit", value)
	}
	return nil
}

// ValidateInterface checks the name of a network interface. The kernel's limit
// of 15 characters is keepalived's too (global_parser.c, lvs_syncd_handler).
func ValidateInterface(value string) error {
	if !interfaceName.MatchString(value) {
		return fmt.Errorf("%q: an interface name has 1 to 15 of the characters A-Z a-z 0-9 . _ - and begins with a letter, digit or _", value)
	}
	return nil
}

// ValidateKey checks the name of a service or real server. It goes into a
// comment, quoted, so almost all is allowed; but keepalived reads the rest of a
// comment line of more than 1022 bytes as configuration.
func ValidateKey(value string) error {
	if value == "" || len(value) > 128 || !utf8.ValidString(value) {
		return fmt.Errorf("%.140q: a name has 1 to 128 bytes of UTF-8", value)
	}
	return nil
}

// notInSecret is what ValidateAuthPass and ValidateHMACKey refuse of printable ASCII.
const notInSecret = "\"'#!\\{}$;`"

// ValidateAuthPass checks the VRRP secret. keepalived keeps 8 bytes of it and
// reports an error for more (vrrp_parser.c, vrrp_auth_pass_handler). Of printable
// ASCII, what its reader does not take literally is refused: quotes, #, !,
// backslash, braces and $; so are ; and backquote, which it would take, because
// no string of ours may hold them. The error never contains the secret.
func ValidateAuthPass(value string) error {
	if !authPass.MatchString(value) || strings.ContainsAny(value, notInSecret) {
		return fmt.Errorf("the VRRP password must have 1 to 8 characters, each a letter, a digit or one of %% & ( ) * + , - . / : < = > ? @ [ ] ^ _ | ~")
	}
	return nil
}

// ValidateHMACKey checks the key of auth_hmac: 32 to 64 characters of those that a password
// may have (vrrp_auth_hmac.h, VRRP_AUTH_HMAC_KEY_MIN and _MAX). hex: and file: would be
// read as more than characters. The error never contains the key.
func ValidateHMACKey(value string) error {
	if !hmacKey.MatchString(value) || strings.ContainsAny(value, notInSecret) || strings.HasPrefix(value, "hex:") || strings.HasPrefix(value, "file:") {
		return fmt.Errorf("the key of auth_hmac must have 32 to 64 characters, each a letter, a digit or one of %% & ( ) * + , - . / : < = > ? @ [ ] ^ _ | ~, and not begin with hex: or file:; for example what openssl rand -hex 32 prints")
	}
	return nil
}

func inRange(what string, value, low, high int) error {
	if value < low || value > high {
		return fmt.Errorf("%d: %s is a whole number from %d to %d", value, what, low, high)
	}
	return nil
}

// ValidateVirtualRouterID allows 1 to 255 (vrrp_parser.c, vrrp_vrid_handler).
func ValidateVirtualRouterID(value int) error {
	return inRange("the virtual router id", value, 1, 255)
}

// ValidatePriority allows 1 to 254. 255 is for the owner of the address (RFC
// 3768, 5.3.4): keepalived makes such an instance master at once and for ever,
// whatever its state and preempt_delay say.
func ValidatePriority(value int) error { return inRange("the priority", value, 1, 254) }

// ValidateSyncID allows 1 to 255. keepalived would take 0 too, but a backup
// with 0 takes the connections of every master on the segment (ipvsadm(8),
// --syncid: "no filtering at all"; ip_vs_sync.c).
func ValidateSyncID(value int) error { return inRange("the sync id", value, 1, 255) }

// ValidateWeight allows 0 to 65535: ipvsadm's limit (ipvsadm.c, parse_options);
// keepalived itself would go to 2^31-1.
func ValidateWeight(value int) error { return inRange("the weight", value, 0, 65535) }

// ValidatePort allows 1 to 65535.
func ValidatePort(value int) error { return inRange("the port", value, 1, 65535) }

// MaxFWMark is the highest firewall mark of a service; higher ones are [Peers.Mark]'s.
const MaxFWMark = 1<<30 - 1

// ValidateFWMark is for the firewall mark of a service.
func ValidateFWMark(value int64) error {
	if value < 1 || value > MaxFWMark {
		return fmt.Errorf("the firewall mark %d is not from 1 to %d", value, MaxFWMark)
	}
	return nil
}

// ValidateRetries allows 0 to 100; 0 takes a real server out at the first
// failure.
func ValidateRetries(value int) error { return inRange("the number of retries", value, 0, 100) }

func duration(what string, value, step, low, high time.Duration) error {
	if value < low || value > high || value%step != 0 {
		return fmt.Errorf("%s: %s is from %s to %s in steps of %s", value, what, low, high, step)
	}
	return nil
}

// ValidateDelayLoop checks the interval between two checks. keepalived takes
// microseconds up to many years (parser.c, read_timer).
func ValidateDelayLoop(value time.Duration) error {
	return duration("the check interval", value, time.Millisecond, 100*time.Millisecond, time.Hour)
}

// ValidateConnectTimeout checks how long a TCP check waits. keepalived takes
// microseconds up to 2^32 of them, 71 minutes (check_api.c, co_timeout_handler).
func ValidateConnectTimeout(value time.Duration) error {
	return duration("the check timeout", value, time.Millisecond, 100*time.Millisecond, time.Hour)
}

// ValidateRetryDelay checks the time between a failed check and the next try.
func ValidateRetryDelay(value time.Duration) error {
	return duration("the retry delay", value, time.Millisecond, 0, time.Hour)
}

// Schedulers are those that keepalived 2.1, 2.2 and 2.3 all take
// (check_parser.c, lvs_schedulers).
var Schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "nq", "sed"}

// ValidateScheduler allows Schedulers.
func ValidateScheduler(value string) error {
	if !slices.Contains(Schedulers, value) {
		return fmt.Errorf("%q: a scheduler is one of %s", value, strings.Join(Schedulers, ", "))
	}
	return nil
}

// SchedulerFlags are those of a scheduler (check_parser.c, lbflags_handler).
func SchedulerFlags(scheduler string) []string {
	return map[string][]string{"sh": {"sh-fallback", "sh-port"}, "mh": {"mh-fallback", "mh-port"}}[scheduler]
}

// ValidatePersistence allows 1 s to 31 days (global_data.h, LVS_MAX_TIMEOUT).
func ValidatePersistence(value time.Duration) error {
	return duration("the persistence timeout", value, time.Second, time.Second, 31*24*time.Hour)
}

// ValidateMask checks the mask of a persistent service on the VIP: see Persistence.
func ValidateMask(value string, vip netip.Addr) error {
	if value == "" {
		return nil
	}
	if vip.Is6() {
		if n, err := strconv.Atoi(value); err != nil || n < 1 || n > 127 || strconv.Itoa(n) != value {
			return fmt.Errorf("%q: the mask of an IPv6 service is a prefix length from 1 to 127; leave it out for 128", value)
		}
		return nil
	}
	mask, err := netip.ParseAddr(value)
	if err != nil || !mask.Is4() || mask.String() != value {
		return fmt.Errorf("%q: the mask of an IPv4 service is a netmask such as 255.255.255.0", value)
	}
	bits := binary.BigEndian.Uint32(mask.AsSlice())
	if bits == 0 || bits == math.MaxUint32 || ^bits&(^bits+1) != 0 {
		return fmt.Errorf("%q: a netmask is ones and then zeros, some of both; leave it out for 255.255.255.255", value)
	}
	return nil
}

// seconds writes a duration as keepalived reads it: seconds, with at most six
// decimal places (parser.c, read_decimal_unsigned_long_func).
func seconds(d time.Duration) string {
	text := fmt.Sprintf("%d.%06d", d/time.Second, d%time.Second/time.Microsecond)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
