package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
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
			"interface": schema.StringAttribute{
				MarkdownDescription: "Network interface of the directors that the VIP belongs on. Left out, it is the one of their `vrrp`. All VIPs of an instance move together, on whatever interfaces they are (what `vrrp_sync_group` is for elsewhere): so the address by which clients come and the one that real servers behind `NAT` have for a gateway are two VIPs, the second one without services. Without the interface, or while it is down, a director is in fault and holds no VIP of the instance.",
				Optional:            true,
				Validators:          []validator.String{interfaceName},
			},
			"directors": schema.SetAttribute{
				MarkdownDescription: "The hosts of the directors that can hold the VIP. Refer to the `host` of each `redislb_director`, so that the directors come first. One that is taken out while it holds the VIP hands it over to those that stay, as by its `drain`, before the VIP is removed from it; if none of them takes it, the apply fails and the VIP stays where it is.",
				Required:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(hostName)},
			},
			"vrrp": schema.SingleNestedAttribute{
				MarkdownDescription: "A VRRP instance of the VIP's own, so that another director can hold it than the one that holds the other VIPs (active/active); interface, version, intervals, preemption, tracking, password, drain and notify commands are those of each director. The directors need a `loop_guard` for which a host may be master of one VIP and backup of another: `hash`. Left out, the VIP is in the instance that each director has for all its VIPs, and they move together. A VIP that gets an instance, or gives it up, is on no director for some seconds.",
				Optional:            true,
				CustomType:          vipVRRPType,
				Attributes: map[string]schema.Attribute{
					"virtual_router_id": schema.Int64Attribute{
						MarkdownDescription: "Number of the virtual router, 1 to 255: unique on the network, and other than the directors' own.",
						Required:            true,
						Validators:          []validator.Int64{int64validator.Between(1, 255)},
					},
					"priorities": schema.MapAttribute{
						MarkdownDescription: "The priority of each of `directors`, by its name there: the one with the highest holds the VIP. 1 to 254, all different.",
						Required:            true,
						ElementType:         types.Int64Type,
						Validators:          []validator.Map{mapvalidator.ValueInt64sAre(int64validator.Between(1, 254))},
					},
				},
			},
			"services": schema.MapNestedAttribute{
				MarkdownDescription: "The services on the VIP, by a name of your choice.",
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.KeysAre(mapKey)},
				CustomType:          types.MapType{ElemType: serviceType},
				NestedObject:        schema.NestedAttributeObject{CustomType: serviceType, Attributes: serviceAttributes()},
			},
			"drain_timeout": durationAttribute("How long the connections of a real server get to come to their end when an update takes it out of a service (or changes its address), or when its service or the VIP is removed. It first gets the weight 0 on every director, and no new connections by that; as soon as the director that holds the VIP counts no active ones (`ipvsadm -Ln`) any more, and after this time at the latest, it is taken out, which what is left does not survive: a warning tells how many. Nobody waits for a real server without connections, or for UDP, of which nobody can tell when a client has done. With direct routing and tunnels the director sees only what clients send, so one that the server resets counts as active until it times out. A persistent service still sends its known clients to a real server of weight 0 until they have been away for the time of `persistence`, unless `net.ipv4.vs.expire_quiescent_template` is 1 on the directors. If too little weight is left for the quorum, `quorum.down` is run when the drain begins, and the sorry server stays out until it has ended. `0s`: take it out at once. It is part of `timeouts.update` and `timeouts.delete`, and shorter. A destroy goes by the value that was applied last.",
				defaultDrainTimeout, notNegative),
			"artifacts": artifactsAttribute(),
			"timeouts":  timeouts.AttributesAll(ctx),
		},
	}
}

// mapKey is for the names that users give to services and real servers. They
// stand in comments of keepalived's configuration, where an import finds them.
var mapKey = stringCheck{"1 to 128 characters, none of which ends a line", keepalived.ValidateKey}
