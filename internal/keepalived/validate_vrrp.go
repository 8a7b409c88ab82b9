package keepalived

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// ValidateAdvertInterval allows what one VRRP version or the other can send; see
// ValidateAdvertIntervalOf.
func ValidateAdvertInterval(value time.Duration) error {
	return duration("the advertisement interval", value, 10*time.Millisecond, 10*time.Millisecond, 255*time.Second)
}

// ValidateAdvertIntervalOf allows 1 to 255 whole seconds in VRRP version 2, which
// sends it in one byte (vrrp.c, vrrp_build_vrrp_v2), and 10 ms to 40.95 s in steps of
// 10 ms in version 3, which has 12 bits for hundredths (vrrp_build_vrrp_v3).
// `keepalived -t` returns 5 for what it would round (vrrp_complete_instance).
func ValidateAdvertIntervalOf(value time.Duration, version3 bool) error {
	if version3 {
		return duration("the advertisement interval in VRRP version 3", value, 10*time.Millisecond, 10*time.Millisecond, 40950*time.Millisecond)
	}
	err := duration("the advertisement interval in VRRP version 2", value, time.Second, time.Second, 255*time.Second)
	if err != nil && value%time.Second != 0 {
		err = fmt.Errorf("%w: write whole seconds, or version = 3 on every director of the group", err)
	}
	return err
}

// ValidatePreemptDelay allows 0 to 1000 s (timer.h, TIMER_MAX_SEC).
func ValidatePreemptDelay(value time.Duration) error {
	return duration("the preemption delay", value, time.Millisecond, 0, 1000*time.Second)
}

// ValidateTrackedName checks the name of a tracked process, script or file. It stands
// first on a line of its own, where keepalived looks for directives (lib/parser.c,
// read_line).
func ValidateTrackedName(value string) error { return noDirective(value, ValidateName) }

// ValidateTrackedInterface checks the name of a tracked interface, likewise.
func ValidateTrackedInterface(value string) error { return noDirective(value, ValidateInterface) }

func noDirective(value string, validate func(string) error) error {
	if include.MatchString(value + " ") {
		return fmt.Errorf("%q: keepalived takes this name for a directive", value)
	}
	return validate(value)
}

// ValidateTrackWeight allows -253 to 253: 254 is refused for scripts and corrected,
// with an error, for interfaces (vrrp_parser.c, vrrp_vscript_weight_handler;
// vrrp_track.c, alloc_track_if).
func ValidateTrackWeight(value int) error { return inRange("the weight", value, -253, 253) }

// ValidateTrackFileValue allows -254 to 254 (track_file.c, track_file_init_handler).
func ValidateTrackFileValue(value int) error {
	return inRange("the initial value", value, -254, 254)
}

// ValidateProcessQuorum allows 1 to 65535 (vrrp_parser.c, vrrp_tprocess_quorum_handler).
func ValidateProcessQuorum(value int) error { return inRange("the quorum", value, 1, 65535) }

// ValidateProcessDelay allows 0 to 3600 s (vrrp_parser.c, vrrp_tprocess_delay_general,
// which has no 0: it is not written then).
func ValidateProcessDelay(value time.Duration) error {
	return duration("the delay", value, time.Millisecond, 0, time.Hour)
}

// ValidateScriptTime allows 1 s to an hour, whole seconds: 2.1 and 2.2 know no
// fraction, and 71 minutes at most (vrrp_parser.c, vrrp_vscript_interval_handler).
func ValidateScriptTime(value time.Duration) error {
	return duration("the interval or timeout of a script", value, time.Second, time.Second, time.Hour)
}

// ValidateScriptCount allows 1 to 1000 runs; keepalived would go to 2^31-1.
func ValidateScriptCount(value int) error {
	return inRange("the number of runs that count", value, 1, 1000)
}

// ValidateGARPTime allows 0 to an hour, whole seconds (vrrp_parser.c,
// vrrp_garp_delay_handler: 71 minutes at most).
func ValidateGARPTime(value time.Duration) error {
	return duration("the time between gratuitous ARP messages", value, time.Second, 0, time.Hour)
}

// ValidateGARPRepeat allows 1 to 100; keepalived would go to 2^32-1 (vrrp_parser.c,
// vrrp_garp_rep_handler).
func ValidateGARPRepeat(value int) error {
	return inRange("the number of gratuitous ARP messages", value, 1, 100)
}

// ValidateGARPLowerRepeat allows 0, for none, to 100 (vrrp_parser.c,
// vrrp_garp_lower_prio_rep_handler).
func ValidateGARPLowerRepeat(value int) error {
	return inRange("the number of gratuitous ARP messages", value, 0, 100)
}

var (
	processName = regexp.MustCompile(`^[A-Za-z0-9_./:@%+-]{1,15}$`)
	userName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)
	commandWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)
)

// ValidateProcess checks the name of a process as the kernel keeps it, which is the
// first 15 bytes of the program's name, or what the process calls itself (proc(5),
// /proc/PID/comm). keepalived compares it as a whole (track_process.c,
// check_process), so a longer one would match nothing.
func ValidateProcess(value string) error {
	if !processName.MatchString(value) {
		return fmt.Errorf("%.140q: the name of a process, as in /proc/PID/comm, has 1 to 15 of the characters A-Z a-z 0-9 _ . / : @ %% + -", value)
	}
	return nil
}

// ValidateUser checks the name of a user on the host.
func ValidateUser(value string) error {
	if !userName.MatchString(value) {
		return fmt.Errorf("%.140q: a user has 1 to 32 of the characters A-Z a-z 0-9 _ . - and begins with a letter or _", value)
	}
	return nil
}

// ValidatePath checks the absolute path of a file on the host.
func ValidatePath(value string) error {
	if len(value) > 256 || !commandWord.MatchString(value) || !path.IsAbs(value) || path.Clean(value) != value || value == "/" {
		return fmt.Errorf("%.300q: a path is absolute, has no // or .. in it, and at most 256 of the characters A-Z a-z 0-9 _ . / : = , @ %% + -", value)
	}
	return nil
}

// ValidateCommand checks the absolute path of a program on the host and its
// arguments, with one blank between two. No shell reads it: keepalived splits it into
// words by itself (lib/notify.c, set_script_params_array), so what quotes or escapes
// there is refused.
func ValidateCommand(value string) error {
	words := strings.Split(value, " ")
	if err := ValidatePath(words[0]); err != nil {
		return fmt.Errorf("a command begins with the path of a program: %w", err)
	}
	for _, word := range words {
		if len(value) > 512 || !commandWord.MatchString(word) {
			return fmt.Errorf("%.600q: a command is a path and its arguments with one blank between two, at most 512 of the characters A-Z a-z 0-9 _ . / : = , @ %% + -; write a script on the host for anything else", value)
		}
	}
	return nil
}
