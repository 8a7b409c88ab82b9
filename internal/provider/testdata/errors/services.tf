# What only the whole of a service tells. Nothing is dialled: each is refused before.

provider "redislb" {}

# error: Invalid Service.*service "redis".*"mh-port": the flags of the scheduler rr are, once each: none
resource "redislb_vip" "flags_of_another_scheduler" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, scheduler_flags = ["mh-port"], real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid Service.*scheduling each packet by itself is for UDP
resource "redislb_vip" "one_packet_of_tcp" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, one_packet = true, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid Service.*"255.0.255.0": a netmask is ones and then zeros
resource "redislb_vip" "mask_with_a_hole" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, persistence = { timeout = "1m", mask = "255.0.255.0" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid Service.*"255.255.255.0": the mask of an IPv6 service is a prefix length
resource "redislb_vip" "mask_of_the_other_family" {
  address   = "2001:db8::229/64"
  directors = ["a"]
  services  = { redis = { port = 1, persistence = { timeout = "1m", mask = "255.255.255.0" }, real_servers = { a = { address = "2001:db8::11" } } } }
}

# error: Invalid Service.*quorum 3: it is from 1 to the total weight of the real servers, 1
resource "redislb_vip" "quorum_out_of_reach" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, quorum = { weight = 3 }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid Service.*hysteresis 1: it is from 0 to less than the quorum, 1
resource "redislb_vip" "hysteresis_as_large_as_the_quorum" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, quorum = { hysteresis = 1 }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid Service.*sorry server: port 81, but DR cannot change the port
resource "redislb_vip" "sorry_server_on_another_port" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 80, sorry_server = { address = "192.0.2.13", port = 81 }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid Service.*sorry server: 192.0.2.11:80 is a real server of the service too
resource "redislb_vip" "sorry_server_that_is_a_real_one" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 80, sorry_server = { address = "192.0.2.11" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid Service.*2001:db8::11 and the VIP 192.0.2.229 are of two families
resource "redislb_vip" "real_server_of_the_other_family" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 80, real_servers = { a = { address = "2001:db8::11" } } } }
}

# error: Invalid Service.*thresholds 5 and 6: the upper is a number of connections, the lower a smaller one
resource "redislb_vip" "thresholds_the_wrong_way_round" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 80, real_servers = { a = { address = "192.0.2.11", connections = { upper = 5, lower = 6 } } } } }
}

# error: Invalid Service.*500ms: the timeout of a script has whole seconds
resource "redislb_vip" "script_of_half_a_second" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 80, check = { type = "script", script = "/bin/true", timeout = "500ms" }, real_servers = { a = { address = "192.0.2.11" } } } }
}
