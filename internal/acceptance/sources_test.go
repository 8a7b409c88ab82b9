//go:build acceptance

package acceptance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// observed adds the data sources of testdata/sources.tf to a step, of which a must be the
// master, and holds what they tell against the system that there is.
func observed(t *testing.T, s resource.TestStep) resource.TestStep {
	t.Helper()
	var text []byte
	for _, name := range []string{"system.tf", "sources.tf"} {
		part, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, part...)
	}
	file := filepath.Join(t.TempDir(), "observed.tf")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.ConfigFile = config.StaticFile(file)
	s.Check = dataSourcesTellTheTruth
	return s
}

// dataSourcesTellTheTruth is about the system after TestSystemComesUp….
func dataSourcesTellTheTruth(s *terraform.State) error {
	var errs []error
	value := func(source, attribute string) string {
		r := s.RootModule().Resources["data.redislb_"+source]
		if r == nil {
			errs = append(errs, fmt.Errorf("there is no data.redislb_%s in the state", source))
			return ""
		}
		return r.Primary.Attributes[attribute]
	}
	want := func(source, attribute, pattern string) {
		if got := value(source, attribute); !regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(got) {
			errs = append(errs, fmt.Errorf("data.redislb_%s: %s is %q, want %s", source, attribute, got, pattern))
		}
	}
	connections := 0
	for name, role := range map[string]string{"a": "master", "b": "backup"} {
		want("host."+name, "os", `Debian .*`)
		want("host."+name, "package_manager", `apt-get`)
		want("host."+name, "keepalived_version", `2\.\d+\.\d+`)
		want("host."+name, "keepalived_state", `active`)
		want("host."+name, "keepalived_conf", `redislb`)
		want("host."+name, "ipvsadm_version", `1\.\d+`)
		want("host."+name, "missing_packages.#", `0`)
		want("host."+name, "problems.#", `0`)

		want("vrrp."+name, "instance", `.+`)
		want("vrrp."+name, "state", role)
		want("vrrp."+name, "since", `20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
		want("vrrp."+name, "vips.0", regexp.QuoteMeta(vip.String()))
		want("vrrp."+name, "held_vips.#", map[string]string{"master": "1", "backup": "0"}[role])
		want("vrrp."+name, "sync_daemons.#", `1`)
		want("vrrp."+name, "sync_daemons.0.role", role)

		const service = "services.tcp 192.0.2.229:6379."
		want("ipvs."+name, service+"scheduler", `rr`)
		want("ipvs."+name, service+"down.#", `0`)
		for _, server := range []string{"192.0.2.11:6379", "192.0.2.12:6379"} {
			want("ipvs."+name, service+"destinations."+server+".weight", `1`)
			want("ipvs."+name, service+"destinations."+server+".active_connections", `\d+`)
		}
		n, _ := strconv.Atoi(value("ipvs."+name, "counters.connections"))
		connections += n
	}
	want("ipvs.a", "services.tcp 198.51.100.7:80.destinations.198.51.100.9:80.forwarding", `NAT`)
	if connections < 20 { // as many as bothRedisAnswerThroughVIP makes
		errs = append(errs, fmt.Errorf("the directors have counted %d connections", connections))
	}
	for _, words := range []string{"a<br/>master", "b<br/>backup", "192.0.2.229<br/>held by a", "redis<br/>tcp 6379, rr", "a 192.0.2.11:6379<br/>weight 1, ", "b 192.0.2.12:6379<br/>weight 1, "} {
		if picture := value("topology.this", "mermaid"); !strings.Contains(picture, words) {
			errs = append(errs, fmt.Errorf("%q is not in the picture:\n%s", words, picture))
		}
	}
	want("topology.this", "svg", `(?s)<svg .*>held by a<.*</svg>\n`)
	return errors.Join(errs...)
}
