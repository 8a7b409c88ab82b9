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
