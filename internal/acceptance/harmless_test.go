//go:build acceptance

package acceptance

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// harmlessChanges are made by hand, and are somebody else's or nobody's business.
var harmlessChanges = []struct{ name, host, by string }{
	{"somebody's service", "a", "ipvsadm -A -u 198.51.100.1:53 -s sh; ipvsadm -a -u 198.51.100.1:53 -r 198.51.100.2:53 -m"},
	{"somebody's service by firewall mark", "b", "ipvsadm -A -f 7 -s rr; ipvsadm -a -f 7 -r 192.0.2.11 -g"},
	{"somebody's addresses", "a", "ip address add 192.0.2.222/24 dev eth0; ip address add 198.51.100.9/32 dev lo label lo:2"},
	{"somebody's sysctls", "b", "sysctl -qw net.core.somaxconn=512; echo 'net.core.somaxconn = 512' >/etc/sysctl.d/50-theirs.conf"},
	// The two that follow must not come true at the reboot of a later step.
	{"sysctl file behind ours", "b", "printf 'net.ipv4.conf.all.arp_ignore = 0\\nnet.ipv4.vs.backup_only = 0\\n' >/etc/sysctl.d/99-zzz.conf"},
	{"blacklisted module", "b", "echo 'blacklist ip_vs' >/etc/modprobe.d/theirs.conf"},
	{"names of the addresses", "a", "printf '192.0.2.229 redis\\n192.0.2.11 VMS02245\\n192.0.2.12 VMS02246\\n' >>/etc/hosts"},
	{"another locale", "a", "printf 'LANG=tr_TR.UTF-8\\nLC_ALL=tr_TR.UTF-8\\n' | tee /etc/default/locale >/etc/environment"},
	{"another time zone", "b", "ln -sf /usr/share/zoneinfo/Asia/Shanghai /etc/localtime"},
	{"another host name", "b", "hostname elsewhere; echo elsewhere >/etc/hostname"},
	{"counters at zero", "a", "ipvsadm -Z"},
	{"rows in another order", "b", "ipvsadm -d -u 192.0.2.229:53 -r 192.0.2.11:53; ipvsadm -a -u 192.0.2.229:53 -r 192.0.2.11:53 -g -w 1"},
	{"other timeouts of IPVS", "b", "ipvsadm --set 1000 100 200"},
	{"other timeouts of IPVS than ours", "a", "ipvsadm --set 0 100 200"},
	{"somebody's packet filter", "a", "nft add table ip theirs; nft add chain ip theirs input '{ type filter hook input priority 0; }'"},
	{"files touched", "b", "touch " + conf + " " + services + " " + arpFile},
	{"files beside ours", "a", "cp " + conf + " " + conf + ".bak; echo mine >/etc/keepalived/notes.conf"},
	{"patch upgrade of keepalived", "b", "sed 's/Keepalived v2\\.\\([0-9]\\)\\.[0-9]/Keepalived v2.\\1.9/' /usr/sbin/keepalived >/root/k && chmod 755 /root/k && mv /root/k /usr/sbin/keepalived && keepalived -v 2>&1 | grep -q 'v2.[0-9].9'"},
	{"limit of keepalived", "b", "printf '[Service]\\nLimitNOFILE=65536\\n' >/etc/systemd/system/keepalived.service.d/limit.conf; systemctl daemon-reload"},
}

// What keepalived does by itself, and what is somebody else's, is no drift.
func harmlessEventsAreNoDrift(t *testing.T) []resource.TestStep {
	untouched := noDrift(t, nil)
	untouched.Check = check(t, func(t *testing.T) {
		if got := hostA().MustExec(t, "ipvsadm -Sn | grep -c 198.51.100"); got != "2" {
			t.Errorf("somebody else's service was touched: %s", hostA().MustExec(t, "ipvsadm -Sn"))
		}
	})
	const count = "ipvsadm -Sn | grep -c -- '-a -t 192.0.2.229:6379'"
	rows := func(n int) func() bool {
		return func() bool {
			got := exec(hostA(), count) + exec(hostB(), count)
			want := map[int]string{0: "00", 1: "11", 2: "22"}[n]
			return got == want || (n == 0 && got == "")
		}
	}
	takenOut := func() {
		hostB().MustExec(t, "systemctl stop redis-server")
		eventually(t, 30e9, "keepalived takes b's Redis out on both directors", rows(1))
	}
	back := func() {
		hostB().MustExec(t, "systemctl start redis-server")
		eventually(t, 30e9, "keepalived brings b's Redis back on both directors", rows(2))
	}
	return []resource.TestStep{
		noDrift(t, func() {
			forgetConnections() // a login finds the locale
			for _, c := range harmlessChanges {
				machines.Host(c.host).MustExec(t, "set -e\n"+c.by)
			}
			connect(t, 5)
		}),
		noDrift(t, takenOut),
		// Down, and its other row changed by hand: the second is drift, the first
		// is still none.
		func() resource.TestStep {
			s := drift(func() { hostA().MustExec(t, "ipvsadm -e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 9") },
				shows(vipAddress, "a: ipvs tcp 192.0.2.229:6379", "192.0.2.11:6379 -g -w 9\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1"))
			s.Check = check(t, func(t *testing.T) {
				if got := hostA().MustExec(t, "ipvsadm -Sn | grep -- '-a -t 192.0.2.229:6379'"); got != "-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1" {
					t.Errorf("healing brought a dead real server back, or not the weight: %s", got)
				}
			})
			return s
		}(),
		noDrift(t, func() {
			hostA().MustExec(t, "systemctl stop redis-server")
			eventually(t, 30e9, "all real servers are out", rows(0))
		}),
		noDrift(t, func() {
			hostA().MustExec(t, "systemctl start redis-server")
			back()
		}),
		// With the server back, its missing row is drift again.
		drift(func() { hostB().MustExec(t, "ipvsadm -d -t 192.0.2.229:6379 -r 192.0.2.12:6379") },
			shows(vipAddress, "b: ipvs tcp 192.0.2.229:6379", "192.0.2.11")),
		// keepalived reloaded, restarted and killed.
		noDrift(t, func() {
			hostA().MustExec(t, "systemctl reload keepalived")
			hostB().MustExec(t, "systemctl restart keepalived; sleep 2; kill -9 $(systemctl show -p MainPID --value keepalived)")
			eventually(t, 30e9, "b's keepalived comes back by itself, and its table with it", func() bool {
				return exec(hostB(), "systemctl is-active keepalived") == "active" && rows(2)()
			})
			// A failover moves the VIP and changes no plan.
			hostA().MustExec(t, "systemctl restart keepalived; ip link set eth0 down; sleep 6; ip link set eth0 up")
			eventually(t, 60e9, "one director holds the VIP again", func() bool { return holdsVIP(hostA()) != holdsVIP(hostB()) })
		}),
		untouched,
	}
}
