# Two machines, each Redis server and director, and two VIPs, of which each director
# holds one and takes the other when its neighbour dies (active/active). Clients use
# both, as by two records of DNS.
#
# The VIP of the directors' own VRRP instance is held by the one of higher priority
# there; the other VIP has an instance of its own with other priorities. A director is
# master of one VIP and backup of the other then, so their loop guard has to be one that
# asks for no role: hash, by which both draw the same Redis server for a connection.

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

resource "redislb_realserver" "this" {
  for_each = var.hosts

  host = each.key
  vips = [for address in var.vips : split("/", address)[0]]
}

resource "redislb_director" "this" {
  for_each = var.hosts

  host       = each.key
  loop_guard = "hash"
  vrrp = {
    interface            = var.interface
    virtual_router_id    = 51
    priority             = var.priorities[each.key]
    auth_pass_wo         = var.vrrp_password
    auth_pass_wo_version = 1
  }
}

resource "redislb_vip" "first" {
  address   = var.vips[0]
  directors = [for d in redislb_director.this : d.host]
  services  = local.services
}

resource "redislb_vip" "second" {
  address   = var.vips[1]
  directors = [for d in redislb_director.this : d.host]
  vrrp = {
    virtual_router_id = 52
    priorities        = var.other_priorities
  }
  services = local.services
}

locals {
  services = {
    redis = {
      port            = 6379
      scheduler       = "mh"
      scheduler_flags = ["mh-port"]
      check           = { type = "tcp", interval = "6s", timeout = "3s" }
      real_servers = {
        for name, r in redislb_realserver.this : name => { address = r.address, weight = 1 }
      }
    }
  }
}

output "redis" {
  description = "Where clients connect to."
  value       = [for address in var.vips : "${split("/", address)[0]}:6379"]
}
