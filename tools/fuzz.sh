#!/bin/bash
# Runs every fuzz target of the module for a while, one after the other:
# fuzz.sh DURATION. An input that fails is written to testdata/fuzz beside its
# target, where it is a regression test from then on; what else the fuzzer learns
# stays in Go's own cache (go clean -fuzzcache).
set -eu -o pipefail
cd "$(dirname "$0")/.."
duration=${1:?how long for each target, such as 60s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
passed=0 failed=0
module=$(go list -m)
cache=$(go env GOCACHE)/fuzz

# out_of_time: the run ended as it should, at the end of its time, and only Go says
# otherwise: the clock may end an input halfway, which is then reported as a failure
# without an input or a word of the target's (golang/go#75804).
out_of_time() {
	! grep -q 'Failing input' "$log" &&
		[ "$(sed -n '/^--- FAIL/,/^FAIL/p' "$log" | sed '1d;$d')" = '    context deadline exceeded' ]
}

# One program for all targets of a package: go test -fuzz links one for each.
while read -r package; do
	go test -c -fuzz=. -o "$work/test" "./$package"
	while read -r target; do
		if (cd "$package" && "$work/test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$duration" -test.fuzzminimizetime 10s \
			-test.parallel "$(nproc)" -test.fuzzcachedir "$cache/$module/$package") >"$log" 2>&1 </dev/null || out_of_time; then
			passed=$((passed + 1)) verdict=ok
		else
			failed=$((failed + 1)) verdict=FAILED
		fi
		executions=$(sed -n 's/.* execs: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
		printf '%-6s %s %s: %d executions\n' "$verdict" "$package" "$target" "${executions:-0}"
		[ "$verdict" = ok ] || cat "$log"
	done < <("$work/test" -test.list '^Fuzz')
done < <(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n 1 dirname | sort -u)

if [ $((passed + failed)) = 0 ]; then
	echo 'fuzz: there is no target' >&2
	exit 1
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
