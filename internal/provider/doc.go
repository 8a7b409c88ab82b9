// Package provider is the Terraform side of redislb: schemas, plans, state and
// diagnostics. One file per resource. What a resource means on a host is said by
// package host; nothing here knows a shell, a path or SSH.
package provider
