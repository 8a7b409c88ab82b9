# shellcheck shell=sh disable=SC2154 # what services.sh has, which comes before
# The loop guard config_swap: a director that does not hold the VIPs has no virtual
# service in its kernel, so that it delivers what another one sends to it.
#   swap.sh          by role.sh, when it has noted what keepalived has become
#   swap.sh START    by systemd, before it starts keepalived
# It goes by the note and not by an argument: of several that run at once, as one change
# of the role follows another, the last one finds the last note. They run one after the
# other, and each waits until keepalived has done its part: it gathers signals to reload
# that come together, and would not see services that went and came in between.
umask 022
mkdir -p /run/redislb || exit
exec 8>>"$swap_lock"
flock 8

# The virtual services, as ipvsadm -Sn writes them.
services() {
	cat /etc/keepalived/redislb/vip-*.services.conf 2>/dev/null | awk '
		$1 == "virtual_server" { address = $2; port = $3 }
		$1 == "virtual_server" && address == "fwmark" { print "-f " port; next }
		$1 == "protocol" { print ($2 == "UDP" ? "-u " : "-t ") (address ~ /:/ ? "[" address "]" : address) ":" port }'
}

# arrived: how many of them the kernel has.
arrived() { ipvsadm -Sn 2>/dev/null | grep -cFf /run/redislb/swapped; }

drop_services() {
	[ -r /proc/net/ip_vs ] || return 0 # ipvsadm would load the module
	services | while read -r option endpoint; do
		# The family of a firewall mark is told for IPv6 alone.
		ipvsadm -D "$option" "$endpoint" 2>/dev/null || ipvsadm -D "$option" "$endpoint" -6 2>/dev/null
	done
}

# One that was killed has left its services behind, and another director holds the VIPs.
if [ "${1-}" = START ]; then
	include_services backup
	drop_services
	exit 0
fi

whom=backup
! is_master || whom=master
include_services "$whom" || exit 0
[ "$said" != STOP ] || exit 0 # it takes them away itself
echo "$$" >/run/redislb/swapping # so that whoever looks on knows that it is under way
trap 'rm -f /run/redislb/swapping' EXIT
services | sed 's/.*/-A & /' >/run/redislb/swapped
wanted=0
[ "$whom" != master ] || wanted=$(wc -l </run/redislb/swapped)
systemctl kill -s HUP --kill-who=main keepalived || exit
tries=50
until [ "$(arrived)" -eq "$wanted" ]; do
	tries=$((tries - 1))
	if [ "$tries" = 0 ]; then
		[ "$whom" = master ] || drop_services
		break
	fi
	sleep 0.2
done
