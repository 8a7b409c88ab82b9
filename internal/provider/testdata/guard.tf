# A director with the loop guard hash and a VIP on it, on one host by a port of this
# machine that a test answers on.

variable "port" {
  type = number
}

variable "known_hosts" {
  type = string
}

variable "private_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "guard" {
  type    = string
  default = "hash"
}

variable "scheduler" {
  type    = string
  default = "mh"
}

variable "flags" {
  type    = set(string)
  default = ["mh-port"]
}

provider "redislb" {
  dial_timeout = "5s"
  hosts = {
    a = {
      address     = "127.0.0.1"
      port        = var.port
      known_hosts = var.known_hosts
      private_key = var.private_key
      agent       = false
    }
  }
}

resource "redislb_director" "a" {
  host       = "a"
  loop_guard = var.guard
  vrrp       = { interface = "eth0", virtual_router_id = 51, priority = 100 }
}

resource "redislb_vip" "this" {
  address   = "192.0.2.229/24"
  directors = [redislb_director.a.host]
  services = {
    redis = {
      port            = 6379
      scheduler       = var.scheduler
      scheduler_flags = var.flags
      real_servers    = { a = { address = "192.0.2.11" } }
    }
  }
}
