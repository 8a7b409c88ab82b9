variable "hosts" {
  description = "The two machines and how SSH reaches them."
  type = map(object({
    address = string
    port    = optional(number, 22)
  }))
  default = {
    a = { address = "192.0.2.11" }
    b = { address = "192.0.2.12" }
  }
}

variable "priorities" {
  description = "VRRP priority of each machine for the first VIP; the highest holds it."
  type        = map(number)
  default     = { a = 100, b = 99 }
}

variable "other_priorities" {
  description = "The same for the second VIP."
  type        = map(number)
  default     = { a = 99, b = 100 }
}

variable "vips" {
  description = "The two virtual IP addresses with the prefix length of their subnet."
  type        = list(string)
  default     = ["192.0.2.229/24", "192.0.2.230/24"]
}

variable "interface" {
  description = "Network interface of the machines that the VIP belongs on."
  type        = string
  default     = "eth0"
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

variable "vrrp_password" {
  description = "Password that the directors share, 1 to 8 characters. It is kept in neither state nor plan."
  type        = string
  sensitive   = true
  ephemeral   = true
}
