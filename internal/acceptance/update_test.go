//go:build acceptance

package acceptance

import (
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// Each change is one apply while connections through the VIP are in use.
func updateInPlaceBreaksNoEstablishedConnection(t *testing.T) []resource.TestStep {
	var (
		connections held
		before      map[int]string
		a           string // Redis of host a
	)
	remember := func() {
		if before == nil {
			aIsMaster(t)
			a = serverID(t, "192.0.2.11")
			connections = hold(t, 8)
		}
		before = connections.alive()
	}
	survive := func(what string, servers ...*string) resource.TestCheckFunc {
		return check(t, func(*testing.T) {
			var ids []string
			for _, s := range servers {
				ids = append(ids, *s)
			}
			connections.survive(what, before, ids...)
		})
	}
	priorities := func(a, b int) config.Variables {
		return config.Variables{"priorities": config.MapVariable(map[string]config.Variable{
			"a": config.IntegerVariable(a), "b": config.IntegerVariable(b),
		})}
	}
	scheduler := config.Variables{"scheduler": config.StringVariable("wlc")}

	update := func(c resource.TestCheckFunc, changes ...config.Variables) resource.TestStep {
		// The connections to what is taken out do not end.
		s := step(append(changes, config.Variables{"drain_timeout": config.StringVariable("3s")})...)
		s.PreConfig = remember
		s.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectNonEmptyPlan()}
		s.Check = c
		return s
	}

	shown := func(s resource.TestStep, name string) resource.TestStep {
		s.ConfigPlanChecks.PreApply = append(s.ConfigPlanChecks.PreApply, example(name))
		return s
	}
	rarer := step(config.Variables{"drain_timeout": config.StringVariable("3s"), "check_interval": config.StringVariable("60s")}, weights(map[string]int{"a": 3, "b": 0}))
	rarer.PlanOnly, rarer.ExpectNonEmptyPlan = true, true
	rarer.ConfigPlanChecks.PostApplyPostRefresh = []plancheck.PlanCheck{example("check_made_rarer")}

	reprioritised := update(check(t, func(t *testing.T) {
		connections.survive("changed priorities: those on the server that was never out", before, a)
		if backup, master := writtenAt(t, hostB()), writtenAt(t, hostA()); backup >= master {
			t.Errorf("the configuration of the master was written at %.2f, that of the backup at %.2f, and not before", master, backup)
		}
	}), scheduler, priorities(110, 90))
	reprioritised.PreConfig = func() {
		remember()
		// Somebody deletes the row of the server that has just come back: that it
		// was once taken out must not hide it.
		hostA().MustExec(t, "ipvsadm -d -t 192.0.2.229:6379 -r 192.0.2.12:6379")
	}
	reprioritised.ConfigPlanChecks.PreApply = append(reprioritised.ConfigPlanChecks.PreApply,
		shows(vipAddress, "a: ipvs tcp 192.0.2.229:6379", "192.0.2.11:6379"))

	return []resource.TestStep{
		step(), // the one service alone from now on
		shown(update(survive("a weight above 0, and one of 0"), weights(map[string]int{"a": 3, "b": 0})), "one_server_drained"),
		rarer,
		shown(update(survive("all weights 0, and another scheduler"), weights(map[string]int{"a": 0, "b": 0}), scheduler), "all_servers_drained"),
		update(survive("a removed real server: those on the other", &a), scheduler, weights(map[string]int{"a": 1})),
		update(survive("an added real server: those on the other", &a), scheduler),
		reprioritised,
		update(check(t, func(t *testing.T) {
			eventually(t, 40*time.Second, "b, now of higher priority, takes the VIP", func() bool { return holdsVIP(hostB()) && !holdsVIP(hostA()) })
			connections.survive("a VIP that moves by a changed priority", before, a)
			connections.close()
		}), scheduler, priorities(110, 150)),
	}
}

// writtenAt is the time of a director's configuration, in seconds.
func writtenAt(t *testing.T, h *lab.Host) float64 {
	t.Helper()
	at, err := strconv.ParseFloat(h.MustExec(t, "date -r /etc/keepalived/keepalived.conf +%s.%N"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
