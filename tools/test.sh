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
	passed=$(($(counted pass) + $(claims 1)))
	failed=$(($(counted fail) + $(claims 2)))
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	printf '\n%d s\n%d passed, %d failed, %d skipped\n' "$SECONDS" "$passed" "$failed" "$(counted skip)"
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT

part() { printf '\n=== %s (after %d s)\n' "$*" "$SECONDS"; }

part setup
tools/setup.sh terraform lint unit policy test
part lint
make --no-print-directory lint
part unit tests
gotestsum --format pkgname-and-test-fails --jsonfile "$work/unit.json" -- -race -timeout 20m ./...
part policies
tools/policy.sh | tee "$work/policy.log"
part acceptance tests, on virtual machines
gotestsum --format standard-verbose --jsonfile "$work/acceptance.json" -- -tags acceptance -count=1 -timeout 80m -p 1 ./internal/lab ./internal/acceptance
part demo
make --no-print-directory demo | tee "$work/demo.log"
