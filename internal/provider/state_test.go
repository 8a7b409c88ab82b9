package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// States of every version since the first, as real applies left them, are read with all
// that they hold. One of an older version than the schema's goes through its upgrader.
func TestStatesThatWereKeptAreReadWhole(t *testing.T) {
	server, err := providerserver.NewProtocol6WithError(New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/state/*.json")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			name := regexp.MustCompile(`^(\w+)\.v(\d+)\.json$`).FindStringSubmatch(filepath.Base(file))
			version, err := strconv.ParseInt(name[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
				TypeName: name[1], Version: version, RawState: &tfprotov6.RawState{JSON: text},
			})
			if err != nil || len(resp.Diagnostics) > 0 {
				t.Fatal(err, resp.Diagnostics)
			}
			schema := schemas.ResourceSchemas[name[1]]
			read[fmt.Sprintf("%s %d", name[1], version)] = true
			got, err := resp.UpgradedState.Unmarshal(schema.ValueType())
			if err != nil {
				t.Fatal(err)
			}
			if version != schema.Version {
				return // what becomes of it is for the test of its upgrader
			}
			// The framework passes over what the schema does not know; this does not.
			want, err := (tfprotov6.RawState{JSON: text}).UnmarshalWithOpts(schema.ValueType(), tfprotov6.UnmarshalOpts{
				ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: false},
			})
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(want) {
				t.Errorf("read as\n%s\nwhich is not what is kept:\n%s", got, want)
			}
		})
	}
	for name, schema := range schemas.ResourceSchemas {
		for version := range schema.Version + 1 {
			if !read[fmt.Sprintf("%s %d", name, version)] {
				t.Errorf("no state of %s of version %d is kept: run TestRunningSystem of package acceptance with -update", name, version)
			}
		}
	}
}
