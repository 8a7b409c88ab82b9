package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// lines are those of a configuration that a person changes.
type lines struct{ from, to string }

// What Terraform writes none of: the secrets of which the version is on the host.
var versioned = []lines{
	{`(auth_pass_wo +)= null # sensitive(\n +auth_pass_wo_version += \d)`, `$1= "Sesame-1"$2`},
	{`(auth_hmac_wo +)= null # sensitive(\n +auth_hmac_wo_version += \d)`, `$1= "Sesame-1-Sesame-2-Sesame-3-Sesame-4"$2`},
	{`(password_wo +)= null # sensitive(\n +password_wo_version += \d)`, `$1= "Sesame 1"$2`},
}

// Who lost the state of a system, or gets it from others, imports what is on its hosts, with
// the configuration that Terraform writes.
func TestSystemOfRedislbIsImportedUnchangedWithWhatTerraformWritesOfIt(t *testing.T) {
	keptPassword := lines{`(auth_pass +)= null # sensitive`, `$1= "Sesame-1"`}
	completed := map[string][]lines{
		"redislb_director.tracking_a": {keptPassword},
		"redislb_director.tracking_b": {keptPassword},
		"redislb_realserver.services_a": {{
			`(password +)= null # sensitive(\n +password_wo +)= null # sensitive(\n +password_wo_version += null)`, `$1= "Sesame 1"$2= null$3`,
		}},
		"redislb_realserver.remote_a": {{`(address +)= null`, `$1= "192.0.2.11"`}},
	}
	// What the plan changes nevertheless: the state gets what no host tells.
	const keptAuth, keptRedis = "/artifacts/file /etc/keepalived/redislb/auth.conf", "/artifacts/file /etc/redislb/redis-17380"
	changes := map[string][]string{
		"redislb_director.tracking_a": {keptAuth, "/vrrp/auth_pass"},
		"redislb_director.tracking_b": {keptAuth, "/vrrp/auth_pass"},
		"redislb_realserver.services_a": {
			keptRedis + ".masterauth.password", keptRedis + ".password", "/redis/copy/password", "/redis/copy/replica_of/password",
		},
		"redislb_realserver.remote_a": {"/address"},
	}

	config := importing(t, standing(t))
	w := newWorkspace(t, config)
	said, _ := w.run("plan", "-no-color", "-generate-config-out=generated.tf")
	wanted := map[string]int{"Invalid Attribute Combination": 6, "VIP Not on the Host's Network": 1} // by what is then completed
	for _, summary := range regexp.MustCompile(`(?m)^Error: (.*)$`).FindAllSubmatch(said, -1) {
		wanted[string(summary[1])]--
	}
	for summary, lack := range wanted {
		if lack != 0 {
			t.Errorf("%q was said %d times too rarely", summary, lack)
		}
	}
	if !strings.Contains(string(said), "Password Ends") {
		t.Error("nobody is told of a password that was not read")
	}

	blocks := strings.SplitAfter(string(w.read(t, "generated.tf")), "\n}\n")
	for i, block := range blocks {
		var address string
		if words := regexp.MustCompile(`resource "(\w+)" "(\w+)"`).FindStringSubmatch(block); words != nil {
			address = words[1] + "." + words[2]
		}
		for _, l := range completed[address] {
			if !regexp.MustCompile(l.from).MatchString(block) {
				t.Errorf("%s: %s is not in\n%s", address, l.from, block)
			}
		}
		for _, l := range append(completed[address], versioned...) {
			blocks[i] = regexp.MustCompile(l.from).ReplaceAllString(blocks[i], l.to)
		}
	}
	w.write(t, "generated.tf", strings.Join(blocks, ""))
	if said := w.must(t, "plan", "-no-color", "-out=plan"); strings.Contains(string(said), "Password Ends") {
		t.Error("a password that was written is told to end")
	}
	shown := w.must(t, "show", "-json", "plan")
	var plan tfjson.Plan
	if err := json.Unmarshal(shown[strings.Index(string(shown), `{"format_version`):], &plan); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(config, "import {"); n == 0 || len(plan.ResourceChanges) != n {
		t.Errorf("%d resources are planned of %d", len(plan.ResourceChanges), n)
	}
	for _, c := range plan.ResourceChanges {
		if c.Change.Importing == nil || !c.Change.Actions.NoOp() && !c.Change.Actions.Update() {
			t.Errorf("%s is planned as %v, want it imported", c.Address, c.Change.Actions)
		}
		if got := differences("", c.Change.Before, c.Change.After); !slices.Equal(got, changes[c.Address]) {
			t.Errorf("%s changes %q, want %q", c.Address, got, changes[c.Address])
		}
	}
}

// differences are the paths of what is not the same in two values of JSON.
func differences(at string, before, after any) []string {
	b, isMap := before.(map[string]any)
	a, areMaps := after.(map[string]any)
	if !isMap || !areMaps {
		if reflect.DeepEqual(before, after) {
			return nil
		}
		return []string{at}
	}
	all := maps.Clone(b)
	maps.Copy(all, a)
	var paths []string
	for _, key := range sortedKeys(all) {
		paths = append(paths, differences(at+"/"+key, b[key], a[key])...)
	}
	return paths
}

// importing is a configuration that imports what is on the hosts.
func importing(t *testing.T, hosts []standingHost) string {
	t.Helper()
	var keys []ssh.PublicKey
	var privateKey, knownHosts string
	var listed, imports strings.Builder
	for _, h := range hosts {
		c := newCanned(t, h.output, remotetest.Options{AuthorizedKeys: keys})
		if keys == nil {
			keys, privateKey = []ssh.PublicKey{c.ClientKey().PublicKey()}, string(c.Config().PrivateKey)
		}
		knownHosts += c.KnownHosts() + "\n"
		fmt.Fprintf(&listed, "    %s = { address = \"127.0.0.1\", port = %d }\n", h.name, c.Port())
		for to, id := range h.imports {
			fmt.Fprintf(&imports, "import {\n  to = %s\n  id = %q\n}\n", to, id)
		}
	}
	return fmt.Sprintf(`terraform {
  required_providers {
    redislb = { source = "redislb/redislb" }
  }
}
provider "redislb" {
  agent       = false
  private_key = <<-KEY
%sKEY
  known_hosts = <<-LINES
%sLINES
  hosts = {
%s  }
}
%s`, privateKey, knownHosts, &listed, &imports)
}
