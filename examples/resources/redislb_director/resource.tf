resource "redislb_director" "this" {
  for_each = { a = 100, b = 99 }

  host = each.key
  vrrp = {
    interface            = "eth0"
    virtual_router_id    = 51
    priority             = each.value
    auth_pass_wo         = var.vrrp_password
    auth_pass_wo_version = 1
  }
}
