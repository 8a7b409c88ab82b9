#!/bin/sh
# Managed by Terraform (redislb_director).
#
# Called by keepalived when a VRRP instance changes its state:
#   role.sh INSTANCE NAME MASTER|BACKUP|FAULT|STOP PRIORITY
# where NAME is vip:ADDRESS for the instance that a VIP has to itself, and any other name for
# the director's own,
# and by systemd before it starts and before it stops keepalived, and when it has started
# it or told it to read its configuration again:
#   role.sh START
#   role.sh LEAVE
#   role.sh LOADED
# and by redislb before it has keepalived told, and where somebody took the reset guard away:
#   role.sh LEAVE
#   role.sh GUARD

conf=/etc/keepalived/keepalived.conf
files=/etc/keepalived/redislb

# The reset guard. The VIPs are this machine's own, on lo, so its kernel ends each
# connection by RST that it is sent packets of and does not know. That is right, but
# for the moments in which the VIPs move. IPVS does not look at packets
#   - on a new master, from the gratuitous ARP until the sync daemon has become
#     master too (backup_only; vrrp.c, vrrp_state_become_master: in that order);
#   - on an old one, while others still send to it what is not its any more;
#   - on one whose keepalived stops, since that takes the services away a second
#     before the VIPs (measured: 4 of 8 connections died), or reads a configuration
#     that lacks some of them.
# Then RST is dropped, and the client sends again to who knows the connection. A
# refused or broken connection is answered by RST with ACK (RFC 9293, 3.10.7.1), which
# always passes. At any other time RST passes too: it is what tells the clients of a Redis
# whose machine was started anew, who else wait until they give up.
#
# It must be dropped before IPVS sees it (ip_vs_core.c, ip_vs_ops4: LOCAL_OUT at
# NF_IP_PRI_NAT_DST + 1, which is -99), or IPVS takes the connection for closed, forgets
# it 10 s after its next packet and tells the other director so.
#
# A script would be told too late of a move. Advertisements tell of it: the first one of our
# own after some time without, that this machine becomes master; one of our own with
# priority 0, that it gives up (RFC 9568, 6.4.3); and one of another's while ours were
# heard, that the other takes over. keepalived 2.1 sends the first one behind the
# gratuitous ARP only (vrrp.c, vrrp_state_master_tx), so that there a reset may slip
# through.
#
# A host may be master of one instance and a backup of another, on one interface. So each has
# sets of its own, by its virtual router id, which is the second byte of an advertisement
# (RFC 9568, 5.1). What they tell is only for how long: a VIP may be on another interface
# than its instance, so the one element that they have is 0, for which nft wants a word of
# the packet.
#
# And who else uses the id: an advertisement tells the addresses of its instance, the first
# of them behind its 8 bytes of header (RFC 9568, 5.1), and ours begins with a VIP of ours.
guard() {
	command -v nft >/dev/null || return 0
	interval=$(sed -n 's/^ *advert_int \([0-9]*\).*/\1/p' "$conf")
	interface=$(sed -n 's/^ *interface //p' "$conf")
	leaves=$1 sets='' adverts='' resets='' others='' elements='' heard=''
	four='' six=''
	for f in "$files"/vip*.address.conf; do
		vip=${f##*/vip}
		vip=${vip%.address.conf}
		case $vip in
		6-*) six="$six ${vip#6-}," ;;
		-[0-9]*) four="$four ${vip#-}," ;;
		esac
	done
	instance "$conf" "${four%,}" "${six%,}"
	for f in "$files"/vip-*.vrrp.conf; do
		vip=${f##*/vip-}
		vip=${vip%.vrrp.conf}
		case $vip in
		*:*) instance "$f" '' "$vip" ;;
		*) instance "$f" "$vip" '' ;;
		esac
	done
	marks=$(marks)
	nft -f - <<-RULES
		add table inet redislb
		$sets
		add chain inet redislb output
		flush chain inet redislb output
		delete chain inet redislb output
		add chain inet redislb output { type filter hook output priority -300; }
		$adverts
		add rule inet redislb output meta l4proto != tcp accept
		add rule inet redislb output tcp flags & (rst | ack) != rst accept
		$resets
		add chain inet redislb input
		flush chain inet redislb input
		delete chain inet redislb input
		add chain inet redislb input { type filter hook input priority -300; }
		$others
		add chain inet redislb prerouting
		flush chain inet redislb prerouting
		delete chain inet redislb prerouting
		$marks
		$elements
	RULES
	# By itself: whoever has an nft that does not take it has the guard all the same.
	nft -f - 2>/dev/null <<-RULES || true
		$heard
	RULES
}

