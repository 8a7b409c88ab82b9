# Two directors between the clients' network and one of the real servers (address
# translation, LVS-NAT). Real servers know nothing of it but that their way to the
# clients leads over the gateway; they may listen on another port.
#
# Both addresses, the one that clients connect to and the gateway, are VIPs in the VRRP
# instance of the directors: who holds the one holds the other, and who loses one of the
# two networks gives up both.

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

# The directors forward packets: net.ipv4.ip_forward = 1 on each.
resource "redislb_vip" "redis" {
  address   = var.vip
  directors = [for d in redislb_director.this : d.host]
  services = {
    redis = {
      port         = 6379
      forwarding   = "NAT"
      check        = { type = "tcp", interval = "6s", timeout = "3s" }
      real_servers = { for name, s in var.real_servers : name => { address = s.address, port = s.port } }
    }
  }
}

resource "redislb_vip" "gateway" {
  address   = var.gateway
  interface = var.inner_interface
  directors = [for d in redislb_director.this : d.host]
}

output "redis" {
  description = "Where clients connect to."
  value       = "${split("/", var.vip)[0]}:6379"
}

output "gateway" {
  description = "What the real servers have for a default gateway."
  value       = split("/", var.gateway)[0]
}
