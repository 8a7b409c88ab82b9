package provider

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestEachAttributeHasAVariableThatTheBlockWinsOver(t *testing.T) {
	values := map[string]string{"port": "2200", "max_sessions": "3", "agent": "true", "become": "false", "jump_hosts": "one, two"}
	kind := reflect.TypeFor[connectionModel]()
	for i := range kind.NumField() {
		attribute := kind.Field(i).Tag.Get("tfsdk")
		if values[attribute] == "" {
			values[attribute] = "of the environment"
		}
		t.Run(attribute, func(t *testing.T) {
			t.Setenv(environmentName(attribute), values[attribute])
			c, err := fromEnvironment()
			if err != nil {
				t.Fatal(err)
			}
			for j := range kind.NumField() {
				if got := reflect.ValueOf(c).Field(j).Interface().(attr.Value); got.IsNull() != (i != j) {
					t.Errorf("%s: got %v", kind.Field(j).Name, got)
				}
			}
			block := filled("of the block", 7, false)
			if merged := block.over(c); !reflect.DeepEqual(merged, block) {
				t.Errorf("the environment wins: %v", merged)
			}
		})
	}
	t.Setenv("REDISLB_JUMP_HOSTS", "one, two,")
	if c, _ := fromEnvironment(); !c.JumpHosts.Equal(stringList([]string{"one", "two"})) {
		t.Errorf("got %v", c.JumpHosts)
	}
}

func TestVariableThatCannotBeReadIsNamedWithoutItsValue(t *testing.T) {
	for _, name := range []string{"REDISLB_PORT", "REDISLB_AGENT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "hunter2")
			_, diags := newDirectory(t.Context(), providerModel{Hosts: types.MapNull(types.ObjectType{})})
			if !diags.HasError() || !strings.Contains(diags[0].Detail(), name) || strings.Contains(diags[0].Detail(), "hunter2") {
				t.Errorf("got %v", diags)
			}
		})
	}
}

func TestDocumentationListsEachVariable(t *testing.T) {
	page, err := os.ReadFile("../../templates/index.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	attributes := []string{"command_timeout", "ssh_config_file"}
	kind := reflect.TypeFor[connectionModel]()
	for i := range kind.NumField() {
		attributes = append(attributes, kind.Field(i).Tag.Get("tfsdk"))
	}
	for _, a := range attributes {
		if !strings.Contains(string(page), "| `"+a+"` | `"+environmentName(a)+"` |") {
			t.Errorf("no line for %s", a)
		}
	}
}
