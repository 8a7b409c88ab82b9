//go:build acceptance

package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// TestNoSecretIsKeptOnEitherSide searches all that Terraform and the host keep, and
// both process lists while Terraform works, for the passwords in use. They come by
// ephemeral variables: what is written in a configuration Terraform itself shows.
func TestNoSecretIsKeptOnEitherSide(t *testing.T) {
	h := client() // as good a host as any, and idle
	alone(t, h)
	bare(t, h.Name)
	tf := newWorkspace(t)
	tf.env = append(tf.env, "TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(tf.dir, "trace"))
	configure := func(pass string, version int) {
		connection := fmt.Sprintf("known_hosts_file = %q, user = \"opspw\", password = var.login, become_password = var.login", machines.KnownHostsFile())
		tf.write(t, "main.tf", strings.Replace(realServer(h, connection), "resource \"redislb_realserver\" \"a\" {\n  host = \"a\"\n  vips = [\"192.0.2.229\"]\n}", fmt.Sprintf(`variable "login" {
  sensitive = true
  ephemeral = true
}
variable "auth_pass" {
  sensitive = true
  ephemeral = true
}
resource "redislb_director" "a" {
  host = "a"
  vrrp = {
    interface            = "eth0"
    virtual_router_id    = 51
    priority             = 100
    auth_pass_wo         = var.auth_pass
    auth_pass_wo_version = %d
  }
}`, version), 1))
		tf.env = append(tf.env, "TF_VAR_login="+lab.OpsPWPassword, "TF_VAR_auth_pass="+pass)
	}
	const first, second = "fst-Qz7k", "snd-Wx4m"
	secrets := []string{first, second, lab.OpsPWPassword}

	// Only a loop on the host sees what runs there for milliseconds.
	h.MustExec(t, "rm -f /tmp/seen*; (setsid nice -n 19 sh -c 'while [ ! -e /tmp/seen.over ]; do ps -eww -o args=; done | awk \"!line[\\$0]++\" >/tmp/seen' >/dev/null 2>&1 &)")
	seen := &bytes.Buffer{}
	over := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
				lists, _ := filepath.Glob("/proc/[0-9]*/cmdline")
				for _, list := range lists {
					if content, err := os.ReadFile(list); err == nil {
						seen.Write(bytes.ReplaceAll(content, []byte{0}, []byte(" ")))
						seen.WriteByte('\n')
					}
				}
			}
		}
	}()

	var said bytes.Buffer
	run := func(args ...string) {
		t.Helper()
		cmd, out := tf.command(t.Context(), "", args...)
		if err := cmd.Run(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		said.Write(out.Bytes())
	}
	kept := func(what string, want string) {
		t.Helper()
		if _, err := os.Stat(filepath.Join(tf.dir, "terraform.tfstate")); err != nil {
			t.Error(err)
		}
		for _, file := range []string{"terraform.tfstate", "terraform.tfstate.backup", "plan", "trace"} {
			content, err := os.ReadFile(filepath.Join(tf.dir, file))
			if err == nil {
				said.Write(content)
			}
		}
		// It finds the secrets and is none: it stands in the process list itself.
		pattern := strings.ReplaceAll(strings.Join(secrets, "\\|"), "-", "[-]")
		found := h.MustExec(t, "grep -rla -e '"+pattern+"' /etc /root /home /run /tmp /var 2>/dev/null | while read -r f; do stat -c '%n %a %U' \"$f\"; done; journalctl -o export --no-pager | grep -ac -e '"+pattern+"'; true")
		if found != want {
			t.Errorf("%s: on the host the secrets are in\n%s\nwant\n%s", what, found, want)
		}
	}

	configure(first, 1)
	run("plan", "-no-color", "-out=plan")
	run("show", "-json", "plan")
	run("apply", "-no-color", "plan")
	run("show", "-json")
	if conf := h.MustExec(t, "cat /etc/keepalived/redislb/auth.conf"); !strings.Contains(conf, first) {
		t.Errorf("positive control: the VRRP password is not on the host:\n%s", conf)
	}
	kept("after the first apply", "/etc/keepalived/redislb/auth.conf 600 root\n0")
	configure(second, 2)
	run("apply", "-no-color", "-auto-approve")
	kept("after a change of the password", "/etc/keepalived/redislb/auth.conf 600 root\n0")
	run("destroy", "-no-color", "-auto-approve")
	kept("after destroy", "0")

	close(over)
	<-watched
	remote := h.MustExec(t, ": >/tmp/seen.over; while pgrep awk >/dev/null; do sleep 0.2; done; cat /tmp/seen; rm /tmp/seen*")
	for what, text := range map[string]string{"what Terraform says and keeps": said.String(), "the process list here": seen.String(), "the process list of the host": remote} {
		for _, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s shows %q: …%s…", what, secret, text[max(0, i-100):min(len(text), i+40)])
			}
		}
	}
	for what, control := range map[string][2]string{
		"what Terraform says":          {said.String(), "redislb_director.a"},
		"the trace":                    {said.String(), "[TRACE]"},
		"the process list here":        {seen.String(), "terraform-provider-redislb"},
		"the process list of the host": {remote, "redislb"},
	} {
		if !strings.Contains(control[0], control[1]) {
			t.Errorf("%s lacks %q: it was not watched", what, control[1])
		}
	}
}
