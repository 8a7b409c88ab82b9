# The configuration of a director that somebody set up by hand.
locals {
  found = nonsensitive(provider::redislb::parse_keepalived(sensitive(file("keepalived.conf"))))
}

output "vips" {
  value = flatten(local.found.vrrp_instances[*].vips)
}

# Look here first: typing errors, and what redislb has no word for.
output "unread" {
  value = [for u in local.found.unread : "line ${u.line}: ${u.statement} ${u.reason}"]
}
