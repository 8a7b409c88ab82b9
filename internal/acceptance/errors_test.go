//go:build acceptance

package acceptance

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// realServer is a configuration with one real server on a host, which it calls a, and what
// is given of how to reach it.
func realServer(h *lab.Host, connection string) string {
	return fmt.Sprintf(`
terraform {
  required_providers {
    redislb = { source = "redislb/redislb" }
  }
}
provider "redislb" {
  hosts = {
    a = { address = "127.0.0.1", port = %d, %s }
  }
}
resource "redislb_realserver" "a" {
  host = "a"
  vips = ["192.0.2.229"]
}
`, h.SSHPort, connection)
}

func inline(configuration string) resource.TestStep {
	return resource.TestStep{Config: configuration, ProtoV6ProviderFactories: factories}
}

// fails is a step that must end with an error that holds all of the words, in
// this order, across the line breaks that Terraform puts in.
func fails(configuration string, words ...string) resource.TestStep {
	s := inline(configuration)
	var parts []string
	for _, w := range words {
		for _, part := range strings.Fields(w) {
			parts = append(parts, regexp.QuoteMeta(part))
		}
	}
	s.ExpectError = regexp.MustCompile(`(?s)` + strings.Join(parts, `.*?`))
	return s
}

// Every error names user@host:port and what to do, and none leaves a trace on the
// host.
func TestConnectionErrorsSayWhereAndWhatToDo(t *testing.T) {
	bare(t)
	before := footprint(t, hostA())
	target := fmt.Sprintf("@127.0.0.1:%d", hostA().SSHPort)
	key := fmt.Sprintf("private_key_file = %q", machines.KeyFile())
	trusted := fmt.Sprintf("known_hosts_file = %q", machines.KnownHostsFile())
	otherKey := strings.ReplaceAll(knownHostsLine(t, hostB()), fmt.Sprint(hostB().SSHPort), fmt.Sprint(hostA().SSHPort))
	logins := "journalctl -u ssh -o cat | grep -c -e Accepted -e Failed; true"
	loginsBefore := hostA().MustExec(t, logins)

	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		fails(realServer(hostA(), key+fmt.Sprintf(", known_hosts = %q", otherKey)),
			"root"+target, "THE HOST KEY IS NOT THE KNOWN ONE", "SHA256:"),
		fails(realServer(hostA(), key+`, known_hosts = "192.0.2.99 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"`),
			"root"+target, "known", "ssh-keyscan"),
		{
			// The two above reached the host's sshd, and neither sent a credential.
			PreConfig: func() {
				if after := hostA().MustExec(t, logins); after != loginsBefore {
					t.Errorf("a login was tried on a host whose key is not trusted: %s, before %s", after, loginsBefore)
				}
			},
			Config: fails(realServer(hostA(), trusted+`, user = "opspw", password = "not-it"`)).Config, ProtoV6ProviderFactories: factories,
			ExpectError: regexp.MustCompile(`(?s)opspw` + target + `.*password`),
		},
		fails(realServer(hostA(), trusted+", "+key+`, user = "nosudo"`), "nosudo"+target, "sudo"),
		fails(realServer(hostA(), trusted+", "+key+`, user = "opspw"`), "opspw"+target, "sudo", "become_password"),
		fails(realServer(hostA(), trusted+", "+key+`, user = "opspw", become_password = "wrong-one"`), "opspw"+target, "sudo", "become_password"),
		fails(strings.Replace(realServer(hostA(), trusted+", "+key), fmt.Sprintf("port = %d", hostA().SSHPort), "port = 1", 1), "root@127.0.0.1:1", "connection refused"),
	}})
	if after := footprint(t, hostA()); after != before {
		t.Errorf("a failed apply left something on the host:\n--- before\n%s\n--- after\n%s", before, after)
	}
}

func knownHostsLine(t *testing.T, h *lab.Host) string {
	t.Helper()
	return fmt.Sprintf("[127.0.0.1]:%d %s", h.SSHPort, h.MustExec(t, "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub"))
}

