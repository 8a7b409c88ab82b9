# Every data source, about two hosts, each by a port of this machine that a test answers on.

variable "hosts" {
  type = map(object({ address = string, port = number, known_hosts = string }))
}

variable "private_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "names" {
  type    = map(string)
  default = {}
}

provider "redislb" {
  dial_timeout = "5s"
  private_key  = var.private_key
  agent        = false
  hosts        = var.hosts
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
  directors    = ["a", "b"]
  real_servers = var.names
}
