package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

var _ function.Function = parseKeepalivedFunction{}

func newParseKeepalivedFunction() function.Function { return parseKeepalivedFunction{} }

type parseKeepalivedFunction struct{}

func (parseKeepalivedFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_keepalived"
}

func (parseKeepalivedFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "What a keepalived.conf says",
		MarkdownDescription: "Reads a `keepalived.conf` that somebody wrote, and returns its VRRP instances, virtual servers and real servers, and what of it the result does not tell. " +
			"It is for looking at a system that is to come under Terraform. What is not written is null, and lists are empty: keepalived's own defaults are not filled in. Of two statements where one can count, the last one does, as for keepalived.\n\n" +
			"No password, and no argument of a command, is in the result. Where the text has a password, mark it with `sensitive()`, so that no message of Terraform's shows it, and the result with `nonsensitive()`.\n\nThe result has:\n\n" + documented(surveyAttributes()),
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "text",
			MarkdownDescription: "The text of the file. Files that it includes are not read.",
		}},
		Return: function.ObjectReturn{AttributeTypes: typesOf(surveyAttributes())},
	}
}

func (parseKeepalivedFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	survey, err := keepalived.SurveyOf([]byte(text))
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, "keepalived.conf: "+err.Error())
		return
	}
	resp.Error = resp.Result.Set(ctx, surveyOf(survey))
}