// By sudo, with and without a password, the same things happen as for root.
func TestSudoWithAndWithoutPassword(t *testing.T) {
	h := client() // as good a host as any, and idle
	alone(t, h)
	bare(t, h.Name)
	common := fmt.Sprintf("known_hosts_file = %q, private_key_file = %q, ", machines.KnownHostsFile(), machines.KeyFile())
	withPassword := inline(realServer(h, common+fmt.Sprintf(`user = "opspw", become_password = %q`, lab.OpsPWPassword)))
	withPassword.Check = check(t, func(t *testing.T) {
		if got := h.MustExec(t, "ip -4 address show dev lo label lo:1; cat /proc/sys/net/ipv4/conf/all/arp_ignore; stat -c %U:%G:%a /etc/systemd/system/redislb-realserver.service"); !strings.Contains(got, "192.0.2.229/32") || !strings.Contains(got, "1\nroot:root:644") {
			t.Errorf("on the host there is\n%s", got)
		}
		if log := h.MustExec(t, "journalctl -o cat; cat /var/log/* 2>/dev/null; true"); strings.Contains(log, lab.OpsPWPassword) {
			t.Error("the password is in a log of the host")
		}
	})
	withoutPassword := inline(realServer(h, common+`user = "ops"`))
	withoutPassword.PreConfig = func() {
		h.MustExec(t, "ip address del 192.0.2.229/32 dev lo; ip address add 192.0.2.229/24 dev eth0")
	}
	withoutPassword.Check = check(t, func(t *testing.T) {
		if got := h.MustExec(t, "ip -o -4 address show to 192.0.2.229"); !strings.Contains(got, "192.0.2.229/32 scope global lo:1") || strings.Contains(got, "eth0") {
			t.Errorf("the VIP did not come back to lo, or not to it alone: %s", got)
		}
	})
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{withPassword, withoutPassword}})
}

// A keepalived.conf that Terraform did not write is left alone, unless adopted;
// destroy puts an adopted one back, and keepalived goes on with it.
func TestForeignConfigurationIsLeftAloneUnlessAdopted(t *testing.T) {
	alone(t, hostA())
	furnished(t, "a")
	const foreign = "vrrp_instance THEIRS {\n  interface eth0\n  virtual_router_id 7\n  priority 10\n  virtual_ipaddress {\n    192.0.2.222\n  }\n}\n"
	h := hostA()
	h.MustExec(t, "printf '"+strings.ReplaceAll(foreign, "\n", "\\n")+"' >/etc/keepalived/keepalived.conf; systemctl enable --now keepalived")
	director := func(more string) string {
		return strings.Replace(realServer(h, fmt.Sprintf("known_hosts_file = %q, private_key_file = %q", machines.KnownHostsFile(), machines.KeyFile())),
			"resource \"redislb_realserver\" \"a\" {\n  host = \"a\"\n  vips = [\"192.0.2.229\"]\n}",
			"resource \"redislb_director\" \"a\" {\n  host = \"a\"\n  vrrp = { interface = \"eth0\", virtual_router_id = 51, priority = 100 }\n"+more+"}", 1)
	}
	unharmed := func(t *testing.T) {
		t.Helper()
		if got := h.MustExec(t, "cat /etc/keepalived/keepalived.conf"); got+"\n" != foreign {
			t.Errorf("keepalived.conf is now\n%s", got)
		}
	}
	refused := fails(director(""), "Foreign keepalived.conf", "adopt = true")
	adopted := inline(director("  adopt = true\n"))
	adopted.PreConfig = func() { unharmed(t) }
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{refused, adopted}})
	unharmed(t)
	if got := h.MustExec(t, "systemctl is-active keepalived; systemctl is-enabled keepalived"); got != "active\nenabled" {
		t.Errorf("keepalived, which ran before, is %q", got)
	}
	eventually(t, 20e9, "keepalived runs with their configuration again", func() bool {
		return strings.Contains(exec(h, "ip -o -4 address show dev eth0"), "192.0.2.222")
	})
}
