//go:build !acceptance

package host

// faultPoint is where the tests of the acceptance suite stop a transaction.
func faultPoint(int, string) string { return "" }
