package keepalived

import (
	"fmt"
	"strconv"
	"strings"
)

// drain is tracked by every director. A value of 1 in its file takes the priority to
// 1, keepalived's lowest, if no weight above 0 has raised it (vrrp_track.c,
// vrrp_set_effective_priority); another director then takes the VIPs if it may preempt.
// 254 would be FAULT (track_file.c, process_update_vrrp_track_file_status), which gives
// the VIPs up at once, so there is a limit to what a drain can outweigh.
//
// It has no init_file: keepalived would make a file that does not say whose it is. A
// missing one counts as 0 (process_track_file).
var drain = TrackedFile{Name: "redislb_drain", Path: DrainPath, Weight: -253}

// RenderDrain is the text of DrainPath. keepalived reads the number at its beginning
// and nothing behind it (track_file.c, process_track_file: strtol of 127 bytes), in
// 2.1.5, 2.2.7 and 2.3.4.
func RenderDrain(on bool) []byte {
	value := 0
	if on {
		value = 1
	}
	return fmt.Appendf(nil, "%d\n%s", value, Header("redislb_director"))
}

// ParseDrain reports whether the text of DrainPath, by whoever it was written, lowers
// the priority.
func ParseDrain(data []byte) bool {
	first, _, _ := strings.Cut(string(data), "\n")
	value, _ := strconv.Atoi(strings.TrimSpace(first))
	return value > 0
}
