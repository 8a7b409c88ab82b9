package provider

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// everyOption is a director with all that vrrp can say.
func everyOption() keepalived.Director {
	return keepalived.Director{
		Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: 100,
		Version3: true, AdvertInterval: 300 * time.Millisecond, PreemptDelay: 15 * time.Second,
		Unicast: &keepalived.Unicast{Source: netip.MustParseAddr("192.0.2.11"), Peers: []netip.Addr{netip.MustParseAddr("192.0.2.12"), netip.MustParseAddr("192.0.2.13")}},
		GARP:    &keepalived.GARP{MasterDelay: time.Second, MasterRepeat: 3, MasterRefresh: time.Minute, MasterRefreshRepeat: 2, LowerPrioDelay: 0, LowerPrioRepeat: 0},
		Track: keepalived.Track{
			Interfaces: []keepalived.TrackedInterface{{Name: "eth1", Weight: -50}, {Name: "eth2", Weight: 0}},
			Processes:  []keepalived.TrackedProcess{{Name: "redis", Process: "redis-server", Quorum: 2, Delay: 1500 * time.Millisecond, Weight: -50}},
			Scripts: []keepalived.TrackedScript{
				{Name: "ping", Command: "/bin/ping -c 1 192.0.2.1", Interval: 5 * time.Second, Timeout: 2 * time.Second, Fall: 3, Rise: 2, User: "nobody", Weight: -20},
				{Name: "ready", Command: "/bin/true", Interval: time.Second, Fall: 1, Rise: 1, Weight: 0},
			},
			Files: []keepalived.TrackedFile{{Name: "drain", Path: "/run/drain", Initial: -1, Weight: 2}},
		},
		Notify: keepalived.Notify{Master: "/bin/hook master", Stop: "/bin/hook"},
	}
}

func TestOptionsOfVRRPAreTheSameAfterAnImport(t *testing.T) {
	plain := everyOption()
	plain.Version3, plain.Unicast, plain.GARP, plain.Track, plain.Notify = false, nil, nil, keepalived.Track{}, keepalived.Notify{}
	plain.AdvertInterval = time.Second
	noPreempt := everyOption()
	noPreempt.NoPreempt, noPreempt.PreemptDelay, noPreempt.Unicast.Source = true, 0, netip.Addr{}
	for name, d := range map[string]keepalived.Director{"plain": plain, "every option": everyOption(), "no preemption": noPreempt} {
		if got := vrrpOf(d).director(); !reflect.DeepEqual(got, d) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, d)
		}
		if !vrrpOf(d).known(t.Context()) {
			t.Errorf("%s: something is unknown", name)
		}
	}
}

func TestWhatIsImportedIsADefaultWhereNothingWasWritten(t *testing.T) {
	d := everyOption()
	d.Track, d.Notify, d.NoPreempt, d.PreemptDelay = keepalived.Track{}, keepalived.Notify{}, true, 0
	v := vrrpOf(d)
	if !v.TrackInterfaces.IsNull() || !v.TrackProcesses.IsNull() || !v.TrackScripts.IsNull() || !v.TrackFiles.IsNull() || !v.Notify.IsNull() {
		t.Errorf("an empty map or object is not null: %+v", v)
	}
	if got := v.PreemptDelay.ValueString(); got != defaultPreemptDelay {
		t.Errorf("preempt_delay is %q", got)
	}
}

// A state of the first version has none of the attributes that came later.
func TestStateWithoutTheNewerOptionsMeansTheirDefaults(t *testing.T) {
	d := everyOption()
	d.Version3, d.Unicast, d.GARP, d.Track, d.Notify, d.AdvertInterval = false, nil, nil, keepalived.Track{}, keepalived.Notify{}, time.Second
	v := &vrrpModel{
		Instance: types.StringValue("VI_1"), Interface: types.StringValue("eth0"), VirtualRouterID: types.Int64Value(51), Priority: types.Int64Value(100),
		AdvertInterval: types.StringValue("1s"), PreemptDelay: types.StringValue("15s"),
	}
	if got := v.director(); !reflect.DeepEqual(got, d) {
		t.Errorf("got %+v\nwant %+v", got, d)
	}
}

