package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

type trackedInterfaceModel struct {
	Weight types.Int64 `tfsdk:"weight"`
}

type trackedProcessModel struct {
	Process types.String `tfsdk:"process"`
	Quorum  types.Int64  `tfsdk:"quorum"`
	Delay   types.String `tfsdk:"delay"`
	Weight  types.Int64  `tfsdk:"weight"`
}

type trackedScriptModel struct {
	Script   types.String `tfsdk:"script"`
	Interval types.String `tfsdk:"interval"`
	Timeout  types.String `tfsdk:"timeout"`
	Fall     types.Int64  `tfsdk:"fall"`
	Rise     types.Int64  `tfsdk:"rise"`
	User     types.String `tfsdk:"user"`
	Weight   types.Int64  `tfsdk:"weight"`
}

type trackedFileModel struct {
	Path         types.String `tfsdk:"path"`
	InitialValue types.Int64  `tfsdk:"initial_value"`
	Weight       types.Int64  `tfsdk:"weight"`
}

// track is what package keepalived takes, in the order of the names.
func (v *vrrpModel) track() keepalived.Track {
	var t keepalived.Track
	interfaces := mapIn[trackedInterfaceModel](v.TrackInterfaces)
	for _, name := range sortedKeys(interfaces) {
		t.Interfaces = append(t.Interfaces, keepalived.TrackedInterface{Name: name, Weight: int(interfaces[name].Weight.ValueInt64())})
	}
	processes := mapIn[trackedProcessModel](v.TrackProcesses)
	for _, name := range sortedKeys(processes) {
		p := processes[name]
		t.Processes = append(t.Processes, keepalived.TrackedProcess{
			Name: name, Process: p.Process.ValueString(), Quorum: int(p.Quorum.ValueInt64()),
			Delay: mustDuration(p.Delay), Weight: int(p.Weight.ValueInt64()),
		})
	}
	scripts := mapIn[trackedScriptModel](v.TrackScripts)
	for _, name := range sortedKeys(scripts) {
		s := scripts[name]
		t.Scripts = append(t.Scripts, keepalived.TrackedScript{
			Name: name, Command: s.Script.ValueString(), User: s.User.ValueString(), Weight: int(s.Weight.ValueInt64()),
			Interval: mustDuration(s.Interval), Timeout: mustDuration(s.Timeout),
			Fall: int(s.Fall.ValueInt64()), Rise: int(s.Rise.ValueInt64()),
		})
	}
	files := mapIn[trackedFileModel](v.TrackFiles)
	for _, name := range sortedKeys(files) {
		f := files[name]
		t.Files = append(t.Files, keepalived.TrackedFile{
			Name: name, Path: f.Path.ValueString(), Initial: int(f.InitialValue.ValueInt64()), Weight: int(f.Weight.ValueInt64()),
		})
	}
	return t
}

// setTrack is the inverse of track.
func (v *vrrpModel) setTrack(t keepalived.Track) {
	interfaces := map[string]trackedInterfaceModel{}
	for _, i := range t.Interfaces {
		interfaces[i.Name] = trackedInterfaceModel{types.Int64Value(int64(i.Weight))}
	}
	processes := map[string]trackedProcessModel{}
	for _, p := range t.Processes {
		processes[p.Name] = trackedProcessModel{
			types.StringValue(p.Process), types.Int64Value(int64(p.Quorum)), durationValue(p.Delay), types.Int64Value(int64(p.Weight)),
		}
	}
	scripts := map[string]trackedScriptModel{}
	for _, s := range t.Scripts {
		m := trackedScriptModel{
			types.StringValue(s.Command), durationValue(s.Interval), types.StringNull(),
			types.Int64Value(int64(s.Fall)), types.Int64Value(int64(s.Rise)), orNull(s.User), types.Int64Value(int64(s.Weight)),
		}
		if s.Timeout != 0 {
			m.Timeout = durationValue(s.Timeout)
		}
		scripts[s.Name] = m
	}
	files := map[string]trackedFileModel{}
	for _, f := range t.Files {
		files[f.Name] = trackedFileModel{types.StringValue(f.Path), types.Int64Value(int64(f.Initial)), types.Int64Value(int64(f.Weight))}
	}
	v.TrackInterfaces = mapOf("track_interfaces", interfaces)
	v.TrackProcesses = mapOf("track_processes", processes)
	v.TrackScripts = mapOf("track_scripts", scripts)
	v.TrackFiles = mapOf("track_files", files)
}

// vrrpTypes are the types of the attributes of vrrp.
var vrrpTypes = vrrpAttribute().GetType().(types.ObjectType).AttrTypes

func vrrpObject(name string) map[string]attr.Type {
	return vrrpTypes[name].(types.ObjectType).AttrTypes
}

// objectOf is the value of an attribute of vrrp; it panics where value does not fit
// the schema.
func objectOf(name string, value any) types.Object {
	object, diags := types.ObjectValueFrom(context.Background(), vrrpObject(name), value)
	if diags.HasError() {
		panic(diags)
	}
	return object
}

// mapOf is objectOf for a map of objects. An empty one is null, as where the user
// does not write it.
func mapOf[T any](name string, values map[string]T) types.Map {
	element := vrrpTypes[name].(types.MapType).ElemType
	if len(values) == 0 {
		return types.MapNull(element)
	}
	objects, diags := types.MapValueFrom(context.Background(), element, values)
	if diags.HasError() {
		panic(diags)
	}
	return objects
}
