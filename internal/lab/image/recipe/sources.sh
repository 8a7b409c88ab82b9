#!/bin/sh
# mmdebstrap setup hook: choose the archives, before anything is fetched.
#
# bullseye is past its end of life and its security archive has holes, so only
# the main archive is used for it. Other releases keep mmdebstrap's choice.
set -eu
root=$1

if [ "$LAB_SUITE" = bullseye ]; then
    sed -i -E '/(-security|-updates|\/updates)[[:space:]]/d' "$root/etc/apt/sources.list"
fi
