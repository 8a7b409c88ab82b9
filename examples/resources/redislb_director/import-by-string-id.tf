import {
  to = redislb_director.a
  id = "a"
}
