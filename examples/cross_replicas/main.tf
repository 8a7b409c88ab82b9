# Two machines, each with the Redis that clients reach by the VIP and a replica of the
# other machine's: what is pushed to one is on the other too.
#
#   a:6379  ->  b:17379
#   b:6379  ->  a:17379
#
# Direct routing cannot change a port, so a replica never answers on the VIP's port
# 6379. When a machine is lost for good, its data is on the other one's 17379.

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
  hosts            = { for name, address in var.machines : name => { address = address } }
}

resource "redislb_realserver" "this" {
  for_each = var.machines

  host = each.key
  vips = ["192.0.2.229"]

  redis = {
    main = {
      port                = 6379
      maxmemory           = "2gb"
      appendonly          = true
      password_wo         = var.redis_password
      password_wo_version = 1
    }
    replica = {
      port                = 17379
      password_wo         = var.redis_password
      password_wo_version = 1
      replica_of = {
        address             = one([for name, address in var.machines : address if name != each.key])
        port                = 6379
        password_wo         = var.redis_password
        password_wo_version = 1
      }
    }
  }
}

resource "redislb_director" "this" {
  for_each = { a = 100, b = 99 }

  host = each.key
  vrrp = {
    interface            = "eth0"
    virtual_router_id    = 51
    priority             = each.value
    auth_pass_wo         = var.vrrp_password
    auth_pass_wo_version = 1
  }
}

resource "redislb_vip" "redis" {
  address   = "192.0.2.229/24"
  directors = [for d in redislb_director.this : d.host]

  services = {
    redis = {
      port = 6379
      check = {
        type  = "redis"
        redis = { mode = "writable", password_wo = var.redis_password, password_wo_version = 1 }
      }
      real_servers = { for name, r in redislb_realserver.this : name => { address = r.address } }
    }
  }
}
