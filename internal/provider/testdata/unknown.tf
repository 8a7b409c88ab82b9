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

# A change makes what is known of the hosts unknown again.
variable "generation" {
  type    = number
  default = 1
}

resource "terraform_data" "address" {
  input            = "127.0.0.1"
  triggers_replace = var.generation
}

resource "terraform_data" "password" {
  input            = "Sesame"
  triggers_replace = var.generation
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

resource "redislb_realserver" "known" {
  host = "known"
  vips = ["192.0.2.229"]
}

resource "redislb_realserver" "address" {
  host = "address"
  vips = ["192.0.2.229"]
}

resource "redislb_realserver" "password" {
  host = "password"
  vips = ["192.0.2.229"]
}
