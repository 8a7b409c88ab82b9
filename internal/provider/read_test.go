package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// everyResource has what the state of each kind needs for a Read.
var everyResource = map[string]struct {
	make  func() resource.Resource
	state map[string]any
}{
	"Real Server": {newRealServerResource, map[string]any{"host": "a"}},
	"Director":    {newDirectorResource, map[string]any{"host": "a"}},
	"VIP":         {newVIPResource, map[string]any{"address": "192.0.2.229/24", "directors": []string{"a"}}},
}

// reading calls Read with a state of these values; the others are null.
func reading(t *testing.T, make func() resource.Resource, f *fleet, values ...map[string]any) (before tfsdk.State, resp resource.ReadResponse) {
	t.Helper()
	r := make()
	r.(resource.ResourceWithConfigure).Configure(t.Context(), resource.ConfigureRequest{ProviderData: f}, &resource.ConfigureResponse{})
	var schema resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	before = tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil)}
	for _, some := range values {
		for name, value := range some {
			if diags := before.SetAttribute(t.Context(), path.Root(name), value); diags.HasError() {
				t.Fatal(diags)
			}
		}
	}
	resp.State = before // as the framework does
	r.Read(t.Context(), resource.ReadRequest{State: before}, &resp)
	return before, resp
}

func TestResourceOnAHostThatIsNotKnownYetStaysInTheStateWithAWarning(t *testing.T) {
	f, diags := newFleet(t.Context(), providerModel{Hosts: types.MapUnknown(types.ObjectType{})})
	if diags.HasError() {
		t.Fatal(diags)
	}
	for name, c := range everyResource {
		before, resp := reading(t, c.make, f, c.state, map[string]any{"artifacts": map[string]string{"unit x": "enabled"}})
		if resp.Diagnostics.HasError() || resp.Diagnostics.WarningsCount() != 1 || !strings.Contains(resp.Diagnostics[0].Detail(), `host "a"`) {
			t.Errorf("%s: got %v, want a warning that names the host", name, resp.Diagnostics)
		}
		if !resp.State.Raw.Equal(before.Raw) {
			t.Errorf("%s: the state became %v", name, resp.State.Raw)
		}
		// An import would put nothing but the id into the state.
		if _, resp := reading(t, c.make, f, c.state); !resp.Diagnostics.HasError() {
			t.Errorf("%s: imported without a look at the host", name)
		}
	}
}
