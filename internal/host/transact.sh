# shellcheck shell=sh
# What a provider does about a transaction on the host, over an SSH session that
# may break at any moment: the transaction itself runs apart from it.
#
#   start ID STAGED SHA256  start what was staged as STAGED/bundle
#   attach ID               wait for the outcome of what was started
#   confirm ID              say over a new connection that the way is not cut
#   abort ID                have it taken back, as far as it has come
#   revert ID               have it taken back after it was committed
#   settle ID…              forget the way back and the outcome
#
# All but settle wait for the end and exit with the transaction's own code, its
# words on standard error; with 76 where it waits for a confirmation, with 77 where
# there is no trace of it.

verb=$1 id=$2
state=/var/lib/redislb
run=/run/redislb
work=$state/transactions/$id
result=$run/results/$id

# unable WORDS, as in transaction.sh
unable() {
	printf '%s\n' "$*" >&2
	exit 78
}

# start_process ARG: systemd's, so that neither the end of the session nor logind
# ends it, and its death is noticed; without systemd, a session of its own.
start_process() {
	command="exec /bin/sh $work/script $1 >>$result/log 2>&1 </dev/null"
	if [ -d /run/systemd/system ]; then
		systemd-run -q --collect --unit="redislb-$id${1:+-$1}" \
			-p "ExecStopPost=-/bin/sh $work/script recover" \
			/bin/sh -c "$command" >"$work/systemd-run.log" 2>&1 && return
	fi
	setsid /bin/sh -c "$command" >/dev/null 2>&1 </dev/null &
}

start() {
	# A lost session does not start it twice.
	[ -e "$1/bundle" ] || return 0
	if ! mkdir -p "$work" "$result" || ! cat "$1/bundle" >"$work/bundle"; then
		rm -rf "$work" "$result" "$1"
		unable "the change could not be put into $work; nothing was changed. Free space there: $(df -P "$state" /run 2>&1)"
	fi
	rm -rf "$1"
	if ! printf '%s  %s\n' "$2" "$work/bundle" | sha256sum --status -c ||
		! tar -x -p -m -C "$work" -f "$work/bundle" >"$result/log" 2>&1; then
		said=$(cat "$result/log" 2>/dev/null)
		rm -rf "$work" "$result"
		unable "what was staged did not arrive whole, or there is no room to unpack it in $work; nothing was changed. $said"
	fi
	rm -f "$work/bundle"
	start_process ''
	sweep
}

# sweep removes what other providers staged and died of. A living one holds the
# file open.
sweep() {
	for staged in /var/tmp/.redislb-* /tmp/.redislb-*; do
		[ -d "$staged" ] || continue
		[ -n "$(find /proc/[0-9]*/fd -maxdepth 1 -lname "$staged/*" -print -quit 2>/dev/null)" ] && continue
		[ -e "$staged/bundle" ] || [ -n "$(find "$staged" -maxdepth 0 -mmin +1)" ] || continue
		rm -rf "$staged"
	done
}

lives() { { read -r pid <"$work/pid" && kill -0 "$pid"; } 2>/dev/null; }

# outcome waits. A process that is gone without an outcome is being taken back by
# systemd; where that comes to nothing, the next transaction does it. What was
# committed stays so when the host is started again, and the outcome is forgotten.
outcome() {
	silent=0 gone=0 waited=0
	while [ ! -e "$result/status" ]; do
		[ -d "/proc/$PPID" ] || exit 0 # sshd does not end what nobody listens to
		if [ -e "$result/awaiting" ] && [ ! -e "$result/confirmed" ]; then
			exit 76
		fi
		waited=$((waited + 1)) pause=0.1
		if lives; then
			silent=0
			[ "$waited" -lt 100 ] || pause=0.5
		else
			[ ! -e "$work/committed" ] || [ -e "$work/reverting" ] || return 0
			silent=$((silent + 1))
			# The folder goes before the outcome is told.
			[ -d "$work" ] || gone=$((gone + 1))
			[ "$gone" -lt 20 ] && [ "$silent" -lt 150 ] || exit 77
		fi
		sleep "$pause"
	done
	cat "$result/log" >&2
	code=$(cat "$result/status")
	[ "$code" = 0 ] || exit "$code"
}

abort() {
	[ -d "$work" ] && [ ! -e "$work/committed" ] || return 0
	[ -d /run/systemd/system ] && systemctl kill "redislb-$id.service" 2>/dev/null && return
	# Not the shell's own kill, which in dash knows no groups.
	env kill -TERM -- "-$(cat "$work/pid")" 2>/dev/null
}

case $verb in
start)
	start "$3" "$4"
	outcome
	;;
attach) outcome ;;
confirm)
	: >"$result/confirmed"
	outcome
	;;
abort)
	abort
	outcome
	;;
revert)
	[ -e "$work/committed" ] || exit 77
	: >"$work/reverting"
	rm -f "$result/status" "$work/pid"
	start_process revert
	outcome
	;;
settle)
	shift
	for id in "$@"; do
		work=$state/transactions/$id
		if [ -e "$work/committed" ]; then
			rm -f "$work/undo" # first, as forget of transaction.sh
			rm -rf "$work" "$run/results/$id"
		else
			rm -rf "$run/results/$id"
		fi
	done
	[ -d "$run" ] || mkdir -p "$run"
	exec 9>>"$run/lock"
	flock -w 2 9 || exit 0
	# Nothing is under way. What had not begun will not, and what had is taken back
	# by the next transaction.
	for id in "$@"; do
		work=$state/transactions/$id
		[ ! -d "$work" ] || [ -e "$work/undo" ] || rm -rf "$work"
	done
	# The last resource has gone: so does what was noted for it.
	rmdir /etc/keepalived/redislb "$run/results" "$state/transactions" "$state/before" "$state/vips" 2>/dev/null
	[ -d /etc/keepalived/redislb ] || rm -rf "$state/vips"
	rmdir "$state" 2>/dev/null && rm -rf "$run/health"
	exit 0
	;;
esac
