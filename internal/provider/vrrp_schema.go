package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

const defaultPreemptDelay = "15s"

func vrrpAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "The VRRP instance that decides which director holds the VIPs, but for those that have one of their own (`vrrp` of `redislb_vip`), which share all but the id and the priority with it.",
		Required:            true,
		Attributes: map[string]schema.Attribute{
			"instance": schema.StringAttribute{
				MarkdownDescription: "Name of the instance in keepalived's configuration.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("VI_1"),
				Validators:          []validator.String{stringCheck{"letters, digits and _ - .", keepalived.ValidateName}},
			},
			"interface": schema.StringAttribute{
				MarkdownDescription: "Network interface that the VIPs and the advertisements belong on.",
				Required:            true,
				Validators:          []validator.String{interfaceName},
			},
			"virtual_router_id": schema.Int64Attribute{
				MarkdownDescription: "Number of the virtual router, 1 to 255: the same on the directors of one group, which have the same VIPs, and unique among the groups on one network. Give a new director its VIPs in the same apply: from keepalived 2.3 on, one of the highest priority keeps the VIPs that it does not have from the others. It is the id of the IPVS sync daemon too.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 255)},
			},
			"priority": schema.Int64Attribute{
				MarkdownDescription: "The director with the highest priority holds the VIPs: 1 to 254, different on each.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 254)},
			},
			"version": schema.Int64Attribute{
				MarkdownDescription: "Version of VRRP, the same on all directors of a group: `2` (default) or `3`, which takes an `advert_interval` below a second and knows no password. With 3, the master has the address `127.112.0.VIRTUAL_ROUTER_ID` on `lo`, since keepalived runs no instance without an address.",
				Optional:            true,
				Computed:            true,
				Default:             int64default.StaticInt64(2),
				Validators:          []validator.Int64{int64validator.OneOf(2, 3)},
			},
			"advert_interval": schema.StringAttribute{
				MarkdownDescription: "Time between two advertisements of the master; a backup takes over after three and a bit are missed. The same on all directors of a group. Whole seconds up to `255s`; with `version = 3`, `10ms` to `40.95s` in steps of `10ms`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("1s"),
				Validators:          []validator.String{duration(keepalived.ValidateAdvertInterval)},
			},
			"preempt": schema.BoolAttribute{
				MarkdownDescription: "Whether this director, when its priority is the higher one, takes the VIPs from a running master. With `false` it only takes over from one that is gone: a lower priority, as tracking and a drain bring about, then no longer moves the VIPs to it. Default `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"preempt_delay": schema.StringAttribute{
				MarkdownDescription: "How long a director with a higher priority waits before it takes the VIPs from a running master. Established connections survive that only if it is longer than it takes the sync daemon to tell of idle connections (10 seconds).",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(defaultPreemptDelay),
				Validators:          []validator.String{duration(keepalived.ValidatePreemptDelay)},
			},
			"unicast":          unicastAttribute(),
			"garp":             garpAttribute(),
			"track_interfaces": trackInterfacesAttribute(),
			"track_processes":  trackProcessesAttribute(),
			"track_scripts":    trackScriptsAttribute(),
			"track_files":      trackFilesAttribute(),
			"notify":           notifyAttribute(),
			"auth_pass": schema.StringAttribute{
				MarkdownDescription: "Password as `auth_pass_wo`, for Terraform before 1.11. **It is kept in the state in plain text**, marked as sensitive: whoever reads the state reads it. A change is written without a version.",
				Optional:            true,
				Sensitive:           true,
				Validators: []validator.String{
					stringCheck{"1 to 8 characters", keepalived.ValidateAuthPass},
					stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("auth_pass_wo"), path.MatchRelative().AtParent().AtName("auth_pass_wo_version")),
				},
			},
			"auth_pass_wo": schema.StringAttribute{
				MarkdownDescription: "Password that the directors of a group share, 1 to 8 characters. It is never kept in the state. VRRP sends it in clear: it guards against mistakes, not against an attacker on the network.",
				Optional:            true,
				Sensitive:           true,
				WriteOnly:           true,
				Validators: []validator.String{
					stringCheck{"1 to 8 characters", keepalived.ValidateAuthPass},
					stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("auth_pass_wo_version")),
				},
			},
			"auth_pass_wo_version": versionOf("auth_pass_wo"),
			"auth_hmac_wo": schema.StringAttribute{
				MarkdownDescription: "Key by which the directors of a group sign their advertisements (keepalived's `auth_hmac`, HMAC-SHA256), 32 to 64 characters: unlike a password it keeps others on the network from forging them, in version 3 too. It is never kept in the state. It needs keepalived 2.4.0 on every director, and clocks that agree within 5 seconds (three advertisement intervals, if those are longer). Without a password.",
				Optional:            true,
				Sensitive:           true,
				WriteOnly:           true,
				Validators: []validator.String{
					stringCheck{"32 to 64 characters", keepalived.ValidateHMACKey},
					stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("auth_hmac_wo_version")),
					stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("auth_pass_wo"), path.MatchRelative().AtParent().AtName("auth_pass")),
				},
			},
			"auth_hmac_wo_version": versionOf("auth_hmac_wo"),
		},
	}
}

