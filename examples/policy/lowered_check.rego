# Refuses a plan that lowers the check of a service which stays: to one that sees less,
# to one that is made less often, or to one that takes a sick server out later.
package main

deny contains message if {
	some address, services in before
	some name, service in services
	old := value(service, "check", {})
	new := value(after[address][name], "check", {})
	some reason in lowered(old, new)
	message := sprintf("%s: the check of %s is lowered: %s", [address, name, reason])
}

# sees is how much a check sees, from nothing to whether the service does its work.
sees(check) := {"none": 0, "tcp": 1, "http": 2, "script": 2, "redis": 2}[value(check, "type", "tcp")]

# asks is the same among the modes of a check of Redis.
asks(check) := {"ping": 0, "master": 1, "writable": 2}[value(value(check, "redis", {}), "mode", "ping")]

lowered(old, new) := union({
	{sprintf("its type from %s to %s", [value(old, "type", "tcp"), value(new, "type", "tcp")]) |
		sees(new) < sees(old)
	},
	{sprintf("its mode from %s to %s", [value(value(old, "redis", {}), "mode", "ping"), value(value(new, "redis", {}), "mode", "ping")]) |
		value(old, "type", "tcp") == "redis"
		value(new, "type", "tcp") == "redis"
		asks(new) < asks(old)
	},
	{sprintf("its %s from %s to %s", [name, from, to]) |
		some name, default_ in {"interval": "6s", "timeout": "3s", "retry_delay": "1s"}
		from := value(old, name, default_)
		to := value(new, name, default_)
		time.parse_duration_ns(to) > time.parse_duration_ns(from)
	},
	{sprintf("its retries from %d to %d", [from, to]) |
		from := value(old, "retries", 2)
		to := value(new, "retries", 2)
		to > from
	},
})