// kept is a director as a plan or state has it, with the artifacts that follow.
func kept(pass string, version int64) directorModel {
	m := directorModel{Host: types.StringValue("a"), VRRP: vrrpOf(redisVRRP())}
	m.VRRP.AuthPass = types.StringValue(pass)
	spec := m.spec("")
	*spec.PasswordVersion = version
	m.Artifacts = artifactsValue(host.Wanted(spec.Artifacts()))
	return m
}

func redisVRRP() keepalived.Director {
	return keepalived.Director{Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: 100, AdvertInterval: time.Second, PreemptDelay: 15 * time.Second}
}

func TestKeptPasswordHasAnotherVersionIffItChanges(t *testing.T) {
	onHost := func(version int64) *host.Snapshot {
		text, err := keepalived.RenderKeptAuth("x", version)
		if err != nil {
			t.Fatal(err)
		}
		return &host.Snapshot{Files: map[string]host.FileState{keepalived.AuthPath: {Content: text}}}
	}
	without := kept("old", 4)
	without.VRRP.AuthPass, without.Artifacts = types.StringNull(), artifactsValue(nil)
	state := kept("old", 4)
	imported := kept("", 4)
	for name, c := range map[string]struct {
		plan  string
		prior *directorModel
		s     *host.Snapshot
		want  int64
	}{
		"new":                          {"old", nil, nil, 1},
		"new, nothing on the host":     {"old", nil, &host.Snapshot{}, 1},
		"new, a file is on the host":   {"old", nil, onHost(7), 8},
		"the same":                     {"old", &state, onHost(4), 4},
		"the same, host not reached":   {"old", &state, nil, 4},
		"changed":                      {"new", &state, onHost(4), 5},
		"changed, and behind the host": {"new", &state, onHost(9), 10},
		"imported":                     {"old", &imported, onHost(4), 5},
		"first password":               {"old", &without, nil, 1},
	} {
		if got := kept(c.plan, 0).nextVersion(c.prior, c.s); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestKeptPasswordIsInNoArtifact(t *testing.T) {
	m := kept("Sesame", 3)
	for key, text := range textsIn(m.Artifacts, "") {
		if strings.Contains(text, "Sesame") {
			t.Errorf("%s shows it:\n%s", key, text)
		}
	}
	if got := m.keptVersion(); got != 3 {
		t.Errorf("version %d", got)
	}
	spec := m.spec("")
	if spec.Password != "Sesame" || *spec.PasswordVersion != 3 || !spec.PasswordKept {
		t.Errorf("positive control: %+v", spec)
	}
}

func TestNoPreemptionIsAWarningAndNoError(t *testing.T) {
	for preempt, want := range map[types.Bool]int{types.BoolValue(false): 1, types.BoolValue(true): 0, types.BoolNull(): 0, types.BoolUnknown(): 0} {
		v := vrrpOf(redisVRRP())
		v.Preempt, v.PreemptDelay = preempt, types.StringNull()
		var diags diag.Diagnostics
		v.validate(t.Context(), &diags)
		if diags.HasError() || diags.WarningsCount() != want {
			t.Errorf("%v: %v", preempt, diags)
		}
		if want > 0 && !strings.Contains(diags[0].Detail(), "cannot move the VIPs here") {
			t.Errorf("%v", diags)
		}
	}
}

func TestValuesThatAreNotKnownYetAreNotJudged(t *testing.T) {
	v := vrrpOf(everyOption())
	v.Version, v.PreemptDelay, v.Interface, v.Preempt = types.Int64Unknown(), types.StringUnknown(), types.StringUnknown(), types.BoolUnknown()
	v.AuthPass, v.Unicast, v.Notify = types.StringUnknown(), types.ObjectUnknown(vrrpObject("unicast")), types.ObjectUnknown(vrrpObject("notify"))
	v.TrackScripts = types.MapUnknown(vrrpTypes["track_scripts"].(types.MapType).ElemType)
	var diags diag.Diagnostics
	v.validate(t.Context(), &diags)
	if len(diags) > 0 {
		t.Errorf("%v", diags)
	}
	if v.known(t.Context()) {
		t.Error("it counts as known")
	}
}

func TestDurationsOfVRRPSurviveTheWayThroughTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := everyOption()
		d.AdvertInterval = time.Duration(rapid.IntRange(1, 4095).Draw(t, "advert")) * 10 * time.Millisecond
		d.PreemptDelay = time.Duration(rapid.IntRange(0, 1000_000).Draw(t, "delay")) * time.Millisecond
		d.Track.Processes[0].Delay = time.Duration(rapid.IntRange(0, 3600_000).Draw(t, "process")) * time.Millisecond
		if err := unfit(d); err != nil {
			t.Fatal(err)
		}
		if got := vrrpOf(d).director(); !reflect.DeepEqual(got, d) {
			t.Fatalf("got %+v\nwant %+v", got, d)
		}
	})
}

