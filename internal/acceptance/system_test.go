//go:build acceptance

package acceptance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

const table = "-A -t 192.0.2.229:6379 -s rr\n" +
	"-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n" +
	"-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"

// From two bare hosts to the whole system, imported, and back again.
func TestSystemComesUpFromBareHostsAndLeavesThemAsTheyWere(t *testing.T) {
	bare(t)
	// Somebody else lives on the hosts too.
	for _, h := range hosts() {
		h.MustExec(t, "ip address add 198.51.100.7/24 dev eth0; ip address add 198.51.100.8/32 dev lo")
	}
	before := map[string]string{}
	for _, h := range hosts() {
		before[h.Name] = footprint(t, h)
	}

	apply := step()
	apply.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction("redislb_vip.redis", plancheck.ResourceActionCreate),
		known("redislb_vip.redis", "a: ipvs tcp 192.0.2.229:6379", table),
		known("redislb_vip.redis", "b: ipvs tcp 192.0.2.229:6379", table),
		known(`redislb_realserver.a`, "address 192.0.2.229 on lo", "192.0.2.229/32 label lo:1"),
		known(`redislb_director.b`, "unit keepalived.service", "enabled, active"),
	}
	apply.Check = check(t, aIsMaster, tablesAreAsWanted, oneMachineAnswersARP, bothRedisAnswerThroughVIP, filesAreWhole, secretIsNowhere, everyGoldenFileIsTaken)

	foreign := observed(t, noDrift(t, func() {
		// Somebody else's service in the table is neither drift nor in danger.
		// Nor is a package that is to stay as it is.
		hostA().MustExec(t, "apt-mark hold keepalived ipvsadm; ipvsadm -A -t 198.51.100.7:80 -s wlc; ipvsadm -a -t 198.51.100.7:80 -r 198.51.100.9:80 -m -w 7")
	}))
	upgraded := noDrift(t, func() { keepalivedIsUpgraded(t) })
	imported := func(address, id string) resource.TestStep {
		s := step()
		s.ResourceName = address
		s.ImportState = true
		s.ImportStateKind = resource.ImportBlockWithID
		s.ImportStateId = id
		return s
	}

	steps := []resource.TestStep{apply, foreign}
	if !testing.Short() { // the pass on other releases
		steps = append(steps, upgraded,
			imported(`redislb_director.a`, "a"),
			imported(`redislb_realserver.b`, "b"),
			imported("redislb_vip.redis", "192.0.2.229@a,b"),
		)
	}
	resource.Test(t, resource.TestCase{
		Steps: steps,
		CheckDestroy: func(*terraform.State) error {
			if got := hostA().MustExec(t, "ipvsadm -Sn"); got != "-A -t 198.51.100.7:80 -s wlc\n-a -t 198.51.100.7:80 -r 198.51.100.9:80 -m -w 7" {
				t.Errorf("the table after destroy is not somebody else's service alone:\n%s", got)
			}
			hostA().MustExec(t, "ipvsadm -C")
			for _, h := range hosts() {
				if after := footprint(t, h); after != before[h.Name] {
					t.Errorf("host %s is not as it was:\n--- before\n%s\n--- after\n%s", h.Name, before[h.Name], after)
				}
				h.MustExec(t, "command -v keepalived ipvsadm") // packages stay
			}
			return nil
		},
	})
}

// keepalivedIsUpgraded has the package manager put a newer package in, first on the backup,
// as an administrator should, then on the master. Each restarts keepalived.
func keepalivedIsUpgraded(t *testing.T) {
	t.Helper()
	connections := hold(t, 20)
	defer connections.close()
	before := connections.alive()
	const pid = "systemctl show -p MainPID --value keepalived"
	for _, h := range []*lab.Host{hostB(), hostA()} {
		old := h.MustExec(t, pid)
		h.MustExec(t, `set -e
			cd /root
			dpkg-deb -R /opt/apt/keepalived_*.deb newer
			sed -i 's/^Version: .*/&+upgraded/' newer/DEBIAN/control
			dpkg-deb -Znone -b newer newer.deb
			dpkg -i newer.deb
			rm -r newer newer.deb
			dpkg-query -W keepalived | grep -F +upgraded`)
		if now := h.MustExec(t, pid); now == old || now == "0" {
			t.Errorf("on %s keepalived was not restarted: its process was %s and is %s", h.Name, old, now)
		}
		connections.survive("an upgrade of keepalived on "+h.Name, before)
	}
	aIsMaster(t)
	connections.survive("a failback after an upgrade", before)
	_, worst := connections.figures()
	t.Logf("keepalived upgraded on both directors: the slowest answer took %.1f s", worst.Seconds())
}

