# The import id is the name of the host in the provider block.
terraform import 'redislb_director.this["a"]' a
