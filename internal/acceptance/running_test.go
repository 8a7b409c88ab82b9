//go:build acceptance

package acceptance

import (
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
)

// TestRunningSystem is the life of one system, which takes minutes to set up: what drift
// is and what is none, what the machines do by themselves, and changes in place. The
// output names what each step is of.
func TestRunningSystem(t *testing.T) {
	furnished(t)
	apply := step()
	apply.Check = check(t, aIsMaster)
	apply.ConfigStateChecks = []statecheck.StateCheck{kept{directorA, serverA, vipAddress}}
	resource.Test(t, resource.TestCase{Steps: slices.Concat(
		rich([]resource.TestStep{apply}),
		named(t, "drift", rich(driftIsSeenAndHealed(t))),
		named(t, "harmless event", rich(harmlessEventsAreNoDrift(t))),
		named(t, "survival", rich(systemSurvivesWithoutTerraform(t))),
		named(t, "update", updateInPlaceBreaksNoEstablishedConnection(t)),
	)})
}

// named has each step say which it is when it begins.
func named(t *testing.T, part string, steps []resource.TestStep) []resource.TestStep {
	for i := range steps {
		before := steps[i].PreConfig
		steps[i].PreConfig = func() {
			t.Logf("%s %d of %d", part, i+1, len(steps))
			if before != nil {
				before()
			}
		}
	}
	return steps
}
