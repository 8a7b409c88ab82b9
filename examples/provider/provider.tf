terraform {
  required_providers {
    redislb = {
      source = "redislb/redislb"
    }
  }
}

provider "redislb" {
  user             = "root"
  private_key_file = "~/.ssh/id_ed25519"
  known_hosts_file = "~/.ssh/known_hosts"

  hosts = {
    a = { address = "192.0.2.11" }
    b = { address = "192.0.2.12", user = "ops" } # becomes root by sudo
  }
}