// footprint is what redislb could have left on a host: addresses, sysctls, and
// files that are not those of the packages.
func footprint(t *testing.T, h *lab.Host) string {
	t.Helper()
	return h.MustExec(t, `
		ip -o address show | sed 's/valid_lft.*//'
		grep -s . /proc/sys/net/ipv4/conf/*/arp_*
		find /etc/sysctl.d /etc/modules-load.d /etc/systemd/system -newer /etc/hostname -type f 2>/dev/null
		find / -xdev -name '*redislb*' ! -path '/proc/*' 2>/dev/null
		ls -d /etc/keepalived/redislb /etc/keepalived/keepalived.conf /var/lib/redislb 2>/dev/null
		systemctl is-active keepalived
		true`)
}

func tablesAreAsWanted(t *testing.T) {
	for _, h := range hosts() {
		got := strings.Split(h.MustExec(t, "ipvsadm -Sn | sort"), "\n")
		if want := strings.Split(strings.TrimSpace(table), "\n"); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the IPVS table of %s is\n%s", h.Name, strings.Join(got, "\n"))
		}
	}
}

// oneMachineAnswersARP asks on the wire who has the VIP.
func oneMachineAnswersARP(t *testing.T) {
	master, _ := masterAndBackup(t)
	since := time.Now()
	client().MustExec(t, "arping -c 5 -I eth0 "+vip.String()+" || true")
	answers, err := machines.ARPAnswers(context.Background(), vip, since)
	if err != nil {
		t.Fatal(err)
	}
	macs := map[string]int{}
	for _, a := range answers {
		macs[a.MAC]++
	}
	if len(macs) != 1 || macs[master.MAC] < 5 {
		t.Errorf("ARP answers for the VIP: %v, want at least 5, all from %s", macs, master.MAC)
	}
}

// bothRedisAnswerThroughVIP makes connections from a machine that is no director.
func bothRedisAnswerThroughVIP(t *testing.T) {
	masterAndBackup(t)
	counts := connect(t, 20)
	a, b := serverID(t, "192.0.2.11"), serverID(t, "192.0.2.12")
	if counts[a] != 10 || counts[b] != 10 {
		t.Errorf("of 20 connections by rr, a got %d and b %d; all: %v", counts[a], counts[b], counts)
	}
}

// filesAreWhole looks for what a commit might leave behind.
func filesAreWhole(t *testing.T) {
	for _, h := range hosts() {
		if left := h.MustExec(t, "find / -xdev \\( -name '.redislb.*' -o -name '*.redislb-new' -o -path '/var/tmp/*redislb*' -o -path '/tmp/*redislb*' \\) 2>/dev/null; true"); left != "" {
			t.Errorf("left on %s:\n%s", h.Name, left)
		}
		if got := h.MustExec(t, "stat -c '%a %U:%G' /etc/keepalived/redislb/auth.conf"); got != "600 root:root" {
			t.Errorf("the file with the password on %s is %s", h.Name, got)
		}
	}
}

// secretIsNowhere looks for the VRRP password in everything that others can read.
func secretIsNowhere(t *testing.T) {
	for _, h := range hosts() {
		if files := h.MustExec(t, "grep -rls s3cret /etc /run /var/lib /var/log /tmp /var/tmp | grep -v '^/etc/keepalived/redislb/auth.conf$'; true"); files != "" {
			t.Errorf("the password is in other files of %s than its own:\n%s", h.Name, files)
		}
	}
}
