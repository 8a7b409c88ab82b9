//go:build acceptance

package acceptance

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const (
	vipAddress = "redislb_vip.redis"
	directorA  = "redislb_director.a"
	directorB  = "redislb_director.b"
	serverA    = "redislb_realserver.a"
	serverB    = "redislb_realserver.b"
)

// Each change by hand must show in the plan, in the resource and artifact that it
// belongs to, and be gone after one apply that moves no VIP and loses no
// connection. Changes that do not hide each other are made together, one on each
// host or in each kind of artifact.
func driftIsSeenAndHealed(t *testing.T) []resource.TestStep {
	var connections held
	var before map[int]string
	// on makes the changes and notes which connections live.
	on := func(changesOnA, changesOnB string) func() {
		return func() {
			if before == nil {
				connections = hold(t, 6)
			}
			before = connections.alive()
			if changesOnA != "" {
				hostA().MustExec(t, changesOnA)
			}
			if changesOnB != "" {
				hostB().MustExec(t, changesOnB)
			}
		}
	}
	healed := func(s resource.TestStep) resource.TestStep {
		s.Check = check(t, tablesAreAsWanted, func(t *testing.T) {
			if !holdsVIP(hostA()) || holdsVIP(hostB()) {
				t.Error("healing moved the VIP")
			}
			connections.survive("healing", before)
		})
		return s
	}
	const ipvsA, ipvsB = "a: ipvs tcp 192.0.2.229:6379", "b: ipvs tcp 192.0.2.229:6379"
	const services = "file /etc/keepalived/redislb/vip-192.0.2.229.services.conf"
	const rogue = "-a -t 192.0.2.229:6379 -r 192.0.2.77:6379 -g -w 1"

	steps := []resource.TestStep{
		// The table: a weight, and on the backup a real server that is missing; and the
		// backup is a second owner of the VIP.
		healed(drift(on(
			"ipvsadm -e -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 5",
			"ipvsadm -d -t 192.0.2.229:6379 -r 192.0.2.11:6379; ip address add 192.0.2.229/24 dev eth0",
		),
			shows(vipAddress, "b: address 192.0.2.229 by VRRP", "192.0.2.229/24 on eth0 of the backup"),
			shows(vipAddress, ipvsA, "192.0.2.12:6379 -g -w 5"),
			shows(vipAddress, ipvsB, "-s rr\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379"),
			untouched(directorA), untouched(directorB), untouched(serverA), untouched(serverB))),
		// A rogue real server in our service, another scheduler; on the backup a
		// service that is gone, and the sync daemon too.
		healed(drift(on(
			"ipvsadm -a -t 192.0.2.229:6379 -r 192.0.2.77:6379 -g; ipvsadm -E -t 192.0.2.229:6379 -s wlc",
			"ipvsadm -D -t 192.0.2.229:6379; ipvsadm --stop-daemon backup",
		),
			shows(vipAddress, ipvsA, rogue), shows(vipAddress, ipvsA, "-s wlc"),
			shows(vipAddress, ipvsB, ""),
			shows(directorB, "ipvs sync daemon", ""),
			untouched(directorA), untouched(serverA), untouched(serverB))),
		// All four ARP sysctls, live; the file that keeps them; the VIP on lo, and the
		// service that keeps it there at boot; the loop guard off; the sync master
		// stopped; a sysctl of the sync.
		healed(drift(on(
			"sysctl -qw net.ipv4.conf.all.arp_ignore=2 net.ipv4.conf.all.arp_announce=1 net.ipv4.conf.lo.arp_ignore=0 net.ipv4.conf.lo.arp_announce=0; "+
				"ipvsadm --stop-daemon master; sysctl -qw net.ipv4.vs.sync_refresh_period=0; systemctl -q disable redislb-realserver",
			"sed -i /all.arp_ignore/d /etc/sysctl.d/*redislb-realserver.conf; ip address del 192.0.2.229/32 dev lo; "+
				"sysctl -qw net.ipv4.vs.backup_only=0; systemctl -q disable keepalived 2>/dev/null",
		),
			shows(serverA, "sysctl net.ipv4.conf.all.arp_ignore", "2"),
			shows(serverA, "sysctl net.ipv4.conf.all.arp_announce", "1"),
			shows(serverA, "sysctl net.ipv4.conf.lo.arp_ignore", "0"),
			shows(serverA, "sysctl net.ipv4.conf.lo.arp_announce", "0"),
			shows(serverA, "unit redislb-realserver.service", "disabled"),
			shows(serverB, "file /etc/sysctl.d/99-zz-redislb-realserver.conf", "all.arp_announce"),
			shows(serverB, "address 192.0.2.229 on lo", ""),
			shows(directorA, "ipvs sync daemon", ""),
			shows(directorA, "sysctl net.ipv4.vs.sync_refresh_period", "0"),
			shows(directorB, "sysctl net.ipv4.vs.backup_only", "0"),
			shows(directorB, "unit keepalived.service", "disabled, active"),
			untouched(vipAddress))),
		// Files: the director's, the VIP's, the password's, modes and a link.
		healed(drift(on(
			"sed -i \"s/priority 100/priority 101/\" /etc/keepalived/keepalived.conf; sed -i s/s3cret/other/ /etc/keepalived/redislb/auth.conf",
			"rm /etc/keepalived/redislb/vip-192.0.2.229.services.conf; chmod 666 /etc/keepalived/keepalived.conf; cp /etc/modules-load.d/redislb.conf /root/m; ln -sf /root/m /etc/modules-load.d/redislb.conf",
		),
			shows(directorA, "file /etc/keepalived/keepalived.conf", "priority 101"),
			shows(directorA, "file /etc/keepalived/redislb/auth.conf", "changed on the host"),
			shows(directorB, "file /etc/keepalived/keepalived.conf", "(mode 0666"),
			shows(directorB, "file /etc/modules-load.d/redislb.conf", "not a regular file"),
			shows(vipAddress, "b: "+services, ""))),
		// keepalived stopped on the backup: its table is empty then too.
		healed(drift(on("", "systemctl stop keepalived"),
			shows(directorB, "unit keepalived.service", "enabled, inactive"),
			shows(vipAddress, ipvsB, ""))),
	}
	last := &steps[len(steps)-1]
	last.Check = resource.ComposeTestCheckFunc(last.Check, check(t, func(*testing.T) { connections.close() }))
	return steps
}

