# Run by `opa test examples/policy`, which finds the plans of examples/policy/plans as
# data.plans.
package main_test

import data.main

plan(was, becomes) := {"resource_changes": [{
	"address": "redislb_vip.redis", "type": "redislb_vip",
	"change": {"actions": ["update"], "before": {"services": was}, "after": becomes},
}]}

redis(servers, check) := {"redis": {"port": 6379, "protocol": null, "check": check, "real_servers": servers}}

two := {"a": {"weight": 1}, "b": {"weight": null}}

denied(input_) := messages if messages := main.deny with input as input_

test_a_real_server_of_two_may_go if {
	count(denied(plan(redis(two, null), {"services": redis({"a": {"weight": 1}}, null)}))) == 0
}

test_the_last_one_may_not if {
	count(denied(plan(redis(two, null), {"services": redis({}, null)}))) == 1
}

test_nor_by_weights_of_0 if {
	count(denied(plan(redis(two, null), {"services": redis({"a": {"weight": 0}, "b": {"weight": 0}}, null)}))) == 1
}

test_nor_with_its_service if {
	count(denied(plan(redis(two, null), {"services": {}}))) == 1
}

test_nor_with_the_vip if {
	count(denied(plan(redis(two, null), null))) == 1
}

test_another_name_for_the_service_is_the_same_service if {
	count(denied(plan(redis(two, null), {"services": {"queue": redis(two, null).redis}}))) == 0
}

test_a_service_without_servers_loses_none if {
	count(denied(plan(redis({"a": {"weight": 0}}, null), {"services": {}}))) == 0
}

test_a_plan_that_creates_is_well if {
	count(denied(plan(null, {"services": redis({"a": {"weight": 0}}, null)}))) == 0
}

lowered(old, new) := denied(plan(redis(two, old), {"services": redis(two, new)}))

test_a_check_may_stay_and_rise if {
	every pair in [
		[null, {"type": "tcp", "interval": "6s", "retries": 2}],
		[null, {"type": "redis"}],
		[{"type": "http"}, {"type": "script"}],
		[{"type": "redis", "redis": {"mode": "ping"}}, {"type": "redis", "redis": {"mode": "writable"}}],
		[{"interval": "1m"}, {"interval": "5s"}],
	] {
		count(lowered(pair[0], pair[1])) == 0
	}
}

test_a_check_may_not_be_lowered if {
	every pair in [
		[null, {"type": "none"}],
		[{"type": "redis"}, null],
		[{"type": "redis", "redis": {"mode": "writable"}}, {"type": "redis"}],
		[null, {"interval": "7s"}],
		[{"timeout": "500ms"}, null],
		[null, {"retries": 3}],
		[null, {"retry_delay": "1500ms"}],
	] {
		count(lowered(pair[0], pair[1])) == 1
	}
}

test_plans_of_the_provider_are_judged if {
	judged := {name: messages | some name, plan_ in data.plans; messages := denied(plan_)}
	judged == {
		"one_server_drained": set(),
		"all_servers_drained": {"redislb_vip.redis: tcp 6379 is left without a real server that gets connections; before the plan it has a"},
		"check_made_rarer": {"redislb_vip.redis: the check of tcp 6379 is lowered: its interval from 2s to 60s"},
	}
}
