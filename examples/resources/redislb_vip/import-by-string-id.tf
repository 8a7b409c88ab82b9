import {
  to = redislb_vip.redis
  id = "192.0.2.229@a,b"
}
