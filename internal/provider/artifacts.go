package provider

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const artifactsDescription = "What is on the host because of this resource, each artifact by its name: files, sysctls, addresses, units, rows of the IPVS table in the words of `ipvsadm -Sn`. " +
	"The plan shows exactly what will be there, the state exactly what was found there: a change made by hand on the host shows as a difference here. Secrets are left out."

func artifactsAttribute() schema.Attribute {
	return schema.MapAttribute{
		MarkdownDescription: artifactsDescription,
		Computed:            true,
		ElementType:         types.StringType,
	}
}

// artifactsValue is the map as Terraform takes it.
func artifactsValue(texts map[string]string) types.Map {
	values := make(map[string]attr.Value, len(texts))
	for key, text := range texts {
		values[key] = types.StringValue(text)
	}
	return types.MapValueMust(types.StringType, values)
}

// textsIn is the inverse of [artifactsValue] for what is on one of several hosts,
// whose names stand before the artifacts'; nil where there is nothing.
func textsIn(artifacts types.Map, prefix string) map[string]string {
	var texts map[string]string
	for key, value := range artifacts.Elements() {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			if texts == nil {
				texts = map[string]string{}
			}
			texts[name] = value.(types.String).ValueString()
		}
	}
	return texts
}
