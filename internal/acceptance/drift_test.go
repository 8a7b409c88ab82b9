//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// Each mutation of the matrix must show in the plan, where it belongs and nowhere else,
// and be gone after one apply that moves no VIP and loses no connection.
func driftIsSeenAndHealed(t *testing.T) []resource.TestStep {
	var connections held
	var before map[int]string
	rows := 0
	var steps []resource.TestStep
	for _, round := range driftMatrix {
		rows += len(round)
		mutate := func() {
			if before == nil {
				connections = hold(t, 6)
			}
			before = connections.alive()
			for _, h := range hosts() {
				commands := "set -e"
				for _, m := range round {
					if m.host == h.Name {
						commands += "\n" + m.by
					}
				}
				h.MustExec(t, commands)
			}
			hostA().MustExec(t, "setsid ip -o monitor address dev eth0 >/tmp/moves 2>&1 </dev/null & echo $! >/tmp/moves.pid")
		}
		s := drift(mutate, onlyShows{t, round})
		s.Check = check(t, func(t *testing.T) {
			moves := hostA().MustExec(t, "kill $(cat /tmp/moves.pid); cat /tmp/moves")
			if !holdsVIP(hostA()) || holdsVIP(hostB()) || strings.Contains(moves, " 192.0.2.229/") {
				t.Errorf("healing moved the VIP:\n%s", moves)
			}
			connections.survive("healing", before)
		})
		steps = append(steps, s)
	}
	last := &steps[len(steps)-1]
	last.Check = resource.ComposeTestCheckFunc(last.Check, check(t, func(*testing.T) {
		connections.close()
		t.Logf("%d mutations in %d rounds: each seen where it belongs, nothing else, and healed", rows, len(driftMatrix))
	}))
	return steps
}

// onlyShows is the check of a plan that updates in place what the mutations are of, and
// changes those artifacts alone. The test goes on where it fails, to tell of all rounds.
type onlyShows struct {
	t     *testing.T
	round []mutation
}

func (c onlyShows) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, _ *plancheck.CheckPlanResponse) {
	type at struct{ resource, artifact string }
	found := map[at]string{} // of what the plan changes
	missing := map[at]bool{} // of it, what is not there at all
	var errs []error
	for _, r := range req.Plan.ResourceChanges {
		if !r.Change.Actions.NoOp() && !r.Change.Actions.Update() && !r.Change.Actions.Read() {
			errs = append(errs, fmt.Errorf("%s: the plan is %v, want an update in place", r.Address, r.Change.Actions))
		}
		before, after := artifactsOf(r.Change.Before), artifactsOf(r.Change.After)
		for name := range after {
			if text, ok := before[name]; !ok || text != after[name] {
				found[at{r.Address, name}], missing[at{r.Address, name}] = text, !ok
			}
		}
		for name := range before {
			if _, ok := after[name]; !ok {
				errs = append(errs, fmt.Errorf("%s: artifact %q is not planned", r.Address, name))
			}
		}
	}
	named := map[at]bool{}
	for _, m := range c.round {
		for _, p := range m.shows {
			where := at{p.resource, p.artifact}
			named[where] = true
			text, changes := found[where]
			switch {
			case !changes:
				errs = append(errs, fmt.Errorf("%s on %s: %s has no change of %q", m.name, m.host, p.resource, p.artifact))
			case p.found == "" && !missing[where]:
				errs = append(errs, fmt.Errorf("%s on %s: %q of %s should be missing, found\n%s", m.name, m.host, p.artifact, p.resource, text))
			case p.found != "" && (missing[where] || !regexp.MustCompile(p.found).MatchString(text)):
				errs = append(errs, fmt.Errorf("%s on %s: %q of %s should show %s, found (missing: %v)\n%s", m.name, m.host, p.artifact, p.resource, p.found, missing[where], text))
			}
		}
	}
	for where, text := range found {
		if !named[where] {
			errs = append(errs, fmt.Errorf("no mutation is of %q of %s, which was found (missing: %v) as\n%s", where.artifact, where.resource, missing[where], text))
		}
	}
	if err := errors.Join(errs...); err != nil {
		c.t.Error(err)
	}
}

func artifactsOf(side any) map[string]string {
	object, _ := side.(map[string]any)
	values, _ := object["artifacts"].(map[string]any)
	texts := map[string]string{}
	for name, value := range values {
		texts[name], _ = value.(string)
	}
	return texts
}
