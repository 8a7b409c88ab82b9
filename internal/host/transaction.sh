# shellcheck shell=sh
# shellcheck disable=SC2034 # commit.sh takes the variables
# The life of a transaction: every change to a host is a sequence of steps
# (commit.sh) that is done whole or taken back whole, whatever dies in the middle.
#
# This text, the steps' and their calls are one script, which transact.sh starts
# apart from the SSH session. It lies in a folder of its own, the transaction's
# id its name, with
#   undo       the journal: a line before each change says how to take it back
#   old.*      what was replaced
#   state      what redislb itself remembered before
#   boot       the boot in which it began
#   committed  from here on it is new, before it is old
# "script recover" takes back a transaction whose own process is dead: systemd
# runs it when the process was killed, redislb-recover.service when the machine
# was, and the next transaction in any case. "script revert" takes back a
# committed one; the way back stays until its maker has seen the outcome (settle of
# transact.sh), or else until the next transaction. Only root can look into it.

# Mind that set -e does not see a failure within && or || or a condition.
set -eu
umask 022
export LC_ALL=C PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin"
cd /

work=${0%/*}
id=${work##*/}
state=/var/lib/redislb
run=/run/redislb
result=$run/results/$id
boot_id=/proc/sys/kernel/random/boot_id
boot_unit=/etc/systemd/system/redislb-recover.service
boot_want=/etc/systemd/system/sysinit.target.wants/redislb-recover.service
notes='before secrets.sha256'
conf=/etc/keepalived/keepalived.conf
role=/etc/keepalived/redislb/role.sh
step='begin'
locked=
committed=
rebooted=

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# stale WORDS: what the change was based on is not true any more.
stale() {
	printf '%s\n' "$*" >&2
	exit 75
}

# unable WORDS: the host as a whole cannot be changed now, whatever the change is.
unable() {
	printf '%s\n' "$*" >&2
	exit 78
}

# undo FUNCTION ARG…: what takes back the change that comes next. It may run where
# that change was not made, or a second time.
undo() { (IFS='	' && printf '%s\n' "$*") >>"$work/undo"; }

# not_done forgets the last undo: its change was refused, so what is there is
# somebody else's.
not_done() {
	sed '$d' "$work/undo" >"$work/undo.shorter"
	mv -f "$work/undo.shorter" "$work/undo"
}

# durable FILE…: from here on they survive the loss of power.
durable() { sync "$@" 2>/dev/null || sync; }

# durable_tree FOLDER: the same of all in it. What was only written may be an empty
# file after the loss of power.
durable_tree() { find "$1" -exec sync {} + 2>/dev/null || sync; }

# take_lock WHO: one transaction at a time. The lock is the kernel's, so it is gone
# with the process that held it. A change that installs packages holds it for
# minutes; but what waits has 5 min in all by default (command_timeout).
take_lock() {
	step='take the lock of this host'
	mkdir -p "$run" "$result"
	exec 9>>"$run/lock"
	flock -w 240 9 || unable "another change is under way: $(cat "$run/holder" 2>/dev/null)"
	locked=1
	printf '%s, since %s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$run/holder"
}

# begin HOLDER
begin() {
	# systemd-run may have started it and still tell of a failure, on a host too busy
	# to answer: then transact.sh started it a second time.
	(set -C && printf '%s\n' "$$" >"$work/pid") 2>/dev/null || exit 0
	trap finish EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	now_booted
	printf '%s\n' "$boot" >"$work/boot"
	take_lock "$1"
	step='take back what an earlier change left half done'
	take_back_others
	step='prepare the way back'
	mkdir -p "$work/state"
	for note in $notes; do
		if [ -e "$state/$note" ]; then
			cp -a "$state/$note" "$work/state/"
			: >"$work/had.$note"
		fi
	done
	arm
	: >"$work/undo.new"
	durable_tree "$work"
	mv "$work/undo.new" "$work/undo" # from here on there is something to take back
	durable "$work" "$state/transactions"
	(umask 077 && mkdir -p "$state/before" "$state/vips")
}

