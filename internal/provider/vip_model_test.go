package provider

import (
	"context"
	"net/netip"
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// The golden files have every keyword. What an import makes of them leads back to
// them, and leaves out what need not be said.
func TestWhatAnImportReadsIsWhatAnApplyWrites(t *testing.T) {
	for _, name := range []string{"redis", "several", "full", "ipv6", "address-only", "inside"} {
		t.Run(name, func(t *testing.T) {
			file := func(kind string) []byte {
				text, err := os.ReadFile("../keepalived/testdata/vip-" + name + "." + kind + ".conf")
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			address, services := file("address"), file("services")
			vip, err := keepalived.ParseVIP(address, services)
			if err != nil {
				t.Fatal(err)
			}
			values := map[string]attr.Value{}
			for _, s := range vip.Services {
				values[s.Name] = serviceValue(s, host.Password{Version: 7})
			}
			model := vipModel{Address: types.StringValue(vip.Address.String()), Interface: orNull(vip.Interface), Services: types.MapValueMust(serviceType, values)}
			var diags diag.Diagnostics
			spec := model.spec(context.Background(), &diags)
			if diags.HasError() {
				t.Fatal(diags)
			}
			if err := spec.Validate(); err != nil {
				t.Fatal(err)
			}
			againAddress, againServices := spec.Render()
			if string(againAddress) != string(address) || string(againServices) != string(services) {
				t.Errorf("got\n%s%s", againAddress, againServices)
			}
			for _, s := range vip.Services {
				if p, ok := spec.Passwords[s.Name]; ok != s.Check.Redis.Password || (ok && p.Version != 7) {
					t.Errorf("service %q has the password %v", s.Name, p)
				}
			}
		})
	}
}

func TestImportSaysNothingOfWhatIsDefault(t *testing.T) {
	s := keepalived.VirtualServer{
		Name: "redis", Port: 6379, Protocol: keepalived.TCP, Scheduler: "rr", Forwarding: keepalived.DR, DelayLoop: mustDuration(types.StringValue(defaultCheckInterval)),
		Check: keepalived.Check{
			Kind: keepalived.CheckTCP, Timeout: mustDuration(types.StringValue(defaultCheckTimeout)),
			Retries: defaultCheckRetries, RetryDelay: mustDuration(types.StringValue(defaultCheckRetryDelay)),
		},
		Quorum:      keepalived.Quorum{Weight: 1},
		RealServers: []keepalived.RealServer{{Name: "a", Address: netip.MustParseAddr("192.0.2.11"), Port: 6379, Weight: 1}},
	}
	value := serviceValue(s, host.Password{}).(types.Object)
	said := map[string]bool{"port": true, "protocol": true, "forwarding": true, "scheduler": true, "real_servers": true}
	for name, v := range value.Attributes() {
		if v.IsNull() == said[name] {
			t.Errorf("%s is %s", name, v)
		}
	}
}
