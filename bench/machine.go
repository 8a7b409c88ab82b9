package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab/qemu"
)

// head is the document's beginning, with the machine that all was measured on.
// What is not known of the lab, where it was not needed, is taken from the head
// that was there.
func (b *bench) head(ctx context.Context, old string) string {
	var s section
	s.text(`
# Benchmarks

Written by ` + "`make bench`" + `; do not edit. Times are wall-clock seconds of whole commands.
Each was measured several times (n); the median is what counts, and the least and the
most are shown beside it. A target that is not reached says so.`)
	t := table{head: []string{"Machine", ""}}
	for _, row := range b.machine(ctx) {
		t.row(row[0], row[1])
	}
	known := s.body.String() + t.String()
	for line := range strings.Lines(old) {
		for _, label := range []string{labRow, keepalivedRow} {
			if strings.HasPrefix(line, "| "+label+" |") && !strings.Contains(known, "| "+label+" |") {
				known += line
			}
		}
	}
	return known
}

func (b *bench) machine(ctx context.Context) [][2]string {
	// first is the first line that a program prints, on either output.
	first := func(program string, args ...string) string {
		out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
		if err != nil {
			return "not there"
		}
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return line
	}
	accel := map[qemu.Accel]string{qemu.KVM: "KVM", qemu.TCG: "software emulation (no KVM)"}
	how := "unknown"
	if a, err := qemu.HostProbe().Accel(); err == nil {
		how = accel[a]
	}
	var terraform struct {
		Version string `json:"terraform_version"`
	}
	if out, err := exec.CommandContext(ctx, "terraform", "version", "-json").Output(); err == nil {
		_ = json.Unmarshal(out, &terraform) // an empty version says it
	}
	rows := [][2]string{
		{"Date", time.Now().UTC().Format("2006-01-02")},
		{"Commit", b.commit},
		{"Processor", grepFile("/proc/cpuinfo", `(?m)^model name\s*: (.*)$`)},
		{"Cores", fmt.Sprint(runtime.NumCPU())},
		{"Memory", grepFile("/proc/meminfo", `(?m)^MemTotal:\s*(.*)$`)},
		{"System", grepFile("/etc/os-release", `(?m)^PRETTY_NAME="(.*)"$`)},
		{"Kernel", grepFile("/proc/sys/kernel/osrelease", `(?m)^(.*)$`)},
		{"Virtual machines", how + ", " + first("qemu-system-x86_64", "--version")},
		{"Terraform", terraform.Version},
		{"Go", runtime.Version()},
		{"OpenSSH", first("ssh", "-V")},
		{"Ansible", first("ansible-playbook", "--version")},
	}
	if b.machines != nil {
		rows = append(rows, [2]string{labRow, "Debian " + b.machines.Suite()})
	}
	if b.keepalived != "" {
		rows = append(rows, [2]string{keepalivedRow, b.keepalived})
	}
	return rows
}

const (
	labRow        = "Hosts of the lab"
	keepalivedRow = "keepalived on the hosts"
)

// noteKeepalived keeps the version for the head.
func (b *bench) noteKeepalived(ctx context.Context) (err error) {
	b.keepalived, err = b.on(ctx, "a", "keepalived -v 2>&1 | head -n 1")
	return err
}

func grepFile(path, pattern string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		return "unknown"
	}
	return string(found[1])
}
