# Values of the wrong type, and what is missing.

provider "redislb" {}

# error: virtual_router_id.*a number is required
resource "redislb_director" "router_id_word" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = "fifty-one", priority = 1 }
}

# error: priority.*is not an integer
resource "redislb_director" "priority_fraction" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1.5 }
}

# error: install.*a bool is required
resource "redislb_director" "install_word" {
  host    = "a"
  install = "maybe"
  vrrp    = { interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# error: attribute "interface" is required
resource "redislb_director" "no_interface" {
  host = "a"
  vrrp = { virtual_router_id = 1, priority = 1 }
}

# error: argument "vrrp" is required
resource "redislb_director" "no_vrrp" {
  host = "a"
}

# error: vips.*set of string required
resource "redislb_realserver" "vips_string" {
  host = "a"
  vips = "192.0.2.229"
}

# error: attribute "real_servers" is required
resource "redislb_vip" "no_real_servers" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 6379 } }
}

# error: weight.*a number is required
resource "redislb_vip" "weight_word" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, real_servers = { a = { address = "192.0.2.11", weight = "heavy" } } } }
}

# error: Unsupported argument.*"adress"
resource "redislb_vip" "typing_error" {
  adress    = "192.0.2.229/24"
  address   = "192.0.2.229/24"
  directors = ["a"]
}
