#!/bin/bash
# Runs everything that `make test` promises, and ends with a line of counts. The
# first part that fails ends the run.
set -eu -o pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)

# counted ACTION: how many tests ended that way so far. A part that failed
# without a failed test in it (lint, a build, a crash) counts as one.
counted() { cat "$work"/*.json 2>/dev/null | grep -c "\"Action\":\"$1\".*\"Test\":" || true; }
# claims N: the N-th number of the figures that the other parts end with, in all.
claims() {
	{ cat "$work"/*.log 2>/dev/null || true; } |
		sed -n "s/^\\([0-9]*\\) passed, \\([0-9]*\\) failed\$/\\$1/p" |
		awk '{ n += $1 } END { print n + 0 }'
}

finish() {
	status=$?
	[ -z "$besides" ] || kill -- -"$besides" 2>/dev/null || true
	passed=$(($(counted pass) + $(claims 1)))
	failed=$(($(counted fail) + $(claims 2)))
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	printf '\n%d s\n%d passed, %d failed, %d skipped\n' "$SECONDS" "$passed" "$failed" "$(counted skip)"
	rm -rf "$work"
	exit "$status"
}
besides=''
trap finish EXIT

part() { printf '\n=== %s (after %d s)\n' "$*" "$SECONDS"; }

part setup
# Nothing is installed besides: of package managers only one can run.
tools/setup.sh terraform shellcheck unit test

# What needs no machines runs besides, in what time of the processors those leave: most of
# theirs they wait. Its session is its own, since that is what sched(7) weighs.
part lint, unit tests and policies, besides
setsid nice -n 19 bash -c "echo 19 >/proc/self/autogroup || true; exec tools/checks.sh '$work'" >"$work/checks.txt" 2>&1 &
besides=$!

part acceptance tests, on virtual machines
gotestsum --format standard-verbose --jsonfile "$work/acceptance.json" -- -tags acceptance -count=1 -timeout 80m -p 1 ./internal/lab ./internal/acceptance
for suite in bullseye trixie; do
	part "a short pass on Debian $suite"
	LAB_SUITE=$suite gotestsum --format standard-verbose --jsonfile "$work/$suite.json" -- -tags acceptance -count=1 -short -timeout 30m -run '^TestSystemComesUp' ./internal/acceptance
done
part demo
make --no-print-directory demo | tee "$work/demo.log"

part lint, unit tests and policies
status=0
wait "$besides" || status=$?
besides=''
cat "$work/checks.txt"
[ "$status" = 0 ]
