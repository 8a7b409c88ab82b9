package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

// source is what the data sources about a host have in common. They look at it through the
// snapshot that the resources look through, and so cost a plan nothing besides.
type source struct{ fleet *fleet }

func (s *source) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	s.fleet = fleetOf(req.ProviderData, &resp.Diagnostics)
}

// named is observe for the host that the configuration names.
func (s *source) named(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) (*host.Host, *host.Snapshot) {
	var name string
	diags.Append(config.GetAttribute(ctx, path.Root("host"), &name)...)
	if diags.HasError() {
		return nil, nil
	}
	return s.observe(ctx, name, diags)
}

// observe returns the host of that name and what is on it; nil with an error in diags. A
// host that cannot be reached tells nothing, least of all that there is nothing on it.
func (s *source) observe(ctx context.Context, name string, diags *diag.Diagnostics) (*host.Host, *host.Snapshot) {
	snapshot, err := s.fleet.observe(ctx, name)
	if err != nil {
		diags.AddError("Unable to Read Host", err.Error())
		return nil, nil
	}
	h, err := s.fleet.host(name)
	if err != nil {
		diags.AddError("Unable to Read Host", err.Error())
		return nil, nil
	}
	return h, snapshot
}

// hostArgument names the host that a data source is about.
func hostArgument() schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: "The host: a key of `hosts` in the provider block, or an address.",
		Required:            true,
		Validators:          []validator.String{hostName},
	}
}

// readAtApply says when a data source shows what an apply did.
const readAtApply = " It is read when the plan is made, before the resources change anything; with `depends_on` and changes to come, or in a `check` block, after them."
