#!/bin/sh
# Sets up what a make target needs and is missing: setup.sh terraform|lint|unit…
# Nothing is touched that is there. What only root can install is installed where
# this is root on Debian or a relative of it, and named otherwise.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.tools/bin
terraform_version=1.11.4 # write-only arguments came with 1.11

say() { printf 'setup: %s\n' "$*" >&2; }

# go_tool NAME PACKAGE [MODULE]: a command of the tools module, or of another one, at its
# pinned version. The stamp has it built again when the module changes.
go_tool() {
	module=${3-tools}
	stamp=$bin/.$1.$(cksum <"$module/go.mod" | tr ' ' -)
	[ -x "$bin/$1" ] && [ -e "$stamp" ] && return
	say "building $1 (once; golangci-lint takes some minutes)"
	mkdir -p "$bin"
	(cd "$module" && GOBIN=$bin go install "$2")
	rm -f "$bin/.$1".*
	: >"$stamp"
}

debian_package() {
	command -v "$1" >/dev/null && return
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		say "installing the package $2"
		export DEBIAN_FRONTEND=noninteractive
		apt-get -qq update && apt-get -qq -y --no-install-recommends install "$2" >/dev/null
	else
		say "$1 is missing: install it with 'sudo apt-get install $2', or with your system's own packages"
		exit 1
	fi
}

for what in "$@"; do
	case $what in
	terraform)
		if ! command -v terraform >/dev/null && [ ! -x "$bin/terraform" ]; then
			go_tool hc-install github.com/hashicorp/hc-install/cmd/hc-install
			say "fetching Terraform $terraform_version"
			"$bin/hc-install" install -version "$terraform_version" -path "$bin" terraform
		fi
		;;
	shellcheck)
		debian_package shellcheck shellcheck
		;;
	lint)
		debian_package shellcheck shellcheck
		go_tool golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
		go_tool tfplugindocs github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs
		;;
	unit)
		debian_package openssl openssl
		# The server too, by another name and without a service that starts it.
		debian_package redis-check-rdb redis-tools
		;;
	policy)
		# In a module of its own: it shares dependencies with others, whose versions
		# would follow.
		go_tool opa github.com/open-policy-agent/opa tools/policy
		;;
	test)
		go_tool gotestsum gotest.tools/gotestsum
		;;
	bench)
		debian_package ssh openssh-client
		debian_package ansible-playbook ansible-core
		;;
	generate)
		go_tool tfplugindocs github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs
		;;
	*)
		say "unknown: $what"
		exit 2
		;;
	esac
done
