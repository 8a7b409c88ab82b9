#!/bin/sh
# Managed by Terraform (redislb_director).
#
# keepalived starts it (lvs_notify_fifo_script) with the FIFO to which it writes the
# verdicts of its health checks, as they change (keepalived.conf(5)):
#   RS [REAL_SERVER]:PROTOCOL:PORT [VIP]:PROTOCOL:PORT UP|DOWN
#   VS [VIP]:PROTOCOL:PORT UP|DOWN
# (FWM MARK for the VIP of a service by firewall mark), the second as the quorum of a virtual server is gained and lost. Notes each under
# /run, beside the process that said it, so that whoever compares the IPVS table with
# its configuration can tell a real server that keepalived took out from one that
# somebody deleted.
#
# One process for all verdicts and none for a single one: a thousand services that
# fail at once must not start a thousand scripts.
umask 022
dir=/run/redislb/health
servers=/run/redislb/servers
mkdir -p "$dir" || exit

# By the loop guard config_swap keepalived has virtual servers only while the file that it
# includes does too. Its word on those that it has just let go says nothing of them.
included=/run/redislb/services.conf
if grep -qsx "include $included" /etc/keepalived/keepalived.conf && ! grep -qs '^include ' "$included"; then
	find "$dir" -type f -delete
	echo "$PPID" >"$servers"
	exec cat "$1" >/dev/null
fi

# keepalived starts it again at each reload. Of a real server that came in meanwhile it
# says nothing until it has checked it, and holds it for down so long (alpha). Its last
# word on one that left was DOWN (ipwrapper.c, clear_service_rs), which says nothing
# of it when it comes back. A note that it is new ends with the second of uptime at which
# the first check is over in any case; one that nothing checks is up. Of one whose first check
# by HTTP fails it never says so, and only that it is up when it is (check_http.c,
# timeout_epilog): that is late, and down from then on.
cat /etc/keepalived/redislb/vip-*.services.conf 2>/dev/null | awk -v pid="$PPID" -v dir="$dir" -v servers="$servers" '
	BEGIN {
		getline <"/proc/uptime"
		now = int($1)
		if ((getline line <servers) > 0 && line == pid) {
			while ((getline line <servers) > 0) { known[line] }
		}
		print pid
	}
	$1 == "virtual_server" { address = $2; port = $3; alpha = 0 }
	$1 == "delay_loop" { delay = int($2) }
	$1 == "protocol" { protocol = tolower($2) }
	$1 == "alpha" { alpha = 1 }
	$1 == "real_server" {
		if (address == "fwmark") {
			name = "FWM:" port "_[" $2 "]:none:" ($3 == "{" ? 0 : $3)
		} else {
			name = "[" address "]:" protocol ":" port "_[" $2 "]:" protocol ":" $3
		}
		print name
		if (!(name in known)) {
			note = dir "/" name
			print pid, (alpha ? "NEW " (now + delay + 60) : "UP") >note
			close(note)
		} else { note = "" }
	}
	($1 == "HTTP_GET" || $1 == "SSL_GET") && alpha && note != "" {
		print pid, "LATE", now + delay + 60 >note
		close(note)
	}' >"$servers.new"
mv "$servers.new" "$servers"

# note NAME VERDICT. The time of a note is since when it is so: one that says the same
# already is left alone.
note() {
	said=
	{ read -r said <"$dir/$1"; } 2>/dev/null
	[ "$said" = "$PPID $2" ] || printf '%s %s\n' "$PPID" "$2" >"$dir/$1"
}

while read -r kind one two three four; do
	case "$kind $one $two" in
	'RS '*' FWM') two=FWM:$three three=$four ;;
	'VS FWM '*) one=FWM:$two two=$three ;;
	esac
	case $kind in
	RS) note "${two}_$one" "$three" ;;
	VS) note "$one" "$two" ;;
	esac
done <"$1"
