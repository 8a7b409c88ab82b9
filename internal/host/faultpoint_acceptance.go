//go:build acceptance

package host

import (
	"fmt"
	"os"
)

// What a test tells a process that changes hosts, by its environment:
const (
	// FaultRecord is a file to which a line "COMMIT.INDEX FUNCTION" is added for
	// every step that is sent to a host, commits and steps counted from 0.
	FaultRecord = "REDISLB_FAULT_RECORD"
	// FaultStep, COMMIT.INDEX, is the step before which the script on the host
	// stops, or "every": it writes its process id and the step to FaultReached,
	// makes the file FaultHold, and goes on when that is gone.
	FaultStep = "REDISLB_FAULT_STEP"
)

// Files on the host.
const (
	FaultReached = "/run/redislb-fault.reached"
	FaultHold    = "/run/redislb-fault.hold"
)

// FaultPoint returns the shell text that the script on the host runs before the
// step of that index and function. It goes by the environment.
var FaultPoint = faultFromEnvironment

func faultPoint(index int, function string) string { return FaultPoint(index, function) }

var faultCommit = -1

func faultFromEnvironment(index int, function string) string {
	record, step := os.Getenv(FaultRecord), os.Getenv(FaultStep)
	if record == "" && step == "" {
		return ""
	}
	if index == 0 {
		faultCommit++
	}
	at := fmt.Sprintf("%d.%d", faultCommit, index)
	if record != "" {
		f, err := os.OpenFile(record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(f, "%s %s\n", at, function)
		if err := f.Close(); err != nil {
			panic(err)
		}
	}
	if at != step && step != "every" {
		return ""
	}
	return fmt.Sprintf("echo $$ %[3]s >%[1]s\n: >%[2]s\nwhile [ -e %[2]s ]; do sleep 0.1; done\n", FaultReached, FaultHold, at)
}
