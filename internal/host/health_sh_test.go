package host

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVerdictsAreNotedBesideTheProcessThatSaidThem(t *testing.T) {
	root := t.TempDir()
	fifo := filepath.Join(root, "fifo")
	// As keepalived's FIFO, a file of lines that ends.
	lines := "VS [192.0.2.229]:tcp:6379 UP\n" +
		"RS [192.0.2.11]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\n" +
		"RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\n" +
		"RS [2001:db8::2]:udp:53 [2001:db8::1]:udp:53 DOWN\n" +
		"RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 UP\n" +
		"VS [192.0.2.229]:tcp:6379 DOWN\n"
	if err := os.WriteFile(fifo, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(healthScript), "/run/", root+"/")
	cmd := exec.Command("sh", "-c", "echo $$; sh -c \"$1\" sh "+fifo+"; exit", "sh", text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(out))
	got := ""
	notes, err := filepath.Glob(root + "/redislb/health/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range notes {
		content, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		got += filepath.Base(note) + " " + string(content)
	}
	equal(t, "notes", got, strings.ReplaceAll("[192.0.2.229]:tcp:6379 PID DOWN\n"+
		"[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 PID DOWN\n"+
		"[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 PID UP\n"+
		"[2001:db8::1]:udp:53_[2001:db8::2]:udp:53 PID DOWN\n", "PID", pid))
}

func TestProbeTellsTheServersThatALivingKeepalivedTookOut(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	_, section, _ := strings.Cut(probe, "echo '== health'\n")
	section, _, _ = strings.Cut(section, "\n# Likewise")
	text := strings.NewReplacer("/run/", root+"/run/", "/proc/", root+"/proc/").Replace(section)
	told := func() string {
		out, err := exec.Command("sh", "-c", text+"\n:").Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	equal(t, "without notes", told(), "")
	write("proc/41/comm", "keepalived\n")
	write("proc/43/comm", "bash\n")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379", "41 UP\n")
	equal(t, "of one that is up", told(), "")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379", "41 DOWN\n")
	write("run/redislb/health/[2001:db8::1]:udp:53_[2001:db8::2]:udp:53", "41 DOWN\n")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.13]:tcp:6379", "42 DOWN\n") // there is no such process
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.14]:tcp:6379", "43 DOWN\n") // it is another program's
	write("run/redislb/health/[192.0.2.9]:tcp:80", "41 DOWN\n")
	equal(t, "of some that are down", told(), "[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 DOWN\n[192.0.2.9]:tcp:80 DOWN\n[2001:db8::1]:udp:53_[2001:db8::2]:udp:53 DOWN")
}
