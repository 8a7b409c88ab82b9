package provider

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Attributes of the kinds that the resources have many of.

func oneOf(description, fallback string, values ...string) schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(fallback),
		Validators:          []validator.String{stringvalidator.OneOf(values...)},
	}
}

func falseAttribute(description string) schema.Attribute {
	return schema.BoolAttribute{MarkdownDescription: description + " Default `false`.", Optional: true, Computed: true, Default: booldefault.StaticBool(false)}
}

func portAttribute(description string) schema.Attribute {
	return schema.Int64Attribute{MarkdownDescription: description, Optional: true, Validators: []validator.Int64{int64validator.Between(1, 65535)}}
}

func commandAttribute(description string) schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          []validator.String{command},
	}
}

var command = stringCheck{"the absolute path of a program and its arguments", keepalived.ValidateCommand}

func integer(description string, fallback, low, high int64) schema.Attribute {
	return schema.Int64Attribute{
		MarkdownDescription: fmt.Sprintf("%s Default %d.", description, fallback),
		Optional:            true,
		Computed:            true,
		Default:             int64default.StaticInt64(fallback),
		Validators:          []validator.Int64{int64validator.Between(low, high)},
	}
}

func durationAttribute(description, fallback string, check func(time.Duration) error) schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: description + " Default `" + fallback + "`.",
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(fallback),
		Validators:          []validator.String{duration(check)},
	}
}

// versionOf is the version of a write-only attribute beside it.
func versionOf(attribute string) schema.Attribute {
	return schema.Int64Attribute{
		MarkdownDescription: "Raise it to have a changed `" + attribute + "` written.",
		Optional:            true,
		Validators: []validator.Int64{
			int64validator.AtLeast(0),
			int64validator.AlsoRequires(path.MatchRelative().AtParent().AtName(attribute)),
		},
	}
}
