# Draws a load balancer that runs, without changing anything on it: as a picture
# (topology.svg), and as a page that GitHub and GitLab show as one (topology.md).
#
# It has a state of its own, beside that of the configuration that the load balancer is
# made by. Each apply draws it anew.

terraform {
  required_version = ">= 1.11"
  required_providers {
    redislb = {
      source = "redislb/redislb"
    }
    local = {
      source = "hashicorp/local"
    }
  }
}

provider "redislb" {
  private_key_file = var.private_key_file
  known_hosts_file = var.known_hosts_file
  hosts            = var.hosts
}

data "redislb_topology" "this" {
  directors = keys(var.hosts)
}

resource "local_file" "svg" {
  filename = "${path.module}/topology.svg"
  content  = data.redislb_topology.this.svg
}

resource "local_file" "page" {
  filename = "${path.module}/topology.md"
  content  = "```mermaid\n${data.redislb_topology.this.mermaid}```\n"
}
