# One host, by a port of this machine that a test answers on.

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
  default   = null
}

variable "password" {
  type      = string
  sensitive = true
  ephemeral = true
  default   = null
}

provider "redislb" {
  dial_timeout = "5s"
  hosts = {
    a = {
      address     = "127.0.0.1"
      port        = var.port
      known_hosts = var.known_hosts
      private_key = var.private_key
      password    = var.password
      agent       = false
    }
  }
}

resource "redislb_realserver" "a" {
  host = "a"
  vips = ["192.0.2.229", "192.0.2.230"]
}

resource "redislb_director" "a" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 51, priority = 100 }
}

resource "redislb_vip" "this" {
  for_each  = toset(["192.0.2.229/24", "192.0.2.230/24"])
  address   = each.value
  directors = ["a"]
  services  = { redis = { port = 6379, real_servers = { a = { address = "192.0.2.11" } } } }
}

data "redislb_host" "a" {
  host = "a"
}

data "redislb_ipvs" "a" {
  host = "a"
}

data "redislb_vrrp" "a" {
  host = "a"
}

data "redislb_topology" "this" {
  directors = ["a"]
}
