//go:build acceptance

package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

var update = flag.Bool("update", false, "write the plans of examples/policy anew")

// example is the check of a plan that it is the one of that name in examples/policy, on
// which the policies there are tried: what a plan says of VIPs, as Terraform shows it.
type example string

func (e example) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = e.compare(req.Plan)
}

func (e example) compare(plan *tfjson.Plan) error {
	changes := slices.DeleteFunc(slices.Clone(plan.ResourceChanges), func(c *tfjson.ResourceChange) bool {
		return c.Type != "redislb_vip" || c.Change.Actions.NoOp()
	})
	if len(changes) == 0 {
		return fmt.Errorf("%s: the plan changes no VIP", e)
	}
	text, err := json.MarshalIndent(map[string]any{"format_version": plan.FormatVersion, "resource_changes": changes}, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	file := filepath.Join("../../examples/policy/plans", string(e), "plan.json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, text, 0o644)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(kept, text) {
		return fmt.Errorf("the plan is not the one of %s, which the policies are tried on: if that is meant, run the test with -update, and the policies. It is\n%s", file, text)
	}
	return nil
}
