package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

// defaultBind reaches every address of the host, the VIPs on lo among them.
var defaultBind = []string{"0.0.0.0", "::"}

func redisAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "Redis servers that the host runs, by a name of your choice: each with a systemd unit, a configuration and a data directory (`/var/lib/redis/redislb-PORT`) of its own. " +
			"None unless they are written here, and a Redis that is on the host already is never touched. " +
			"A change of an instance restarts it, which breaks the connections to it; a plan warns of that. Before, Redis itself checks the configuration. " +
			"When an instance or the resource goes, its unit and its configuration go and **its data stays**.",
		Optional:   true,
		Validators: []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(mapKey)},
		NestedObject: schema.NestedAttributeObject{Attributes: withPassword(map[string]schema.Attribute{
			"port": schema.Int64Attribute{
				MarkdownDescription: "Port to listen on, one for each instance of a host. By direct routing it is the port of the service on the VIP too. With another port it is another instance, with data of its own.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.Between(1024, 65535)},
			},
			"bind": schema.SetAttribute{
				MarkdownDescription: "Addresses to listen on. Default `0.0.0.0` and `::`, all of the host's; the VIP must be among them for clients to reach the instance by it.",
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Default:             setdefault.StaticValue(stringSet(defaultBind)),
				Validators:          []validator.Set{setvalidator.SizeBetween(1, 16), setvalidator.ValueStringsAre(stringCheck{"an IP address", redisconf.ValidateBind})}, // config.h, CONFIG_BINDADDR_MAX
			},
			"protected_mode": schema.BoolAttribute{
				MarkdownDescription: "Let Redis refuse clients of other machines while it has no password. An instance that listens on the network has to have a password, or `protected_mode = false`, which says that **whoever reaches the port may do anything**. Default `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"databases": integer("Number of databases.", redisconf.DefaultDatabases, 1, 1<<20),
			"maxmemory": schema.StringAttribute{
				MarkdownDescription: "How much memory the data may take: bytes, or with a unit as in redis.conf (`512mb`, `2gb`). `0`: as much as there is. Default `0`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(redisconf.DefaultMaxMemory),
				Validators:          []validator.String{stringCheck{"bytes as in redis.conf", redisconf.ValidateMaxMemory}},
			},
			"maxmemory_policy": oneOf("What goes when there is no room: one of Redis's policies. Default `noeviction`: nothing, and writes fail.", redisconf.DefaultMaxMemoryPolicy, redisconf.MaxMemoryPolicies...),
			"appendonly":       falseAttribute("Write each change to a file (AOF), so that a crash loses a second at most."),
			"save": schema.StringAttribute{
				MarkdownDescription: "When a snapshot (RDB) is written: pairs of seconds and changes. `never`: not at all, but when an apply restarts the instance, which keeps its data. Without snapshots and `appendonly` a crash loses all, and the empty server that systemd starts again is what its replicas then copy. Default `" + redisconf.DefaultSave + "`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(redisconf.DefaultSave),
				Validators:          []validator.String{stringCheck{"pairs of seconds and changes", redisconf.ValidateSave}},
			},
			"replica_of": schema.SingleNestedAttribute{
				MarkdownDescription: "Makes the instance a replica of another one: what is written there appears here. It need not be there yet, and its being away is no drift. **The data that the instance has is replaced by the master's.**",
				Optional:            true,
				Attributes: withPassword(map[string]schema.Attribute{
					"address": schema.StringAttribute{
						MarkdownDescription: "Address of the master's machine.",
						Required:            true,
						Validators:          []validator.String{serverAddress},
					},
					"port": integer("Port of the master.", 6379, 1, 65535),
					"username": schema.StringAttribute{
						MarkdownDescription: "User of the master's ACL. Default: the default user, whose password is the master's `requirepass`.",
						Optional:            true,
						Validators:          []validator.String{stringCheck{"the name of a user", keepalived.ValidateRedisUser}},
					},
				}, "the master wants (`masterauth`)"),
			},
			"settings": schema.MapAttribute{
				MarkdownDescription: "Further directives of redis.conf, each with its arguments in one line, such as `\"tcp-keepalive\" = \"60\"`. Those that have an attribute, hold a password or are redislb's own (`dir`, `include`, `rename-command`…) are refused. Of these, a change by `CONFIG SET` is not seen.",
				Optional:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), redisSettings{}},
			},
		}, "clients have to give (`requirepass`)")},
	}
}

// withPassword adds a password, in the one way that Terraform keeps and in the one that
// it does not.
func withPassword(attributes map[string]schema.Attribute, which string) map[string]schema.Attribute {
	beside := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	isPassword := stringCheck{"a password", keepalived.ValidateRedisPassword}
	attributes["password"] = schema.StringAttribute{
		MarkdownDescription: "Password as `password_wo`, for Terraform before 1.11. **It is kept in the state in plain text**, marked as sensitive: whoever reads the state reads it. A change is written without a version.",
		Optional:            true,
		Sensitive:           true,
		Validators:          []validator.String{isPassword, stringvalidator.ConflictsWith(beside("password_wo"), beside("password_wo_version"))},
	}
	attributes["password_wo"] = schema.StringAttribute{
		MarkdownDescription: "Password that " + which + ". It is never kept in the state; the host has it in a file that only root reads.",
		Optional:            true,
		Sensitive:           true,
		WriteOnly:           true,
		Validators:          []validator.String{isPassword, stringvalidator.AlsoRequires(beside("password_wo_version"))},
	}
	attributes["password_wo_version"] = versionOf("password_wo")
	return attributes
}

// redisSettings is the validator of settings.
type redisSettings struct{}

func (redisSettings) Description(context.Context) string         { return "directives of redis.conf" }
func (redisSettings) MarkdownDescription(context.Context) string { return "directives of redis.conf" }

func (redisSettings) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for key, value := range req.ConfigValue.Elements() {
		if text, ok := value.(types.String); ok && !text.IsUnknown() {
			if err := redisconf.ValidateSetting(key, text.ValueString()); err != nil {
				resp.Diagnostics.AddAttributeError(req.Path.AtMapKey(key), "Invalid settings", err.Error())
			}
		}
	}
}

// The types of redis, for values that an import makes.
var (
	instanceType  = redisAttribute().GetType().(types.MapType).ElemType.(types.ObjectType)
	replicaOfType = instanceType.AttrTypes["replica_of"].(types.ObjectType)
)
