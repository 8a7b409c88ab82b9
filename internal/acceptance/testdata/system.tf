# The seed's system, with everything that the tests vary as a variable.

terraform {
  required_providers {
    redislb = {
      source = "redislb/redislb"
    }
  }
}

variable "hosts" { type = map(object({ address = string, port = number, user = optional(string) })) }
variable "private_key_file" { type = string }
variable "known_hosts_file" { type = string }

variable "priorities" {
  type    = map(number)
  default = { a = 100, b = 99 }
}
variable "scheduler" {
  type    = string
  default = "rr"
}
variable "weights" {
  type    = map(number)
  default = { a = 1, b = 1 }
}
variable "check_interval" {
  type    = string
  default = "2s"
}
variable "drain_timeout" {
  type    = string
  default = "30s"
}
# With services that have every kind of field that the kernel's table has, and a timeout
# on one director.
variable "rich" {
  type    = bool
  default = false
}

provider "redislb" {
  private_key_file = var.private_key_file
  known_hosts_file = var.known_hosts_file
  hosts            = var.hosts
}

# One resource for each host, without for_each: Terraform's test framework cannot
# read string keys.
resource "redislb_realserver" "a" {
  host = "a"
  vips = ["192.0.2.229"]
}

resource "redislb_realserver" "b" {
  host = "b"
  vips = ["192.0.2.229"]
}

resource "redislb_director" "a" {
  host          = "a"
  ipvs_timeouts = var.rich ? { tcp = "20m" } : null
  vrrp = {
    interface            = "eth0"
    virtual_router_id    = 51
    priority             = var.priorities["a"]
    auth_pass_wo         = "s3cret"
    auth_pass_wo_version = 1
  }
}

resource "redislb_director" "b" {
  host = "b"
  vrrp = {
    interface            = "eth0"
    virtual_router_id    = 51
    priority             = var.priorities["b"]
    auth_pass_wo         = "s3cret"
    auth_pass_wo_version = 1
  }
}

locals {
  servers = { a = redislb_realserver.a.address, b = redislb_realserver.b.address }
  rich = {
    sessions = {
      port            = 6380
      scheduler       = "sh"
      scheduler_flags = ["sh-port", "sh-fallback"]
      persistence     = { timeout = "300s", mask = "255.255.255.0" }
      check           = { type = "none" }
      real_servers = {
        a = { address = local.servers["a"], connections = { upper = 1000, lower = 900 } }
        b = { address = local.servers["b"] }
      }
    }
    names = {
      port       = 53
      protocol   = "udp"
      scheduler  = "wrr"
      one_packet = true
      check      = { type = "none" }
      real_servers = {
        a = { address = local.servers["a"] }
        b = { address = local.servers["b"], weight = 3 }
      }
    }
  }
}

resource "redislb_vip" "redis" {
  address       = "192.0.2.229/24"
  directors     = [redislb_director.a.host, redislb_director.b.host]
  drain_timeout = var.drain_timeout
  services = merge({ for name, service in local.rich : name => service if var.rich }, {
    redis = {
      port      = 6379
      scheduler = var.scheduler
      check     = { type = "tcp", interval = var.check_interval, timeout = "1s", retries = 1 }
      real_servers = {
        for name, weight in var.weights : name => { address = local.servers[name], weight = weight }
      }
    }
  })
}
