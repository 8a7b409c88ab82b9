package main

import (
	"cmp"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

const (
	frameworkLog = "TF_LOG_SDK_FRAMEWORK"
	// collectAt lets the heap grow to four times what is in use, where Go's own
	// measure is twice: a plan of a thousand services makes 2 GB of short-lived
	// values of 50 MB in use, and its process ends with it.
	collectAt = 300
)

// quicken spares a process that lives for one plan or apply what it need not do.
func quicken() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if _, set := os.LookupEnv(frameworkLog); !set && !traced(os.Getenv) {
		// Without this, the framework writes some lines for every attribute that it
		// touches, 80 MB in a plan of a thousand services, and Terraform reads them all
		// to throw them away.
		_ = os.Setenv(frameworkLog, "OFF")
	}
}

// traced reports whether Terraform shows a provider's lines of the level TRACE: it
// does for that word, for JSON, and for every word that it does not know
// (https://developer.hashicorp.com/terraform/internals/debugging).
func traced(getenv func(string) string) bool {
	level := strings.ToUpper(cmp.Or(getenv("TF_LOG_PROVIDER"), getenv("TF_LOG")))
	return !slices.Contains([]string{"", "OFF", "DEBUG", "INFO", "WARN", "ERROR"}, level)
}
