# What could do harm in a file or in a shell, in every string that gets there.

provider "redislb" {}

locals {
  hostile = {
    newline      = "a\nb"
    quote        = "a\"b"
    apostrophe   = "a'b"
    brace        = "a}b"
    substitution = "a$(id)b"
    backquote    = "a`id`b"
    semicolon    = "a;b"
    comment      = "a#b"
    bang         = "a!b"
    backslash    = "a\\b"
    blank        = "a b"
    null         = "a\u0000b"
  }
}

# errors 12: Invalid host
resource "redislb_director" "host" {
  for_each = local.hostile
  host     = each.value
  vrrp     = { interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# errors 12: Invalid host
resource "redislb_realserver" "host" {
  for_each = local.hostile
  host     = each.value
  vips     = ["192.0.2.229"]
}

# errors 12: Invalid interface
resource "redislb_director" "interface" {
  for_each = local.hostile
  host     = "a"
  vrrp     = { interface = each.value, virtual_router_id = 1, priority = 1 }
}

# errors 12: Invalid instance
resource "redislb_director" "instance" {
  for_each = local.hostile
  host     = "a"
  vrrp     = { instance = each.value, interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# errors 12: is not an IP address
resource "redislb_realserver" "vips" {
  for_each = local.hostile
  host     = "a"
  vips     = ["192.0.2.229${each.value}"]
}

# errors 12: is not an IP address
resource "redislb_vip" "address" {
  for_each  = local.hostile
  address   = "192.0.2.229/24${each.value}"
  directors = ["a"]
}

# errors 12: Invalid
resource "redislb_vip" "directors" {
  for_each  = local.hostile
  address   = "192.0.2.229/24"
  directors = [each.value]
}

# errors 12: is not an IP address
resource "redislb_vip" "real_server" {
  for_each  = local.hostile
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, real_servers = { a = { address = "192.0.2.11${each.value}" } } } }
}

# errors 12: scheduler
resource "redislb_vip" "scheduler" {
  for_each  = local.hostile
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, scheduler = each.value, real_servers = { a = { address = "192.0.2.11" } } } }
}

# errors 12: is not a duration
resource "redislb_vip" "interval" {
  for_each  = local.hostile
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { interval = "1s${each.value}" }, real_servers = { a = { address = "192.0.2.11" } } } }
}
