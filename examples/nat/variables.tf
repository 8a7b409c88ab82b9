variable "hosts" {
  description = "The two directors and how SSH reaches them."
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
  description = "VRRP priority of each director; the highest holds the VIPs."
  type        = map(number)
  default     = { a = 100, b = 99 }
}

variable "real_servers" {
  description = "The machines behind the directors, and the port that each listens on."
  type = map(object({
    address = string
    port    = optional(number, 6379)
  }))
  default = {
    one = { address = "198.51.100.21" }
    two = { address = "198.51.100.22", port = 6380 }
  }
}

variable "vip" {
  description = "The address for clients, with the prefix length of its subnet."
  type        = string
  default     = "192.0.2.229/24"
}

variable "gateway" {
  description = "The address of the directors for the real servers, with the prefix length of its subnet."
  type        = string
  default     = "198.51.100.1/24"
}

variable "interface" {
  description = "Network interface of the directors towards the clients."
  type        = string
  default     = "eth0"
}

variable "inner_interface" {
  description = "Network interface of the directors towards the real servers."
  type        = string
  default     = "eth1"
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
