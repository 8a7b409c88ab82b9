package host

import (
	"cmp"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// foreignDelayLoop is the time between two checks where none is written (check_data.h,
// KEEPALIVED_DEFAULT_DELAY).
const foreignDelayLoop = time.Minute

// foreignCheck is the check of a real server of people's. Times and retries that are not
// written are ours, but for the timeout of a command, of which nobody knows how long it
// takes. An error says why it has no counterpart; the check is one of type tcp then.
func foreignCheck(survey keepalived.Survey, vs keepalived.SurveyedVirtualServer, rs keepalived.SurveyedRealServer) (keepalived.Check, error) {
	c := rs.Check
	if c == nil {
		return keepalived.Check{Kind: keepalived.CheckNone}, nil
	}
	check, err := survey.Counterpart(vs, rs)
	if err != nil {
		check = keepalived.Check{Kind: keepalived.CheckTCP, Port: number(c.Port, 0)}
	}
	if check.Port == number(rs.Port, *vs.Port) {
		check.Port = 0
	}
	check.Timeout, check.Retries, check.RetryDelay = duration(c.Timeout, 3*time.Second), number(c.Retries, 2), duration(c.RetryDelay, time.Second)
	if check.Kind == keepalived.CheckScript {
		// check_misc.c, misc_check_thread
		check.Timeout = cmp.Or(duration(c.Timeout, 0), wholeSeconds(duration(vs.DelayLoop, foreignDelayLoop)))
	}
	return check, err
}

// wholeSeconds rounds up.
func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
