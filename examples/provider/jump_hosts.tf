provider "redislb" {
  private_key_file = "~/.ssh/id_ed25519"
  jump_hosts       = ["bastion"] # for all hosts but the bastion itself

  hosts = {
    bastion = {
      address  = "bastion.example.com"
      user     = "jump"
      port     = 2222
      host_key = file("bastion_host_key.pub")
    }
    a = { address = "10.0.0.11", host_ca = file("host_ca.pub") }
    b = { address = "10.0.0.12", host_ca = file("host_ca.pub") }
  }
}
