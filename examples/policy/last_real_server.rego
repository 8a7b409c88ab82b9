# Refuses a plan that leaves a service of a VIP without a real server that gets
# connections: the last one removed, or the weight of all at 0, or the service or the
# VIP gone with them.
package main

deny contains message if {
	some address, services in before
	some name, service in services
	serving(service)
	not served_after(address, name)
	message := sprintf("%s: %s is left without a real server that gets connections; before the plan it has %s", [address, name, concat(", ", sort(servers(service)))])
}

served_after(address, name) if serving(after[address][name])

serving(service) if count(servers(service)) > 0

# A weight that is not known before the apply counts as one.
servers(service) := {name |
	some name, server in service.real_servers
	value(server, "weight", 1) > 0
}
