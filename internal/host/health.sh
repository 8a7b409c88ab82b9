#!/bin/sh
# Managed by Terraform (redislb_director).
#
# keepalived starts it (lvs_notify_fifo_script) with the FIFO to which it writes the
# verdicts of its health checks, as they change (keepalived.conf(5)):
#   RS [REAL_SERVER]:PROTOCOL:PORT [VIP]:PROTOCOL:PORT UP|DOWN
#   VS [VIP]:PROTOCOL:PORT UP|DOWN
# the second as the quorum of a virtual server is gained and lost. Notes each under
# /run, beside the process that said it, so that whoever compares the IPVS table with
# its configuration can tell a real server that keepalived took out from one that
# somebody deleted.
#
# One process for all verdicts and none for a single one: a thousand services that
# fail at once must not start a thousand scripts.
umask 022
dir=/run/redislb/health
mkdir -p "$dir" || exit
while read -r kind one two three; do
	case $kind in
	RS) printf '%s %s\n' "$PPID" "$three" >"$dir/${two}_$one" ;;
	VS) printf '%s %s\n' "$PPID" "$two" >"$dir/$one" ;;
	esac
done <"$1"
