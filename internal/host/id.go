package host

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
)

// The id of a transaction is RANDOM-SYSTEM-PID-START, of the process that made it:
// so a later one on the same machine knows whether anybody can still come back for
// the outcome. Where there is no proc(5) it is RANDOM-TOKEN, whose second half tells
// no more than that two are of one process.

// token stands for this process.
var token = random()

func random() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	return hex.EncodeToString(b[:])
}

func newID() string {
	pid := strconv.Itoa(os.Getpid())
	start := startOf(pid)
	return idOf(ownSystem(), pid, start)
}

// idOf makes an id; system or start are empty where they cannot be told.
func idOf(system, pid, start string) string {
	if system == "" || start == "" {
		return random() + "-" + token
	}
	return strings.Join([]string{random(), system, pid, start}, "-")
}

// orphans are those of the transactions whose process ran here and has ended.
func orphans(ids []string) []string {
	var orphans []string
	own := ownSystem()
	for _, id := range ids {
		parts := strings.Split(id, "-")
		if len(parts) != 4 || parts[1] != own {
			continue
		}
		if startOf(parts[2]) != parts[3] {
			orphans = append(orphans, id)
		}
	}
	return orphans
}

// ownSystem stands for the boot and the namespace in which a process id means
// something.
func ownSystem() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(string(boot) + namespace))
	return hex.EncodeToString(sum[:4])
}

// startOf returns when a process started, in clock ticks since boot (proc(5),
// /proc/PID/stat, field 22); empty: it does not run,
// or there is no proc(5).
func startOf(pid string) string {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return ""
	}
	// The second field, the command's name, may hold anything but ends in ")".
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}
