# shellcheck shell=sh
# shellcheck disable=SC2034 # who includes this takes the variables
# What the loop guard config_swap goes by, for the script of a host that swaps
# (swap.sh) and for a change that reloads keepalived (commit.sh): the file that
# keepalived.conf includes, and whether it includes the virtual servers in its turn.
included=/run/redislb/services.conf
including='include /etc/keepalived/redislb/vip-*.services.conf'
swap_lock=/run/redislb/swap.lock

# is_master: whether the keepalived that runs said last (role.sh) that it is.
is_master() {
	said=
	{ read -r teller said _ </run/redislb/role && read -r comm <"/proc/$teller/comm"; } 2>/dev/null || return 1
	[ "$said" = MASTER ] && [ "$comm" = keepalived ]
}

# include_services WHOM: makes the file include the virtual servers of a master, or none
# for any other. It fails where there is nothing to change.
include_services() {
	line='# none: this director does not hold the VIPs'
	[ "$1" != master ] || line=$including
	! grep -qsxF "$line" "$included" || return 1
	printf '%s\n' "$line" >"$included.new" && mv -f "$included.new" "$included"
}
