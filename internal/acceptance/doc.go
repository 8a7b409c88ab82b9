// Package acceptance holds the tests that need real machines: Terraform's own
// test framework on one side, the lab's virtual machines on the other. They are
// built with the tag "acceptance" alone, so that no run counts them as skipped.
package acceptance
