//go:build acceptance

package host

// FaultPoint returns the shell text that a transaction runs before the call of
// that index and function; only the acceptance suite has it.
var FaultPoint = func(_ int, _ string) string { return "" }

func faultPoint(index int, function string) string { return FaultPoint(index, function) }
