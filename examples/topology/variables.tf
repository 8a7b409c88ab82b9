variable "hosts" {
  description = "The directors and how SSH reaches them."
  type = map(object({
    address = string
    port    = optional(number, 22)
  }))
  default = {
    a = { address = "192.0.2.11" }
    b = { address = "192.0.2.12" }
  }
}

variable "private_key_file" {
  description = "SSH key to log in with."
  type        = string
  default     = "~/.ssh/id_ed25519"
}

variable "known_hosts_file" {
  description = "Host keys of the machines."
  type        = string
  default     = "~/.ssh/known_hosts"
}
