resource "redislb_vip" "redis" {
  address   = "192.0.2.229/24"
  directors = [for d in redislb_director.this : d.host]

  services = {
    redis = {
      port      = 6379
      scheduler = "rr"
      check     = { type = "tcp", interval = "6s", timeout = "3s" }
      real_servers = {
        for name, r in redislb_realserver.this : name => { address = r.address, weight = 1 }
      }
    }
  }
}
