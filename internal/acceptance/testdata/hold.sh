# shellcheck shell=bash
# Holds one connection to Redis: hold.sh ADDRESS PORT FILE. Writes "SERVER TIME
# STATE" to FILE after each answer: the server's run id, milliseconds since the
# epoch, ok or lost. Ends when FILE's folder is gone.
exec 3<>"/dev/tcp/$1/$2" || exit 1
file=$3
note() { printf '%s %s %s\n' "$server" "$(date +%s%3N)" "$1" >"${file%/*}/.${file##*/}" && mv "${file%/*}/.${file##*/}" "$file"; }

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
	sleep 0.2
done
