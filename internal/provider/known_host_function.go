package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

var _ function.Function = knownHostFunction{}

func newKnownHostFunction() function.Function { return knownHostFunction{} }

type knownHostFunction struct{}

func (knownHostFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "known_host"
}

func (knownHostFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "A line of known_hosts",
		MarkdownDescription: "The line of `known_hosts` that says whose a host key is, for `known_hosts` in the provider block, where the keys are known to Terraform: from cloud-init, an inventory, or a machine that it made. " +
			"Several lines are joined by `join(\"\\n\", […])`.",
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "public_key",
			MarkdownDescription: "The host's public key, as it is in `/etc/ssh/ssh_host_ed25519_key.pub`: the type and the key. A comment behind them is left out.",
		}},
		VariadicParameter: function.StringParameter{
			Name:                "addresses",
			MarkdownDescription: "The names and addresses by which the host is connected to, at least one, each with its port if that is not 22: `host`, `host:2222`, `192.0.2.11`, `2001:db8::1`, `[2001:db8::1]:2222`.",
		},
		Return: function.StringReturn{},
	}
}

func (knownHostFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var key string
	var addresses []string
	if resp.Error = req.Arguments.Get(ctx, &key, &addresses); resp.Error != nil {
		return
	}
	line, err := remote.KnownHost(key, addresses...)
	if err == nil {
		resp.Error = resp.Result.Set(ctx, line)
		return
	}
	var wrong *remote.ConfigError
	if errors.As(err, &wrong) && wrong.Attribute == "public_key" {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	resp.Error = function.NewFuncError(err.Error())
}
