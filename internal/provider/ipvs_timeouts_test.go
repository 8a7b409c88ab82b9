package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestTimeoutsAreTheSameAfterAnImport(t *testing.T) {
	for _, timeouts := range []keepalived.IPVSTimeouts{
		{}, {TCP: 15 * time.Minute}, {TCPFin: time.Second}, {UDP: 90 * time.Second}, {TCP: 24 * 24 * time.Hour, TCPFin: time.Minute, UDP: time.Hour},
	} {
		files := map[string]host.FileState{}
		m := directorModel{Host: types.StringValue("a"), VRRP: vrrpOf(redisVRRP()), IPVSTimeouts: ipvsTimeoutsOf(timeouts)}
		for _, a := range m.spec("").Artifacts() {
			if f, ok := a.(host.File); ok {
				files[f.Path] = host.FileState{Content: f.Content}
			}
		}
		imported := directorModel{Host: m.Host}
		if err := imported.fill(&host.Snapshot{Files: files}); err != nil {
			t.Fatal(err)
		}
		if !imported.IPVSTimeouts.Equal(m.IPVSTimeouts) || ipvsTimeoutsIn(imported.IPVSTimeouts) != timeouts {
			t.Errorf("%v became %v", m.IPVSTimeouts, imported.IPVSTimeouts)
		}
	}
}

func TestTimeoutBelowTwoKeepalivesOfRedisIsAWarning(t *testing.T) {
	r := newDirectorResource()
	var schema resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	of := func(tcp types.String) ipvsTimeoutsModel {
		return ipvsTimeoutsModel{tcp, types.StringValue("1s"), types.StringValue("1s")}
	}
	for name, c := range map[string]struct {
		timeouts any
		warnings int
	}{
		"none": {types.ObjectNull(ipvsTimeoutsTypes), 0}, "unknown": {types.ObjectUnknown(ipvsTimeoutsTypes), 0},
		"tcp left out": {of(types.StringNull()), 0}, "tcp unknown": {of(types.StringUnknown()), 0},
		"long": {of(types.StringValue("600s")), 0}, "short": {of(types.StringValue("9m59s")), 1},
	} {
		state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil)}
		if diags := state.SetAttribute(t.Context(), path.Root("ipvs_timeouts"), c.timeouts); diags.HasError() {
			t.Fatal(diags)
		}
		var resp resource.ValidateConfigResponse
		r.(resource.ResourceWithValidateConfig).ValidateConfig(t.Context(), resource.ValidateConfigRequest{Config: tfsdk.Config(state)}, &resp)
		if resp.Diagnostics.HasError() || resp.Diagnostics.WarningsCount() != c.warnings {
			t.Errorf("%s: %v", name, resp.Diagnostics)
		}
		if c.warnings > 0 && !strings.Contains(resp.Diagnostics[0].Detail(), "silent for 9m59s") {
			t.Errorf("%s: %v", name, resp.Diagnostics)
		}
	}
}

func TestTimeoutThatIsNotKnownYetLeavesTheArtifactsUnknown(t *testing.T) {
	m := directorModel{Host: types.StringValue("a"), VRRP: vrrpOf(redisVRRP()), IPVSTimeouts: ipvsTimeoutsOf(keepalived.IPVSTimeouts{TCP: time.Hour})}
	if !m.known(t.Context()) {
		t.Error("positive control: it counts as unknown")
	}
	m.IPVSTimeouts = types.ObjectUnknown(ipvsTimeoutsTypes)
	if m.known(t.Context()) {
		t.Error("it counts as known")
	}
}
