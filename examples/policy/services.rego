# What the policies beside this file ask of a plan as `terraform show -json` has it.
package main

# before and after are the services of each redislb_vip that the plan changes, by the
# resource's address and by protocol and port, which their clients know them by.
before[change.address][endpoint(service)] := service if {
	some change in changes
	some service in change.change.before.services
}

after[change.address][endpoint(service)] := service if {
	some change in changes
	some service in change.change.after.services
}

changes contains change if {
	some change in input.resource_changes
	change.type == "redislb_vip"
	change.change.actions != ["no-op"]
}

endpoint(service) := sprintf("%s %d", [value(service, "protocol", "tcp"), service.port])

# value is what is written in an object, or the provider's default where nothing is.
value(object_, key, otherwise) := object_[key] if object_[key] != null

value(object_, key, otherwise) := otherwise if object.get(object_, key, null) == null
