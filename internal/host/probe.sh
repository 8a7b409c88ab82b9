# shellcheck shell=sh
# Observes a Linux host for redislb and changes nothing on it: no file, no
# module, no daemon. Everything a plan needs comes from one run of this script.
#
# Output: a line "== NAME" opens a section of lines. These are the kernel's and
# the system's own words, which never look like such a line; what people write,
# the files, comes last, as one tar archive, between "== tar" and "== end".
#
# Few processes: each costs more than all that the shell does by itself.

echo '== probe 1'

echo '== kernel'
read -r kernel </proc/sys/kernel/osrelease && echo "$kernel"
echo '== uptime'
read -r line </proc/uptime && echo "$line"
echo '== os'
while read -r line; do
	case $line in PRETTY_NAME=*) printf '%s\n' "$line" ;; esac
done 2>/dev/null </etc/os-release
echo '== keepalived'
# What keepalived -v says (some versions to standard error), in half of its time, and
# ipvsadm -v with it, which is in /sbin where that is no link.
if keepalived=$(command -v keepalived); then
	versions=$(grep -aohs -m 1 -e 'Keepalived v[0-9][^)]*)' -e 'ipvsadm v[0-9][0-9.]*' "$keepalived" /usr/sbin/ipvsadm /sbin/ipvsadm)
	case $versions in
	Keepalived*) printf '%s\n' "$versions" ;;
	*) keepalived -v 2>&1 ;;
	esac
fi
echo '== ipvsadm'
command -v ipvsadm
echo '== nft'
command -v nft
echo '== redis-server'
command -v redis-server
echo '== package manager'
command -v apt-get || command -v dnf
echo '== interfaces'
cd /sys/class/net && echo *
echo '== ssh'
# sudo takes it out of the environment, and is itself started with it.
process=$$
until [ -n "${SSH_CONNECTION-}" ] || [ "$process" -le 1 ]; do
	SSH_CONNECTION=$(tr '\0' '\n' <"/proc/$process/environ" | sed -n 's/^SSH_CONNECTION=//p')
	while read -r key value; do
		[ "$key" != PPid: ] || process=$value
	done <"/proc/$process/status"
done 2>/dev/null
echo "${SSH_CONNECTION-}"
# Transactions that have ended and wait for somebody to fetch their outcome, or
# have not begun.
echo '== transactions'
for f in /run/redislb/results/*/status /var/lib/redislb/transactions/*/script; do
	folder=${f%/*}
	if [ ! -e "$f" ] || { [ -e "$folder/undo" ] && [ ! -e "$folder/committed" ]; }; then
		continue
	fi
	echo "${folder##*/}"
done
echo '== schedulers'
cd "/lib/modules/$kernel/kernel/net/netfilter/ipvs" 2>/dev/null && echo ip_vs*.ko*
cd /

echo '== sysctl'
# Not by the shell, which reads byte by byte: the kernel gives the first one only.
grep -s . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding \
	/proc/sys/net/ipv4/vs/* /proc/sys/net/ipv4/conf/*/arp_ignore \
	/proc/sys/net/ipv4/conf/*/arp_announce /sys/class/net/*/address

