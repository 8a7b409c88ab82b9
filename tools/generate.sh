#!/bin/sh
# Writes docs/ from the schemas, templates/ and examples/. With a folder as
# argument, it is written there instead.
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh terraform generate
PATH=$PWD/.tools/bin:$PATH
out=${1:-docs}

# tfplugindocs would fetch a Terraform of its own to ask the provider (under the
# namespace hashicorp, which is the one that it knows) for its
# schemas; it is given them instead, by the Terraform that is here.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/terraform-provider-redislb" .
printf 'provider_installation {\n  dev_overrides {\n    "hashicorp/redislb" = "%s"\n  }\n  direct {}\n}\n' "$work" >"$work/cli.tfrc"
mkdir "$work/config"
cat >"$work/config/main.tf" <<'EOF'
terraform {
  required_providers {
    redislb = { source = "hashicorp/redislb" }
  }
}
provider "redislb" {}
EOF
TF_CLI_CONFIG_FILE=$work/cli.tfrc terraform -chdir="$work/config" providers schema -json >"$work/schema.json"
tfplugindocs generate --provider-name redislb --rendered-provider-name redislb \
	--providers-schema "$work/schema.json" --rendered-website-dir "$out"
