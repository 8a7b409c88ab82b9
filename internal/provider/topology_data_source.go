package provider

import (
	"context"
	"net/netip"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ datasource.DataSourceWithConfigure = (*topologyDataSource)(nil)

func newTopologyDataSource() datasource.DataSource { return &topologyDataSource{} }

type topologyDataSource struct{ source }

type topologyModel struct {
	Directors   []string          `tfsdk:"directors"`
	RealServers map[string]string `tfsdk:"real_servers"`
	Mermaid     string            `tfsdk:"mermaid"`
	SVG         string            `tfsdk:"svg"`
}

func (d *topologyDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_topology"
}

func (d *topologyDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A picture of the load balancer as it is now: the directors and their states, who holds each VIP that redislb configured on them, its services, and their real servers with weights, connections and health. " +
			"Of each VIP it shows the table of the director that holds it. The same state gives the same text. Reading it changes nothing; a director that cannot be reached is an error." + readAtApply,
		Attributes: map[string]schema.Attribute{
			"directors": schema.SetAttribute{
				MarkdownDescription: "The hosts to look at: keys of `hosts` in the provider block, or addresses.",
				Required:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(hostName)},
			},
			"real_servers": schema.MapAttribute{
				MarkdownDescription: "Names of real servers, each with its address, to call them by in the picture. Default: what they are called in the `redislb_vip`.",
				Optional:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Map{mapvalidator.ValueStringsAre(serverAddress)},
			},
			"mermaid": stringResult("The picture as a flowchart of Mermaid, for a Markdown block of that name, which GitHub and GitLab draw."),
			"svg":     stringResult("The picture as an SVG document, to be written into a file."),
		},
	}
}

func (d *topologyDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m topologyModel
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("directors"), &m.Directors)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("real_servers"), &m.RealServers)...)
	if resp.Diagnostics.HasError() {
		return
	}
	looked := d.observeAll(ctx, m.Directors, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	names := map[netip.Addr]string{}
	for name, address := range m.RealServers {
		if addr, err := netip.ParseAddr(address); err == nil {
			names[addr] = max(names[addr], name) // of two names for one address always the same
		}
	}
	p, err := picture(looked, names)
	if err != nil {
		resp.Diagnostics.AddError("Unable to Draw Topology", err.Error()+".")
		return
	}
	m.Mermaid, m.SVG = p.Mermaid(), p.SVG()
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// observeAll looks at the hosts side by side.
func (d *topologyDataSource) observeAll(ctx context.Context, hosts []string, diags *diag.Diagnostics) map[string]seen {
	var mu sync.Mutex
	var all sync.WaitGroup
	looked := map[string]seen{}
	for _, name := range hosts {
		all.Go(func() {
			var problems diag.Diagnostics
			h, s := d.observe(ctx, name, &problems)
			mu.Lock()
			defer mu.Unlock()
			if s != nil {
				looked[name] = seen{s, h.Target()}
			}
			diags.Append(problems...)
		})
	}
	all.Wait()
	return looked
}
