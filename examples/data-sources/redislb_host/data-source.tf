data "redislb_host" "this" {
  for_each = toset(["a", "b"])
  host     = each.key
}

# What stands in the way, before anything is planned for the hosts.
output "problems" {
  value = { for name, h in data.redislb_host.this : name => [for p in h.problems : "${p.summary}: ${p.detail}"] }
}

output "would_be_installed" {
  value = { for name, h in data.redislb_host.this : name => h.missing_packages }
}
