package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The types of the nested objects, for values that an import makes. The attributes
// have them as their CustomType too: the framework asks for the type of every value
// that it meets, and builds it anew each time where it is not given.
var (
	httpType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"path": types.StringType, "host": types.StringType, "tls": types.BoolType, "status": types.StringType,
	}}
	redisType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"mode": types.StringType, "username": types.StringType,
		"password_wo": types.StringType, "password_wo_version": types.Int64Type, "tls": types.BoolType, "ca_file": types.StringType, "cert_file": types.StringType, "server_name": types.StringType,
	}}
	checkType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"type": types.StringType, "interval": types.StringType, "timeout": types.StringType,
		"retries": types.Int64Type, "retry_delay": types.StringType, "port": types.Int64Type,
		"http": httpType, "redis": redisType, "script": types.StringType,
	}}
	persistenceType = types.ObjectType{AttrTypes: map[string]attr.Type{"timeout": types.StringType, "mask": types.StringType}}
	quorumType      = types.ObjectType{AttrTypes: map[string]attr.Type{
		"weight": types.Int64Type, "hysteresis": types.Int64Type, "up": types.StringType, "down": types.StringType,
	}}
	sorryType     = types.ObjectType{AttrTypes: map[string]attr.Type{"address": types.StringType, "port": types.Int64Type}}
	thresholdType = types.ObjectType{AttrTypes: map[string]attr.Type{"upper": types.Int64Type, "lower": types.Int64Type}}
	serverType    = types.ObjectType{AttrTypes: map[string]attr.Type{
		"address": types.StringType, "port": types.Int64Type, "weight": types.Int64Type, "connections": thresholdType,
	}}
	vipVRRPType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"virtual_router_id": types.Int64Type, "priorities": types.MapType{ElemType: types.Int64Type},
	}}
	serviceType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"port": types.Int64Type, "fwmark": types.Int64Type, "protocol": types.StringType, "forwarding": types.StringType,
		"scheduler": types.StringType, "scheduler_flags": types.SetType{ElemType: types.StringType}, "one_packet": types.BoolType,
		"persistence": persistenceType, "check": checkType, "inhibit_on_failure": types.BoolType,
		"quorum": quorumType, "sorry_server": sorryType,
		"real_servers": types.MapType{ElemType: serverType},
	}}
)

type vipVRRPModel struct {
	VirtualRouterID types.Int64 `tfsdk:"virtual_router_id"`
	Priorities      types.Map   `tfsdk:"priorities"`
}

type serviceModel struct {
	Port             types.Int64  `tfsdk:"port"`
	FWMark           types.Int64  `tfsdk:"fwmark"`
	Protocol         types.String `tfsdk:"protocol"`
	Forwarding       types.String `tfsdk:"forwarding"`
	Scheduler        types.String `tfsdk:"scheduler"`
	SchedulerFlags   types.Set    `tfsdk:"scheduler_flags"`
	OnePacket        types.Bool   `tfsdk:"one_packet"`
	Persistence      types.Object `tfsdk:"persistence"`
	Check            types.Object `tfsdk:"check"`
	InhibitOnFailure types.Bool   `tfsdk:"inhibit_on_failure"`
	Quorum           types.Object `tfsdk:"quorum"`
	SorryServer      types.Object `tfsdk:"sorry_server"`
	RealServers      types.Map    `tfsdk:"real_servers"`
}

type persistenceModel struct {
	Timeout types.String `tfsdk:"timeout"`
	Mask    types.String `tfsdk:"mask"`
}

type quorumModel struct {
	Weight     types.Int64  `tfsdk:"weight"`
	Hysteresis types.Int64  `tfsdk:"hysteresis"`
	Up         types.String `tfsdk:"up"`
	Down       types.String `tfsdk:"down"`
}

type sorryModel struct {
	Address types.String `tfsdk:"address"`
	Port    types.Int64  `tfsdk:"port"`
}

type checkModel struct {
	Type       types.String `tfsdk:"type"`
	Interval   types.String `tfsdk:"interval"`
	Timeout    types.String `tfsdk:"timeout"`
	Retries    types.Int64  `tfsdk:"retries"`
	RetryDelay types.String `tfsdk:"retry_delay"`
	Port       types.Int64  `tfsdk:"port"`
	HTTP       types.Object `tfsdk:"http"`
	Redis      types.Object `tfsdk:"redis"`
	Script     types.String `tfsdk:"script"`
}

type httpModel struct {
	Path   types.String `tfsdk:"path"`
	Host   types.String `tfsdk:"host"`
	TLS    types.Bool   `tfsdk:"tls"`
	Status types.String `tfsdk:"status"`
}

type redisModel struct {
	Mode              types.String `tfsdk:"mode"`
	Username          types.String `tfsdk:"username"`
	PasswordWO        types.String `tfsdk:"password_wo"`
	PasswordWOVersion types.Int64  `tfsdk:"password_wo_version"`
	TLS               types.Bool   `tfsdk:"tls"`
	CAFile            types.String `tfsdk:"ca_file"`
	CertFile          types.String `tfsdk:"cert_file"`
	ServerName        types.String `tfsdk:"server_name"`
}

type serverModel struct {
	Address     types.String `tfsdk:"address"`
	Port        types.Int64  `tfsdk:"port"`
	Weight      types.Int64  `tfsdk:"weight"`
	Connections types.Object `tfsdk:"connections"`
}

type thresholdModel struct {
	Upper types.Int64 `tfsdk:"upper"`
	Lower types.Int64 `tfsdk:"lower"`
}