func TestDirectorIsValidatedBeforeItsOptionsAreKnown(t *testing.T) {
	r := newDirectorResource()
	var schema resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	wrong := vrrpOf(redisVRRP())
	wrong.AdvertInterval, wrong.PreemptDelay = types.StringValue("500ms"), types.StringNull()
	unknown := types.ObjectUnknown(vrrpTypes)
	for name, c := range map[string]struct {
		vrrp   any
		errors int
	}{"unknown": {unknown, 0}, "wrong": {wrong, 1}, "right": {vrrpOf(redisVRRP()), 0}} {
		state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil)}
		if diags := state.SetAttribute(t.Context(), path.Root("vrrp"), c.vrrp); diags.HasError() {
			t.Fatal(diags)
		}
		var resp resource.ValidateConfigResponse
		r.(resource.ResourceWithValidateConfig).ValidateConfig(t.Context(), resource.ValidateConfigRequest{Config: tfsdk.Config(state)}, &resp)
		if resp.Diagnostics.ErrorsCount() != c.errors {
			t.Errorf("%s: %v", name, resp.Diagnostics)
		}
	}
}

func TestStateOfTheFirstVersionIsReadByTheServer(t *testing.T) {
	server, schemas := served(t)
	resp, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: "redislb_director",
		Version:  schemas.ResourceSchemas["redislb_director"].Version,
		RawState: &tfprotov6.RawState{JSON: []byte(`{"id":"a","host":"a","install":true,"adopt":false,"loop_guard":"backup_only","artifacts":{},"timeouts":null,
			"vrrp":{"instance":"VI_1","interface":"eth0","virtual_router_id":51,"priority":100,"advert_interval":"1s","preempt_delay":"15s","auth_pass_wo":null,"auth_pass_wo_version":1}}`)},
	})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatal(err, resp)
	}
}

func TestDrainIsTheSameAfterAnImport(t *testing.T) {
	for _, on := range []bool{false, true} {
		files := map[string]host.FileState{}
		m := directorModel{Host: types.StringValue("a"), Drain: types.BoolValue(on), VRRP: vrrpOf(redisVRRP())}
		for _, a := range m.spec("").Artifacts() {
			if f, ok := a.(host.File); ok {
				files[f.Path] = host.FileState{Content: f.Content}
			}
		}
		imported := directorModel{Host: m.Host}
		if err := imported.fill(&host.Snapshot{Files: files}); err != nil {
			t.Fatal(err)
		}
		if !imported.Drain.Equal(m.Drain) {
			t.Errorf("%v became %v", m.Drain, imported.Drain)
		}
	}
}
