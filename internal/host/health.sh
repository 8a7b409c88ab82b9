#!/bin/sh
# Managed by Terraform (redislb_director).
#
# Called by keepalived when the verdict of a health check changes:
#   health.sh up|down PROTOCOL VIP:PORT REAL_SERVER:PORT
# Notes it under /run, beside the process that said it, so that whoever compares
# the IPVS table with its configuration can tell a real server that keepalived
# took out from one that somebody deleted.
umask 022
dir=/run/redislb/health
mkdir -p "$dir" || exit
new="$dir/.new.$$"
printf '%s %s\n' "$PPID" "$1" >"$new" && mv "$new" "$dir/$2_$3_$4"
