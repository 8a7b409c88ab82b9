# The provider block, as far as it takes files and keys to know what is wrong.

# error: Unable to Configure Host.*unable to read private_key_file: open /nonexistent/key: no such file or directory
provider "redislb" {
  alias = "no_key_file"
  hosts = { a = { private_key_file = "/nonexistent/key", known_hosts = "" } }
}

resource "redislb_realserver" "no_key_file" {
  provider = redislb.no_key_file
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: Unable to Configure Host.*known_hosts
provider "redislb" {
  alias = "malformed_known_hosts"
  hosts = { a = { password = "x", known_hosts = "192.0.2.11 ssh-ed25519 not-base64" } }
}

resource "redislb_realserver" "malformed_known_hosts" {
  provider = redislb.malformed_known_hosts
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: Unable to Configure Host.*known_hosts_file
provider "redislb" {
  alias = "no_known_hosts_file"
  hosts = { a = { password = "x", known_hosts_file = "/nonexistent/known_hosts" } }
}

resource "redislb_realserver" "no_known_hosts_file" {
  provider = redislb.no_known_hosts_file
  host     = "a"
  vips     = ["192.0.2.229"]
}

# error: Unable to Configure Host.*private_key
provider "redislb" {
  alias = "malformed_key"
  hosts = { a = { private_key = "not a key", known_hosts = "" } }
}

resource "redislb_realserver" "malformed_key" {
  provider = redislb.malformed_key
  host     = "a"
  vips     = ["192.0.2.229"]
}