# instance FILE IPV4-VIPS IPV6-VIPS: adds what the instance in the file needs. A move is over
# when the sync daemon has told of all connections, which takes it 10 s. A director is
# taken for master for longer than the next one may take to tell clients where the VIPs are
# (package keepalived, DefaultGARP: 5 s).
instance() {
	[ -r "$1" ] || return 0
	id=$(sed -n '/^ *virtual_router_id [0-9]/{s/[^0-9]*\([0-9]*\).*/\1/p;q;}' "$1")
	[ -n "$id" ] || return 0
	while_moving="@moves_$id { meta mark & 0 timeout $((${interval:-0} + 15))s }"
	sets="$sets
		add set inet redislb vips_$id { type ipv4_addr; }
		add set inet redislb vips6_$id { type ipv6_addr; }
		add set inet redislb leads_$id { type mark; flags timeout,dynamic; }
		add set inet redislb moves_$id { type mark; flags timeout,dynamic; }
		flush set inet redislb vips_$id
		flush set inet redislb vips6_$id"
	adverts="$adverts
		add rule inet redislb output ip protocol 112 @th,8,8 $id meta mark & 0 != @leads_$id update $while_moving
		add rule inet redislb output ip protocol 112 @th,8,8 $id @th,16,8 0 update $while_moving
		add rule inet redislb output ip protocol 112 @th,8,8 $id update @leads_$id { meta mark & 0 timeout $((${interval:-0} * 4 + 6))s }"
	resets="$resets
		add rule inet redislb output ip saddr @vips_$id meta mark & 0 @moves_$id counter drop
		add rule inet redislb output ip6 saddr @vips6_$id meta mark & 0 @moves_$id counter drop"
	others="$others
		add rule inet redislb input ${interface:+iifname \"$interface\"} ip protocol 112 @th,8,8 $id meta mark & 0 @leads_$id update $while_moving"
	ours=$((127 << 24 | 112 << 16 | id)) # package keepalived, placeholder
	for vip in $2; do
		number "${vip%,}"
		ours="$ours, $n"
	done
	heard="$heard
		add set inet redislb strangers_$id { type ipv4_addr; flags timeout,dynamic; }
		add rule inet redislb input ${interface:+iifname \"$interface\"} ip protocol 112 @th,8,8 $id @th,64,32 != { $ours } update @strangers_$id { ip saddr timeout 60s }"
	[ -z "$2" ] || elements="$elements
		add element inet redislb vips_$id { $2 }"
	[ -z "$3" ] || elements="$elements
		add element inet redislb vips6_$id { $3 }"
	[ -z "$leaves" ] || elements="$elements
		flush set inet redislb moves_$id
		add element inet redislb moves_$id { 0 timeout 15s }"
}

# number ADDRESS: the IPv4 address as n.
number() {
	second=${1#*.}
	third=${second#*.}
	n=$((${1%%.*} << 24 | ${second%%.*} << 16 | ${third%%.*} << 8 | ${third#*.}))
}

# The loop guard source_mac: what other directors send to a VIP gets a firewall mark, by
# rules that redislb has put beside the VIP's files; see there. Written with the rest, so
# that whoever flushes the rules of a host takes both away and gets both back. Behind the
# rules that set marks of others (priority mangle, -150), of which the last one counts.
marks() {
	set -- "$files"/vip-*.peers.nft
	[ -e "$1" ] || return 0
	echo 'add chain inet redislb prerouting { type filter hook prerouting priority -140; }'
	cat "$@"
}

# Noted under /run, beside the process that said it, so that whoever looks at the VIP
# and the sync daemon knows what keepalived itself takes the host for: in role for the
# director's own instance, by whose role the host goes, in role-ADDRESS for that of a VIP.
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
	if read -r teller _ last number <"$dir/$1" && [ "$teller" = "$PPID" ]; then
		[ "${last:-0}" -le "$started" ] && { [ "${last:-0}" -lt "$started" ] || [ "${number:-0}" -lt "$$" ]; } || return
	fi 2>/dev/null
	new="$dir/.role.$$"
	printf '%s %s %s %s\n' "$PPID" "$2" "$started" "$$" >"$new" && mv "$new" "$dir/$1"
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
		sha256sum "$conf" "$files"/instance.conf "$files"/vip*.conf
	} >/run/redislb/.loaded 2>/dev/null
	mv /run/redislb/.loaded /run/redislb/loaded
}

if [ "$1" = START ]; then
	prepare
	# One that was killed has left the VIPs on their interface, where this one takes them
	# away a moment after it has told IPVS to leave all packets alone.
	guard leaves
elif [ "$1" = LOADED ]; then
	loaded
	# For VIPs that have come or gone, and for those that keepalived gives up where somebody
	# else had it told: it takes longer to read than this.
	guard leaves
elif [ "$1" = GUARD ]; then
	guard ''
elif [ "$1" = LEAVE ]; then
	guard leaves || true # else the unit would have failed
else
	guard ''
	swap=$files/swap.sh
	case $2 in
	vip:*) note "role-${2#vip:}" "$3" || true ;;
	*)
		if note role "$3" && [ -x "$swap" ]; then
			# As a process of its own: this one ends with keepalived (lib/notify.c,
			# PR_SET_PDEATHSIG).
			"$swap"
		fi
		;;
	esac
fi