# take_back_others leaves alone what has not begun and waits for the lock, or is
# only about to be unpacked.
take_back_others() {
	for other in "$state"/transactions/*; do
		if [ "$other" = "$work" ] || [ ! -d "$other" ]; then
			continue
		elif [ -e "$other/committed" ]; then
			# Its maker may take it back before this one, and nobody else.
			case ${other##*/} in
			*-"${id#*-}") ;;
			*) forget "$other" ;;
			esac
		elif [ -e "$other/undo" ]; then
			sh "$other/script" recover 9>&9 ||
				unable "what transaction ${other##*/} left half done could not be taken back: $(tail -n 5 "$run/results/${other##*/}/log")"
		elif ! lives "$other" && [ -n "$(find "$other" -maxdepth 0 -mmin +10)" ]; then
			forget "$other"
		fi
	done
	find "$run/results" -mindepth 1 -maxdepth 1 -mmin +60 -exec rm -rf {} + 2>/dev/null || true
	# Copies of what could not be put back, for whoever mends it.
	[ ! -d "$state/failed" ] || find "$state/failed" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +
}

# forget FOLDER, its journal first: what is left when this is cut short must not be
# taken for a change that was never committed.
forget() {
	rm -f "$1/undo"
	rm -rf "$1"
}

# now_booted sets boot to this one's id; same_boot FOLDER: whether a transaction began
# in it. (Each process that is spared is half a hundredth of a second.)
now_booted() { read -r boot <"$boot_id"; }
same_boot() { now_booted && { read -r begun <"$1/boot"; } 2>/dev/null && [ "$begun" = "$boot" ]; }

# lives FOLDER: whether the process of a transaction runs.
lives() { same_boot "$1" && { read -r pid <"$1/pid" && kill -0 "$pid"; } 2>/dev/null; }

# arm has what is left half done taken back at the next boot, before anything
# reads it.
arm() {
	[ -d /run/systemd/system ] || return 0
	cat >"$boot_unit" <<-UNIT
		# Made by redislb for the time of a change; it goes with it.
		[Unit]
		Description=Take back a change of redislb that the machine's end cut short
		DefaultDependencies=no
		After=local-fs.target
		Before=systemd-modules-load.service systemd-sysctl.service sysinit.target shutdown.target
		Conflicts=shutdown.target

		[Service]
		Type=oneshot
		ExecStart=/bin/sh -c 'for t in $state/transactions/*; do [ ! -e \$\$t/undo ] || sh \$\$t/script recover; done'
	UNIT
	mkdir -p "${boot_want%/*}"
	ln -sf "$boot_unit" "$boot_want"
	durable "$boot_unit" "${boot_unit%/*}" "${boot_want%/*}"
}

