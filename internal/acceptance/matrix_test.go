//go:build acceptance

package acceptance

// mutation is one change by hand, which the plan must show in these places and in no
// others.
type mutation struct {
	name  string
	host  string // on which it is made
	by    string // ordinary commands
	shows []place
}

// place is where a plan shows what was found on a host.
type place struct {
	resource, artifact string
	found              string // a regular expression for a part of the text; empty: nothing is there
}

const (
	vipAddress = "redislb_vip.redis"
	directorA  = "redislb_director.a"
	directorB  = "redislb_director.b"
	serverA    = "redislb_realserver.a"
	serverB    = "redislb_realserver.b"
)

const (
	tableA     = "a: ipvs tcp 192.0.2.229:6379"
	tableB     = "b: ipvs tcp 192.0.2.229:6379"
	sessionsA  = "a: ipvs tcp 192.0.2.229:6380"
	sessionsB  = "b: ipvs tcp 192.0.2.229:6380"
	namesA     = "a: ipvs udp 192.0.2.229:53"
	namesB     = "b: ipvs udp 192.0.2.229:53"
	conf       = "/etc/keepalived/keepalived.conf"
	services   = "/etc/keepalived/redislb/vip-192.0.2.229.services.conf"
	address    = "/etc/keepalived/redislb/vip-192.0.2.229.address.conf"
	syncDaemon = "ipvs sync daemon"
	timeoutTCP = "ipvs timeout tcp"
	resetGuard = "nftables chain inet redislb output"
	arpFile    = "/etc/sysctl.d/99-zz-redislb-realserver.conf"
	ipvsFile   = "/etc/sysctl.d/99-zz-redislb-director.conf"
	dropIn     = "/etc/systemd/system/keepalived.service.d/redislb.conf"
	serverUnit = "/etc/systemd/system/redislb-realserver.service"
)

