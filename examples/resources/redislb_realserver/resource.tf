resource "redislb_realserver" "this" {
  for_each = toset(["a", "b"])

  host = each.key
  vips = ["192.0.2.229"]
}

# With a Redis of its own on it; examples/cross_replicas adds replicas.
resource "redislb_realserver" "with_redis" {
  host = "c"
  vips = ["192.0.2.229"]

  redis = {
    main = {
      port                = 6379
      maxmemory           = "2gb"
      password_wo         = var.redis_password
      password_wo_version = 1
    }
  }
}
