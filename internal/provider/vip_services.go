package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// What a service gets where the user says nothing of it.
const (
	defaultCheckInterval   = "6s"
	defaultCheckTimeout    = "3s"
	defaultCheckRetries    = 2
	defaultCheckRetryDelay = "1s"
	defaultPath            = "/"
	defaultStatus          = "200-299"
	defaultRedisMode       = "ping"
)

func serviceAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"port": schema.Int64Attribute{
			MarkdownDescription: "Port of the service on the VIP. Only NAT can change it: with `DR` and `TUN` it is the real servers' too.",
			Required:            true,
			Validators:          []validator.Int64{int64validator.Between(1, 65535)},
		},
		"fwmark": schema.Int64Attribute{
			MarkdownDescription: "Firewall mark of the packets that the service takes, whatever their protocol and port: for ranges of ports, or several that belong together. Rules of yours set it (nft: `meta mark set 7`), on each director, before `LOCAL_IN`. They keep their port, and `port` is the one by which real servers are checked.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.Between(1, keepalived.MaxFWMark)},
		},
		"protocol": oneOf("`tcp` (default) or `udp`.", "tcp", "tcp", "udp"),
		"forwarding": oneOf("How packets reach the real servers: `DR` (direct routing, default: the real server, on the directors' network segment and with the VIP on its loopback interface, answers the client itself), `NAT` (the answers come back by way of the director, which has to be the real servers' router, by another VIP on their network as in `examples/nat`, and to forward packets) or `TUN` (as `DR`, through an IP-in-IP tunnel, to anywhere).",
			string(keepalived.DR), string(keepalived.DR), string(keepalived.NAT), string(keepalived.TUN)),
		"scheduler": oneOf("How the real server of a new connection is chosen, as in ipvsadm(8). Default `rr`. Directors with `loop_guard = \"hash\"` need `mh`.", "rr", keepalived.Schedulers...),
		"scheduler_flags": schema.SetAttribute{
			MarkdownDescription: "`sh-fallback` and `sh-port` for the scheduler `sh`, `mh-fallback` and `mh-port` for `mh`: take another real server where the one that was drawn has weight 0 or is full; let the client's port count too. Directors with `loop_guard = \"hash\"` need `mh-port`.",
			Optional:            true,
			ElementType:         types.StringType,
			Validators:          []validator.Set{setvalidator.SizeAtLeast(1)},
		},
		"one_packet": schema.BoolAttribute{
			MarkdownDescription: "Choose a real server for each packet by itself: for UDP services of one question and one answer.",
			Optional:            true,
		},
		"persistence": schema.SingleNestedAttribute{
			MarkdownDescription: "Send a client back to the real server that it had before.",
			Optional:            true,
			CustomType:          persistenceType,
			Attributes: map[string]schema.Attribute{
				"timeout": schema.StringAttribute{
					MarkdownDescription: "How long after its last connection, whole seconds.",
					Required:            true,
					Validators:          []validator.String{duration(keepalived.ValidatePersistence)},
				},
				"mask": schema.StringAttribute{
					MarkdownDescription: "Makes one client of many: a netmask for IPv4, such as `255.255.255.0`, a prefix length for IPv6, such as `64`.",
					Optional:            true,
				},
			},
		},
		"check": checkAttribute(),
		"inhibit_on_failure": schema.BoolAttribute{
			MarkdownDescription: "Give a real server that fails its check the weight 0 instead of taking it out of the table: it gets nothing new, and keeps what it has.",
			Optional:            true,
		},
		"quorum": schema.SingleNestedAttribute{
			MarkdownDescription: "The total weight that the healthy real servers must have; where they have less, the sorry server stands in. Without it, one healthy real server is enough.",
			Optional:            true,
			CustomType:          quorumType,
			Attributes: map[string]schema.Attribute{
				"weight": defaultInt("The total weight, at least 1.", 1),
				"hysteresis": defaultInt("How far below it the total may fall before the quorum is lost, and how far above it has to rise before it is there again; less than `weight`.",
					0),
				"up":   commandAttribute("Command that each director runs, as root, when the quorum is there again."),
				"down": commandAttribute("Command that each director runs, as root, when the quorum is lost."),
			},
		},
		"sorry_server": schema.SingleNestedAttribute{
			MarkdownDescription: "Gets the connections while the quorum is lost.",
			Optional:            true,
			CustomType:          sorryType,
			Attributes: map[string]schema.Attribute{
				"address": schema.StringAttribute{
					MarkdownDescription: "Its own address.",
					Required:            true,
					Validators:          []validator.String{serverAddress},
				},
				"port": portAttribute("Its port, where it is not the service's; for NAT."),
			},
		},
		"real_servers": schema.MapNestedAttribute{
			MarkdownDescription: "The real servers, by a name of your choice.",
			Required:            true,
			Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(mapKey)},
			CustomType:          types.MapType{ElemType: serverType},
			NestedObject: schema.NestedAttributeObject{CustomType: serverType, Attributes: map[string]schema.Attribute{
				"address": schema.StringAttribute{
					MarkdownDescription: "The machine's own address: the `address` of its `redislb_realserver`.",
					Required:            true,
					Validators:          []validator.String{serverAddress},
				},
				"port":   portAttribute("Its port, where it is not the service's; for NAT."),
				"weight": integer("Share of the new connections under a weighted scheduler. 0: none, while the established ones go on.", 1, 0, 65535),
				"connections": schema.SingleNestedAttribute{
					MarkdownDescription: "Bounds the number of its connections.",
					Optional:            true,
					CustomType:          thresholdType,
					Attributes: map[string]schema.Attribute{
						"upper": schema.Int64Attribute{
							MarkdownDescription: "With so many connections it gets no new ones.",
							Required:            true,
							Validators:          []validator.Int64{int64validator.AtLeast(1)},
						},
						"lower": schema.Int64Attribute{
							MarkdownDescription: "With so few it gets new ones again. Default: three quarters of `upper`, as the kernel has it.",
							Optional:            true,
							Validators:          []validator.Int64{int64validator.AtLeast(1)},
						},
					},
				},
			}},
		},
	}
}

func checkAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "How a director finds out whether a real server is well. One that is not is taken out of the table until it is; that is no drift. A real server that comes in is sent nothing before it has passed: up to an `interval`, of which a change waits 15 seconds at most. Default: a check of type `tcp`.",
		Optional:            true,
		CustomType:          checkType,
		Attributes:          checkAttributes(),
	}
}

func checkAttributes() map[string]schema.Attribute {
	var kinds []string
	for _, kind := range keepalived.CheckKinds {
		kinds = append(kinds, string(kind))
	}
	return map[string]schema.Attribute{
		"type": oneOf("A real server is well if: `tcp` (default), it accepts a connection, which a hung Redis does too; `redis`, a Redis answers as `redis` says; `http`, it answers a request as `http` says; `script`, a command on the director returns 0; `none`, always.",
			string(keepalived.CheckTCP), kinds...),
		"interval":    durationAttribute("Time between two checks.", defaultCheckInterval, keepalived.ValidateDelayLoop),
		"timeout":     durationAttribute("How long a check may take.", defaultCheckTimeout, keepalived.ValidateConnectTimeout),
		"retry_delay": durationAttribute("Time between two tries of a failed check.", defaultCheckRetryDelay, keepalived.ValidateRetryDelay),
		"retries":     integer("How often a failed check is tried again before the real server is taken out.", defaultCheckRetries, 0, 100),
		"port":        portAttribute("Port to check, where it is not the real server's."),
		"http": schema.SingleNestedAttribute{
			MarkdownDescription: "The request of a check of type `http`.",
			Optional:            true,
			CustomType:          httpType,
			Attributes: map[string]schema.Attribute{
				"path": schema.StringAttribute{
					MarkdownDescription: "Path and query. Default `/`.",
					Optional:            true,
					Computed:            true,
					Default:             stringdefault.StaticString(defaultPath),
					Validators:          []validator.String{stringCheck{"a path", keepalived.ValidateHTTPPath}},
				},
				"host": schema.StringAttribute{
					MarkdownDescription: "Host header, and the server's name in TLS. Default: the address.",
					Optional:            true,
					Validators:          []validator.String{stringCheck{"a host name", keepalived.ValidateHTTPHost}},
				},
				"tls": falseAttribute("Speak TLS. The certificate is not verified."),
				"status": schema.StringAttribute{
					MarkdownDescription: "Status codes and ranges of them that are well, with a space between: `200-299 404`. Default `" + defaultStatus + "`.",
					Optional:            true,
					Computed:            true,
					Default:             stringdefault.StaticString(defaultStatus),
					Validators:          []validator.String{stringCheck{"status codes", keepalived.ValidateStatus}},
				},
			},
		},
		"redis": schema.SingleNestedAttribute{
			MarkdownDescription: "What a check of type `redis` asks.",
			Optional:            true,
			CustomType:          redisType,
			Attributes: map[string]schema.Attribute{
				"mode": oneOf("`ping` (default): it answers PING, so it neither hangs nor loads its data nor refuses connections. `master`: and it is a master. `writable`: and it would take a write now (no lack of replicas or memory); nothing is written.",
					defaultRedisMode, keepalived.RedisModes...),
				"username": schema.StringAttribute{
					MarkdownDescription: "User of Redis's ACL. Default: the default user, whose password is the server's `requirepass`.",
					Optional:            true,
					Validators: []validator.String{
						stringCheck{"the name of a user", keepalived.ValidateRedisUser},
						stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("password_wo_version")),
					},
				},
				"password_wo": schema.StringAttribute{
					MarkdownDescription: "Password. It is never kept in the state; the directors have it in a file that only root reads.",
					Optional:            true,
					Sensitive:           true,
					WriteOnly:           true,
					Validators: []validator.String{
						stringCheck{"a password", keepalived.ValidateRedisPassword},
						stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("password_wo_version")),
					},
				},
				"password_wo_version": versionOf("password_wo"),
				"tls":                 falseAttribute("Speak TLS, with the director's `openssl`."),
				"ca_file": schema.StringAttribute{
					MarkdownDescription: "File on the director with the certificates by which the server is verified. Default: the system's.",
					Optional:            true,
					Validators:          []validator.String{stringCheck{"a path", keepalived.ValidatePath}},
				},
				"cert_file": schema.StringAttribute{
					MarkdownDescription: "File on the director with its own certificate and the key of it, which Redis asks for by default (`tls-auth-clients`).",
					Optional:            true,
					Validators:          []validator.String{stringCheck{"a path", keepalived.ValidatePath}},
				},
				"server_name": schema.StringAttribute{
					MarkdownDescription: "Name that the server's certificate must have, and that is sent as SNI.",
					Optional:            true,
					Validators:          []validator.String{stringCheck{"a host name", keepalived.ValidateHTTPHost}},
				},
			},
		},
		"script": commandAttribute("Command of a check of type `script`, with its arguments; the address and the port of the real server follow them. It is run as root on each director, where it has to be, and to belong to root. `timeout` has whole seconds then."),
	}
}

func defaultInt(description string, fallback int64) schema.Attribute {
	return schema.Int64Attribute{
		MarkdownDescription: description,
		Optional:            true,
		Computed:            true,
		Default:             int64default.StaticInt64(fallback),
		Validators:          []validator.Int64{int64validator.AtLeast(fallback)},
	}
}
