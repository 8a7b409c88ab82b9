// Command terraform-provider-redislb serves the redislb provider to Terraform.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	tfaddr "github.com/hashicorp/terraform-registry-address"

	"github.com/redislb/terraform-provider-redislb/internal/provider"
)

// version is set by the release build.
var version = "dev"

func main() {
	var debug bool
	flag.BoolVar(&debug, "debug", false, "serve to a debugger: print how Terraform reaches this process")
	flag.Parse()
	quicken()

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: tfaddr.NewProvider(tfaddr.DefaultProviderRegistryHost, "redislb", "redislb").String(),
		Debug:   debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
