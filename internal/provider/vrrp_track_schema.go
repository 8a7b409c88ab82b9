package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// defaultTrackWeight moves the VIPs where the priorities of two directors are less
// than that apart. It is not 0: an instance in FAULT gives up the VIPs without waiting
// for the connections that the other one has not been told of.
const defaultTrackWeight = -50

const weightDescription = "From -253 to 253. Below 0: the priority is that much lower while what is tracked is not well. Above 0: it is that much higher while it is well. " +
	"0: the director goes into fault while it is not well, and gives up the VIPs even where no other can take them; established connections to other real servers break. " +
	"The VIPs move only if the priority falls below another director's, and after that one's `preempt_delay`."

// The keys of tracked things are names in keepalived's configuration.
var (
	trackedInterface = stringCheck{"the name of a network interface", keepalived.ValidateTrackedInterface}
	trackedName      = stringCheck{"letters, digits and _ - .", keepalived.ValidateTrackedName}
)

func tracked(description string, key stringCheck, attributes map[string]schema.Attribute) schema.Attribute {
	if attributes["weight"] == nil {
		attributes["weight"] = integer(weightDescription, defaultTrackWeight, -253, 253)
	}
	return schema.MapNestedAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(key)},
		NestedObject:        schema.NestedAttributeObject{Attributes: attributes},
	}
}

func trackInterfacesAttribute() schema.Attribute {
	return tracked("Network interfaces that the priority follows, by their names: one is well while it is up. `interface` itself is always tracked, and without it the director is in fault.", trackedInterface, map[string]schema.Attribute{})
}

func trackProcessesAttribute() schema.Attribute {
	return tracked("Processes that the priority follows, by a name of your choice. The kernel tells keepalived of each start and end.", trackedName, map[string]schema.Attribute{
		"process": schema.StringAttribute{
			MarkdownDescription: "Name of the process as in `/proc/PID/comm`, at most 15 characters: `redis-server`.",
			Required:            true,
			Validators:          []validator.String{stringCheck{"the name of a process", keepalived.ValidateProcess}},
		},
		"quorum": integer("How many of them must run.", 1, 1, 65535),
		"delay": schema.StringAttribute{
			MarkdownDescription: "How long a change must last before it counts, so that a restart moves nothing. Up to an hour, default `0s`.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString("0s"),
			Validators:          []validator.String{duration(keepalived.ValidateProcessDelay)},
		},
	})
}

func trackScriptsAttribute() schema.Attribute {
	return tracked("Commands that the priority follows, by a name of your choice: one is well while it ends with 0.", trackedName, map[string]schema.Attribute{
		"script": schema.StringAttribute{
			MarkdownDescription: "Absolute path of a program on the host, and arguments with one blank between two; no shell reads them. Where it runs as root, it and the folders above it must belong to root, and nobody else may write them: that is checked on the host before keepalived is reloaded.",
			Required:            true,
			Validators:          []validator.String{command},
		},
		"interval": durationAttribute("Time between two runs, whole seconds up to an hour.", "1s", keepalived.ValidateScriptTime),
		"timeout": schema.StringAttribute{
			MarkdownDescription: "How long a run may take before it has failed, whole seconds. Default: `interval`.",
			Optional:            true,
			Validators:          []validator.String{duration(keepalived.ValidateScriptTime)},
		},
		"fall": integer("How many runs in a row must fail before that counts.", 1, 1, 1000),
		"rise": integer("How many runs in a row must succeed before that counts.", 1, 1, 1000),
		"user": schema.StringAttribute{
			MarkdownDescription: "User of the host that runs it. Default: root. keepalived 2.2.5 to 2.2.7, of Debian 12 for one, can check no configuration with another user: let the script change it there.",
			Optional:            true,
			Validators:          []validator.String{stringCheck{"a user", keepalived.ValidateUser}},
		},
	})
}

func trackFilesAttribute() schema.Attribute {
	return tracked("Files that the priority follows, by a name of your choice. Each holds a whole number, which is multiplied by `weight` and added to the priority: write `-100` into it to hand the VIPs over, after the other director's `preempt_delay`.", trackedName, map[string]schema.Attribute{
		"path": schema.StringAttribute{
			MarkdownDescription: "Absolute path of the file on the host. Its folder must be there.",
			Required:            true,
			Validators:          []validator.String{stringCheck{"an absolute path", keepalived.ValidatePath}},
		},
		"initial_value": integer("What keepalived writes when it starts, if there is no such file.", 0, -254, 254),
		"weight":        integer("From -253 to 253. 0: the director goes into fault while the number is not 0.", 1, -253, 253),
	})
}
