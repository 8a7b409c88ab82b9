# shellcheck shell=bash
# Holds one connection to Redis: hold.sh ADDRESS PORT FILE. Writes "SERVER TIME
# STATE" to FILE after each answer: the server's run id, microseconds since the
# epoch, ok or lost. Ends when FILE's folder is gone.
exec 3<>"/dev/tcp/$1/$2" || exit 1
exec 4<> <(:)
file=$3
# No process for each note: a dozen of these must not slow an emulated machine down.
note() { printf '%s %s %s\n' "$server" "${EPOCHREALTIME/[.,]/}" "$1" >"$file"; }

printf 'INFO server\r\n' >&3
server=
while read -r -t 10 line <&3; do
	case $line in
	run_id:*) line=${line#run_id:} server=${line%$'\r'} ;;
	io_threads_active:*) break ;;
	esac
done
read -r -t 5 line <&3 # the end of the bulk string
while [ -d "${file%/*}" ]; do
	printf 'PING\r\n' >&3
	if read -r -t 120 line <&3; then
		note ok
	else
		note lost
		exit 1
	fi
	read -r -t 0.4 -u 4 || true # a sleep without a process
done
