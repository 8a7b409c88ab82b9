# Host keys that Terraform knows, such as those that cloud-init gave to the machines.
variable "hosts" {
  type = map(object({ address = string, host_key = string }))
  default = {
    a = {
      address  = "192.0.2.11"
      host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmnVPmX6yTNPl9g2qBGcdrxrSZvbMAr6dqZ7yGnTJq5 root@a"
    }
  }
}

provider "redislb" {
  hosts       = { for name, h in var.hosts : name => { address = h.address } }
  known_hosts = join("\n", [for h in var.hosts : provider::redislb::known_host(h.host_key, h.address)])
}
