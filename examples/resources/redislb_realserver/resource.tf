resource "redislb_realserver" "this" {
  for_each = toset(["a", "b"])

  host = each.key
  vips = ["192.0.2.229"]
}
