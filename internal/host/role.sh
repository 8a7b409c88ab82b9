#!/bin/sh
# Managed by Terraform (redislb_director).
#
# Called by keepalived when its VRRP instance changes its state:
#   role.sh INSTANCE NAME MASTER|BACKUP|FAULT|STOP PRIORITY
# and by systemd before it starts and before it stops keepalived, and when it has started
# it or told it to read its configuration again:
#   role.sh START
#   role.sh LEAVE
#   role.sh LOADED
# and by redislb where somebody took the reset guard away:
#   role.sh GUARD

conf=/etc/keepalived/keepalived.conf

# The reset guard. The VIPs are this machine's own, on lo, so its kernel ends each
# connection by RST that it is sent packets of and does not know. That is right, but
# for the moments in which the VIPs move. IPVS does not look at packets
#   - on a new master, from the gratuitous ARP until the sync daemon has become
#     master too (backup_only; vrrp.c, vrrp_state_become_master: in that order);
#   - on an old one, while others still send to it what is not its any more;
#   - on one whose keepalived stops, since that takes the services away a second
#     before the VIPs (measured: 4 of 8 connections died).
# Then RST is dropped, and the client sends again to who knows the connection. A
# refused or broken connection is answered by RST with ACK (RFC 9293, 3.10.7.1), which
# always passes.
#
# It must be dropped before IPVS sees it (ip_vs_core.c, ip_vs_ops4: LOCAL_OUT at
# NF_IP_PRI_NAT_DST + 1, which is -99), or IPVS takes the connection for closed, forgets
# it 10 s after its next packet and tells the other director so.
#
# The first advertisement after some time without shows that this machine becomes
# master; a script would be told of it too late.
guard() {
	command -v nft >/dev/null || return 0
	four='' six=''
	for f in /etc/keepalived/redislb/vip*.address.conf; do
		vip=${f##*/vip}
		vip=${vip%.address.conf}
		case $vip in
		6-*) six="$six ${vip#6-}," ;;
		-[0-9]*) four="$four ${vip#-}," ;;
		esac
	done
	[ -z "$four" ] || four="add element inet redislb vips { ${four%,} }"
	[ -z "$six" ] || six="add element inet redislb vips6 { ${six%,} }"
	interval=$(sed -n 's/^ *advert_int \([0-9]*\).*/\1/p' "$conf")
	moving=''
	marks=$(marks)
	[ -z "$1" ] || moving="add element inet redislb moving { \"$1\" timeout 15s }"
	# Longer than the sync daemon takes to tell of all connections: 10 s.
	nft -f - <<-RULES
		add table inet redislb
		add set inet redislb vips { type ipv4_addr; }
		add set inet redislb vips6 { type ipv6_addr; }
		add set inet redislb master { type iface_index; flags timeout,dynamic; }
		add set inet redislb moving { type iface_index; flags timeout,dynamic; }
		add chain inet redislb output
		flush chain inet redislb output
		delete chain inet redislb output
		add chain inet redislb output { type filter hook output priority -300; }
		flush set inet redislb vips
		flush set inet redislb vips6
		add rule inet redislb output ip protocol 112 oif != @master add @moving { oif timeout 15s }
		add rule inet redislb output ip protocol 112 update @master { oif timeout $((${interval:-0} * 4 + 4))s }
		add rule inet redislb output meta l4proto != tcp accept
		add rule inet redislb output tcp flags & (rst | ack) != rst accept
		add rule inet redislb output ip saddr @vips oif @moving counter drop
		add rule inet redislb output ip6 saddr @vips6 oif @moving counter drop
		add rule inet redislb output ip saddr @vips oif @master fib saddr . oif type != local counter drop
		add rule inet redislb output ip6 saddr @vips6 oif @master fib saddr . oif type != local counter drop
		add chain inet redislb prerouting
		flush chain inet redislb prerouting
		delete chain inet redislb prerouting
		$marks
		$four
		$six
		$moving
	RULES
}

# The loop guard source_mac: what other directors send to a VIP gets a firewall mark, by
# rules that redislb has put beside the VIP's files; see there. Written with the rest, so
# that whoever flushes the rules of a host takes both away and gets both back. Behind the
# rules that set marks of others (priority mangle, -150), of which the last one counts.
marks() {
	set -- /etc/keepalived/redislb/vip-*.peers.nft
	[ -e "$1" ] || return 0
	echo 'add chain inet redislb prerouting { type filter hook prerouting priority -140; }'
	cat "$@"
}

# Noted under /run, beside the process that said it, so that whoever looks at the VIP
# and the sync daemon knows what keepalived itself takes the host for.
#
# keepalived does not wait for this script, so two of them may run at once, and the one
# that it started last has the last word: that of the later start (proc(5), stat), and in
# one hundredth of a second of the higher number. It fails where there is a later word.
note() {
	umask 022
	dir=/run/redislb
	mkdir -p "$dir" || exit
	exec 8>>"$dir/role.lock"
	flock 8
	started=$(started)
	if read -r teller _ last number <"$dir/role" && [ "$teller" = "$PPID" ]; then
		[ "${last:-0}" -le "$started" ] && { [ "${last:-0}" -lt "$started" ] || [ "${number:-0}" -lt "$$" ]; } || return
	fi 2>/dev/null
	new="$dir/.role.$$"
	printf '%s %s %s %s\n' "$PPID" "$1" "$started" "$$" >"$new" && mv "$new" "$dir/role"
	exec 8>&-
}

started() {
	read -r stat <"/proc/$$/stat"
	# shellcheck disable=SC2086 # the words behind the name, which may have spaces
	set -- ${stat##*) }
	shift 19
	echo "$1"
}

# The module and its switches, by which the loop guard works, whatever kept systemd from
# setting them at boot: a module that is blacklisted (modules-load.d(5)), a file of
# sysctl.d(5) behind ours.
prepare() {
	modprobe ip_vs 2>/dev/null
	while IFS=' =' read -r name value; do
		case $name in
		net.*) (
			set -f
			IFS=.
			# shellcheck disable=SC2086 # the parts of the name
			set -- $name
			IFS=/
			[ ! -e "/proc/sys/$*" ] || echo "$value" >"/proc/sys/$*"
		) ;;
		esac
	done </etc/sysctl.d/99-zz-redislb-director.conf
}

# Beside the process, the sums of the files that it runs by: a plan tells by them of a
# file that has been put back since, or was never loaded.
loaded() {
	umask 077
	mkdir -p /run/redislb
	{
		echo "$MAINPID"
		sha256sum /etc/keepalived/keepalived.conf /etc/keepalived/redislb/vip*.conf
	} >/run/redislb/.loaded 2>/dev/null
	mv /run/redislb/.loaded /run/redislb/loaded
}

if [ "$1" = START ]; then
	prepare
	guard ''
elif [ "$1" = LOADED ]; then
	loaded
elif [ "$1" = GUARD ]; then
	guard ''
elif [ "$1" = LEAVE ]; then
	guard "$(sed -n 's/^ *interface //p' "$conf")" || true # else the unit would have failed
else
	guard ''
	swap=/etc/keepalived/redislb/swap.sh
	if note "$3" && [ -x "$swap" ]; then
		# As a process of its own: this one ends with keepalived (lib/notify.c,
		# PR_SET_PDEATHSIG).
		"$swap"
	fi
fi
