import {
  to = redislb_realserver.a
  id = "a"
}
