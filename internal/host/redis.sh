# shellcheck shell=sh
# What the probe and the steps of a transaction both do with a Redis of ours.

# ask_redis PORT: what the running instance says of its role and settings, or why it
# says nothing. The password goes by standard input: redis-cli takes the words of a
# line as redis.conf has them.
ask_redis() {
	bind=
	while read -r word rest; do
		[ "$word" != bind ] || bind=$rest
	done <"/etc/redislb/redis-$1.conf"
	case " $bind " in
	*' 0.0.0.0 '*) at=127.0.0.1 ;;
	*' :: '*) at=::1 ;;
	*) at=${bind%% *} ;;
	esac
	{
		sed -n 's/^requirepass /AUTH /p' "/etc/redislb/redis-$1.password" 2>/dev/null || true
		echo 'INFO replication
CONFIG GET maxmemory
CONFIG GET maxmemory-policy
CONFIG GET appendonly
CONFIG GET save
CONFIG GET protected-mode'
	} | timeout 3 redis-cli -h "$at" -p "$1" 2>&1
}