# disarm, unless the way back of another is left.
disarm() {
	for other in "$state"/transactions/*; do
		[ "$other" = "$work" ] || [ ! -e "$other/undo" ] || [ -e "$other/committed" ] || return 0
	done
	if [ -e "$boot_unit" ] || [ -h "$boot_want" ]; then
		rm -f "$boot_want" "$boot_unit"
		rmdir "${boot_want%/*}" 2>/dev/null || true
	fi
}

finish() {
	status=$?
	trap '' HUP INT TERM # what is being taken back is taken back whole
	trap - EXIT
	set +e
	if [ -z "$committed" ]; then
		printf 'redislb: failed to %s\n' "$step" >&2
		if [ -e "$work/undo" ]; then
			roll_back
			[ -z "$failed" ] || status=78
		else
			printf 'redislb: nothing was changed\n' >&2
		fi
		printf 'redislb: mend what stands above, on the host or in the configuration, and apply again\n' >&2
	fi
	end "$status"
	exit "$status"
}

# end [STATUS]: tidies up and tells those who wait.
end() {
	if [ -n "$committed" ]; then
		rm -rf "$work"/new.* # a password may be among them
	else
		forget "$work"
	fi
	if [ -n "$locked" ]; then
		disarm
		rm -f "$run/holder"
	fi
	tell "${1:-0}"
}

# tell STATUS: the outcome.
tell() { printf '%s\n' "$1" >"$result/status.new" && mv "$result/status.new" "$result/status"; }

# await_confirmation SECONDS: the change may have cut the way by which it came.
# Who made it says over a new connection that it has not.
await_confirmation() {
	step='be confirmed over a new connection'
	: >"$result/awaiting"
	left=$(($1 * 5))
	until [ -e "$result/confirmed" ]; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || fail "no confirmation came within $1 s over a new connection: the change may have cut the way to this host"
		sleep 0.2
	done
}

commit() {
	step='commit'
	durable_tree "$state"
	trap '' HUP INT TERM # who gives it up now comes too late
	: >"$work/committed"
	durable "$work"
	committed=1
}

roll_back() {
	failed=
	copies=
	same_boot "$work" || rebooted=1
	if [ -e "$work/committed" ]; then # not any more, and that first
		rm -f "$work/committed"
		durable "$work"
	fi
	tac "$work/undo" >"$work/undo.reversed"
	while IFS='	' read -r function a b c d; do
		"$function" "$a" "$b" "$c" "$d" && continue
		failed="$failed $function $a $b;"
		[ "$function" != put_files_back ] || copies=$state/failed
	done <"$work/undo.reversed"
	for note in $notes; do
		if [ -e "$work/state/$note" ]; then
			rm -rf "${state:?}/$note"
			mv "$work/state/$note" "$state/$note" || failed="$failed $state/$note;"
		elif [ ! -e "$work/had.$note" ] && [ -e "$state/$note" ]; then
			rm -rf "${state:?}/$note"
		fi
	done
	durable_tree "$state"
	if [ -n "$copies" ]; then
		mkdir -p "$copies"
		cp -a "$work" "$copies/"
		failed="$failed their copies are in $copies/$id on the host"
	fi
	if [ -n "$failed" ]; then
		printf 'redislb: could not be put back:%s\n' "$failed" >&2
	elif [ -e "$work/installed" ]; then
		printf 'redislb: everything was put back as it was, but for what the package manager did\n' >&2
	else
		printf 'redislb: everything was put back as it was\n' >&2
	fi
}

# live CALL…: takes back what lives in the kernel or in processes, unless the
# machine was started again since: then all that is made from files.
live() { [ -n "$rebooted" ] || "$@"; }

recover() {
	# With an outcome it has ended: the next transaction may be removing its folder.
	[ ! -e "$result/status" ] || exit 0
	if [ -e "$work/committed" ]; then # what is missing is its end, or that of a revert
		committed=1 status=0
		mkdir -p "$run" "$result"
		exec 9>>"$run/lock"
		flock -n 9 || exit 0
		locked=1
		if [ -e "$work/reverting" ]; then
			printf 'redislb: what was to take the change back was killed before it began: the change is still there\n' >>"$result/log"
			status=78
		fi
		end "$status"
		exit
	fi
	if [ ! -e "$work/undo" ]; then # it had not begun
		! lives "$work" || exit 0
		printf 'redislb: the change was killed before it began; nothing was changed\n' >>"$result/log"
		exec 9>>"$run/lock"
		! flock -n 9 || locked=1
		end 78
		exit
	fi
	# A transaction that begins has the lock already, on the same descriptor, and goes
	# on with it.
	{ flock -n 9; } 2>/dev/null || take_lock "the recovery of transaction $id"
	if [ ! -e "$work/undo" ] || [ -e "$work/committed" ]; then
		[ -z "$locked" ] || rm -f "$run/holder"
		exit 0
	fi
	mkdir -p "$result"
	exec >>"$result/log" 2>&1
	printf 'redislb: the change was cut short: its process was killed, or the host went down\n'
	trap '' HUP INT TERM
	set +e
	roll_back
	end 78
	[ -z "$failed" ]
	exit
}

# revert takes back what was committed, if nothing came after it.
revert() {
	trap 'tell "$?"' EXIT
	trap 'exit 143' TERM HUP INT
	printf '%s\n' "$$" >"$work/pid"
	take_lock "taking back transaction $id"
	step='take back a committed change'
	[ -e "$work/committed" ] || {
		rm -f "$run/holder"
		fail 'another change came after it, so it cannot be taken back'
	}
	trap '' HUP INT TERM
	arm
	set +e
	roll_back
	trap - EXIT
	end "${failed:+78}"
}
