//go:build acceptance

package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-testing/statecheck"
)

// kept sees to it that the state of one resource of each kind is kept for package
// provider, which must read it for ever. With -update it writes what is missing, which is
// what a new version of a schema has: what is there was the state of some release.
type kept []string

func (addresses kept) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	found := 0
	for _, address := range addresses {
		for _, r := range req.State.Values.RootModule.Resources {
			if r.Address != address {
				continue
			}
			found++
			file := filepath.Join("../provider/testdata/state", fmt.Sprintf("%s.v%d.json", r.Type, r.SchemaVersion))
			_, err := os.Stat(file)
			if errors.Is(err, os.ErrNotExist) && *update {
				var text []byte
				if text, err = json.MarshalIndent(r.AttributeValues, "", "  "); err == nil {
					err = os.WriteFile(file, append(text, '\n'), 0o644)
				}
			}
			resp.Error = errors.Join(resp.Error, err)
		}
	}
	if found != len(addresses) {
		resp.Error = errors.Join(resp.Error, fmt.Errorf("of the resources %v there are %d in the state", addresses, found))
	}
}
