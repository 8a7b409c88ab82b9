package host

import (
	"os"
	"os/exec"
	"path/filepath"
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
		"RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 UP\n"
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
	equal(t, "notes", got, strings.ReplaceAll("[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 PID DOWN\n"+
		"[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 PID UP\n"+
		"[2001:db8::1]:udp:53_[2001:db8::2]:udp:53 PID DOWN\n", "PID", pid))
}
