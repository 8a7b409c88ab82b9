#!/bin/bash -p
# Managed by Terraform (redislb_director).
#
# Tells whether a Redis is fit to be sent clients: for keepalived, which starts it for
# each real server every few seconds (MISC_CHECK), and for whoever starts it by hand.
#
#   check-redis.sh MODE ADDRESS PORT TIMEOUT [user=NAME] [password=FILE]
#                  [tls] [ca=FILE] [cert=FILE] [name=NAME]
#
# MODE, of which each asks more than the one before:
#   ping      PING is answered with PONG. Redis refuses it while it loads its data, runs
#             a script for long, has no room for clients or cannot save what it was
#             given, and on a replica that is set not to serve stale data.
#   master    and the server is a master.
#   writable  and it would take a write: there is memory for it, and as many replicas as
#             min-replicas-to-write wants.
# TIMEOUT   seconds (0.5 will do) for all of it, the connection included.
# user      of Redis's ACL; else the default user
# password  a file with the password in one line, for root alone: it may be of any
#           bytes but NUL. Lines before it that begin with # are comments.
# tls       by openssl. The server's certificate must be signed by one of ca, else of
#           the system's, and be for NAME if there is one, which is sent as SNI too.
# cert      the client's certificate and key, for Redis asks for one by default
#           (tls-auth-clients).
#
# What the user needs, with the rest left out for lesser modes:
#   user redislb on >PASSWORD -@all +ping +role +setrange ~redislb:check
#
# Says why in one line, and exits with 0: healthy, 1: unhealthy, 2: it was called wrongly.
#
# Nothing is written. SETRANGE of an empty value changes nothing, makes no key and so
# is not replicated (t_string.c), and meets all that a write must meet
# (processCommand in server.c). A node of a Redis Cluster refuses it by MOVED unless
# it holds the slot of that one key, so there writable says nothing of the node, and
# is unhealthy: ping and master are for it.
#
# -p keeps what is in the environment (BASH_ENV, SHELLOPTS) out of this.

LC_ALL=C      # RESP counts bytes
trap '' PIPE  # of a server that hangs up; what it said before can still be read
asked=connect # what an answer is awaited to
request='' said=''

# finish CODE: nothing that was started is left.
finish() {
	trap '' TERM
	[ -z "$tls_pid" ] || kill "$tls_pid" 2>/dev/null
	exec {life}>&- 2>/dev/null # standard error too may lead to the watchdog
	wait "$watchdog" $tls_pid
	exit "$1"
}

# unhealthy WORDS, which may be the server's.
unhealthy() {
	words=${1//[^[:print:]]/?}
	printf 'unhealthy: %s: %.300s\n' "$endpoint" "$words"
	finish 1
}

# ask WORD…: one command more in the request
ask() {
	request+="*$#"$'\r\n'
	for word; do
		request+="\$${#word}"$'\r\n'"$word"$'\r\n'
	done
}

# answer PATTERN: the next line must match it.
answer() {
	# Of what is no Redis, a line may have no end.
	while IFS= read -r -n 1000 reply <&"$from"; do
		reply=${reply%$'\r'}
		# shellcheck disable=SC2053 # it is a pattern
		[[ $reply != $1 ]] || return 0
		case $reply in
		# What it does not know it repeats, and that may be the password.
		"-ERR unknown command"*) unhealthy "it does not know the command $asked" ;;
		-MOVED* | -ASK*) unhealthy "$reply: a node of a Redis Cluster; the modes for it are ping and master" ;;
		-*) unhealthy "$reply" ;;
		*) [ "$tls" ] || unhealthy "no answer of a Redis to $asked: $reply" ;;
		esac
		said="${said:0:300} $reply" # openssl's words, some of which are no complaint
	done 2>/dev/null
	unhealthy "it closed the connection before it answered $asked${said:+; openssl:$said}"
}

usage() {
	printf '%s\n' 'usage: check-redis.sh ping|master|writable ADDRESS PORT TIMEOUT [user=NAME] [password=FILE] [tls] [ca=FILE] [cert=FILE] [name=NAME]'
	exit 2
}