var interfaceName = stringCheck{"the name of a network interface", keepalived.ValidateInterface}

func unicastAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Send the advertisements to each director by its address instead of to the multicast group 224.0.0.18, for networks without multicast. The IPVS sync daemon knows multicast only: where its packets do not arrive, established connections do not survive a failover.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"source": schema.StringAttribute{
				MarkdownDescription: "The host's own address to send from, by which the other directors know it as a peer. Default: the first address of `interface`.",
				Optional:            true,
				Validators:          []validator.String{serverAddress},
			},
			"peers": schema.SetAttribute{
				MarkdownDescription: "The addresses of the other directors of the group, without the host's own.",
				Required:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Set{setvalidator.ValueStringsAre(serverAddress)},
			},
		},
	}
}

func garpAttribute() schema.Attribute {
	standard := garpOf(keepalived.DefaultGARP)
	times := func(description string, fallback types.String) schema.Attribute {
		return schema.StringAttribute{
			MarkdownDescription: description + " Whole seconds, default `" + fallback.ValueString() + "`.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(fallback.ValueString()),
			Validators:          []validator.String{duration(keepalived.ValidateGARPTime)},
		}
	}
	repeats := func(description string, fallback types.Int64, low int64) schema.Attribute {
		return integer(description, fallback.ValueInt64(), low, 100)
	}
	return schema.SingleNestedAttribute{
		MarkdownDescription: "How often the master tells the network by gratuitous ARP where the VIPs are. Where it is left out, it does as the defaults say.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"master_delay":          times("How long after the change to master the messages are sent a second time; `0s`: not at all.", standard.MasterDelay),
			"master_repeat":         repeats("How many messages each VIP gets after the change to master.", standard.MasterRepeat, 1),
			"master_refresh":        times("Time between further messages for as long as it is master, for clients that missed the first ones; `0s`: none.", standard.MasterRefresh),
			"master_refresh_repeat": repeats("How many of these at a time.", standard.MasterRefreshRepeat, 1),
			"lower_prio_delay":      times("How long after a director of lower priority claimed to be master the messages are sent a second time; `0s`: not at all.", standard.LowerPrioDelay),
			"lower_prio_repeat":     repeats("How many messages each VIP gets after such a claim.", standard.LowerPrioRepeat, 0),
		},
	}
}

func notifyAttribute() schema.Attribute {
	hook := func(when string) schema.Attribute { return commandAttribute("Run when the instance " + when + ".") }
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Commands of your own that keepalived runs as root when the VRRP instance changes its state: the absolute path of a program on the host, and arguments with one blank between two; no shell reads them. The program and the folders above it must belong to root, and nobody else may write them: that is checked on the host before keepalived is reloaded.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"master": hook("becomes master"),
			"backup": hook("becomes backup"),
			"fault":  hook("goes into fault: it can hold no VIP"),
			"stop":   hook("ends, with keepalived"),
		},
	}
}
