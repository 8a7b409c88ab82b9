#!/bin/sh
# Managed by Terraform (redislb_director).
#
# Called by keepalived when its VRRP instance changes its state:
#   role.sh INSTANCE NAME MASTER|BACKUP|FAULT|STOP PRIORITY
# Notes it under /run, beside the process that said it, so that whoever looks at
# the VIP and the sync daemon knows what keepalived itself takes the host for.
umask 022
dir=/run/redislb
mkdir -p "$dir" || exit
new="$dir/.role.$$"
printf '%s %s\n' "$PPID" "$3" >"$new" && mv "$new" "$dir/role"
