package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

type ipvsTimeoutsModel struct {
	TCP    types.String `tfsdk:"tcp"`
	TCPFin types.String `tfsdk:"tcp_fin"`
	UDP    types.String `tfsdk:"udp"`
}

func ipvsTimeoutsAttribute() schema.SingleNestedAttribute {
	timeout := func(description, standard string) schema.Attribute {
		return schema.StringAttribute{
			MarkdownDescription: description + " Whole seconds, at most 24 days; the kernel's own value is `" + standard + "`.",
			Optional:            true,
			Validators:          []validator.String{duration(keepalived.ValidateIPVSTimeout)},
		}
	}
	return schema.SingleNestedAttribute{
		MarkdownDescription: "How long the kernel's IPVS keeps a connection that is silent (`ipvsadm --set`), for all virtual services of the host. Only what is named here is managed, by keepalived's `lvs_timeouts`, and put back as it was when it is no longer named; " +
			"but keepalived, when it is reloaded with some of them, puts the others back to what it found when it first set any. The same on all directors of a group, or connections live longer on one than on the other. A connection that is there already takes a changed value with its next packet.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"tcp":     timeout("For an established connection. More than twice the `tcp-keepalive` of Redis, which is 300 seconds by default, or connections that are idle break.", "15m"),
			"tcp_fin": timeout("For a connection that one side has closed.", "2m"),
			"udp":     timeout("For UDP.", "5m"),
		},
	}
}

// ipvsTimeoutsTypes are the types of the attributes of ipvs_timeouts.
var ipvsTimeoutsTypes = ipvsTimeoutsAttribute().GetType().(types.ObjectType).AttrTypes

func ipvsTimeoutsIn(object types.Object) keepalived.IPVSTimeouts {
	m := objectIn[ipvsTimeoutsModel](object)
	if m == nil {
		return keepalived.IPVSTimeouts{}
	}
	return keepalived.IPVSTimeouts{TCP: mustDuration(m.TCP), TCPFin: mustDuration(m.TCPFin), UDP: mustDuration(m.UDP)}
}

// ipvsTimeoutsOf is the inverse of ipvsTimeoutsIn.
func ipvsTimeoutsOf(t keepalived.IPVSTimeouts) types.Object {
	if t == (keepalived.IPVSTimeouts{}) {
		return types.ObjectNull(ipvsTimeoutsTypes)
	}
	object, diags := types.ObjectValueFrom(context.Background(), ipvsTimeoutsTypes, ipvsTimeoutsModel{durationOrNull(t.TCP), durationOrNull(t.TCPFin), durationOrNull(t.UDP)})
	if diags.HasError() {
		panic(diags)
	}
	return object
}

func durationOrNull(d time.Duration) types.String {
	if d == 0 {
		return types.StringNull()
	}
	return durationValue(d)
}

// keepalive is how often Redis asks after an idle client by default (redis.conf,
// tcp-keepalive).
const keepalive = 300 * time.Second

// warnOfShortTimeout tells of one that ends before Redis has had two tries to keep the
// connection.
func warnOfShortTimeout(object types.Object, diags *diag.Diagnostics) {
	if tcp := ipvsTimeoutsIn(object).TCP; tcp > 0 && tcp < 2*keepalive {
		diags.AddAttributeWarning(path.Root("ipvs_timeouts").AtName("tcp"), "Idle Connections May Break",
			fmt.Sprintf("IPVS is to forget a TCP connection that is silent for %s, and Redis sends a keepalive every %d seconds by default: where one of them is lost, the director forgets the connection, and it breaks. Make it longer than twice the tcp-keepalive of the real servers (%d seconds by default), unless theirs is shorter.", tcp, keepalive/time.Second, 2*keepalive/time.Second))
	}
}
