# One host, with every secret that a connection can have.

terraform {
  required_providers {
    redislb = {
      source = "redislb/redislb"
    }
  }
}

variable "port" {
  type = number
}

variable "host_key" {
  type = string
}

variable "private_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "passphrase" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "password" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "become_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

provider "redislb" {
  dial_timeout           = "20s"
  port                   = var.port
  host_key               = var.host_key
  private_key            = var.private_key
  private_key_passphrase = var.passphrase
  password               = var.password
  become_password        = var.become_password
  agent                  = false
}

resource "redislb_realserver" "a" {
  host = "127.0.0.1"
  vips = ["192.0.2.229"]
}
