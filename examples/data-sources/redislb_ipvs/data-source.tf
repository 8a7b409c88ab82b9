# A check is read in each plan and apply, and warns where it does not hold.
check "redis" {
  data "redislb_ipvs" "a" {
    host = "a"
  }

  assert {
    condition     = length(data.redislb_ipvs.a.services["tcp 192.0.2.229:6379"].down) == 0
    error_message = "Down: ${join(", ", data.redislb_ipvs.a.services["tcp 192.0.2.229:6379"].down)}."
  }
}
