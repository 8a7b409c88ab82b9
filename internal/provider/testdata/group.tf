# Directors and VIPs of two groups, on one host by a port of this machine that a test
# answers on.

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

variable "priorities" {
  type    = map(number)
  default = { a = 100, b = 99, c = 100, d = 99 }
}

variable "ids" {
  type    = map(number)
  default = { a = 51, b = 51, c = 52, d = 52 }
}

variable "passwords" {
  type      = map(string)
  default   = {}
  ephemeral = true
}

variable "signed" {
  type    = bool
  default = false
}

variable "vips" {
  type    = map(list(string))
  default = { "192.0.2.229/24" = ["a", "b"], "192.0.2.230/24" = ["c", "d"] }
}

variable "instances" {
  type    = map(object({ virtual_router_id = number, priorities = map(number) }))
  default = {}
}

variable "guard" {
  type    = string
  default = null
}

variable "ordered" {
  type    = bool
  default = true
}

provider "redislb" {
  dial_timeout = "5s"
  hosts = {
    for name in ["a", "b", "c", "d"] : name => {
      address     = "127.0.0.1"
      port        = var.port
      known_hosts = var.known_hosts
      private_key = var.private_key
      agent       = false
    }
  }
}

resource "redislb_director" "this" {
  for_each = var.priorities
  host     = each.key

  loop_guard = var.guard
  vrrp = {
    interface            = "eth0"
    virtual_router_id    = var.ids[each.key]
    priority             = each.value
    auth_pass_wo         = var.signed ? null : lookup(var.passwords, each.key, "Sesame")
    auth_pass_wo_version = var.signed ? null : 1
    auth_hmac_wo         = var.signed ? lookup(var.passwords, each.key, "0123456789abcdef0123456789abcdef") : null
    auth_hmac_wo_version = var.signed ? 1 : null
  }
}

resource "redislb_vip" "this" {
  for_each  = var.vips
  address   = each.key
  directors = var.ordered ? [for name in each.value : redislb_director.this[name].host] : each.value
  vrrp      = lookup(var.instances, each.key, null)
}
