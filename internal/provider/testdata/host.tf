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

variable "vips" {
  type    = set(string)
  default = ["192.0.2.229"]
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
  vips = var.vips
}
