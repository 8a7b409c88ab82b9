package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
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
func reading(t *testing.T, construct func() resource.Resource, f *fleet, values ...map[string]any) (before tfsdk.State, resp resource.ReadResponse) {
	t.Helper()
	r := construct()
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
	f, diags := newFleet(t.Context(), providerModel{Hosts: types.MapUnknown(types.ObjectType{})}, overSSH)
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

func TestReadOfAVIPWarnsOfWhatIsNotAsItShouldBe(t *testing.T) {
	for holder, want := range map[string]string{"a": "", "nobody": "VIP Held by No Director"} {
		_, vips := newPair(t, holder)
		_, resp := reading(t, newVIPResource, vips.fleet, map[string]any{"address": sharedVIP.Address.Addr().String(), "directors": []string{"a", "b"}})
		var got string
		for _, d := range resp.Diagnostics {
			got += d.Summary()
		}
		if got != want || resp.Diagnostics.HasError() || resp.State.Raw.IsNull() {
			t.Errorf("held by %s: got %v, want %q", holder, resp.Diagnostics, want)
		}
	}
}

func TestReadEndsAfterItsOwnTimeout(t *testing.T) {
	mute := remotetest.NewServer(t, remotetest.Options{Mute: true})
	a := hostValue(t, connectionModel{}, text("127.0.0.1"))
	f, diags := newFleet(t.Context(), providerModel{
		connectionModel: connectionModel{Port: types.Int64Value(int64(mute.Port())), Password: text("x"), KnownHosts: text(mute.KnownHosts()), DialTimeout: text("4s")},
		Hosts:           types.MapValueMust(a.Type(t.Context()), map[string]attr.Value{"a": a}),
	}, overSSH)
	if diags.HasError() {
		t.Fatal(diags)
	}
	limits := struct {
		Create *string `tfsdk:"create"`
		Read   string  `tfsdk:"read"`
		Update *string `tfsdk:"update"`
		Delete *string `tfsdk:"delete"`
	}{Read: "200ms"}
	start := time.Now()
	for name, c := range everyResource {
		_, resp := reading(t, c.make, f, c.state, map[string]any{"artifacts": map[string]string{}, "timeouts": limits})
		if !resp.Diagnostics.HasError() || !strings.Contains(resp.Diagnostics[0].Detail(), "deadline exceeded") {
			t.Errorf("%s: got %v", name, resp.Diagnostics)
		}
	}
	if d := time.Since(start); d > 8*time.Second {
		t.Errorf("it took %s", d)
	}
	for start := time.Now(); mute.Open() > 0; time.Sleep(20 * time.Millisecond) { // until the dial is given up
		if time.Since(start) > time.Minute {
			t.Fatalf("%d connections outlive the reads", mute.Open())
		}
	}
}
