package provider

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func TestSchemasAreValid(t *testing.T) {
	ctx := context.Background()
	p := New("test")()
	var ps provider.SchemaResponse
	p.Schema(ctx, provider.SchemaRequest{}, &ps)
	if diags := ps.Schema.ValidateImplementation(ctx); diags.HasError() {
		t.Errorf("provider: %v", diags)
	}
	for _, make := range p.Resources(ctx) {
		r := make()
		var meta resource.MetadataResponse
		r.Metadata(ctx, resource.MetadataRequest{ProviderTypeName: "redislb"}, &meta)
		var rs resource.SchemaResponse
		r.Schema(ctx, resource.SchemaRequest{}, &rs)
		if diags := rs.Schema.ValidateImplementation(ctx); diags.HasError() {
			t.Errorf("%s: %v", meta.TypeName, diags)
		}
		described(t, meta.TypeName, rs.Schema.Attributes)
	}
}

// described wants words for every attribute: the documentation is made of them.
func described(t *testing.T, at string, attributes map[string]schema.Attribute) {
	t.Helper()
	for name, a := range attributes {
		if name == "timeouts" { // described by the library that makes it
			continue
		}
		if a.GetMarkdownDescription() == "" {
			t.Errorf("%s.%s has no description", at, name)
		}
		switch a := a.(type) {
		case schema.SingleNestedAttribute:
			described(t, at+"."+name, a.Attributes)
		case schema.MapNestedAttribute:
			described(t, at+"."+name, a.NestedObject.Attributes)
		}
	}
}

// served is the provider as a server, and the schema that it hands out without
// diagnostics.
func served(t testing.TB) (tfprotov6.ProviderServer, *tfprotov6.GetProviderSchemaResponse) {
	t.Helper()
	server, err := providerserver.NewProtocol6WithError(New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatal(err, resp.Diagnostics)
	}
	return server, resp
}

func TestProviderServerHandsOutItsSchemaWithoutDiagnostics(t *testing.T) {
	_, resp := served(t)
	for _, name := range []string{"redislb_director", "redislb_realserver", "redislb_vip"} {
		if resp.ResourceSchemas[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestCredentialsAreSensitive(t *testing.T) {
	for name, a := range connectionAttributes() {
		secret := strings.Contains(name, "password") || name == "private_key" || name == "private_key_passphrase"
		if a.IsSensitive() != secret {
			t.Errorf("%s: sensitive is %v", name, a.IsSensitive())
		}
	}
	pass := vrrpAttribute().(schema.SingleNestedAttribute).Attributes["auth_pass_wo"].(schema.StringAttribute)
	if !pass.WriteOnly || !pass.Sensitive {
		t.Error("the VRRP password would be kept in the state")
	}
	kept := vrrpAttribute().(schema.SingleNestedAttribute).Attributes["auth_pass"].(schema.StringAttribute)
	if !kept.Sensitive || !strings.Contains(kept.MarkdownDescription, "kept in the state in plain text") {
		t.Error("the VRRP password that is kept in the state would be shown, or its description does not say so")
	}
}
