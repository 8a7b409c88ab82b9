package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The part of probe.sh that looks for them, with a folder for a root.
func TestWhatOthersSayOfKeepalivedsStartIsTold(t *testing.T) {
	_, part, _ := strings.Cut(probe, "echo '== overrides'\n")
	part, _, _ = strings.Cut(part, "for port in")
	const dropIns = "etc/systemd/system/keepalived.service.d/"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"ours alone":             {map[string]string{dropIns + "redislb.conf": dropIn}, ""},
		"another file by option": {map[string]string{dropIns + "zz.conf": "[Service]\nExecStart=\nExecStart=/usr/sbin/keepalived -f /etc/other.conf\n"}, dropIns + "zz.conf"},
		"no restart":             {map[string]string{dropIns + "zz.conf": "[Service]\n  Restart=no\n"}, dropIns + "zz.conf"},
		"a limit":                {map[string]string{dropIns + "limit.conf": "[Service]\nLimitNOFILE=65536\n#ExecStart=x\n"}, ""},
		"until the next boot":    {map[string]string{"run/systemd/system/keepalived.service.d/x.conf": "[Service]\nEnvironment=A=b\n"}, "run/systemd/system/keepalived.service.d/x.conf"},
		"a unit of their own":    {map[string]string{"etc/systemd/system/keepalived.service": "[Service]\nExecStart=/opt/keepalived\n"}, "etc/systemd/system/keepalived.service"},
		"options":                {map[string]string{"etc/default/keepalived": "DAEMON_ARGS=\"-f /etc/other.conf\"\n"}, "etc/default/keepalived"},
		"options of the package": {map[string]string{"etc/default/keepalived": "# -f file\nDAEMON_ARGS=\"--log-detail\"\n"}, ""},
	} {
		root := t.TempDir()
		for path, text := range c.files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text := strings.NewReplacer("/etc/", root+"/etc/", "/run/", root+"/run/").Replace(part)
		out, _ := exec.Command("sh", "-c", text).Output() // grep found none: 1
		s := &Snapshot{}
		s.parseOverrides(strings.ReplaceAll(string(out), root, ""))
		want := c.want
		if want != "" {
			want = "/" + want
		}
		equal(t, name, strings.Join(s.Overrides, " "), want)
		warnings := redisDirector().Warnings(s)
		equal(t, name+": warnings", len(warnings), map[bool]int{true: 1}[want != ""])
		for _, w := range warnings {
			if !strings.Contains(w.Detail, want) {
				t.Errorf("%s: %q lacks %q", name, w.Detail, want)
			}
		}
	}
}
