package provider

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	tfconfig "github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestHostWithAnUnknownAddressOrPasswordIsNotDialledAndTheKnownOneIs(t *testing.T) {
	c, other := newCanned(t, bareHost(t), remotetest.Options{}), newCanned(t, bareHost(t), remotetest.Options{})
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{{
		ProtoV6ProviderFactories: factories,
		ConfigFile:               tfconfig.StaticFile("testdata/unknown.tf"),
		ConfigVariables: c.variables(func(v tfconfig.Variables) {
			v["other_port"] = tfconfig.IntegerVariable(other.Port())
		}),
		PlanOnly:           true,
		ExpectNonEmptyPlan: true,
	}}})
	if c.probes == 0 {
		t.Error("the known host was not looked at")
	}
	if n := other.Connections(); n > 0 {
		t.Errorf("%d connections to hosts that are not known yet", n)
	}
}

func TestResourceOnAHostWhoseAddressOrPasswordBecomesUnknownIsKeptAsItWas(t *testing.T) {
	c := newCanned(t, bareHost(t), remotetest.Options{})
	other := newCanned(t, bareHost(t), remotetest.Options{AuthorizedKeys: []ssh.PublicKey{c.ClientKey().PublicKey()}})
	c.becomes(bareHost(t), realServerHost(t))
	other.becomes(realServerHost(t), realServerHost(t))
	step := func(generation int) resource.TestStep {
		return resource.TestStep{
			ProtoV6ProviderFactories: factories,
			ConfigFile:               tfconfig.StaticFile("testdata/unknown.tf"),
			ConfigVariables: c.variables(func(v tfconfig.Variables) {
				v["other_port"] = tfconfig.IntegerVariable(other.Port())
				v["generation"] = tfconfig.IntegerVariable(generation)
			}),
		}
	}
	again := step(2)
	again.PreConfig = func() { // for the destroy in the end
		c.becomes(realServerHost(t), bareHost(t))
		other.becomes(realServerHost(t), bareHost(t))
	}
	var checks []plancheck.PlanCheck
	for _, host := range []string{"known", "address", "password"} {
		checks = append(checks, plancheck.ExpectResourceAction("redislb_realserver."+host, plancheck.ResourceActionNoop))
	}
	checks = append(checks, plancheck.ExpectResourceAction("terraform_data.address", plancheck.ResourceActionReplace)) // positive control
	again.ConfigPlanChecks.PreApply = checks
	resource.UnitTest(t, resource.TestCase{Steps: []resource.TestStep{step(1), again}})
}

// The provider as a program, under Terraform, with all logging on.
func TestNoSecretIsInLogPlanOrState(t *testing.T) {
	locked, err := os.ReadFile("../remote/testdata/encrypted_key")
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("testdata/secrets.tf")
	if err != nil {
		t.Fatal(err)
	}
	const password, becomes, passphrase = "Sesame-login-1", "Sesame-become-2", "s3cret-hunter2"
	c := newCanned(t, bareHost(t), remotetest.Options{Password: password, NoKey: true})
	c.becomes(bareHost(t), realServerHost(t))
	w := newWorkspace(t, string(config), "TF_LOG=TRACE", "TF_LOG_PATH=log",
		fmt.Sprintf("TF_VAR_port=%d", c.Port()), "TF_VAR_host_key="+keyOf(c), "TF_VAR_private_key="+string(locked),
		"TF_VAR_passphrase="+passphrase, "TF_VAR_password="+password, "TF_VAR_become_password="+becomes)
	said := w.must(t, "plan", "-out", "plan")
	planned := w.must(t, "show", "-json", "plan")
	said = append(said, w.must(t, "apply", "plan")...)
	said = append(said, planned...)
	said = append(said, w.must(t, "show", "-json")...)
	for _, file := range []string{"log", "terraform.tfstate"} {
		said = append(said, w.read(t, file)...)
	}
	if n := c.Passwords(); n < 2 { // positive controls
		t.Errorf("the password was used %d times", n)
	}
	for _, word := range []string{"observing the host", fmt.Sprintf("root@127.0.0.1:%d", c.Port()), "[TRACE]", "resource_changes"} {
		if !bytes.Contains(said, []byte(word)) {
			t.Errorf("what is searched lacks %q", word)
		}
	}
	for name, secret := range map[string]string{"password": password, "become_password": becomes, "passphrase": passphrase, "private key": strings.Split(string(locked), "\n")[2]} {
		if i := bytes.Index(said, []byte(secret)); i >= 0 {
			t.Errorf("the %s is shown: …%s…", name, said[max(0, i-200):min(len(said), i+40)])
		}
	}
}
