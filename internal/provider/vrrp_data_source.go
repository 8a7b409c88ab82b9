package provider

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

var _ datasource.DataSourceWithConfigure = (*vrrpDataSource)(nil)

func newVRRPDataSource() datasource.DataSource { return &vrrpDataSource{} }

type vrrpDataSource struct{ source }

type vrrpSourceModel struct {
	Host            string             `tfsdk:"host"`
	Instance        *string            `tfsdk:"instance"`
	State           *string            `tfsdk:"state"`
	Since           *string            `tfsdk:"since"`
	Interface       *string            `tfsdk:"interface"`
	VirtualRouterID *int64             `tfsdk:"virtual_router_id"`
	Priority        *int64             `tfsdk:"priority"`
	Drain           *bool              `tfsdk:"drain"`
	LoopGuard       *string            `tfsdk:"loop_guard"`
	VIPs            []string           `tfsdk:"vips"`
	HeldVIPs        []string           `tfsdk:"held_vips"`
	VIPInstances    []vipInstanceValue `tfsdk:"vip_instances"`
	SyncDaemons     []syncDaemonValue  `tfsdk:"sync_daemons"`
	Strangers       []strangerValue    `tfsdk:"strangers"`
}

type vipInstanceValue struct {
	VIP             string  `tfsdk:"vip"`
	State           *string `tfsdk:"state"`
	VirtualRouterID int64   `tfsdk:"virtual_router_id"`
	Priority        int64   `tfsdk:"priority"`
}

type syncDaemonValue struct {
	Role      string `tfsdk:"role"`
	Interface string `tfsdk:"interface"`
	ID        int64  `tfsdk:"id"`
}

type strangerValue struct {
	Address         string `tfsdk:"address"`
	VirtualRouterID int64  `tfsdk:"virtual_router_id"`
}

func (d *vrrpDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_vrrp"
}

func (d *vrrpDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The VRRP instance that redislb runs on a host, as it is now: who is master, since when, of what; and the instances that VIPs have to themselves beside it (`vip_instances`). On a host that is no director of redislb's, all about the instance is null. Reading it changes nothing; a host that cannot be reached is an error." + readAtApply,
		Attributes: map[string]schema.Attribute{
			"host":              hostArgument(),
			"instance":          stringResult("The name of the VRRP instance."),
			"state":             stringResult("`master`: it holds the VIPs of this instance; `backup`; `fault`: what it tracks keeps it from holding them; `stopped`: keepalived does not run. Null where it cannot be told: there is no VIP to tell by, or one on its way at this moment."),
			"since":             stringResult("When keepalived came to this state (RFC 3339, by the host's clock); null where it has not said so since it was started."),
			"interface":         stringResult("The interface of its advertisements."),
			"virtual_router_id": intResult("The virtual router id of its group."),
			"priority":          intResult("The priority as it is configured. Things that are tracked, and a drain, take from it."),
			"drain":             boolResult("Whether it is drained: its priority is the lowest."),
			"loop_guard":        stringResult("The `loop_guard` of the director; null where its file was edited by hand."),
			"vips":              stringsResult("The VIPs that redislb configured on the host, held or not."),
			"held_vips":         stringsResult("Those of them that are on an interface of the host other than `lo`. If two hosts of a group hold one, both take themselves for the master."),
			"vip_instances": objectsResult("The VRRP instances that VIPs have to themselves (`vrrp` of `redislb_vip`), beside the director's own, of which the rest tells.", map[string]schema.Attribute{
				"vip":               stringResult("The VIP."),
				"state":             stringResult("The state of the instance, as above: `master` holds the VIP."),
				"virtual_router_id": intResult("Its virtual router id."),
				"priority":          intResult("The priority of the host in it, as it is configured."),
			}),
			"sync_daemons": objectsResult("The IPVS synchronisation daemons that run on the host, whoever started them. The one of redislb has the role of the instance.", map[string]schema.Attribute{
				"role":      stringResult("`master`: it tells of connections; `backup`: it hears of them."),
				"interface": stringResult("Its interface."),
				"id":        intResult("The sync id."),
			}),
			"strangers": objectsResult("Who advertised, in the last minute and on the interface of the instances, the virtual router id of one of them for other addresses than its VIPs: other groups with the same id, or a director of this one while its VIPs are being changed.", map[string]schema.Attribute{
				"address":           stringResult("The address that sent it."),
				"virtual_router_id": intResult("The virtual router id."),
			}),
		},
	}
}

func (d *vrrpDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	h, s := d.named(ctx, req.Config, &resp.Diagnostics)
	if s == nil {
		return
	}
	instance, err := s.Instance()
	if err != nil {
		resp.Diagnostics.AddError("Unable to Read VRRP Instance", "Host "+h.Name+" ("+h.Target()+"): "+err.Error()+".")
		return
	}
	m := vrrpSourceModel{Host: h.Name, VIPs: []string{}, HeldVIPs: []string{}, VIPInstances: []vipInstanceValue{}, SyncDaemons: []syncDaemonValue{}, Strangers: []strangerValue{}}
	for _, sync := range s.SyncDaemons {
		m.SyncDaemons = append(m.SyncDaemons, syncDaemonValue{string(sync.Role), sync.Interface, int64(sync.ID)})
	}
	for _, id := range slices.Sorted(maps.Keys(s.Strangers)) {
		for _, stranger := range s.Strangers[id] {
			m.Strangers = append(m.Strangers, strangerValue{stranger.String(), int64(id)})
		}
	}
	m.fill(instance, s)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// fill takes what is about the instance; nil: there is none.
func (m *vrrpSourceModel) fill(i *host.Instance, s *host.Snapshot) {
	if i == nil {
		return
	}
	c := i.Configured
	m.Instance, m.State, m.Drain = optional(c.Name), optional(i.State), &i.Drain
	m.Interface, m.VirtualRouterID, m.Priority = optional(c.Interface), optionalInt(c.VirtualRouterID), optionalInt(c.Priority)
	m.LoopGuard = optional(string(i.Guard))
	if !i.Since.IsZero() {
		m.Since = optional(i.Since.UTC().Format(time.RFC3339))
	}
	for _, own := range s.VIPInstances() {
		m.VIPInstances = append(m.VIPInstances, vipInstanceValue{own.VIP.String(), optional(own.State), int64(own.VirtualRouterID), int64(own.Priority)})
	}
	for _, vip := range s.ManagedVIPs() {
		m.VIPs = append(m.VIPs, vip.String())
		if s.Holds(vip) {
			m.HeldVIPs = append(m.HeldVIPs, vip.String())
		}
	}
}
