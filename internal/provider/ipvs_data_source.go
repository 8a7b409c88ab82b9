package provider

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

var _ datasource.DataSourceWithConfigure = (*ipvsDataSource)(nil)

func newIPVSDataSource() datasource.DataSource { return &ipvsDataSource{} }

type ipvsDataSource struct{ source }

type ipvsModel struct {
	Host     string                  `tfsdk:"host"`
	Loaded   bool                    `tfsdk:"loaded"`
	Services map[string]serviceState `tfsdk:"services"`
	Counters *countersValue          `tfsdk:"counters"`
}

// serviceState is a service of the live table, with what keepalived's checks make of it.
type serviceState struct {
	rowValue
	Down       []string          `tfsdk:"down"`
	DownSince  map[string]string `tfsdk:"down_since"`
	Unchecked  []string          `tfsdk:"unchecked"`
	QuorumLost bool              `tfsdk:"quorum_lost"`
}

type countersValue struct {
	Connections     int64 `tfsdk:"connections"`
	IncomingPackets int64 `tfsdk:"incoming_packets"`
	OutgoingPackets int64 `tfsdk:"outgoing_packets"`
	IncomingBytes   int64 `tfsdk:"incoming_bytes"`
	OutgoingBytes   int64 `tfsdk:"outgoing_bytes"`
}

func (d *ipvsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_ipvs"
}

func (d *ipvsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	services := rowAttributes()
	maps.Copy(services, map[string]schema.Attribute{
		"down": stringsResult("The real servers, `ADDRESS:PORT`, that the host's keepalived took out, or gave the weight 0, because their health check fails. Most are not among the `destinations`."),
		"down_since": schema.MapAttribute{
			MarkdownDescription: "Since when each of these is down, as far as the keepalived that runs now knows, by the clock of the host: `2026-11-26T14:03:07Z`.",
			Computed:            true,
			ElementType:         types.StringType,
		},
		"unchecked":   stringsResult("The real servers, `ADDRESS:PORT`, that have just come in and get nothing before their first health check."),
		"quorum_lost": boolResult("keepalived finds too few real servers well, so the sorry server stands in, if there is one."),
	})
	resp.Schema = schema.Schema{
		MarkdownDescription: "The IPVS table of a host as the kernel has it now: all virtual services, redislb's or not, with their real servers and connections. Reading it changes nothing; a host that cannot be reached is an error." + readAtApply,
		Attributes: map[string]schema.Attribute{
			"host":     hostArgument(),
			"loaded":   boolResult("Whether the kernel has IPVS loaded. Without it there are no services."),
			"services": mapResult("The virtual services, by their names: `tcp 192.0.2.229:6379`, `udp [2001:db8::1]:53`, `fwmark 3`, `fwmark 3 ipv6`. Thresholds are told where redislb has set any on the host.", services),
			"counters": objectResult("What all services together have counted since IPVS was loaded; null where it is not. By direct routing nothing goes out through the director.", map[string]schema.Attribute{
				"connections":      intResult("Connections that were scheduled."),
				"incoming_packets": intResult("Packets of clients."),
				"outgoing_packets": intResult("Packets to clients."),
				"incoming_bytes":   intResult("Bytes of clients."),
				"outgoing_bytes":   intResult("Bytes to clients."),
			}),
		},
	}
}

func (d *ipvsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m ipvsModel
	h, s := d.named(ctx, req.Config, &resp.Diagnostics)
	if s == nil {
		return
	}
	m.Host, m.Loaded, m.Services = h.Name, s.IPVSLoaded, serviceStates(s)
	if c := s.IPVSStats; c != nil {
		m.Counters = &countersValue{int64(c.Connections), int64(c.IncomingPackets), int64(c.OutgoingPackets), int64(c.IncomingBytes), int64(c.OutgoingBytes)}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// serviceStates are the services of the host's table, by their names.
func serviceStates(s *host.Snapshot) map[string]serviceState {
	down, unchecked, since := map[ipvs.Key][]string{}, map[ipvs.Key][]string{}, map[ipvs.Key]map[string]string{}
	for _, row := range s.IPVS {
		since[row.Key] = map[string]string{}
	}
	for key, at := range s.DownSince {
		if times := since[key.Service]; times != nil {
			times[key.Server.String()] = at.Format(time.RFC3339)
		}
	}
	for key := range s.CheckedOut {
		of := down
		if s.Unchecked[key] {
			of = unchecked
		}
		of[key.Service] = append(of[key.Service], key.Server.String())
	}
	states := make(map[string]serviceState, len(s.IPVS))
	for _, row := range s.IPVS {
		states[row.Key.String()] = serviceState{
			rowValue:   serviceOf(row, true),
			Down:       append([]string{}, slices.Sorted(slices.Values(down[row.Key]))...),
			DownSince:  since[row.Key],
			Unchecked:  append([]string{}, slices.Sorted(slices.Values(unchecked[row.Key]))...),
			QuorumLost: s.QuorumLost[row.Key],
		}
	}
	return states
}
