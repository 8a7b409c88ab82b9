package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// What data sources and functions return is declared once, as attributes of a data source:
// a function takes its type and its documentation from them.

func stringResult(description string) schema.Attribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

func intResult(description string) schema.Attribute {
	return schema.Int64Attribute{MarkdownDescription: description, Computed: true}
}

func boolResult(description string) schema.Attribute {
	return schema.BoolAttribute{MarkdownDescription: description, Computed: true}
}

func stringsResult(description string) schema.Attribute {
	return schema.ListAttribute{MarkdownDescription: description, Computed: true, ElementType: types.StringType}
}

func objectResult(description string, attributes map[string]schema.Attribute) schema.Attribute {
	return schema.SingleNestedAttribute{MarkdownDescription: description, Computed: true, Attributes: attributes}
}

func objectsResult(description string, attributes map[string]schema.Attribute) schema.Attribute {
	return schema.ListNestedAttribute{MarkdownDescription: description, Computed: true, NestedObject: schema.NestedAttributeObject{Attributes: attributes}}
}

func mapResult(description string, attributes map[string]schema.Attribute) schema.Attribute {
	return schema.MapNestedAttribute{MarkdownDescription: description, Computed: true, NestedObject: schema.NestedAttributeObject{Attributes: attributes}}
}

// typesOf is the type of an object with these attributes.
func typesOf(attributes map[string]schema.Attribute) map[string]attr.Type {
	of := make(map[string]attr.Type, len(attributes))
	for name, a := range attributes {
		of[name] = a.GetType()
	}
	return of
}

// nested are the attributes of an object, or of each one of several.
func nested(a schema.Attribute) map[string]schema.Attribute {
	switch a := a.(type) {
	case schema.SingleNestedAttribute:
		return a.Attributes
	case schema.ListNestedAttribute:
		return a.NestedObject.Attributes
	case schema.MapNestedAttribute:
		return a.NestedObject.Attributes
	}
	return nil
}

// documented lists the attributes, as documentation of a function has it.
func documented(attributes map[string]schema.Attribute) string {
	var b strings.Builder
	document(&b, attributes, "")
	return b.String()
}

func document(b *strings.Builder, attributes map[string]schema.Attribute, indent string) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		fmt.Fprintf(b, "%s- `%s`: %s\n", indent, name, a.GetMarkdownDescription())
		document(b, nested(a), indent+"  ")
	}
}

// optional is a pointer to the value, or nil for the zero one: null in a result.
func optional[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

// optionalInt is the number as Terraform takes it.
func optionalInt(value *int) *int64 {
	if value == nil {
		return nil
	}
	number := int64(*value)
	return &number
}
