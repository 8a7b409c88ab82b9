# The provider block, as far as it is refused without a look at any file.

# error: port.*between 1 and 65535, got: 0
provider "redislb" {
  alias = "port_0"
  port  = 0
}

resource "redislb_realserver" "port_0" {
  provider = redislb.port_0
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: port.*between 1 and 65535, got: 65536
provider "redislb" {
  alias = "port_of_a_host_65536"
  hosts = { a = { port = 65536 } }
}

resource "redislb_realserver" "port_of_a_host_65536" {
  provider = redislb.port_of_a_host_65536
  host     = "a"
  vips     = ["192.0.2.229"]
}

# errors 2: private_key_file
provider "redislb" {
  alias            = "both_keys"
  private_key      = "x"
  private_key_file = "x"
  hosts            = { a = { private_key = "x", private_key_file = "x" } }
}

resource "redislb_realserver" "both_keys" {
  provider = redislb.both_keys
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: host_key_policy.*must be one of.*"strict".*"insecure".*got: "hope"
provider "redislb" {
  alias           = "policy"
  host_key_policy = "hope"
}

resource "redislb_realserver" "policy" {
  provider = redislb.policy
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: Invalid user.*not allowed here
provider "redislb" {
  alias = "user"
  user  = "root;id"
}

resource "redislb_realserver" "user" {
  provider = redislb.user
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: Invalid address.*not allowed here
provider "redislb" {
  alias = "address_of_a_host"
  hosts = { a = { address = "a $(id)" } }
}

resource "redislb_realserver" "address_of_a_host" {
  provider = redislb.address_of_a_host
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: Invalid dial_timeout.*not a duration above zero
provider "redislb" {
  alias        = "dial_timeout"
  dial_timeout = "0s"
}

resource "redislb_realserver" "dial_timeout" {
  provider = redislb.dial_timeout
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: Invalid command_timeout.*not a duration above zero
provider "redislb" {
  alias           = "command_timeout"
  command_timeout = "long"
}

resource "redislb_realserver" "command_timeout" {
  provider = redislb.command_timeout
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: agent.*a bool is required
provider "redislb" {
  alias = "agent"
  agent = "smith"
}

resource "redislb_realserver" "agent" {
  provider = redislb.agent
  host     = "a"
  vips     = ["192.0.2.229"]
}
