# Two machines, each Redis server and director, one VIP, LVS direct routing.
#
# The client connects to the VIP; the director that holds it spreads connections
# over both Redis servers; each server answers the client directly. If a director
# dies, the other takes the VIP over, and established connections to the Redis
# server that is left go on.

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
  vips = [local.vip]
}

resource "redislb_director" "this" {
  for_each = var.hosts

  host = each.key
  vrrp = {
    interface            = var.interface
    virtual_router_id    = 51
    priority             = var.priorities[each.key]
    auth_pass_wo         = var.vrrp_password
    auth_pass_wo_version = 1
  }
}

resource "redislb_vip" "redis" {
  address   = var.vip
  directors = [for d in redislb_director.this : d.host]

  services = {
    redis = {
      port      = 6379
      scheduler = "rr"
      check     = { type = "tcp", interval = "6s", timeout = "3s" }
      real_servers = {
        for name, r in redislb_realserver.this : name => { address = r.address, weight = 1 }
      }
    }
  }
}

locals {
  # On lo the VIP is always a host route: the address without its prefix length.
  vip = split("/", var.vip)[0]
}

output "redis" {
  description = "Where clients connect to."
  value       = "${local.vip}:6379"
}
