# The import id is ADDRESS@DIRECTOR,DIRECTOR…: the VIP without its prefix length,
# and the names of the directors' hosts in the provider block.
terraform import redislb_vip.redis 192.0.2.229@a,b
