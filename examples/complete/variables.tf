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
  description = "VRRP priority of each machine; the highest holds the VIP."
  type        = map(number)
  default     = { a = 100, b = 99 }
}

variable "vip" {
  description = "The virtual IP address with the prefix length of its subnet."
  type        = string
  default     = "192.0.2.229/24"
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
