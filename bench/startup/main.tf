# What Terraform needs before any host is asked: the provider is started and
# configured as in examples/complete, since there is a block for a resource of it,
# and as many resources are planned, of a type that is Terraform's own.

terraform {
  required_version = ">= 1.11"
  required_providers {
    redislb = {
      source = "redislb/redislb"
    }
  }
}

provider "redislb" {
  user             = "root"
  private_key_file = var.private_key_file
  known_hosts_file = var.known_hosts_file
  hosts            = var.hosts
}

resource "redislb_realserver" "none" {
  count = 0

  host = "a"
  vips = ["192.0.2.229"]
}

resource "terraform_data" "this" {
  count = 5

  input = count.index
}
