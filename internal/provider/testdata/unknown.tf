# Three hosts: of one all is known; of the others, the address or the password is
# made by the same apply.

variable "port" {
  type = number
}

variable "known_hosts" {
  type = string
}

variable "private_key" {
  type = string
}

variable "other_port" {
  type = number
}

resource "terraform_data" "address" {
  input = "127.0.0.1"
}

resource "terraform_data" "password" {
  input = "Sesame"
}

provider "redislb" {
  dial_timeout    = "5s"
  host_key_policy = "insecure"
  private_key     = var.private_key
  hosts = {
    known = {
      address         = "127.0.0.1"
      port            = var.port
      known_hosts     = var.known_hosts
      host_key_policy = "strict"
    }
    address = {
      address = terraform_data.address.output
      port    = var.other_port
    }
    password = {
      address  = "127.0.0.1"
      port     = var.other_port
      password = terraform_data.password.output
    }
  }
}

resource "redislb_realserver" "this" {
  for_each = toset(["known", "address", "password"])
  host     = each.key
  vips     = ["192.0.2.229"]
}
