//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
)

// setUpByHand makes of a host what the article does whose system this project sets up:
// both files, the scripts that put one or the other in place, the VIP on lo, the sysctls.
func setUpByHand(t *testing.T, name string, priority int) {
	t.Helper()
	file := func(role string) string {
		text, err := os.ReadFile("../host/testdata/seed-" + role + ".conf")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(string(text), "priority 99\n", fmt.Sprintf("priority %d\n", priority), 1)
	}
	script := func(ignore, announce, file string) string {
		return fmt.Sprintf(`#!/bin/sh
echo "%[1]s" >/proc/sys/net/ipv4/conf/lo/arp_ignore
echo "%[2]s" >/proc/sys/net/ipv4/conf/lo/arp_announce
echo "%[1]s" >/proc/sys/net/ipv4/conf/all/arp_ignore
echo "%[2]s" >/proc/sys/net/ipv4/conf/all/arp_announce
diff /etc/keepalived/keepalived.conf /etc/keepalived/%[3]s
if test "$?" != "0"; then
cp /etc/keepalived/%[3]s /etc/keepalived/keepalived.conf
kill -HUP $(cat /run/keepalived.pid)
fi
`, ignore, announce, file)
	}
	h := machines.Host(name)
	for name, text := range map[string]string{
		"master.conf": file("master"), "backup.conf": file("backup"), "keepalived.conf": file("backup"),
		"notify_master.sh": script("0", "0", "master.conf"), "notify_backup.sh": script("1", "2", "backup.conf"),
	} {
		h.MustExec(t, "cat >/etc/keepalived/"+name+" <<'TEXT'\n"+text+"TEXT")
	}
	h.MustExec(t, `set -e
chmod 755 /etc/keepalived/*.sh
ip address add 192.0.2.229/32 dev lo label lo:1
echo 1 >/proc/sys/net/ipv4/conf/lo/arp_ignore
echo 2 >/proc/sys/net/ipv4/conf/lo/arp_announce
echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce
systemctl start keepalived`)
}

// What somebody set up by hand comes under Terraform by the way of the guide: imported,
// with a configuration that Terraform writes, two lines of it completed by hand, and
// one apply, while clients are connected.
func TestSystemSetUpByHandComesUnderTerraformWithoutLosingAConnection(t *testing.T) {
	furnished(t)
	setUpByHand(t, "a", 100)
	setUpByHand(t, "b", 99)
	aIsMaster(t)
	eventually(t, 30e9, "a spreads connections", func() bool { return strings.Count(exec(hostA(), "ipvsadm -Sn"), "-r 192.0.2.1") == 2 })
	connections := hold(t, 6)
	before := connections.alive()

	tf := newWorkspace(t)
	tf.write(t, "main.tf", fmt.Sprintf(`
terraform {
  required_providers {
    redislb = { source = "redislb/redislb" }
  }
}
provider "redislb" {
  private_key_file = %q
  known_hosts_file = %q
  hosts = {
    a = { address = "127.0.0.1", port = %d }
    b = { address = "127.0.0.1", port = %d }
  }
}
import {
  to = redislb_realserver.a
  id = "a"
}
import {
  to = redislb_realserver.b
  id = "b"
}
import {
  to = redislb_director.a
  id = "a"
}
import {
  to = redislb_director.b
  id = "b"
}
import {
  to = redislb_vip.redis
  id = "192.0.2.229@a,b"
}
`, machines.KeyFile(), machines.KnownHostsFile(), hostA().SSHPort, hostB().SSHPort))
	tf.must(t, "plan", "-no-color", "-generate-config-out=generated.tf")
	generated, err := os.ReadFile(filepath.Join(tf.dir, "generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Terraform wrote\n%s", generated)
	for _, want := range []string{`adopt\s+= true`, `instance\s+= "VI_1"`, `interface\s+= "eth0"`, `virtual_router_id\s+= 51`, `priority\s+= 100`, `priority\s+= 99`, `address\s+= "192.0.2.229/24"`, `scheduler\s+= "rr"`, `vips\s+= \["192.0.2.229"\]`} {
		if !regexp.MustCompile(want).Match(generated) {
			t.Errorf("%s is not in what Terraform wrote", want)
		}
	}
	edited := string(generated)
	for from, to := range map[string]string{
		`auth_pass_wo\s+= null[^\n]*`:         `auth_pass_wo = "1111"`,
		`auth_pass_wo_version\s+= null[^\n]*`: `auth_pass_wo_version = 1`,
		`directors\s+= \["a", "b"\]`:          `directors = [redislb_director.a.host, redislb_director.b.host]`,
	} {
		if !regexp.MustCompile(from).MatchString(edited) {
			t.Fatalf("%s, which the guide has people complete, is not in what Terraform wrote", from)
		}
		edited = regexp.MustCompile(from).ReplaceAllString(edited, to)
	}
	tf.write(t, "generated.tf", edited)

	tf.must(t, "plan", "-no-color", "-out=plan.bin")
	show, said := tf.command(t.Context(), "", "show", "-json", "plan.bin")
	if err := show.Run(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var plan tfjson.Plan
	if err := json.Unmarshal(said.Bytes()[strings.Index(said.String(), `{"format_version`):], &plan); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if len(plan.ResourceChanges) != 5 {
		t.Errorf("the plan has %d resources", len(plan.ResourceChanges))
	}
	for _, c := range plan.ResourceChanges {
		if c.Change.Importing == nil || !c.Change.Actions.Update() {
			t.Errorf("%s is planned as %v, want it imported and updated", c.Address, c.Change.Actions)
		}
		was, becomes := c.Change.Before.(map[string]any), c.Change.After.(map[string]any)
		for name := range becomes {
			old, _ := json.Marshal(was[name])
			now, _ := json.Marshal(becomes[name])
			if string(old) != string(now) && name != "artifacts" && name != "vrrp" {
				t.Errorf("%s: %s changes from %s to %s", c.Address, name, old, now)
			}
		}
	}
	tf.must(t, "apply", "-no-color", "plan.bin")
	connections.survive("taking the system over", before)
	connections.close()
	if !holdsVIP(hostA()) || holdsVIP(hostB()) {
		t.Error("the VIP moved")
	}
	tf.hasEmptyPlan(t)
	tablesAreAsWanted(t)
	for _, h := range hosts() {
		if got := h.MustExec(t, "cat /proc/sys/net/ipv4/conf/all/arp_ignore"); got != "1" {
			t.Errorf("arp_ignore of %s is %s", h.Name, got)
		}
	}
	oneMachineAnswersARP(t)
	bothRedisAnswerThroughVIP(t)
}
