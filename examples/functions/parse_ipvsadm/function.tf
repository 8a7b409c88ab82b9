# `ssh director ipvsadm -Sn >table.txt`, of a system that is to come under Terraform.
locals {
  table = provider::redislb::parse_ipvsadm(file("table.txt"))
}

output "weights" {
  value = {
    for name, s in local.table.services : name => { for server, d in s.destinations : server => d.weight }
  }
}
