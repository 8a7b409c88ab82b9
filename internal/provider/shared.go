package provider

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

// defaultTimeout is how long an operation of a resource may take; installing
// packages over a slow link takes the most of it.
const defaultTimeout = 15 * time.Minute

func idAttribute(description string) schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Computed:            true,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

func hostAttribute() schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: "The host: a key of `hosts` in the provider block, or an address. Changing it moves the resource to another host.",
		Required:            true,
		Validators:          []validator.String{hostName},
		PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

// known reports whether nothing in the values is left to be known after the apply.
func known(ctx context.Context, values ...attr.Value) bool {
	for _, v := range values {
		raw, err := v.ToTerraformValue(ctx)
		if err != nil || !raw.IsFullyKnown() {
			return false
		}
	}
	return true
}

// stringsIn returns the known strings of a set, in order.
func stringsIn(set types.Set) []string {
	var texts []string
	for _, element := range set.Elements() {
		if text, ok := element.(types.String); ok && !text.IsUnknown() && !text.IsNull() {
			texts = append(texts, text.ValueString())
		}
	}
	slices.Sort(texts)
	return texts
}

func stringSet(texts []string) types.Set {
	values := make([]attr.Value, 0, len(texts))
	for _, text := range texts {
		values = append(values, types.StringValue(text))
	}
	return types.SetValueMust(types.StringType, values)
}

// addressesIn returns the addresses of a set of strings that was validated.
func addressesIn(set types.Set) []netip.Addr {
	var addrs []netip.Addr
	for _, text := range stringsIn(set) {
		if addr, err := netip.ParseAddr(text); err == nil {
			addrs = append(addrs, addr)
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return addrs
}

// addProblems turns what a host is not fit for into errors at the attributes.
func addProblems(diags *diag.Diagnostics, problems []host.Problem) {
	for _, p := range problems {
		diags.AddAttributeError(attributeOf(p), p.Summary, p.Detail)
	}
}

// addWarnings is addProblems for what does not keep the host from it.
func addWarnings(diags *diag.Diagnostics, problems []host.Problem) {
	for _, p := range problems {
		diags.AddAttributeWarning(attributeOf(p), p.Summary, p.Detail)
	}
}

func attributeOf(p host.Problem) path.Path {
	at := path.Empty()
	for i, name := range p.Attribute {
		if i == 0 {
			at = path.Root(name)
		} else {
			at = at.AtName(name)
		}
	}
	return at
}

// within bounds an operation by the timeout that the user or the provider set.
func within(ctx context.Context, timeout func(context.Context, time.Duration) (time.Duration, diag.Diagnostics), diags *diag.Diagnostics) (context.Context, context.CancelFunc) {
	limit, more := timeout(ctx, defaultTimeout)
	diags.Append(more...)
	return context.WithTimeout(ctx, limit)
}
