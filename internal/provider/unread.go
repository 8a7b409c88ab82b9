package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// unread stands, after an import, for a password that the state keeps: it is not read back.
// No password is empty, so the plan writes the real one.
var unread = types.StringValue("")

// warnOfUnread tells of a password that was there at the import and that the configuration does
// not give: Terraform leaves it out of a configuration that it writes, without a word.
func warnOfUnread(before types.String, given bool, at path.Path, diags *diag.Diagnostics) {
	if before.Equal(unread) && !given {
		diags.AddAttributeWarning(at, "Password Ends",
			"The host has a password here, which an import does not read, and the configuration has none: the apply takes it away. To keep it, write it here.")
	}
}
