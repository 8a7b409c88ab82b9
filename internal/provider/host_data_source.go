package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

var _ datasource.DataSourceWithConfigure = (*hostDataSource)(nil)

func newHostDataSource() datasource.DataSource { return &hostDataSource{} }

type hostDataSource struct{ source }

type hostSourceModel struct {
	Host              string              `tfsdk:"host"`
	Target            string              `tfsdk:"target"`
	OS                string              `tfsdk:"os"`
	Kernel            string              `tfsdk:"kernel"`
	Systemd           bool                `tfsdk:"systemd"`
	PackageManager    *string             `tfsdk:"package_manager"`
	KeepalivedVersion *string             `tfsdk:"keepalived_version"`
	KeepalivedState   *string             `tfsdk:"keepalived_state"`
	KeepalivedConf    string              `tfsdk:"keepalived_conf"`
	IpvsadmVersion    *string             `tfsdk:"ipvsadm_version"`
	MissingPackages   []string            `tfsdk:"missing_packages"`
	IPVSLoaded        bool                `tfsdk:"ipvs_loaded"`
	Schedulers        []string            `tfsdk:"schedulers"`
	Interfaces        []string            `tfsdk:"interfaces"`
	Addresses         map[string][]string `tfsdk:"addresses"`
	Problems          []problemValue      `tfsdk:"problems"`
}

type problemValue struct {
	Summary string `tfsdk:"summary"`
	Detail  string `tfsdk:"detail"`
}

func (d *hostDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_host"
}

func (d *hostDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What a host is, and what it would take to make it a director: before any resource is on it, or beside them. Reading it changes nothing; a host that cannot be reached is an error." + readAtApply,
		Attributes: map[string]schema.Attribute{
			"host":               hostArgument(),
			"target":             stringResult("How it was reached: `user@address:port`."),
			"os":                 stringResult("The distribution and its version, as os-release(5) names them."),
			"kernel":             stringResult("The release of the running kernel, as of `uname -r`."),
			"systemd":            boolResult("Whether it runs systemd, which redislb needs."),
			"package_manager":    stringResult("`apt-get` or `dnf`, by which redislb installs what is missing; null: neither is there."),
			"keepalived_version": stringResult("The version of keepalived, such as `2.2.7`; null: it is not installed."),
			"keepalived_state":   stringResult("The state of its unit, as of systemctl: `active`, `inactive`, `failed`; null: there is no unit."),
			"keepalived_conf":    stringResult("Whose `/etc/keepalived/keepalived.conf` is: `redislb`, `foreign` (a `redislb_director` leaves it alone without `adopt`), or `none`: there is no such file."),
			"ipvsadm_version":    stringResult("The version of ipvsadm, such as `1.31`; null: it is not installed, or keepalived is not, with which it is looked for."),
			"missing_packages":   stringsResult("The packages that a `redislb_director` would install."),
			"ipvs_loaded":        boolResult("Whether the kernel has IPVS loaded. A `redislb_director` loads it."),
			"schedulers":         stringsResult("The IPVS schedulers that the running kernel has as modules. Empty also where these cannot be told: IPVS is built in."),
			"interfaces":         stringsResult("The network interfaces."),
			"addresses": schema.MapAttribute{
				MarkdownDescription: "The addresses of each interface that has any, with the lengths of their networks; VIPs on `lo` and on others among them.",
				Computed:            true,
				ElementType:         types.ListType{ElemType: types.StringType},
			},
			"problems": objectsResult("What of the host itself would keep it from being a director, whatever its VRRP instance: an old keepalived, a `keepalived.conf` of somebody else's, no systemd; and a kernel that makes it one which keeps no connections (see `loop_guard`). None on a host that is fit.", map[string]schema.Attribute{
				"summary": stringResult("It in some words."),
				"detail":  stringResult("What was found, and what to do."),
			}),
		},
	}
}

func (d *hostDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	h, s := d.named(ctx, req.Config, &resp.Diagnostics)
	if s == nil {
		return
	}
	m := hostSourceModel{
		Host: h.Name, Target: h.Target(), OS: s.OS, Kernel: s.Kernel, Systemd: s.HasSystemd(),
		PackageManager: optional(s.PackageManager), KeepalivedState: optional(s.KeepalivedState()), KeepalivedConf: string(s.Configuration()),
		IpvsadmVersion: optional(s.IpvsadmVersion), MissingPackages: append([]string{}, s.MissingPackages()...), IPVSLoaded: s.IPVSLoaded,
		Schedulers: append([]string{}, s.Schedulers...), Interfaces: append([]string{}, s.Interfaces...),
		Addresses: map[string][]string{}, Problems: []problemValue{},
	}
	if version, err := keepalived.ParseVersion(s.KeepalivedVersion); err == nil {
		m.KeepalivedVersion = optional(version.String())
	}
	for _, a := range s.Addresses {
		m.Addresses[a.Device] = append(m.Addresses[a.Device], a.Prefix.String())
	}
	for _, of := range m.Addresses {
		slices.Sort(of)
	}
	for _, p := range host.Preflight(s) {
		m.Problems = append(m.Problems, problemValue{p.Summary, p.Detail})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
