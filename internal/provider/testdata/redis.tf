# A host that runs Redis, by a port of this machine that a test answers on.

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

variable "redis_port" {
  type    = number
  default = 6380
}

variable "maxmemory" {
  type    = string
  default = "0"
}

variable "kept" {
  type    = string
  default = "Sesame 1"
}

variable "bind" {
  type    = set(string)
  default = ["0.0.0.0"]
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

resource "redislb_realserver" "a" {
  host = "a"
  vips = ["192.0.2.229"]
  redis = {
    main = {
      port                = var.redis_port
      bind                = var.bind
      maxmemory           = var.maxmemory
      settings            = { "tcp-keepalive" = "60" }
      password_wo         = "Sesame 2"
      password_wo_version = 4
    }
    copy = {
      port     = 17380
      password = var.kept
      replica_of = {
        address  = "192.0.2.12"
        port     = 6380
        password = var.kept
      }
    }
  }
}
