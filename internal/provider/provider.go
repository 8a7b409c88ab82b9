package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

var _ provider.ProviderWithFunctions = (*redislbProvider)(nil)

// New returns the provider; version is shown to Terraform.
func New(version string) func() provider.Provider {
	return NewOver(version, overSSH)
}

func overSSH(cfg remote.Config) host.Conn { return remote.NewClient(cfg) }

// NewOver is New with another way to the hosts than a connection for each Terraform
// operation.
func NewOver(version string, reach func(remote.Config) host.Conn) func() provider.Provider {
	return func() provider.Provider { return &redislbProvider{version, reach} }
}

type redislbProvider struct {
	version string
	reach   func(remote.Config) host.Conn
}

type providerModel struct {
	connectionModel
	CommandTimeout types.String `tfsdk:"command_timeout"`
	SSHConfigFile  types.String `tfsdk:"ssh_config_file"`
	Hosts          types.Map    `tfsdk:"hosts"`
}

func (p *redislbProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "redislb"
	resp.Version = p.version
}

func (p *redislbProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	attributes := connectionAttributes()
	attributes["ssh_config_file"] = schema.StringAttribute{
		MarkdownDescription: "File in the format of ssh_config(5) to look hosts up in by their `address`, for what is set nowhere else. Understood: `Host`, `Match host`, `Include`, `HostName`, `User`, `Port`, `IdentityFile` (each that exists, in order), `IdentitiesOnly`, `ProxyJump`, `UserKnownHostsFile`. `StrictHostKeyChecking` is not: only `host_key_policy` decides. Default: none.",
		Optional:            true,
	}
	attributes["command_timeout"] = schema.StringAttribute{
		MarkdownDescription: "How long one command on a host may take; installing packages is one. Default `5m`.",
		Optional:            true,
		Validators:          []validator.String{positiveDuration},
	}
	perHost := connectionAttributes()
	perHost["address"] = schema.StringAttribute{
		MarkdownDescription: "Name or IP address to connect to, as one would give it to `ssh`. Default: the key in `hosts`.",
		Optional:            true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1), plainWord},
	}
	attributes["hosts"] = schema.MapNestedAttribute{
		MarkdownDescription: "How to reach each host, by the name that resources call it. Whatever is given here wins over the provider's own setting for that host. A host that is not listed is looked up in `ssh_config_file`, and else taken as an address.",
		Optional:            true,
		NestedObject:        schema.NestedAttributeObject{Attributes: perHost},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Turns Linux machines into a highly available load balancer (LVS direct routing and VRRP by keepalived) over SSH alone.",
		Attributes:          attributes,
	}
}

func (p *redislbProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	f, diags := newFleet(ctx, model, p.reach)
	resp.Diagnostics.Append(diags...)
	resp.ResourceData, resp.DataSourceData = f, f
}

func (p *redislbProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newDirectorResource, newRealServerResource, newVIPResource}
}

func (p *redislbProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newHostDataSource, newIPVSDataSource, newTopologyDataSource, newVRRPDataSource}
}

func (p *redislbProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newKnownHostFunction, newParseIpvsadmFunction, newParseKeepalivedFunction}
}

// fleetOf returns the hosts from what Terraform hands a resource; nil before the
// provider is configured.
func fleetOf(data any, diags *diag.Diagnostics) *fleet {
	if data == nil {
		return nil
	}
	f, ok := data.(*fleet)
	if !ok {
		diags.AddAttributeError(path.Empty(), "Unable to Configure Resource", "The provider handed over an unexpected type. This is a bug of the provider: please report it.")
	}
	return f
}
