# Values that are refused by themselves. Each resource must give the error above
# it, and no other.

provider "redislb" {}

# error: virtual_router_id.*between 1 and 255, got: 0
resource "redislb_director" "router_id_0" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 0, priority = 1 }
}

# error: virtual_router_id.*between 1 and 255, got: 256
resource "redislb_director" "router_id_256" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 256, priority = 1 }
}

# error: priority.*between 1 and 254, got: 0
resource "redislb_director" "priority_0" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 0 }
}

# error: priority.*between 1 and 254, got: 255
resource "redislb_director" "priority_255" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 255 }
}

# error: Invalid advert_interval.*1.5s: the advertisement interval in VRRP version 2 is from 1s to 4m15s in steps of 1s: write whole seconds, or version = 3 on every director of the group
resource "redislb_director" "advert_interval_fraction" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, advert_interval = "1.5s" }
}

# error: Invalid advert_interval.*"soon" is not a duration: write a number with a unit
resource "redislb_director" "advert_interval_word" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, advert_interval = "soon" }
}

# error: Invalid preempt_delay.*-1s
resource "redislb_director" "preempt_delay_negative" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, preempt_delay = "-1s" }
}

# error: "vrrp.auth_pass_wo_version" must be specified when "vrrp.auth_pass_wo"
resource "redislb_director" "password_without_version" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo = "12345678" }
}

# error: "vrrp.auth_pass_wo" must be specified when "vrrp.auth_pass_wo_version"
resource "redislb_director" "version_without_password" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1 }
}

# error: auth_pass_wo_version.*at least 0, got: -1
resource "redislb_director" "version_negative" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo = "12345678", auth_pass_wo_version = -1 }
}

# error: loop_guard.*one of.*backup_only
resource "redislb_director" "loop_guard_unknown" {
  host       = "a"
  loop_guard = "prayer"
  vrrp       = { interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# error: Invalid interface.*1 to 15 of the characters
resource "redislb_director" "interface_long" {
  host = "a"
  vrrp = { interface = "an-interface-of-18", virtual_router_id = 1, priority = 1 }
}

# error: Invalid host.*contains one of @ , /
resource "redislb_director" "host_with_a_user" {
  host = "root@a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# error: Invalid host.*must not be empty
resource "redislb_director" "host_empty" {
  host = ""
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1 }
}

# error: "?vips"? set must contain at least 1 elements, got: 0
resource "redislb_realserver" "no_vips" {
  host = "a"
  vips = []
}

# error: "not-an-address" is not an IP address
resource "redislb_realserver" "vip_word" {
  host = "a"
  vips = ["not-an-address"]
}

# error: "192.0.2.229/24" has a prefix length: write the address alone
resource "redislb_realserver" "vip_with_prefix" {
  host = "a"
  vips = ["192.0.2.229/24"]
}

# error: Invalid address.*"me" is not an IP address
resource "redislb_realserver" "address_word" {
  host    = "a"
  vips    = ["192.0.2.229"]
  address = "me"
}

# error: Invalid address.*"vip.example" is not an IP address with a prefix length
resource "redislb_vip" "address_name" {
  address   = "vip.example"
  directors = ["a"]
}

# error: Invalid address.*lacks the prefix length of the subnet: write for example "192.0.2.229/24"
resource "redislb_vip" "address_without_prefix" {
  address   = "192.0.2.229"
  directors = ["a"]
}

# error: Invalid address.*is the address of the network itself
resource "redislb_vip" "address_of_the_network" {
  address   = "192.0.2.0/24"
  directors = ["a"]
}

# error: Invalid address.*is the anycast address of the subnet's routers
resource "redislb_vip" "address_anycast" {
  address   = "2001:db8::/64"
  directors = ["a"]
}

# error: Invalid address.*"fe80::1%eth0/64"
resource "redislb_vip" "address_with_zone" {
  address   = "fe80::1%eth0/64"
  directors = ["a"]
}

# error: Invalid address.*cannot be a VIP
resource "redislb_vip" "address_multicast" {
  address   = "224.0.0.18/24"
  directors = ["a"]
}

# error: directors.*set must contain at least 1 elements, got: 0
resource "redislb_vip" "no_directors" {
  address   = "192.0.2.229/24"
  directors = []
}

# error: port.*between 1 and 65535, got: 0
resource "redislb_vip" "port_0" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 0, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: port.*between 1 and 65535, got: 65536
resource "redislb_vip" "port_65536" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 65536, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: weight.*between 0 and 65535, got: -1
resource "redislb_vip" "weight_negative" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, real_servers = { a = { address = "192.0.2.11", weight = -1 } } } }
}

# error: weight.*between 0 and 65535, got: 65536
resource "redislb_vip" "weight_65536" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, real_servers = { a = { address = "192.0.2.11", weight = 65536 } } } }
}

# error: scheduler.*must be one of.*"rr".*got: "roundrobin"
resource "redislb_vip" "scheduler_unknown" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, scheduler = "roundrobin", real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: check.type.*must be one of.*"tcp".*got: "telepathy"
resource "redislb_vip" "check_unknown" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { type = "telepathy" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: retries.*between 0 and 100, got: 101
resource "redislb_vip" "retries_101" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { retries = 101 }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: a name has 1 to 128 bytes
resource "redislb_vip" "service_without_a_name" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { "" = { port = 1, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Port Differs from the Service's.*"a" gets it on the service's port 6379 and never on 17379. Leave port out
resource "redislb_vip" "port_of_the_real_server" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 6379, real_servers = { a = { address = "192.0.2.11", port = 17379 } } } }
}

# error: Duplicate Port.*"one" and "two" both are on tcp port 6379
resource "redislb_vip" "port_twice" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services = {
    one = { port = 6379, real_servers = { a = { address = "192.0.2.11" } } }
    two = { port = 6379, real_servers = { a = { address = "192.0.2.11" } } }
  }
}

# error: Sorry Server Is the VIP
resource "redislb_vip" "sorry_server_is_the_vip" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, sorry_server = { address = "192.0.2.229" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Missing Check.*Say how it is to be checked
resource "redislb_vip" "udp_without_check" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { dns = { port = 53, protocol = "udp", real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Check of Another Type.*http is for a check of type "http"; this one's type is "redis"
resource "redislb_vip" "check_of_another_type" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { type = "redis", http = {} }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Missing Script.*set script
resource "redislb_vip" "check_without_script" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { type = "script" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid script.*a command is a path and its arguments
resource "redislb_vip" "check_by_a_shell" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { type = "script", script = "/bin/a | b" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid status.*a status is codes from 100 to 599
resource "redislb_vip" "check_of_no_status" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { type = "http", http = { status = "2xx" } }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Invalid timeout.*the persistence timeout is from 1s
resource "redislb_vip" "persistence_of_half_a_second" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, persistence = { timeout = "500ms" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Duplicate Real Server.*"a" and "b" both are 192.0.2.11
resource "redislb_vip" "real_server_twice" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, real_servers = { a = { address = "192.0.2.11" }, b = { address = "192.0.2.11" } } } }
}

# error: Real Server Is the VIP
resource "redislb_vip" "real_server_is_the_vip" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, real_servers = { a = { address = "192.0.2.229" } } } }
}

# error: Timeout Longer Than the Interval.*make timeout at most the interval
resource "redislb_vip" "timeout_over_interval" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { interval = "2s", timeout = "3s" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: -1s is negative
resource "redislb_vip" "negative_drain" {
  address       = "192.0.2.229/24"
  directors     = ["a"]
  drain_timeout = "-1s"
}
