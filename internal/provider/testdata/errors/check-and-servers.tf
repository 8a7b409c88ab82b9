provider "redislb" {}

# error: at least 1 elements
resource "redislb_vip" "service_without_real_servers" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 6379, real_servers = {} } }
}

# error: Timeout Longer Than the Interval
resource "redislb_vip" "default_timeout_over_interval" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { interval = "2s" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Timeout Longer Than the Interval
resource "redislb_vip" "timeout_over_default_interval" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  services  = { redis = { port = 1, check = { timeout = "9s" }, real_servers = { a = { address = "192.0.2.11" } } } }
}

# error: Drain Longer Than the Timeout.*30s \(drain_timeout\).*timeouts.update is 20s
resource "redislb_vip" "default_drain_longer_than_an_update" {
  address   = "192.0.2.229/24"
  directors = ["a"]
  timeouts  = { update = "20s" }
}

# error: Drain Longer Than the Timeout.*timeouts.delete is 1m0s
resource "redislb_vip" "drain_as_long_as_a_delete" {
  address       = "192.0.2.229/24"
  directors     = ["a"]
  drain_timeout = "60s"
  timeouts      = { update = "2m", delete = "1m" }
}

# errors 2: Drain Longer Than the Timeout.*timeouts.(update|delete) is 15m0s
resource "redislb_vip" "drain_longer_than_the_default_timeouts" {
  address       = "192.0.2.229/24"
  directors     = ["a"]
  drain_timeout = "1h"
}
