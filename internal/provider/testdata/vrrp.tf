# A director with options of VRRP, each with as little as may be said of it, on one
# host by a port of this machine that a test answers on.

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

variable "peer" {
  type    = string
  default = "192.0.2.12"
}

variable "tracked" {
  type    = string
  default = "eth1"
}

variable "user" {
  type    = string
  default = null
}

variable "file" {
  type    = string
  default = "drain"
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
  host          = "a"
  drain         = true
  ipvs_timeouts = { tcp = "20m", udp = "1m30s" }
  vrrp = {
    interface         = "eth0"
    virtual_router_id = 51
    priority          = 100
    auth_pass         = "Sesame"
    unicast           = { peers = [var.peer] }
    garp              = { master_refresh = "1m" }
    track_interfaces  = { (var.tracked) = {} }
    track_processes   = { redis = { process = "redis-server" } }
    track_scripts     = { ready = { script = "/usr/local/bin/ready -v", user = var.user } }
    track_files       = { (var.file) = { path = "/run/redislb.drain" } }
    notify            = { master = "/usr/local/bin/hook master" }
  }
}
