package provider

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// parseVIPID takes an import id apart, ADDRESS@DIRECTOR,DIRECTOR…; what it returns is
// what the attributes' own validators take, which Terraform does not ask then.
func parseVIPID(id string) (address string, directors []string, err error) {
	bad := func(why string) (string, []string, error) {
		return "", nil, fmt.Errorf("the import id is ADDRESS@DIRECTOR,DIRECTOR…, with the address alone and the hosts of the directors, for example 192.0.2.229@a,b; %q is not, since %s", id, why)
	}
	address, names, _ := strings.Cut(id, "@")
	if err := isVIP(address); err != nil {
		return bad(err.Error())
	}
	directors = strings.Split(names, ",")
	slices.Sort(directors)
	directors = slices.Compact(directors)
	for _, name := range directors {
		if err := hostName.check(name); err != nil {
			return bad(err.Error())
		}
	}
	return address, directors, nil
}

// serviceValue is the inverse of serviceModel.spec, with null for what need not be said.
func serviceValue(s keepalived.VirtualServer, password host.Password) attr.Value {
	servers := map[string]attr.Value{}
	for _, rs := range s.RealServers {
		connections := types.ObjectNull(thresholdType.AttrTypes)
		if rs.UpperThreshold > 0 {
			connections = types.ObjectValueMust(thresholdType.AttrTypes, map[string]attr.Value{
				"upper": types.Int64Value(int64(rs.UpperThreshold)), "lower": positive(rs.LowerThreshold),
			})
		}
		servers[rs.Name] = types.ObjectValueMust(serverType.AttrTypes, map[string]attr.Value{
			"address":     types.StringValue(rs.Address.String()),
			"port":        otherPort(rs.Port, s.Port),
			"weight":      types.Int64Value(int64(rs.Weight)),
			"connections": connections,
		})
	}
	flags := types.SetNull(types.StringType)
	if len(s.SchedulerFlags) > 0 {
		flags = stringSet(s.SchedulerFlags)
	}
	persistence := types.ObjectNull(persistenceType.AttrTypes)
	if s.Persistence.Timeout > 0 {
		persistence = types.ObjectValueMust(persistenceType.AttrTypes, map[string]attr.Value{
			"timeout": durationValue(s.Persistence.Timeout), "mask": orNull(s.Persistence.Mask),
		})
	}
	quorum := types.ObjectNull(quorumType.AttrTypes)
	if s.Quorum != (keepalived.Quorum{Weight: 1}) {
		quorum = types.ObjectValueMust(quorumType.AttrTypes, map[string]attr.Value{
			"weight": types.Int64Value(int64(s.Quorum.Weight)), "hysteresis": types.Int64Value(int64(s.Quorum.Hysteresis)),
			"up": orNull(s.Quorum.Up), "down": orNull(s.Quorum.Down),
		})
	}
	sorry := types.ObjectNull(sorryType.AttrTypes)
	if s.SorryServer != (netip.AddrPort{}) {
		sorry = types.ObjectValueMust(sorryType.AttrTypes, map[string]attr.Value{
			"address": types.StringValue(s.SorryServer.Addr().String()), "port": otherPort(int(s.SorryServer.Port()), s.Port),
		})
	}
	return types.ObjectValueMust(serviceType.AttrTypes, map[string]attr.Value{
		"port":               types.Int64Value(int64(s.Port)),
		"fwmark":             positive(int(s.FWMark)),
		"protocol":           types.StringValue(strings.ToLower(string(s.Protocol))),
		"forwarding":         types.StringValue(string(s.Forwarding)),
		"scheduler":          types.StringValue(s.Scheduler),
		"scheduler_flags":    flags,
		"one_packet":         yes(s.OnePacket),
		"persistence":        persistence,
		"check":              checkValue(s, password),
		"inhibit_on_failure": yes(s.InhibitOnFailure),
		"quorum":             quorum,
		"sorry_server":       sorry,
		"real_servers":       types.MapValueMust(serverType, servers),
	})
}

func checkValue(s keepalived.VirtualServer, password host.Password) attr.Value {
	c := s.Check
	values := map[string]attr.Value{
		"type":        types.StringValue(string(c.Kind)),
		"interval":    durationValue(s.DelayLoop),
		"timeout":     durationValue(c.Timeout),
		"retries":     types.Int64Value(int64(c.Retries)),
		"retry_delay": durationValue(c.RetryDelay),
		"port":        positive(c.Port),
		"http":        types.ObjectNull(httpType.AttrTypes),
		"redis":       types.ObjectNull(redisType.AttrTypes),
		"script":      orNull(c.Script),
	}
	switch c.Kind {
	case keepalived.CheckHTTP:
		values["http"] = types.ObjectValueMust(httpType.AttrTypes, map[string]attr.Value{
			"path": types.StringValue(c.HTTP.Path), "host": orNull(c.HTTP.Host), "tls": types.BoolValue(c.HTTP.TLS), "status": types.StringValue(c.HTTP.Status),
		})
	case keepalived.CheckRedis:
		version := types.Int64Null()
		if c.Redis.Password {
			version = types.Int64Value(password.Version)
		}
		values["redis"] = types.ObjectValueMust(redisType.AttrTypes, map[string]attr.Value{
			"mode": types.StringValue(c.Redis.Mode), "username": orNull(c.Redis.User),
			"password_wo": types.StringNull(), "password_wo_version": version, "tls": types.BoolValue(c.Redis.TLS), "ca_file": orNull(c.Redis.CAFile), "cert_file": orNull(c.Redis.CertFile), "server_name": orNull(c.Redis.ServerName),
		})
	case keepalived.CheckNone: // what a check would be by default
		values["timeout"] = types.StringValue(defaultCheckTimeout)
		values["retries"] = types.Int64Value(defaultCheckRetries)
		values["retry_delay"] = types.StringValue(defaultCheckRetryDelay)
	}
	value := types.ObjectValueMust(checkType.AttrTypes, values)
	if value.Equal(defaultCheck) && s.Protocol == keepalived.TCP {
		return types.ObjectNull(checkType.AttrTypes)
	}
	return value
}

// defaultCheck is what a TCP service without a check has.
var defaultCheck = types.ObjectValueMust(checkType.AttrTypes, map[string]attr.Value{
	"type":        types.StringValue(string(keepalived.CheckTCP)),
	"interval":    types.StringValue(defaultCheckInterval),
	"timeout":     types.StringValue(defaultCheckTimeout),
	"retries":     types.Int64Value(defaultCheckRetries),
	"retry_delay": types.StringValue(defaultCheckRetryDelay),
	"port":        types.Int64Null(),
	"http":        types.ObjectNull(httpType.AttrTypes),
	"redis":       types.ObjectNull(redisType.AttrTypes),
	"script":      types.StringNull(),
})

// positive, yes and otherPort are null for what is as if it were not said.
func positive(n int) types.Int64 {
	if n == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(int64(n))
}

func yes(is bool) types.Bool {
	if !is {
		return types.BoolNull()
	}
	return types.BoolValue(true)
}

func otherPort(port, service int) types.Int64 {
	if port == service {
		return types.Int64Null()
	}
	return types.Int64Value(int64(port))
}
