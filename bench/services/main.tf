# Many services on two directors: all on one VIP, or four on each of many. The
# real servers' addresses belong to nobody; the checks are so slow that keepalived
# does not find that out while the bench runs.

terraform {
  required_version = ">= 1.11"
  required_providers {
    redislb = {
      source = "redislb/redislb"
    }
  }
}

variable "hosts" {
  type = map(object({ address = string, port = number }))
}

variable "private_key_file" {
  type = string
}

variable "known_hosts_file" {
  type = string
}

variable "limit" {
  description = "How long a command on a host, or the change of a resource, may take."
  type        = string
}

variable "on_one_vip" {
  description = "Number of services on one VIP; 0 makes no VIP."
  type        = number
  default     = 0
}

variable "on_many_vips" {
  description = "Number of services on VIPs with four each: one virtual router has at most 255 VIPs (RFC 5798, Count IPvX Addr)."
  type        = number
  default     = 0
}

provider "redislb" {
  private_key_file = var.private_key_file
  known_hosts_file = var.known_hosts_file
  hosts            = var.hosts
  command_timeout  = var.limit
}

locals {
  real_servers = [101, 102, 103, 104]
  check        = { interval = "1h", timeout = "3s", retries = 100, retry_delay = "1h" }
  timeouts     = { create = var.limit, update = var.limit, delete = var.limit }
}

resource "redislb_director" "this" {
  for_each = { a = 100, b = 99 }

  host = each.key
  vrrp = {
    interface         = "eth0"
    virtual_router_id = 51
    priority          = each.value
  }
}

resource "redislb_vip" "one" {
  count = var.on_one_vip > 0 ? 1 : 0

  address   = "192.0.2.229/24"
  directors = [for d in redislb_director.this : d.host]
  timeouts  = local.timeouts

  services = {
    for i in range(var.on_one_vip) : format("s%04d", i) => {
      port         = 10000 + i
      check        = local.check
      real_servers = { for n in local.real_servers : "r${n}" => { address = "192.0.2.${n}" } }
    }
  }
}

resource "redislb_vip" "many" {
  for_each = { for i in range(ceil(var.on_many_vips / 4)) : format("v%03d", i) => i }

  address   = "198.51.100.${each.value + 1}/32"
  directors = [for d in redislb_director.this : d.host]
  timeouts  = local.timeouts

  services = {
    for i in range(min(4, var.on_many_vips - 4 * each.value)) : "s${i}" => {
      port         = 6379 + i
      check        = local.check
      real_servers = { for n in local.real_servers : "r${n}" => { address = "192.0.2.${n}" } }
    }
  }
}
