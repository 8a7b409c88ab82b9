variable "machines" {
  description = "The two machines by name, each with its address."
  type        = map(string)
  default     = { a = "192.0.2.11", b = "192.0.2.12" }
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

variable "redis_password" {
  description = "Password of both Redis servers and their replicas. It is kept in neither state nor plan."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "vrrp_password" {
  description = "Password that the directors share, 1 to 8 characters. It is kept in neither state nor plan."
  type        = string
  sensitive   = true
  ephemeral   = true
}
