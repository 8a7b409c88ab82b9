# Redis servers that are refused. Each resource must give the error above it, and no
# other.

provider "redislb" {}

# error: Redis Without a Password.*protected_mode = false
resource "redislb_realserver" "open" {
  host  = "a"
  vips  = ["192.0.2.229"]
  redis = { main = { port = 6380 } }
}

# error: Duplicate Port.*both are on port 6380
resource "redislb_realserver" "one_port_twice" {
  host = "a"
  vips = ["192.0.2.229"]
  redis = {
    a = { port = 6380, protected_mode = false }
    b = { port = 6380, bind = ["127.0.0.1"] }
  }
}

# error: Invalid settings.*one line of redis.conf
resource "redislb_realserver" "two_lines" {
  host  = "a"
  vips  = ["192.0.2.229"]
  redis = { main = { port = 6380, protected_mode = false, settings = { "hz" = "10\nrequirepass Sesame" } } }
}

# error: Invalid settings.*set the attribute password_wo
resource "redislb_realserver" "password_in_settings" {
  host  = "a"
  vips  = ["192.0.2.229"]
  redis = { main = { port = 6380, protected_mode = false, settings = { "requirepass" = "Sesame" } } }
}

# error: Invalid password_wo
resource "redislb_realserver" "password_of_two_lines" {
  host  = "a"
  vips  = ["192.0.2.229"]
  redis = { main = { port = 6380, password_wo = "Ses\name", password_wo_version = 1 } }
}

# error: Invalid bind
resource "redislb_realserver" "bind" {
  host  = "a"
  vips  = ["192.0.2.229"]
  redis = { main = { port = 6380, bind = ["*"], protected_mode = false } }
}

# error: Invalid maxmemory
resource "redislb_realserver" "maxmemory" {
  host  = "a"
  vips  = ["192.0.2.229"]
  redis = { main = { port = 6380, protected_mode = false, maxmemory = "50%" } }
}

# error: Invalid save
resource "redislb_realserver" "save" {
  host  = "a"
  vips  = ["192.0.2.229"]
  redis = { main = { port = 6380, protected_mode = false, save = "60" } }
}
