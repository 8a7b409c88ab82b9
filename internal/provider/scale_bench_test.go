package provider

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// BenchmarkManyServices is what the framework does with one VIP of many services.
func BenchmarkManyServices(b *testing.B) {
	ctx := context.Background()
	server, schemas := served(b)
	schema := schemas.ResourceSchemas["redislb_vip"].ValueType().(tftypes.Object)
	for _, n := range []int{10, 100, 1000} {
		config := manyServices(schema, n)
		packed, err := tfprotov6.NewDynamicValue(schema, config)
		if err != nil {
			b.Fatal(err)
		}
		null, err := tfprotov6.NewDynamicValue(schema, tftypes.NewValue(schema, nil))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("validate/%d", n), func(b *testing.B) {
			for b.Loop() {
				resp, err := server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{TypeName: "redislb_vip", Config: &packed})
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatal(err, resp.Diagnostics)
				}
			}
		})
		b.Run(fmt.Sprintf("plan/%d", n), func(b *testing.B) {
			for b.Loop() {
				resp, err := server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{TypeName: "redislb_vip", Config: &packed, ProposedNewState: &packed, PriorState: &null})
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatal(err, resp.Diagnostics)
				}
			}
		})
	}
}

func manyServices(schema tftypes.Object, n int) tftypes.Value {
	nothing := func(object tftypes.Object) map[string]tftypes.Value {
		values := map[string]tftypes.Value{}
		for name, of := range object.AttributeTypes {
			values[name] = tftypes.NewValue(of, nil)
		}
		return values
	}
	servicesType := schema.AttributeTypes["services"].(tftypes.Map)
	serviceType := servicesType.ElementType.(tftypes.Object)
	serversType := serviceType.AttributeTypes["real_servers"].(tftypes.Map)
	serverType := serversType.ElementType.(tftypes.Object)
	services := map[string]tftypes.Value{}
	for i := range n {
		servers := map[string]tftypes.Value{}
		for j := range 4 {
			server := nothing(serverType)
			server["address"] = tftypes.NewValue(tftypes.String, fmt.Sprintf("192.0.2.%d", 101+j))
			servers[fmt.Sprint("r", j)] = tftypes.NewValue(serverType, server)
		}
		service := nothing(serviceType)
		service["port"] = tftypes.NewValue(tftypes.Number, 10000+i)
		service["real_servers"] = tftypes.NewValue(serversType, servers)
		services[fmt.Sprint("s", i)] = tftypes.NewValue(serviceType, service)
	}
	vip := nothing(schema)
	vip["address"] = tftypes.NewValue(tftypes.String, "192.0.2.229/24")
	vip["directors"] = tftypes.NewValue(schema.AttributeTypes["directors"], []tftypes.Value{tftypes.NewValue(tftypes.String, "a")})
	vip["services"] = tftypes.NewValue(servicesType, services)
	return tftypes.NewValue(schema, vip)
}
