data "redislb_vrrp" "this" {
  for_each = toset(["a", "b"])
  host     = each.key
}

output "masters" {
  value = [for name, v in data.redislb_vrrp.this : "${name}, since ${coalesce(v.since, "?")}" if v.state == "master"]
}

check "one_holder" {
  assert {
    condition     = length(flatten([for v in data.redislb_vrrp.this : v.held_vips if contains(v.held_vips, "192.0.2.229")])) > 0
    error_message = "No director holds 192.0.2.229."
  }
}
