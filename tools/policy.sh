#!/bin/sh
# Tries the policies of examples/policy on plans, and ends with a line of counts.
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh policy
.tools/bin/opa fmt --fail --list examples/policy
status=0
said=$(.tools/bin/opa test examples/policy) || status=$?
printf '%s\n' "$said"
passed=$(printf '%s\n' "$said" | sed -n 's|^PASS: \([0-9]*\)/.*|\1|p')
failed=$(printf '%s\n' "$said" | sed -n 's|^FAIL: \([0-9]*\)/.*|\1|p')
printf '%d passed, %d failed\n' "${passed:-0}" "${failed:-0}"
[ "${passed:-0}" -gt 0 ] || exit 1 # it found none
exit "$status"
