# Passwords that keepalived would cut off or not take literally. No error shows
# one: see secrets in errors_test.go.

provider "redislb" {}

variable "secrets" {
  sensitive = true
  ephemeral = true
  default = {
    nine         = "Sesame-99"
    empty        = ""
    newline      = "Ses\name"
    quote        = "Ses\"ame"
    brace        = "Ses}ame"
    substitution = "Ses$(id)"
    semicolon    = "Ses;ame"
    blank        = "Ses ame"
    umlaut       = "Sesäme"
  }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "nine" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.nine }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "empty" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.empty }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "newline" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.newline }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "quote" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.quote }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "brace" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.brace }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "substitution" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.substitution }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "semicolon" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.semicolon }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "blank" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.blank }
}

# error: Invalid auth_pass_wo.*must have 1 to 8 characters
resource "redislb_director" "umlaut" {
  host = "a"
  vrrp = { interface = "eth0", virtual_router_id = 1, priority = 1, auth_pass_wo_version = 1, auth_pass_wo = var.secrets.umlaut }
}
