package provider

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// environmentName is the variable that stands in for an attribute of the provider
// block.
func environmentName(attribute string) string { return "REDISLB_" + strings.ToUpper(attribute) }

// fromEnvironment is what the environment says of connections. An empty variable
// says nothing.
func fromEnvironment() (connectionModel, error) {
	var c connectionModel
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		name := environmentName(v.Type().Field(i).Tag.Get("tfsdk"))
		text := os.Getenv(name)
		if text == "" {
			v.Field(i).Set(reflect.ValueOf(nothing(v.Field(i).Interface())))
			continue
		}
		var value attr.Value
		switch v.Field(i).Interface().(type) {
		case types.Int64:
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return c, fmt.Errorf("%s is not a number", name)
			}
			value = types.Int64Value(n)
		case types.Bool:
			truth, err := strconv.ParseBool(text)
			if err != nil {
				return c, fmt.Errorf("%s is neither true nor false", name)
			}
			value = types.BoolValue(truth)
		case types.List:
			value = stringList(strings.Split(text, ","))
		default:
			value = types.StringValue(text)
		}
		v.Field(i).Set(reflect.ValueOf(value))
	}
	return c, nil
}

// nothing is the null value of a field's type.
func nothing(field any) any {
	if _, ok := field.(types.List); ok {
		return types.ListNull(types.StringType)
	}
	return field
}

func stringList(texts []string) types.List {
	var values []attr.Value
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			values = append(values, types.StringValue(t))
		}
	}
	return types.ListValueMust(types.StringType, values)
}

// orEnvironment is a value, or where it is null what the environment says.
func orEnvironment(value types.String, attribute string) types.String {
	if text := os.Getenv(environmentName(attribute)); value.IsNull() && text != "" {
		return types.StringValue(text)
	}
	return value
}
