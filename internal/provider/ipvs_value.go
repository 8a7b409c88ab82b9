package provider

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

// rowValue is a virtual service as data sources and functions return it.
type rowValue struct {
	Protocol       *string                     `tfsdk:"protocol"`
	Address        *string                     `tfsdk:"address"`
	Port           *int64                      `tfsdk:"port"`
	FWMark         *int64                      `tfsdk:"fwmark"`
	Scheduler      string                      `tfsdk:"scheduler"`
	SchedulerFlags []string                    `tfsdk:"scheduler_flags"`
	OnePacket      bool                        `tfsdk:"one_packet"`
	Persistence    *persistenceValue           `tfsdk:"persistence"`
	Destinations   map[string]destinationValue `tfsdk:"destinations"`
}

type persistenceValue struct {
	Timeout types.String `tfsdk:"timeout"`
	Mask    *string      `tfsdk:"mask"`
	Engine  *string      `tfsdk:"engine"`
}

type destinationValue struct {
	Address             string  `tfsdk:"address"`
	Port                int64   `tfsdk:"port"`
	Forwarding          string  `tfsdk:"forwarding"`
	Weight              int64   `tfsdk:"weight"`
	UpperThreshold      *int64  `tfsdk:"upper_threshold"`
	LowerThreshold      *int64  `tfsdk:"lower_threshold"`
	Tunnel              *string `tfsdk:"tunnel"`
	ActiveConnections   *int64  `tfsdk:"active_connections"`
	InactiveConnections *int64  `tfsdk:"inactive_connections"`
}

// rowAttributes are those of a rowValue.
func rowAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"protocol":        stringResult("`tcp`, `udp` or `sctp`; null for a firewall mark."),
		"address":         stringResult("The virtual address; null for a firewall mark."),
		"port":            intResult("Its port, 0 for all; null for a firewall mark."),
		"fwmark":          intResult("The firewall mark, of a service that is named by one."),
		"scheduler":       stringResult("How the real server of a new connection is chosen, as in ipvsadm(8): `rr`, `wlc`, `mh` and such."),
		"scheduler_flags": stringsResult("Flags of the scheduler (`mh-port` and such), in alphabetical order."),
		"one_packet":      boolResult("Each packet is scheduled by itself (UDP)."),
		"persistence": objectResult("How a client gets the real server that it had before; null: it does not.", map[string]schema.Attribute{
			"timeout": stringResult("For how long after its last connection, such as `5m`; null where it could not be read."),
			"mask":    stringResult("Which clients count as one: a netmask (IPv4) or the length of a prefix (IPv6); null: each address by itself."),
			"engine":  stringResult("The persistence engine (`sip`), if there is one."),
		}),
		"destinations": mapResult("The real servers, by address and port: `192.0.2.11:6379`, `[2001:db8::11]:6379`.", map[string]schema.Attribute{
			"address":              stringResult("Its address."),
			"port":                 intResult("Its port."),
			"forwarding":           stringResult("How packets reach it: `DR`, `NAT` or `TUN`."),
			"weight":               intResult("Its share of the new connections under a weighted scheduler; 0: it gets none."),
			"upper_threshold":      intResult("The number of connections at which it gets no new ones; null: none, or not told."),
			"lower_threshold":      intResult("The number at which it gets new ones again; null: none, or not told."),
			"tunnel":               stringResult("Options of a tunnel, in the words of ipvsadm(8), where they are not its default."),
			"active_connections":   intResult("Connections that are open or being opened; null where they are not told."),
			"inactive_connections": intResult("Connections that have ended in the last minutes, or are ending, and datagrams; null where they are not told."),
		}),
	}
}

// servicesOf is the table, by the names of the services. Counted says that the numbers of
// connections are known.
func servicesOf(table ipvs.Table, counted bool) map[string]rowValue {
	services := make(map[string]rowValue, len(table))
	for _, s := range table {
		services[s.Key.String()] = serviceOf(s, counted)
	}
	return services
}

func serviceOf(s ipvs.Service, counted bool) rowValue {
	v := rowValue{
		Scheduler:      s.Scheduler,
		SchedulerFlags: append([]string{}, slices.Sorted(slices.Values(s.SchedulerFlags))...),
		OnePacket:      s.OnePacket,
		Destinations:   make(map[string]destinationValue, len(s.Destinations)),
	}
	if s.FWMark != 0 {
		v.FWMark = optional(int64(s.FWMark))
	} else {
		protocol, address, port := s.Protocol.String(), s.Address.String(), int64(s.Port)
		v.Protocol, v.Address, v.Port = &protocol, &address, &port
	}
	if s.Persistent {
		v.Persistence = &persistenceValue{Timeout: types.StringNull(), Mask: optional(s.PersistenceMask), Engine: optional(s.PersistenceEngine)}
		if s.PersistenceTimeout > 0 {
			v.Persistence.Timeout = durationValue(s.PersistenceTimeout)
		}
	}
	for _, d := range s.Destinations {
		value := destinationValue{
			Address: d.Address.String(), Port: int64(d.Port), Forwarding: d.Forwarding.String(), Weight: int64(d.Weight),
			UpperThreshold: optional(int64(d.UpperThreshold)), LowerThreshold: optional(int64(d.LowerThreshold)), Tunnel: optional(d.Tunnel),
		}
		if counted {
			active, inactive := int64(d.ActiveConns), int64(d.InactConns)
			value.ActiveConnections, value.InactiveConnections = &active, &inactive
		}
		v.Destinations[d.Endpoint().String()] = value
	}
	return v
}
