package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// The types of the nested objects, for values that an import makes. The attributes
// have them as their CustomType too: the framework asks for the type of every value
// that it meets, and builds it anew each time where it is not given.
var (
	checkType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"type": types.StringType, "interval": types.StringType, "timeout": types.StringType,
		"retries": types.Int64Type, "retry_delay": types.StringType,
	}}
	serverType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"address": types.StringType, "port": types.Int64Type, "weight": types.Int64Type,
	}}
	serviceType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"port": types.Int64Type, "scheduler": types.StringType, "check": checkType,
		"real_servers": types.MapType{ElemType: serverType},
	}}
)

// The check that a service gets where the user says nothing of it.
const (
	defaultCheckInterval   = "6s"
	defaultCheckTimeout    = "3s"
	defaultCheckRetries    = 2
	defaultCheckRetryDelay = "1s"
)

func (r *vipResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A virtual IP address on a group of directors, and the services on it: each connection is sent to one of the service's real servers by direct routing. Every real server needs the VIP on its loopback interface too: see `redislb_realserver`. Without services the VIP is highly available and no more.",
		Attributes: map[string]schema.Attribute{
			"id": idAttribute("`ADDRESS@DIRECTOR,DIRECTOR…`. It is the import id too."),
			"address": schema.StringAttribute{
				MarkdownDescription: "The VIP with the prefix length of its subnet, such as `192.0.2.229/24`.",
				Required:            true,
				Validators:          []validator.String{vipPrefix},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"directors": schema.SetAttribute{
				MarkdownDescription: "The hosts of the directors that can hold the VIP. Refer to the `host` of each `redislb_director`, so that the directors come first.",
				Required:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(hostName)},
			},
			"services": schema.MapNestedAttribute{
				MarkdownDescription: "The services on the VIP, by a name of your choice.",
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.KeysAre(mapKey)},
				CustomType:          types.MapType{ElemType: serviceType},
				NestedObject:        schema.NestedAttributeObject{CustomType: serviceType, Attributes: serviceAttributes()},
			},
			"artifacts": artifactsAttribute(),
			"timeouts":  timeouts.AttributesAll(ctx),
		},
	}
}

// mapKey is for the names that users give to services and real servers. They
// stand in comments of keepalived's configuration, where an import finds them.
var mapKey = stringCheck{"1 to 128 characters, none of which ends a line", keepalived.ValidateKey}

func serviceAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"port": schema.Int64Attribute{
			MarkdownDescription: "TCP port of the service on the VIP and, since direct routing cannot change it, on every real server.",
			Required:            true,
			Validators:          []validator.Int64{int64validator.Between(1, 65535)},
		},
		"scheduler": schema.StringAttribute{
			MarkdownDescription: "How the real server of a new connection is chosen, as in ipvsadm(8). Default `rr`.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString("rr"),
			Validators:          []validator.String{stringvalidator.OneOf(keepalived.Schedulers...)},
		},
		"check": schema.SingleNestedAttribute{
			MarkdownDescription: "How a director finds out whether a real server is well. One that is not is taken out of the table until it is; that is no drift.",
			Optional:            true,
			Computed:            true,
			Default: objectdefault.StaticValue(types.ObjectValueMust(checkType.AttrTypes, map[string]attr.Value{
				"type":        types.StringValue("tcp"),
				"interval":    types.StringValue(defaultCheckInterval),
				"timeout":     types.StringValue(defaultCheckTimeout),
				"retries":     types.Int64Value(defaultCheckRetries),
				"retry_delay": types.StringValue(defaultCheckRetryDelay),
			})),
			CustomType: checkType,
			Attributes: checkAttributes(),
		},
		"real_servers": schema.MapNestedAttribute{
			MarkdownDescription: "The real servers, by a name of your choice.",
			Required:            true,
			Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(mapKey)},
			CustomType:          types.MapType{ElemType: serverType},
			NestedObject: schema.NestedAttributeObject{CustomType: serverType, Attributes: map[string]schema.Attribute{
				"address": schema.StringAttribute{
					MarkdownDescription: "The machine's own address, on the directors' network segment: the `address` of its `redislb_realserver`.",
					Required:            true,
					Validators:          []validator.String{serverAddress},
				},
				"port": schema.Int64Attribute{
					MarkdownDescription: "If given, it must be the service's port.",
					Optional:            true,
					Validators:          []validator.Int64{int64validator.Between(1, 65535)},
				},
				"weight": schema.Int64Attribute{
					MarkdownDescription: "Share of the new connections under a weighted scheduler. 0: none, while the established ones go on. Default 1.",
					Optional:            true,
					Computed:            true,
					Default:             int64default.StaticInt64(1),
					Validators:          []validator.Int64{int64validator.Between(0, 65535)},
				},
			}},
		},
	}
}

func checkAttributes() map[string]schema.Attribute {
	durationAttribute := func(description, fallback string, check func(time.Duration) error) schema.Attribute {
		return schema.StringAttribute{
			MarkdownDescription: description + " Default `" + fallback + "`.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(fallback),
			Validators:          []validator.String{duration(check)},
		}
	}
	return map[string]schema.Attribute{
		"type": schema.StringAttribute{
			MarkdownDescription: "`tcp` (default): a real server is well if it accepts a connection.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString("tcp"),
			Validators:          []validator.String{stringvalidator.OneOf("tcp")},
		},
		"interval":    durationAttribute("Time between two checks.", defaultCheckInterval, keepalived.ValidateDelayLoop),
		"timeout":     durationAttribute("How long a connection may take.", defaultCheckTimeout, keepalived.ValidateConnectTimeout),
		"retry_delay": durationAttribute("Time between two tries of a failed check.", defaultCheckRetryDelay, keepalived.ValidateRetryDelay),
		"retries": schema.Int64Attribute{
			MarkdownDescription: "How often a failed check is tried again before the real server is taken out. Default 2.",
			Optional:            true,
			Computed:            true,
			Default:             int64default.StaticInt64(defaultCheckRetries),
			Validators:          []validator.Int64{int64validator.Between(0, 100)},
		},
	}
}