mode=$1 address=$2 port=$3 timeout=$4
[[ $mode =~ ^(ping|master|writable)$ && $address && $port =~ ^[0-9]+$ ]] || usage
[[ $timeout =~ ^[0-9]{1,5}(\.[0-9]+)?$ && $timeout =~ [1-9] ]] || usage
shift 4
user='' file='' tls='' tls_pid='' tls_options=()
for option; do
	value=${option#*=}
	case $option in
	user=?*) user=$value ;;
	password=?*) file=$value ;;
	tls) tls=1 ;;
	ca=?*) tls_options+=(-CAfile "$value") ;;
	cert=?*) tls_options+=(-cert "$value") ;;
	name=?*) tls_options+=(-servername "$value" -verify_hostname "$value") ;;
	*) usage ;;
	esac
done
[[ (! $user || $file) && ($tls || ${#tls_options[@]} = 0) ]] || usage
endpoint=$address:$port
[[ $address != *:* ]] || endpoint="[$address]:$port"

# The shell connects without a time limit of its own, so another process keeps the
# time. It notices by the end of its input that this one is gone, however it went.
# And what it reads is why there is no connection, which the shell tells nobody but
# standard error.
trap 'unhealthy "$asked took longer than $timeout s"' TERM
exec {life}> >(
	if read -r -t "$timeout" words; then
		printf 'unhealthy: %s: %s\n' "$endpoint" "${words##*: }"
	elif (($? > 128)); then
		kill -TERM $$
		read -r -t 5
		(($? <= 128)) || kill -KILL $$
	fi
) || exit 1
watchdog=$!

if [ "$tls" ]; then
	type -P openssl >/dev/null || unhealthy "openssl is not installed, without which there is no TLS"
	# Killed before it can end openssl, this leaves that to timeout, which comes later than
	# our own end, or openssl's would be taken for the server's. The read has it
	# wait until the shell, which forgets a coprocess that has ended, holds its ends.
	# -quiet: what looks like a command of s_client in the request is none.
	coproc channel {
		read -r
		exec timeout --foreground $((10#${timeout%.*} + 2)) openssl s_client -quiet -verify_quiet -verify_return_error \
			-connect "$endpoint" "${tls_options[@]}" 2>&1 {life}>&-
	}
	tls_pid=$!
	exec {from}<&"${channel[0]}" {to}>&"${channel[1]}"
	echo >&"$to"
else
	{ exec {from}<>"/dev/tcp/$address/$port"; } 2>&"$life" || finish 1
	to=$from
fi

# Read when all that is started has been: whatever variables the environment brought
# along, it is handed to nobody.
if [ "$file" ]; then
	[ -r "$file" ] || unhealthy "cannot read $file"
	asked="reading $file"
	IFS= read -r -d '' secret <"$file" && unhealthy "$file holds a NUL byte"
	secret=${secret%$'\n'}
	while [[ $secret == '#'*$'\n'* ]]; do
		secret=${secret#*$'\n'}
	done
	[[ $secret && $secret != *$'\n'* ]] || unhealthy "$file does not hold a password in one line"
	asked=AUTH
	ask AUTH ${user:+"$user"} "$secret"
fi
ask PING
[ "$mode" != writable ] || ask SETRANGE redislb:check 0 ''
[ "$mode" = ping ] || ask ROLE
{ printf %s "$request" >&"$to"; } 2>/dev/null

[ -z "$file" ] || answer +OK
asked=PING
answer +PONG
if [ "$mode" = writable ]; then
	# It has met all that a write must meet if it finds a key that somebody made.
	asked=SETRANGE
	answer '@(:*|-WRONGTYPE*)'
fi
if [ "$mode" != ping ]; then
	asked=ROLE
	answer '\**'
	answer '$*'
	answer '[a-z]*'
	[ "$reply" = master ] || unhealthy "it is no master but a $reply"
fi
case $mode in
ping) words='it answers' ;;
master) words='it is a master' ;;
writable) words='it is a master and takes writes' ;;
esac
printf 'healthy: %s: %s\n' "$endpoint" "$words"
finish 0
