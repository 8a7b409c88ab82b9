package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

var _ function.Function = parseIpvsadmFunction{}

func newParseIpvsadmFunction() function.Function { return parseIpvsadmFunction{} }

type parseIpvsadmFunction struct{}

type tableValue struct {
	Services map[string]rowValue `tfsdk:"services"`
}

func tableAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"services": mapResult("The virtual services, by their names: `tcp 192.0.2.229:6379`, `udp [2001:db8::1]:53`, `fwmark 3`, `fwmark 3 ipv6`.", rowAttributes()),
	}
}

func (parseIpvsadmFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_ipvsadm"
}

func (parseIpvsadmFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "An IPVS table from the output of ipvsadm",
		MarkdownDescription: "Reads the output of `ipvsadm -Sn` or `ipvsadm -Ln`, and returns the table: to compare it with another one, or to write a `redislb_vip` from it. " +
			"Both have to be made with `-n`, since names do not tell addresses. `ipvsadm -Ln` tells the numbers of connections besides, and no thresholds; what a text does not tell is null.\n\nThe result has:\n\n" + documented(tableAttributes()),
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "text",
			MarkdownDescription: "The output. Empty lines, and in that of `ipvsadm -Sn` lines that begin with `#`, are passed over; no lines are an empty table.",
		}},
		Return: function.ObjectReturn{AttributeTypes: typesOf(tableAttributes())},
	}
}

func (parseIpvsadmFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	table, counted, err := ipvs.ParseText(text)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error()+". Give what ipvsadm -Sn or ipvsadm -Ln printed, as it is.")
		return
	}
	resp.Error = resp.Result.Set(ctx, tableValue{servicesOf(table, counted)})
}
