# shellcheck shell=sh
# Prints everything on a host that redislb may change, so that two prints can be
# compared; behind "== left" what it may leave behind by accident. Changes nothing:
# ipvsadm loads ip_vs, so it is asked only where that is loaded.

# Few processes: each costs an emulated machine more than all that it prints.
echo '== files'
set --
for folder in /etc/keepalived /etc/sysctl.d /etc/modules-load.d /etc/systemd/system /var/lib/redislb; do
	[ -d "$folder" ] && set -- "$@" "$folder"
done
# What a transaction keeps for its time is told below.
set -- "$@" ! -name '.redislb*' ! -name 'redislb-recover.service' ! -path '/var/lib/redislb/transactions*' ! -name filler
# Empty folders of redislb's own are told there too.
find "$@" ! '(' -type d -path '*/redislb*' -empty ')' -printf '%p %y %#m %u:%g %l\n' | grep -v '^/var/lib/redislb d ' | sort
find "$@" -type f ! -name '*.sample' | sort | xargs -d '\n' tail -v -n +1

echo '== sysctls'
grep -s . /proc/sys/net/ipv4/vs/backup_only /proc/sys/net/ipv4/vs/sync_* \
	/proc/sys/net/ipv4/conf/all/arp_* /proc/sys/net/ipv4/conf/lo/arp_*

echo '== addresses'
ip -o address show | sed 's/^[0-9]*: //; s/ *\\.*//'

echo '== modules'
grep -o '^ip_vs ' /proc/modules

echo '== table'
if [ -r /proc/net/ip_vs ] && command -v ipvsadm >/dev/null; then
	ipvsadm -Sn | sort
fi

echo '== units'
systemctl show -p Id,LoadState,ActiveState,UnitFileState keepalived.service redislb-realserver.service

echo '== left'
find /var/tmp /tmp /etc /var/lib /run /usr/local -xdev '(' -name '.redislb*' -o -name redislb-recover.service \
	-o -path '/var/lib/redislb/transactions/*' -prune -o -path '/run/redislb/results/*' -prune ')'
find /etc/keepalived/redislb /var/lib/redislb -type d -empty
# Of the file that is gone systemd remembers the name until its next reload.
systemctl list-units --all --plain --no-legend 'redislb*' | grep -v -e '^redislb-realserver\.service' -e '^redislb-recover\.service'
if [ -e /run/redislb/lock ] && ! flock -n /run/redislb/lock true; then
	echo "the lock of redislb is held by $(cat /run/redislb/holder)"
fi
true
