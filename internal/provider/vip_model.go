package provider

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

type vipModel struct {
	ID        types.String   `tfsdk:"id"`
	Address   types.String   `tfsdk:"address"`
	Directors types.Set      `tfsdk:"directors"`
	Services  types.Map      `tfsdk:"services"`
	Artifacts types.Map      `tfsdk:"artifacts"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

type serviceModel struct {
	Port        types.Int64  `tfsdk:"port"`
	Scheduler   types.String `tfsdk:"scheduler"`
	Check       types.Object `tfsdk:"check"`
	RealServers types.Map    `tfsdk:"real_servers"`
}

type checkModel struct {
	Type       types.String `tfsdk:"type"`
	Interval   types.String `tfsdk:"interval"`
	Timeout    types.String `tfsdk:"timeout"`
	Retries    types.Int64  `tfsdk:"retries"`
	RetryDelay types.String `tfsdk:"retry_delay"`
}

type serverModel struct {
	Address types.String `tfsdk:"address"`
	Port    types.Int64  `tfsdk:"port"`
	Weight  types.Int64  `tfsdk:"weight"`
}

// id is ADDRESS@DIRECTOR,DIRECTOR…: what an import takes.
func (m vipModel) id() types.String {
	if m.Address.IsUnknown() || m.Directors.IsUnknown() || len(stringsIn(m.Directors)) != len(m.Directors.Elements()) {
		return types.StringUnknown()
	}
	address, _, _ := strings.Cut(m.Address.ValueString(), "/")
	return types.StringValue(address + "@" + strings.Join(stringsIn(m.Directors), ","))
}

// services decodes the services; whatever in them is not known stays unknown.
func (m vipModel) services(ctx context.Context, diags *diag.Diagnostics) map[string]serviceModel {
	services := map[string]serviceModel{}
	if !m.Services.IsUnknown() && !m.Services.IsNull() {
		diags.Append(m.Services.ElementsAs(ctx, &services, false)...)
	}
	return services
}

func (s serviceModel) servers(ctx context.Context, diags *diag.Diagnostics) map[string]serverModel {
	servers := map[string]serverModel{}
	if !s.RealServers.IsUnknown() && !s.RealServers.IsNull() {
		diags.Append(s.RealServers.ElementsAs(ctx, &servers, false)...)
	}
	return servers
}

// validate checks what only several attributes together can tell.
func (m vipModel) validate(ctx context.Context, diags *diag.Diagnostics) {
	ports := map[int64]string{}
	services := m.services(ctx, diags)
	for _, name := range sortedKeys(services) {
		service := services[name]
		at := path.Root("services").AtMapKey(name)
		port := service.Port.ValueInt64()
		if other, taken := ports[port]; taken && !service.Port.IsUnknown() {
			diags.AddAttributeError(at.AtName("port"), "Duplicate Port", fmt.Sprintf("The services %q and %q both are on port %d of the VIP: one service a port.", other, name, port))
		}
		ports[port] = name
		addresses := map[string]string{}
		servers := service.servers(ctx, diags)
		for _, key := range sortedKeys(servers) {
			server := servers[key]
			serverAt := at.AtName("real_servers").AtMapKey(key)
			if !server.Port.IsNull() && !server.Port.IsUnknown() && !service.Port.IsUnknown() && server.Port.ValueInt64() != port {
				diags.AddAttributeError(serverAt.AtName("port"), "Port Differs from the Service's",
					fmt.Sprintf("Direct routing changes only the MAC address of a packet, so the real server %q gets it on the service's port %d and never on %d. Leave port out, or let the server listen on %d.", key, port, server.Port.ValueInt64(), port))
			}
			address := server.Address.ValueString()
			if other, taken := addresses[address]; taken && address != "" {
				diags.AddAttributeError(serverAt.AtName("address"), "Duplicate Real Server", fmt.Sprintf("The real servers %q and %q both are %s: use weight to send one server more connections.", other, key, address))
			}
			addresses[address] = key
			if vip, _, _ := strings.Cut(m.Address.ValueString(), "/"); address != "" && address == vip {
				diags.AddAttributeError(serverAt.AtName("address"), "Real Server Is the VIP", "The address of a real server is the machine's own, not the VIP.")
			}
		}
		m.validateCheck(ctx, service, at.AtName("check"), diags)
	}
}

func (m vipModel) validateCheck(ctx context.Context, service serviceModel, at path.Path, diags *diag.Diagnostics) {
	if service.Check.IsNull() || !known(ctx, service.Check) {
		return
	}
	var check checkModel
	diags.Append(service.Check.As(ctx, &check, basetypes.ObjectAsOptions{})...)
	if check.Interval.IsNull() {
		check.Interval = types.StringValue(defaultCheckInterval)
	}
	if check.Timeout.IsNull() {
		check.Timeout = types.StringValue(defaultCheckTimeout)
	}
	timeout, timeoutErr := parseDuration(check.Timeout.ValueString())
	interval, intervalErr := parseDuration(check.Interval.ValueString())
	if timeoutErr == nil && intervalErr == nil && timeout > interval {
		diags.AddAttributeError(at.AtName("timeout"), "Timeout Longer Than the Interval", fmt.Sprintf("A check that may take longer (%s) than the time to the next one (%s) never settles: make timeout at most the interval.", check.Timeout.ValueString(), check.Interval.ValueString()))
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// spec is what package host takes. All of the model must be known.
func (m vipModel) spec(ctx context.Context, diags *diag.Diagnostics) host.VIP {
	prefix, err := netip.ParsePrefix(m.Address.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("address"), "Invalid address", err.Error())
		return host.VIP{}
	}
	vip := host.VIP{Address: prefix}
	services := m.services(ctx, diags)
	for _, name := range sortedKeys(services) {
		service := services[name]
		var check checkModel
		diags.Append(service.Check.As(ctx, &check, basetypes.ObjectAsOptions{})...)
		server := keepalived.VirtualServer{
			Name:       name,
			Port:       int(service.Port.ValueInt64()),
			Protocol:   keepalived.TCP,
			Scheduler:  service.Scheduler.ValueString(),
			Forwarding: keepalived.DR,
			DelayLoop:  mustDuration(check.Interval),
			Check: keepalived.TCPCheck{
				Timeout:    mustDuration(check.Timeout),
				Retries:    int(check.Retries.ValueInt64()),
				RetryDelay: mustDuration(check.RetryDelay),
			},
		}
		servers := service.servers(ctx, diags)
		for _, key := range sortedKeys(servers) {
			address, err := netip.ParseAddr(servers[key].Address.ValueString())
			if err != nil {
				diags.AddAttributeError(path.Root("services").AtMapKey(name).AtName("real_servers").AtMapKey(key).AtName("address"), "Invalid address", err.Error())
				continue
			}
			server.RealServers = append(server.RealServers, keepalived.RealServer{
				Name: key, Address: address, Port: server.Port, Weight: int(servers[key].Weight.ValueInt64()),
			})
		}
		vip.Services = append(vip.Services, server)
	}
	return vip
}

// fill takes the attributes from what is on the directors, which must agree.
func (m *vipModel) fill(snapshots map[string]*host.Snapshot) error {
	address, err := netip.ParseAddr(m.Address.ValueString())
	if err != nil {
		return err
	}
	vip, err := host.VIPOn(snapshots, address)
	if err != nil {
		return err
	}
	services := map[string]attr.Value{}
	for _, s := range vip.Services {
		servers := map[string]attr.Value{}
		for _, rs := range s.RealServers {
			servers[rs.Name] = types.ObjectValueMust(serverType.AttrTypes, map[string]attr.Value{
				"address": types.StringValue(rs.Address.String()),
				"port":    types.Int64Null(),
				"weight":  types.Int64Value(int64(rs.Weight)),
			})
		}
		services[s.Name] = types.ObjectValueMust(serviceType.AttrTypes, map[string]attr.Value{
			"port":      types.Int64Value(int64(s.Port)),
			"scheduler": types.StringValue(s.Scheduler),
			"check": types.ObjectValueMust(checkType.AttrTypes, map[string]attr.Value{
				"type":        types.StringValue("tcp"),
				"interval":    durationValue(s.DelayLoop),
				"timeout":     durationValue(s.Check.Timeout),
				"retries":     types.Int64Value(int64(s.Check.Retries)),
				"retry_delay": durationValue(s.Check.RetryDelay),
			}),
			"real_servers": types.MapValueMust(serverType, servers),
		})
	}
	m.Address = types.StringValue(vip.Address.String())
	m.Services = types.MapNull(serviceType)
	if len(services) > 0 {
		m.Services = types.MapValueMust(serviceType, services)
	}
	return nil
}
