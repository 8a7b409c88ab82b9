
# What data sources tell of the system: put behind system.tf.

data "redislb_host" "a" {
  host = "a"
}

data "redislb_host" "b" {
  host = "b"
}

data "redislb_ipvs" "a" {
  host = "a"
}

data "redislb_ipvs" "b" {
  host = "b"
}

data "redislb_vrrp" "a" {
  host = "a"
}

data "redislb_vrrp" "b" {
  host = "b"
}

data "redislb_topology" "this" {
  directors = ["a", "b"]
}
