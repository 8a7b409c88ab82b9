#!/bin/bash
# checks.sh FOLDER: what of `make test` needs no machines, with its figures in FOLDER.
set -eu -o pipefail
cd "$(dirname "$0")/.."
make --no-print-directory lint
gotestsum --format pkgname-and-test-fails --jsonfile "$1/unit.json" -- -race -timeout 40m ./...
tools/policy.sh | tee "$1/policy.log"
