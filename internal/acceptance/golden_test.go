//go:build acceptance

package acceptance

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// wholeConfig is a whole configuration: the text of each file by its path.
type wholeConfig map[string]string

func goldenFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../keepalived/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goldenConfig is the configuration of a director of the golden files with VIPs of theirs.
func goldenConfig(t *testing.T, director string, vips ...string) wholeConfig {
	t.Helper()
	instance := "instance.conf"
	if of := "instance" + strings.TrimPrefix(director, "director") + ".conf"; strings.Contains(of, "everything") {
		instance = of
	}
	all := wholeConfig{
		// With what it is to have as a master, as a commit tries it.
		keepalived.ConfigPath:   strings.Replace(goldenFile(t, director+".conf"), keepalived.ServicesPath, keepalived.Dir+"/vip-*.services.conf", 1),
		keepalived.InstancePath: goldenFile(t, instance),
		keepalived.AuthPath:     goldenFile(t, "auth.conf"),
		keepalived.DrainPath:    string(keepalived.RenderDrain(false)),
	}
	peers := director == "director-source-mac"
	for _, name := range vips {
		v := goldenVIP(t, name)
		vip := v.Address.Addr()
		all[v.Path()] = goldenFile(t, "vip-"+name+".address.conf")
		all[keepalived.VIPServicesPath(vip)] = goldenFile(t, "vip-"+name+".services.conf")
		if peers && (name == "redis" || name == "ipv6") {
			all[keepalived.VIPPeersPath(vip)] = goldenFile(t, "vip-"+name+".peers.services.conf")
		}
	}
	return all
}

// tried has keepalived -t look at a configuration in the place where it belongs, without
// touching what is there, and returns what it says that counts.
func tried(t *testing.T, c wholeConfig) string {
	t.Helper()
	// 2.3 has a file of the package's beside it.
	script := "set -e\ndir=$(mktemp -d)\nmkdir $dir/redislb\ncp /etc/keepalived/*config-opts $dir 2>/dev/null || true\n"
	for path, text := range c {
		script += fmt.Sprintf("cat >$dir/%s <<'REDISLB'\n%s\nREDISLB\n", strings.TrimPrefix(path, "/etc/keepalived/"), strings.TrimSuffix(text, "\n"))
	}
	script += `for script in role health check-redis; do printf '#!/bin/sh\n' >$dir/redislb/$script.sh; done
chmod 755 $dir $dir/redislb $dir/redislb/*.sh
code=0
unshare -m sh -c "mkdir -p /etc/keepalived; mount --bind $dir /etc/keepalived; keepalived -t" 2>&1 || code=$?
rm -r $dir
echo "it ended with $code"`
	harmless := regexp.MustCompilePOSIX(keepalived.HarmlessComplaint)
	var counts []string
	for line := range strings.Lines(hostA().MustExec(t, script)) {
		if line = strings.TrimSpace(line); !harmless.MatchString(line) {
			counts = append(counts, line)
		}
	}
	return strings.Join(counts, "\n")
}

// Every keyword that is ever written is in a golden file, and the host's keepalived takes all
// of them; but what its version lacks, which the plan refuses.
func everyGoldenFileIsTaken(t *testing.T) {
	version, err := keepalived.ParseVersion(hostA().MustExec(t, "keepalived -v 2>&1"))
	if err != nil {
		t.Fatal(err)
	}
	hostA().MustExec(t, `set -e
		ip link add eth2 type dummy
		for program in check-gateway check-dns ready notify; do printf '#!/bin/sh\n' >/usr/local/bin/$program; chmod 755 /usr/local/bin/$program; done`)
	defer hostA().MustExec(t, "ip link del eth2; rm /usr/local/bin/check-gateway /usr/local/bin/check-dns /usr/local/bin/ready /usr/local/bin/notify")
	together := []string{"redis", "several", "full", "ipv6", "inside"}
	configs := map[string]wholeConfig{
		"small": goldenConfig(t, "director-small", "address-only"), "own": goldenConfig(t, "director", "own"),
		"own-ipv6": goldenConfig(t, "director", "own-ipv6"), "inside-ipv6": goldenConfig(t, "director", "inside-ipv6"),
	}
	for _, director := range []string{"director", "director-source-mac", "director-swap", "director-everything-v2", "director-everything-v3"} {
		configs[director] = goldenConfig(t, director, together...)
	}
	const user = "\n    user nobody"
	for name, c := range configs {
		d, err := keepalived.ParseDirector([]byte(c[keepalived.ConfigPath]))
		if err != nil {
			t.Fatal(err)
		}
		if d.Lacks(version) != "" {
			if said := tried(t, c); said == "it ended with 0" {
				t.Errorf("%s: keepalived %s takes what is refused at plan: %s", name, version, d.Lacks(version))
			}
			c[keepalived.ConfigPath] = strings.Replace(c[keepalived.ConfigPath], user, "", 1)
		}
		if said := tried(t, c); said != "it ended with 0" && said != "it ended with 5" && said != "it ended with 4" {
			t.Errorf("%s: keepalived %s says\n%s", name, version, said)
		}
	}
	wrong := goldenConfig(t, "director", together...)
	wrong[keepalived.ConfigPath] = strings.Replace(wrong[keepalived.ConfigPath], "advert_int", "advert_intt", 1)
	if said := tried(t, wrong); !strings.Contains(said, "advert_intt") {
		t.Errorf("keepalived %s takes an unknown keyword: %s", version, said)
	}
}