# What keepalived takes this host for, in the director's own VRRP instance, and behind their
# addresses in those of VIPs; and whether its virtual services are just being swapped: before
# the table, and once more behind.
role() {
	for note in /run/redislb/role /run/redislb/role-*; do
		state=
		if [ -r "$note" ] && read -r pid state _ <"$note"; then
			is_keepalived "$pid" || state=
		fi
		vip=${note#/run/redislb/role}
		vip=${vip#-}
		[ -z "$state" ] || printf '%s\n' "${vip:+$vip }$state"
	done
}
is_keepalived() {
	comm=
	{ read -r comm <"/proc/$1/comm"; } 2>/dev/null
	[ "$comm" = keepalived ]
}
echo '== role before'
role
if [ -r /run/redislb/swapping ] && read -r pid </run/redislb/swapping && [ -d "/proc/$pid" ]; then
	echo swapping
fi

# Real servers that keepalived's own health checks took out or have not let in yet, as
# health.sh noted them. A note of a keepalived process that is gone says nothing about the one that
# runs now. Not by the shell: there are thousands of notes where there are thousands
# of servers.
#
# Before the table, and once more behind: of one that comes back, or fails, meanwhile, the
# table may still tell what the note does not any more, and the other way round.
#
# Where one is down, it tells since when, which is the time of its note, and what time it is
# by the same clock.
health() {
	echo '== health'
	[ -d /run/redislb/health ] || return 0
	down=$(grep -rsE ' (DOWN|(NEW|LATE) [0-9]+)$' /run/redislb/health)
	[ -z "$down" ] || {
		date +%s
		find /run/redislb/health -type f -printf '%Ts %f\n'
		printf '%s\n' "$down"
	} | awk '
		NR == 1 { print "now", $1; next }
		/^[0-9]/ { since[$2] = $1; next }
		match($0, /:[0-9]+ (DOWN|(NEW|LATE) [0-9]+)$/) {
			split(substr($0, RSTART + 1), said, " ")
			name = substr($0, 1, RSTART - 1)
			sub(/.*\//, "", name)
			pid = said[1]
			if (!(pid in comm)) { getline comm[pid] <("/proc/" pid "/comm") }
			if (comm[pid] == "keepalived") { print name, said[2], (said[2] == "DOWN" ? since[name] : said[3]) }
		}'
}
health

# ipvsadm loads ip_vs where it is not there; so it is asked only where it is.
if [ -r /proc/net/ip_vs ]; then
	echo '== ipvs proc'
	table=$(cat /proc/net/ip_vs /proc/net/ip_vs_stats 2>/dev/null)
	printf '%s\n' "$table"
	if command -v ipvsadm >/dev/null; then
		# Flags, timeouts and one-packet scheduling of IPv6 are in the one of the two
		# that is slow.
		case $table in
		*' sh '* | *' mh '* | *' persistent '* | *'UDP  ['*)
			echo '== ipvs save'
			ipvsadm -Sn
			;;
		esac
		# Thresholds are in neither, and cost a call of the kernel for each service: of a
		# table beyond a thousand lines they are asked for where we have or had set any.
		if [ "${#table}" -lt 65536 ] || [ -e /run/redislb/thresholds ] || grep -qs '^ *[ul]threshold ' /etc/keepalived/redislb/vip*.services.conf; then
			echo '== ipvs thresholds'
			ipvsadm -Ln --thresholds
		fi
		# Where we have set one, which what it was before is kept for.
		set -- /var/lib/redislb/before/ipvs.timeout.*
		if [ -e "$1" ]; then
			echo '== ipvs timeouts'
			echo "$*"
			ipvsadm -L --timeout
		fi
		# Before and after: a VIP that comes or goes meanwhile tells that the
		# role of the daemon is about to change too.
		echo '== address before'
		ip -o address show
		echo '== ipvs daemon'
		ipvsadm -L --daemon
	fi
fi
echo '== address'
addresses=$(ip -o address show)
printf '%s\n' "$addresses"

echo '== listeners'
# From /proc: over netlink the kernel would load a module for it (inet_diag).
listeners=$(PROC_ROOT=/proc ss -Hltn 2>/dev/null)
printf '%s\n' "$listeners"

# Whether a Redis at its usual port is in protected mode only Redis itself tells, and not
# by way of the loopback interface, where it serves anyone.
redis=
case $listeners in
*':6379 '*)
	while read -r _ device family redis _; do
		[ "$device $family" = "lo inet" ] || [ "$family" != inet ] || break
		redis=
	done <<-LINES
		$addresses
	LINES
	redis=${redis%/*}
	;;
esac
if [ -n "$redis" ] && command -v bash >/dev/null; then
	echo '== redis greeting'
	# shellcheck disable=SC2016
	timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/6379" && printf "PING\r\n" >&3 && read -r said _ <&3 && echo "$said"' "$redis" 2>/dev/null
fi

# Once more: see the first time.
health

echo '== role'
role

# The sums of the files that keepalived runs by.
echo '== loaded'
if [ -r /run/redislb/loaded ]; then
	loaded=$(cat /run/redislb/loaded)
	! is_keepalived "${loaded%%[!0-9]*}" || printf '%s\n' "$loaded"
fi

# The reset guard of role.sh and what it hears. Without the module there is none, and nft would load it.
if [ -x /etc/keepalived/redislb/role.sh ] && [ -d /sys/module/nf_tables ]; then
	echo '== nft table'
	nft list table inet redislb 2>/dev/null
fi

# The servers of Redis that we configured, and no others.
set --
for f in /etc/redislb/redis-*.conf /etc/systemd/system/redislb-redis-*.service; do
	port=${f##*redis-}
	port=${port%.*}
	case " $* " in *" $port "*) continue ;; esac
	case $port in '' | *[!0-9]*) ;; *) set -- "$@" "$port" ;; esac
done
units=
for port in "$@"; do
	units="$units redislb-redis-$port.service"
done
echo '== unit'
# shellcheck disable=SC2086 # words
systemctl show -p Id,LoadState,ActiveState,UnitFileState,ActiveEnterTimestampMonotonic \
	keepalived.service redislb-realserver.service redis-server.service $units 2>/dev/null
echo '== overrides'
# What others say of how keepalived is started, by name: systemd.unit(5), and the file of
# options that the package's unit reads.
grep -lsE -e '^[[:space:]]*(Exec|Type|PIDFile|Restart|Environment|RootDirectory|User)[A-Za-z]*=' -e '^[^#]*[ "=](-f|--use-file)' \
	/etc/systemd/system/keepalived.service /etc/default/keepalived /etc/sysconfig/keepalived \
	/etc/systemd/system/keepalived.service.d/*.conf /run/systemd/system/keepalived.service.d/*.conf
for port in "$@"; do
	echo '== redis'
	# Whoever else listens there is told no password.
	active=$(systemctl is-active "redislb-redis-$port.service" 2>/dev/null)
	echo "$port $active"
	stat -c 'data %U:%G %a' "/var/lib/redis/redislb-$port" 2>/dev/null
	# What it says is no section of ours.
	[ "$active" != active ] || ask_redis "$port" 2>/dev/null | sed 's/^/ /'
done

# Passwords stay on the host: what is told of a file that holds one is the mode, the
# comments, and whether it is still as it was last written.
for secret in /etc/keepalived/redislb/auth.conf /etc/keepalived/redislb/*.password /etc/redislb/*.password; do
	[ -e "$secret" ] || [ -h "$secret" ] || continue
	echo '== secret'
	stat -c '%f %U:%G %n' "$secret"
	while IFS= read -r line; do
		case $line in '#'*) printf '%s\n' "$line" ;; *) break ;; esac
	done <"$secret"
	if grep -sF "  $secret" /var/lib/redislb/secrets.sha256 | sha256sum --status -c 2>/dev/null; then
		echo '(secret, unchanged on the host)'
	else
		echo '(secret, changed on the host)'
	fi
done

# A symbolic link is told as one, never followed: writing through it would change
# a file that is not ours. Of a folder that is one, it is told where it leads. The note of
# the role is among them for its time.
set --
for f in /etc/keepalived/. /etc/keepalived/redislb/. /etc/keepalived/keepalived.conf /etc/keepalived/redislb/* /etc/redislb/* \
	/etc/sysctl.d/*redislb* /etc/modules-load.d/*redislb* \
	/etc/systemd/system/redislb-* /etc/systemd/system/keepalived.service.d/redislb* \
	/run/redislb/role; do
	case $f in /etc/keepalived/redislb/auth.conf | *.password) continue ;; esac
	{ [ -e "$f" ] || [ -h "$f" ]; } && set -- "$@" "${f#/}"
done
echo '== tar'
tar -c -b 1 -f - --no-recursion -C / -T /dev/null "$@"
echo
echo '== end'