// What keepalived does by itself, and what is somebody else's, is no drift.
func harmlessEventsAreNoDrift(t *testing.T) []resource.TestStep {
	same := step()
	rows := func(n int) func() bool {
		return func() bool {
			got := exec(hostA(), "ipvsadm -Sn | grep -c -- -a") + exec(hostB(), "ipvsadm -Sn | grep -c -- -a")
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
		noDrift(takenOut),
		// Down, and its other row changed by hand: the second is drift, the first
		// is still none.
		func() resource.TestStep {
			s := drift(func() { hostA().MustExec(t, "ipvsadm -e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 9") },
				shows(vipAddress, "a: ipvs tcp 192.0.2.229:6379", "192.0.2.11:6379 -g -w 9\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1"))
			s.Check = check(t, func(t *testing.T) {
				if got := hostA().MustExec(t, "ipvsadm -Sn | grep -- -a"); got != "-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1" {
					t.Errorf("healing brought a dead real server back, or not the weight: %s", got)
				}
			})
			return s
		}(),
		noDrift(func() {
			hostA().MustExec(t, "systemctl stop redis-server")
			eventually(t, 30e9, "all real servers are out", rows(0))
		}),
		noDrift(func() {
			hostA().MustExec(t, "systemctl start redis-server")
			back()
		}),
		// With the server back, its missing row is drift again.
		drift(func() { hostB().MustExec(t, "ipvsadm -d -t 192.0.2.229:6379 -r 192.0.2.12:6379") },
			shows(vipAddress, "b: ipvs tcp 192.0.2.229:6379", "192.0.2.11")),
		// keepalived reloaded and restarted; connections made; somebody's service.
		noDrift(func() {
			connect(t, 5)
			hostA().MustExec(t, "systemctl reload keepalived; ipvsadm -A -u 198.51.100.1:53 -s sh; ipvsadm -a -u 198.51.100.1:53 -r 198.51.100.2:53 -m")
			hostB().MustExec(t, "systemctl restart keepalived; sleep 2")
			// A failover moves the VIP and changes no plan.
			hostA().MustExec(t, "systemctl restart keepalived; ip link set eth0 down; sleep 6; ip link set eth0 up")
			eventually(t, 60e9, "one director holds the VIP again", func() bool { return holdsVIP(hostA()) != holdsVIP(hostB()) })
		}),
		{
			ConfigFile: same.ConfigFile, ConfigVariables: same.ConfigVariables, ProtoV6ProviderFactories: factories,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			Check: check(t, func(t *testing.T) {
				if got := hostA().MustExec(t, "ipvsadm -Sn | grep -c 198.51.100"); got != "2" {
					t.Errorf("somebody else's service was touched: %s", hostA().MustExec(t, "ipvsadm -Sn"))
				}
			}),
		},
	}
}
