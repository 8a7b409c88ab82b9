# Every function, with its texts as variables.

terraform {
  required_providers {
    redislb = { source = "hashicorp/redislb" } # as the test framework calls it
  }
}

variable "public_key" {
  type    = string
  default = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmnVPmX6yTNPl9g2qBGcdrxrSZvbMAr6dqZ7yGnTJq5"
}

variable "address" {
  type    = string
  default = "a"
}

variable "ipvsadm" {
  type    = string
  default = ""
}

variable "keepalived" {
  type    = string
  default = ""
}

output "known_host" {
  value = provider::redislb::known_host(var.public_key, var.address, "[2001:db8::11]:2222")
}

output "ipvsadm" {
  value = provider::redislb::parse_ipvsadm(var.ipvsadm)
}

output "keepalived" {
  value = provider::redislb::parse_keepalived(var.keepalived)
}
