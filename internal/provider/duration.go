package provider

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// parseDuration reads a duration as users write it: 6s, 500ms, 1m30s.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write a number with a unit, such as \"6s\" or \"500ms\"", text)
	}
	return d, nil
}

// mustDuration is for values that a validator has seen.
func mustDuration(value types.String) time.Duration {
	d, _ := parseDuration(value.ValueString())
	return d
}

// durationValue writes a duration the way users do: 1m0s is 1m.
func durationValue(d time.Duration) types.String {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return types.StringValue(text)
}

// notNegative is for a duration of the provider's own.
func notNegative(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s is negative", d)
	}
	return nil
}

// duration is a validator for a duration that passes the check, such as keepalived's.
func duration(check func(time.Duration) error) stringCheck {
	return stringCheck{"a duration such as 6s", func(text string) error {
		d, err := parseDuration(text)
		if err != nil {
			return err
		}
		return check(d)
	}}
}