// driftMatrix are the mutations, in rounds of those that do not hide each other: each
// round is made as a whole, planned once and healed by one apply. Host a is the master.
var driftMatrix = [][]mutation{{
	{"weight of a real server", "a", "ipvsadm -e -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 5",
		[]place{{vipAddress, tableA, `-r 192.0.2.12:6379 -g -w 5`}}},
	{"forwarding method of a real server", "a", "ipvsadm -e -t 192.0.2.229:6380 -r 192.0.2.12:6380 -i -w 1",
		[]place{{vipAddress, sessionsA, `-r 192.0.2.12:6380 -i -w 1`}}},
	{"timeout of persistence", "a", "ipvsadm -E -t 192.0.2.229:6380 -s sh -b sh-port,sh-fallback -p 600 -M 255.255.255.0",
		[]place{{vipAddress, sessionsA, `-p 600`}}},
	{"one-packet scheduling off", "a", "ipvsadm -E -u 192.0.2.229:53 -s wrr",
		[]place{{vipAddress, namesA, `-s wrr\n`}}},
	{"real server of a UDP service removed", "a", "ipvsadm -d -u 192.0.2.229:53 -r 192.0.2.11:53",
		[]place{{vipAddress, namesA, `\A-A [^\n]*\n-a [^\n]*192.0.2.12:53[^\n]*\n?\z`}}},
	{"sync daemon with another id", "a", "ipvsadm --stop-daemon master; ipvsadm --start-daemon master --mcast-interface eth0 --syncid 7",
		[]place{{directorA, syncDaemon, `master on eth0, syncid 7`}}},
	{"VIP under another label on lo", "a", "ip address del 192.0.2.229/32 dev lo; ip address add 192.0.2.229/32 dev lo",
		[]place{{serverA, "address 192.0.2.229 on lo", `192.0.2.229/32( label lo)?\z`}}},
	{"service of another protocol on our port", "a", "ipvsadm -A -u 192.0.2.229:6379 -s rr; ipvsadm -a -u 192.0.2.229:6379 -r 192.0.2.12:6379 -g",
		[]place{{vipAddress, "a: ipvs other protocols on the ports of 192.0.2.229", `\A-A -u 192.0.2.229:6379 -s rr\n-a `}}},
	{"reset guard removed", "a", "nft delete table inet redislb",
		[]place{{directorA, resetGuard, ``}}},
	{"timeout of TCP connections", "a", "ipvsadm --set 100 0 0",
		[]place{{directorA, timeoutTCP, `\A100 s\z`}}},
	{"thresholds where none are meant", "b", "ipvsadm -e -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1 -x 7 -y 5",
		[]place{{vipAddress, tableB, `192.0.2.12:6379 -g -w 1 -x 7 -y 5`}}},
	{"real server removed", "b", "ipvsadm -d -t 192.0.2.229:6379 -r 192.0.2.11:6379",
		[]place{{vipAddress, tableB, `-s rr\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379`}}},
	{"mask of persistence", "b", "ipvsadm -E -t 192.0.2.229:6380 -s sh -b sh-port,sh-fallback -p 300",
		[]place{{vipAddress, sessionsB, `-p 300(\n| -b)`}}},
	{"service removed", "b", "ipvsadm -D -u 192.0.2.229:53",
		[]place{{vipAddress, namesB, ``}}},
	{"sync daemon on another interface", "b", "ipvsadm --stop-daemon backup; ipvsadm --start-daemon backup --mcast-interface lo --syncid 51",
		[]place{{directorB, syncDaemon, `backup on lo`}}},
	{"VIP on an interface of the backup", "b", "ip address add 192.0.2.229/24 dev eth0",
		[]place{{vipAddress, "b: address 192.0.2.229 by VRRP", `192.0.2.229/24 on eth0 of the backup`}}},
	{"VIP with another prefix length on lo", "b", "ip address del 192.0.2.229/32 dev lo; ip address add 192.0.2.229/31 dev lo label lo:1",
		[]place{{serverB, "address 192.0.2.229 on lo", `192.0.2.229/31 label lo:1`}}},
}, {
	{"real server that nobody configured", "a", "ipvsadm -a -t 192.0.2.229:6379 -r 192.0.2.77:6379 -g",
		[]place{{vipAddress, tableA, `-r 192.0.2.77:6379 -g -w 1`}}},
	{"another scheduler", "a", "ipvsadm -E -t 192.0.2.229:6379 -s wlc",
		[]place{{vipAddress, tableA, `-s wlc`}}},
	{"no persistence", "a", "ipvsadm -E -t 192.0.2.229:6380 -s sh -b sh-port,sh-fallback",
		[]place{{vipAddress, sessionsA, `\A-A -t 192.0.2.229:6380 -s sh( -b sh-fallback,sh-port)?\n`}}},
	{"weight 0", "a", "ipvsadm -e -u 192.0.2.229:53 -r 192.0.2.12:53 -g -w 0",
		[]place{{vipAddress, namesA, `192.0.2.12:53 -g -w 0`}}},
	{"thresholds of a real server", "a", "ipvsadm -e -t 192.0.2.229:6380 -r 192.0.2.11:6380 -g -w 1 -x 10 -y 5",
		[]place{{vipAddress, sessionsA, `192.0.2.11:6380 -g -w 1 -x 10 -y 5`}}},
	{"sync master stopped", "a", "ipvsadm --stop-daemon master",
		[]place{{directorA, syncDaemon, ``}}},
	{"persistence where none is meant", "b", "ipvsadm -E -t 192.0.2.229:6379 -s rr -p 60",
		[]place{{vipAddress, tableB, `-s rr -p 60`}}},
	{"scheduler flags", "b", "ipvsadm -E -t 192.0.2.229:6380 -s sh -b sh-port -p 300 -M 255.255.255.0",
		[]place{{vipAddress, sessionsB, `-b sh-port(\n| )`}}},
	{"no thresholds", "b", "ipvsadm -e -t 192.0.2.229:6380 -r 192.0.2.11:6380 -g -w 1 -x 0 -y 0",
		[]place{{vipAddress, sessionsB, `192.0.2.11:6380 -g -w 1\n`}}},
	{"one-packet scheduling on the backup off, and another scheduler", "b", "ipvsadm -E -u 192.0.2.229:53 -s rr",
		[]place{{vipAddress, namesB, `-s rr\n`}}},
	{"both sync daemons", "b", "ipvsadm --start-daemon master --mcast-interface eth0 --syncid 51",
		[]place{{directorB, syncDaemon, `master on eth0, syncid 51.*VRRP is backup`}}},
	{"rules of the reset guard flushed", "b", "nft flush chain inet redislb output",
		[]place{{directorB, resetGuard, `hook output`}}},
	{"VIP missing on lo", "b", "ip address del 192.0.2.229/32 dev lo",
		[]place{{serverB, "address 192.0.2.229 on lo", ``}}},
}, {
	{"conf/all/arp_ignore", "a", "sysctl -qw net.ipv4.conf.all.arp_ignore=2",
		[]place{{serverA, "sysctl net.ipv4.conf.all.arp_ignore", `\A2\z`}}},
	{"conf/all/arp_announce", "a", "sysctl -qw net.ipv4.conf.all.arp_announce=1",
		[]place{{serverA, "sysctl net.ipv4.conf.all.arp_announce", `\A1\z`}}},
	{"conf/lo/arp_ignore", "a", "sysctl -qw net.ipv4.conf.lo.arp_ignore=0",
		[]place{{serverA, "sysctl net.ipv4.conf.lo.arp_ignore", `\A0\z`}}},
	{"conf/lo/arp_announce", "a", "sysctl -qw net.ipv4.conf.lo.arp_announce=0",
		[]place{{serverA, "sysctl net.ipv4.conf.lo.arp_announce", `\A0\z`}}},
	{"unit of the VIP on lo disabled", "a", "systemctl -q disable redislb-realserver",
		[]place{{serverA, "unit redislb-realserver.service", `disabled, active`}}},
	{"sync_threshold", "a", "sysctl -qw net.ipv4.vs.sync_threshold='3 50'",
		[]place{{directorA, "sysctl net.ipv4.vs.sync_threshold", `3.50`}}},
	{"sync_refresh_period", "a", "sysctl -qw net.ipv4.vs.sync_refresh_period=0",
		[]place{{directorA, "sysctl net.ipv4.vs.sync_refresh_period", `\A0\z`}}},
	{"priority in keepalived.conf", "a", "sed -i 's/priority 100/priority 101/' " + conf,
		[]place{{directorA, "file " + conf, `priority 101`}}},
	{"include in keepalived.conf", "a", "echo 'include /etc/keepalived/more.conf' >>" + conf,
		[]place{{directorA, "file " + conf, `\ninclude /etc/keepalived/more.conf\n`}}},
	{"password on the host", "a", "sed -i s/s3cret/other/ /etc/keepalived/redislb/auth.conf",
		[]place{{directorA, "file /etc/keepalived/redislb/auth.conf", `changed on the host`}}},
	{"file of modules to load deleted", "a", "rm /etc/modules-load.d/redislb.conf",
		[]place{{directorA, "file /etc/modules-load.d/redislb.conf", ``}}},
	{"sysctl file of the director truncated", "a", ": >" + ipvsFile,
		[]place{{directorA, "file " + ipvsFile, `\A\z`}}},
	{"notify script edited", "a", "sed -i '2a exit 0' /etc/keepalived/redislb/role.sh",
		[]place{{directorA, "file /etc/keepalived/redislb/role.sh", `\nexit 0\n`}}},
	{"health script not to be run", "a", "chmod 600 /etc/keepalived/redislb/health.sh",
		[]place{{directorA, "file /etc/keepalived/redislb/health.sh", `\(mode 0600`}}},
	{"line of a sysctl file", "b", "sed -i /all.arp_ignore/d " + arpFile,
		[]place{{serverB, "file " + arpFile, `(?s)\A#.*all.arp_announce = 2\n\z`}}},
	{"arp_ignore of the interface, which wins", "b", "sysctl -qw net.ipv4.conf.eth0.arp_ignore=2",
		[]place{{serverB, "sysctl net.ipv4.conf.all.arp_ignore", `\A1, but 2 on eth0\z`}}},
	{"backup_only off", "b", "sysctl -qw net.ipv4.vs.backup_only=0",
		[]place{{directorB, "sysctl net.ipv4.vs.backup_only", `\A0\z`}}},
	{"sync_retries", "b", "sysctl -qw net.ipv4.vs.sync_retries=3",
		[]place{{directorB, "sysctl net.ipv4.vs.sync_retries", `\A3\z`}}},
	{"keepalived disabled", "b", "systemctl -q disable keepalived 2>/dev/null",
		[]place{{directorB, "unit keepalived.service", `disabled, active`}}},
	{"drop-in deleted", "b", "rm " + dropIn,
		[]place{{directorB, "file " + dropIn, ``}}},
	{"weight in the file of services", "b", "sed -i '0,/weight 1/s//weight 7/' " + services,
		[]place{{vipAddress, "b: file " + services, `weight 7`}}},
	{"file of the VIP", "b", "sed -i 's,/24,/25,' " + address,
		[]place{{vipAddress, "b: file " + address, `192.0.2.229/25`}}},
	{"unit file of the VIP on lo", "b", "sed -i s/229/228/ " + serverUnit,
		[]place{{serverB, "file " + serverUnit, `192.0.2.228/32`}}},
	{"sync_threshold in the sysctl file", "b", "sed -i '/sync_threshold/s/=.*/= 3 50/' " + ipvsFile,
		[]place{{directorB, "file " + ipvsFile, `sync_threshold = 3 50`}}},
}, {
	{"keepalived.conf open to all", "a", "chmod 666 " + conf,
		[]place{{directorA, "file " + conf, `\(mode 0666`}}},
	{"folder of keepalived's files open to all", "a", "chmod 777 /etc/keepalived/redislb",
		[]place{{directorA, "folder /etc/keepalived/redislb", `\Amode 0777, owner root:root\z`}}},
	{"file of services deleted", "a", "rm " + services,
		[]place{{vipAddress, "a: file " + services, ``}}},
	{"file of the VIP truncated", "a", ": >" + address,
		[]place{{vipAddress, "a: file " + address, `\A\z`}}},
	{"password open to all", "a", "chmod 644 /etc/keepalived/redislb/auth.conf",
		[]place{{directorA, "file /etc/keepalived/redislb/auth.conf", `\(mode 0644`}}},
	{"link in place of a file", "a", "cp /etc/modules-load.d/redislb.conf /root/m; ln -sf /root/m /etc/modules-load.d/redislb.conf",
		[]place{{directorA, "file /etc/modules-load.d/redislb.conf", `not a regular file`}}},
	{"sysctl file deleted", "a", "rm " + arpFile,
		[]place{{serverA, "file " + arpFile, ``}}},
	{"unit file deleted", "a", "rm " + serverUnit + "; systemctl daemon-reload",
		[]place{{serverA, "file " + serverUnit, ``}, {serverA, "unit redislb-realserver.service", ``}}},
	{"another owner of a script", "a", "chown nobody /etc/keepalived/redislb/role.sh",
		[]place{{directorA, "file /etc/keepalived/redislb/role.sh", `owner nobody:root`}}},
	{"keepalived removed", "b", "systemctl stop keepalived; rm /usr/sbin/keepalived",
		[]place{{directorB, "package keepalived", ``}, {directorB, "unit keepalived.service", `enabled, inactive`}, {directorB, syncDaemon, ``}}},
	{"keepalived.conf truncated", "b", ": >" + conf,
		[]place{{directorB, "file " + conf, `\A\z`}}},
	{"restart taken out of the drop-in", "b", "sed -i /Restart/d " + dropIn,
		[]place{{directorB, "file " + dropIn, `role.sh LEAVE\n\z`}}},
	{"password deleted", "b", "rm /etc/keepalived/redislb/auth.conf",
		[]place{{directorB, "file /etc/keepalived/redislb/auth.conf", ``}}},
	{"check script deleted", "b", "rm /etc/keepalived/redislb/check-redis.sh",
		[]place{{directorB, "file /etc/keepalived/redislb/check-redis.sh", ``}}},
	{"table cleared", "b", "ipvsadm -C",
		[]place{{vipAddress, tableB, ``}, {vipAddress, sessionsB, ``}, {vipAddress, namesB, ``}}},
	{"unit of the VIP on lo stopped", "b", "systemctl stop redislb-realserver",
		[]place{{serverB, "unit redislb-realserver.service", `enabled, inactive`}}},
}, {
	{"another configuration loaded, and its file put back", "a", "cp -p " + services + " /root/s; sed -i 's/delay_loop 2/delay_loop 3/' " + services + "; systemctl reload keepalived; sleep 2; cp -p /root/s " + services,
		[]place{{vipAddress, "a: file " + services, `\A\(not what keepalived runs by`}}},
	{"word that keepalived does not know in the file of the VIP", "a", "echo frobnicate >>" + address,
		[]place{{vipAddress, "a: file " + address, `\nfrobnicate\n`}}},
	{"keepalived.conf deleted", "a", "rm " + conf,
		[]place{{directorA, "file " + conf, ``}}},
	{"ipvsadm and nft removed", "a", "rm /usr/sbin/ipvsadm /usr/sbin/nft",
		[]place{{directorA, "package ipvsadm", ``}, {directorA, "package nftables", ``}, {directorA, resetGuard, ``}, {directorA, syncDaemon, ``}, {directorA, timeoutTCP, ``}, {vipAddress, sessionsA, `-p \?`}}}, // which it alone tells
	{"keepalived stopped and masked", "b", "systemctl stop keepalived; systemctl -q mask keepalived 2>/dev/null",
		[]place{{directorB, "unit keepalived.service", `masked, inactive`}, {directorB, syncDaemon, ``},
			{vipAddress, tableB, ``}, {vipAddress, sessionsB, ``}, {vipAddress, namesB, ``}}},
}}
