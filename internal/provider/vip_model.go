package provider

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

type vipModel struct {
	ID           types.String   `tfsdk:"id"`
	Address      types.String   `tfsdk:"address"`
	Interface    types.String   `tfsdk:"interface"`
	Directors    types.Set      `tfsdk:"directors"`
	VRRP         types.Object   `tfsdk:"vrrp"`
	Services     types.Map      `tfsdk:"services"`
	DrainTimeout types.String   `tfsdk:"drain_timeout"`
	Artifacts    types.Map      `tfsdk:"artifacts"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
}

// id is ADDRESS@DIRECTOR,DIRECTOR…: what an import takes.
func (m vipModel) id() types.String {
	if m.Address.IsUnknown() || m.Directors.IsUnknown() || len(stringsIn(m.Directors)) != len(m.Directors.Elements()) {
		return types.StringUnknown()
	}
	address, _, _ := strings.Cut(m.Address.ValueString(), "/")
	return types.StringValue(address + "@" + strings.Join(stringsIn(m.Directors), ","))
}

// addr is the VIP, without the length of its network.
func (m vipModel) addr() netip.Addr {
	prefix, _ := netip.ParsePrefix(m.Address.ValueString())
	return prefix.Addr()
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

// validate checks what only several attributes together can tell, and points to the
// attribute; the rest is for [keepalived.VIP.Validate].
func (m vipModel) validate(ctx context.Context, diags *diag.Diagnostics) {
	m.validateDrain(ctx, diags)
	m.validateInstance(ctx, diags)
	ports := map[string]string{}
	vip, _, _ := strings.Cut(m.Address.ValueString(), "/")
	services := m.services(ctx, diags)
	for _, name := range sortedKeys(services) {
		service := services[name]
		at := path.Root("services").AtMapKey(name)
		port := service.Port.ValueInt64()
		protocol := cmp.Or(service.Protocol.ValueString(), "tcp")
		if known(ctx, service.Port, service.Protocol) {
			taken := fmt.Sprintf("%s port %d", protocol, port)
			if other, ok := ports[taken]; ok {
				diags.AddAttributeError(at.AtName("port"), "Duplicate Port", fmt.Sprintf("The services %q and %q both are on %s of the VIP: one service a port.", other, name, taken))
			}
			ports[taken] = name
		}
		keepsPort := !service.Forwarding.IsUnknown() && service.Forwarding.ValueString() != string(keepalived.NAT)
		addresses := map[string]string{}
		servers := service.servers(ctx, diags)
		for _, key := range sortedKeys(servers) {
			server := servers[key]
			serverAt := at.AtName("real_servers").AtMapKey(key)
			if keepsPort && !server.Port.IsNull() && !server.Port.IsUnknown() && !service.Port.IsUnknown() && server.Port.ValueInt64() != port {
				diags.AddAttributeError(serverAt.AtName("port"), "Port Differs from the Service's",
					fmt.Sprintf("Direct routing changes only the MAC address of a packet, and a tunnel nothing of it, so the real server %q gets it on the service's port %d and never on %d. Leave port out, let the server listen on %d, or set forwarding to \"NAT\".", key, port, server.Port.ValueInt64(), port))
			}
			address := server.Address.ValueString()
			if other, taken := addresses[address]; taken && address != "" && keepsPort {
				diags.AddAttributeError(serverAt.AtName("address"), "Duplicate Real Server", fmt.Sprintf("The real servers %q and %q both are %s: use weight to send one server more connections.", other, key, address))
			}
			addresses[address] = key
			if address != "" && address == vip {
				diags.AddAttributeError(serverAt.AtName("address"), "Real Server Is the VIP", "The address of a real server is the machine's own, not the VIP.")
			}
		}
		if sorry := objectIn[sorryModel](service.SorryServer); sorry != nil && vip != "" && sorry.Address.ValueString() == vip {
			diags.AddAttributeError(at.AtName("sorry_server").AtName("address"), "Sorry Server Is the VIP", "The address of a sorry server is the machine's own, not the VIP.")
		}
		m.validateCheck(ctx, service, at.AtName("check"), diags)
	}
}

func (m vipModel) validateCheck(ctx context.Context, service serviceModel, at path.Path, diags *diag.Diagnostics) {
	if !known(ctx, service.Check, service.Protocol) {
		return
	}
	unsaid := func(attribute path.Path) {
		if service.Protocol.ValueString() == "udp" {
			diags.AddAttributeError(attribute, "Missing Check", "By default a real server is checked by a TCP connection, which a UDP service need not accept. Say how it is to be checked: type \"script\", \"none\", or \"tcp\" where it listens on TCP too.")
		}
	}
	check := objectIn[checkModel](service.Check)
	if check == nil {
		unsaid(at)
		return
	}
	if check.Type.IsNull() {
		unsaid(at.AtName("type"))
	}
	kind := cmp.Or(check.Type.ValueString(), string(keepalived.CheckTCP))
	for _, of := range []struct {
		kind keepalived.CheckKind
		set  bool
	}{
		{keepalived.CheckHTTP, !check.HTTP.IsNull()}, {keepalived.CheckRedis, !check.Redis.IsNull()}, {keepalived.CheckScript, !check.Script.IsNull()},
	} {
		if of.set && kind != string(of.kind) {
			diags.AddAttributeError(at.AtName(string(of.kind)), "Check of Another Type", fmt.Sprintf("%s is for a check of type %q; this one's type is %q.", of.kind, of.kind, kind))
		}
	}
	if kind == string(keepalived.CheckScript) && check.Script.IsNull() {
		diags.AddAttributeError(at.AtName("script"), "Missing Script", "A check of type \"script\" needs a command: set script.")
	}
	timeout, timeoutErr := parseDuration(cmp.Or(check.Timeout.ValueString(), defaultCheckTimeout))
	interval, intervalErr := parseDuration(cmp.Or(check.Interval.ValueString(), defaultCheckInterval))
	if kind != string(keepalived.CheckNone) && timeoutErr == nil && intervalErr == nil && timeout > interval {
		diags.AddAttributeError(at.AtName("timeout"), "Timeout Longer Than the Interval", fmt.Sprintf("A check that may take longer (%s) than the time to the next one (%s) never settles: make timeout at most the interval.", timeout, interval))
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
	vip := host.VIP{VIP: keepalived.VIP{Address: prefix, Interface: m.Interface.ValueString()}, Passwords: map[string]host.Password{}}
	vip.VRRP, vip.Priorities = m.instance()
	services := m.services(ctx, diags)
	for _, name := range sortedKeys(services) {
		server := services[name].spec(ctx, name, diags)
		vip.Services = append(vip.Services, server)
		if server.Check.Redis.Password {
			redis := services[name].redis()
			vip.Passwords[name] = host.Password{Version: redis.PasswordWOVersion.ValueInt64(), Text: redis.PasswordWO.ValueString()}
		}
	}
	return vip
}

// redis is what the check says of Redis; all of it is null where it says nothing.
func (s serviceModel) redis() redisModel {
	if check := objectIn[checkModel](s.Check); check != nil {
		if redis := objectIn[redisModel](check.Redis); redis != nil {
			return *redis
		}
	}
	return redisModel{}
}

// withPasswords is the specification with the passwords of the configuration: they are
// kept neither in plan nor state.
func (m vipModel) withPasswords(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) host.VIP {
	vip := m.spec(ctx, diags)
	var configured vipModel
	diags.Append(config.Get(ctx, &configured)...)
	for name, service := range configured.services(ctx, diags) {
		if p, ok := vip.Passwords[name]; ok {
			p.Text = service.redis().PasswordWO.ValueString()
			vip.Passwords[name] = p
		}
	}
	return vip
}

func (s serviceModel) spec(ctx context.Context, name string, diags *diag.Diagnostics) keepalived.VirtualServer {
	server := keepalived.VirtualServer{
		Name:             name,
		Port:             int(s.Port.ValueInt64()),
		FWMark:           uint32(s.FWMark.ValueInt64()),
		Protocol:         keepalived.Protocol(strings.ToUpper(s.Protocol.ValueString())),
		Scheduler:        s.Scheduler.ValueString(),
		SchedulerFlags:   stringsIn(s.SchedulerFlags),
		OnePacket:        s.OnePacket.ValueBool(),
		Forwarding:       keepalived.Forwarding(s.Forwarding.ValueString()),
		InhibitOnFailure: s.InhibitOnFailure.ValueBool(),
		Quorum:           keepalived.Quorum{Weight: 1},
	}
	server.DelayLoop, server.Check = s.check()
	if p := objectIn[persistenceModel](s.Persistence); p != nil {
		server.Persistence = keepalived.Persistence{Timeout: mustDuration(p.Timeout), Mask: p.Mask.ValueString()}
	}
	if q := objectIn[quorumModel](s.Quorum); q != nil {
		server.Quorum = keepalived.Quorum{Weight: int(q.Weight.ValueInt64()), Hysteresis: int(q.Hysteresis.ValueInt64()), Up: q.Up.ValueString(), Down: q.Down.ValueString()}
	}
	at := path.Root("services").AtMapKey(name)
	endpoint := func(at path.Path, address types.String, port types.Int64) netip.AddrPort {
		addr, err := netip.ParseAddr(address.ValueString())
		if err != nil {
			diags.AddAttributeError(at.AtName("address"), "Invalid address", err.Error())
		}
		if port.IsNull() {
			port = s.Port
		}
		return netip.AddrPortFrom(addr, uint16(port.ValueInt64()))
	}
	if sorry := objectIn[sorryModel](s.SorryServer); sorry != nil {
		server.SorryServer = endpoint(at.AtName("sorry_server"), sorry.Address, sorry.Port)
	}
	servers := s.servers(ctx, diags)
	for _, key := range sortedKeys(servers) {
		r := servers[key]
		to := endpoint(at.AtName("real_servers").AtMapKey(key), r.Address, r.Port)
		rs := keepalived.RealServer{Name: key, Address: to.Addr(), Port: int(to.Port()), Weight: int(r.Weight.ValueInt64())}
		if t := objectIn[thresholdModel](r.Connections); t != nil {
			rs.UpperThreshold, rs.LowerThreshold = int(t.Upper.ValueInt64()), int(t.Lower.ValueInt64())
		}
		server.RealServers = append(server.RealServers, rs)
	}
	return server
}

// check returns the interval and the check.
func (s serviceModel) check() (time.Duration, keepalived.Check) {
	m := objectIn[checkModel](s.Check)
	if m == nil {
		m = objectIn[checkModel](defaultCheck)
	}
	c := keepalived.Check{Kind: keepalived.CheckKind(m.Type.ValueString())}
	if c.Kind == keepalived.CheckNone {
		return mustDuration(m.Interval), c
	}
	c.Port = int(m.Port.ValueInt64())
	c.Timeout, c.RetryDelay = mustDuration(m.Timeout), mustDuration(m.RetryDelay)
	c.Retries = int(m.Retries.ValueInt64())
	switch c.Kind {
	case keepalived.CheckHTTP:
		c.HTTP = keepalived.HTTPCheck{Path: defaultPath, Status: defaultStatus}
		if h := objectIn[httpModel](m.HTTP); h != nil {
			c.HTTP = keepalived.HTTPCheck{Path: h.Path.ValueString(), Host: h.Host.ValueString(), TLS: h.TLS.ValueBool(), Status: h.Status.ValueString()}
		}
	case keepalived.CheckRedis:
		r := s.redis()
		c.Redis = keepalived.RedisCheck{
			Mode: cmp.Or(r.Mode.ValueString(), defaultRedisMode), User: r.Username.ValueString(), Password: !r.PasswordWOVersion.IsNull(),
			TLS: r.TLS.ValueBool(), CAFile: r.CAFile.ValueString(), CertFile: r.CertFile.ValueString(), ServerName: r.ServerName.ValueString(),
		}
	case keepalived.CheckScript:
		c.Script = m.Script.ValueString()
	}
	return mustDuration(m.Interval), c
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
		services[s.Name] = serviceValue(s, vip.Passwords[s.Name])
	}
	m.Address = types.StringValue(vip.Address.String())
	m.Interface = orNull(vip.Interface)
	m.VRRP = vipVRRPValue(vip)
	m.Services = types.MapNull(serviceType)
	if len(services) > 0 {
		m.Services = types.MapValueMust(serviceType, services)
	}
	return nil
}
