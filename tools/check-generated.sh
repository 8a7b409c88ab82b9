#!/bin/sh
# Fails where docs/ is not what the schemas, templates and examples say.
set -eu
cd "$(dirname "$0")/.."
fresh=.tools/docs
rm -rf "$fresh"
tools/generate.sh "$fresh" >/dev/null
# docs/benchmarks.md is written by `make bench`.
if ! diff -r --exclude=benchmarks.md docs "$fresh"; then
	echo "docs/ is out of date: run 'make generate'" >&2
	exit 1
fi
