package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestValidatorsTakeGoodValuesAndRefuseBadOnes(t *testing.T) {
	for name, c := range map[string]struct {
		check     func(string) error
		good, bad []string
	}{
		"plain word": {isPlainWord,
			[]string{"root", "a-b_c.d", "[2001:db8::1]", "fe80::1%eth0", "ä", "a@b", "DOMAIN/user", "+", "~"},
			[]string{"", "a b", "a\tb", "a\nb", "a\x00b", "a\u00a0b", `a"b`, "a'b", "a`b", "$a", "a;b", "a&b", "a|b", "a<b", "a>b", "a(b", "a)b", "a{b", "a}b", `a\b`, "a#b", "a!b", "a\xff"}},
		"host name": {isHostName,
			[]string{"a", "192.0.2.11", "2001:db8::1", "redis-1.example"},
			[]string{"", "root@a", "a,b", "a/b", "a b", "a;b"}},
		"VIP": {isVIP,
			[]string{"192.0.2.229", "10.0.0.1", "2001:db8::229"},
			[]string{"", "x", "192.0.2.229/24", "192.0.2.256", "192.0.2.029", " 192.0.2.229", "192.0.2.229\n", "0.0.0.0", "127.0.0.1", "224.0.0.18", "169.254.0.1", "::1", "ff02::12", "fe80::1%eth0", "::ffff:192.0.2.1", "2001:DB8::1"}},
		"VIP with prefix": {isVIPPrefix,
			[]string{"192.0.2.229/24", "192.0.2.229/32", "192.0.2.228/31", "10.255.0.0/8", "2001:db8::229/64", "2001:db8::/128", "2001:db8::/127"},
			[]string{"", "x", "192.0.2.229", "192.0.2.229/33", "192.0.2.229/024", "192.0.2.229/-1", "192.0.2.0/24", "10.0.0.0/8", "192.0.2.228/30", "2001:db8::/64", "2001:db8::229", "2001:db8::0229/64", "fe80::1%eth0/64", "127.0.0.1/8", "224.0.0.18/4", "192.0.2.229/24\n", "192.0.2.229/24;"}},
		"server address": {isServerAddress,
			[]string{"192.0.2.11", "2001:db8::11"},
			[]string{"", "redis-1", "192.0.2.11:6379", "192.0.2.11/24", "127.0.0.1", "0.0.0.0", "fe80::1"}},
		"positive duration": {isPositiveDuration,
			[]string{"1s", "500ms", "1h30m"},
			[]string{"", "0", "0s", "-1s", "30", "thirty"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range c.good {
				if err := c.check(text); err != nil {
					t.Errorf("%q is refused: %v", text, err)
				}
			}
			for _, text := range c.bad {
				if err := c.check(text); err == nil {
					t.Errorf("%q is taken", text)
				} else if strings.ContainsAny(err.Error(), "\n\x00") {
					t.Errorf("the message for %q holds it raw: %q", text, err)
				}
			}
		})
	}
}

func TestAddressesThatNoMachineCanHaveAreRefused(t *testing.T) {
	for _, text := range []string{"192.0.2.255/24", "192.0.2.229/0", "255.255.255.255/32"} {
		if isVIPPrefix(text) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestValidatorNamesTheAttributeAndSkipsWhatIsNotKnownYet(t *testing.T) {
	validate := func(p path.Path, value types.String) *validator.StringResponse {
		var resp validator.StringResponse
		vipAddress.ValidateString(t.Context(), validator.StringRequest{Path: p, ConfigValue: value}, &resp)
		return &resp
	}
	at := path.Root("services").AtMapKey("redis").AtName("address")
	if d := validate(at, types.StringUnknown()).Diagnostics; len(d) > 0 {
		t.Errorf("unknown: %v", d)
	}
	if d := validate(at, types.StringNull()).Diagnostics; len(d) > 0 {
		t.Errorf("null: %v", d)
	}
	d := validate(at, types.StringValue("x")).Diagnostics
	if len(d) != 1 || d[0].Summary() != "Invalid address" {
		t.Errorf("got %v", d)
	}
}

func TestValidatorNamesTheAttributeOfASetsElement(t *testing.T) {
	var resp validator.StringResponse
	value := types.StringValue("192.0.2.229/24")
	vipAddress.ValidateString(t.Context(), validator.StringRequest{Path: path.Root("vips").AtSetValue(value), ConfigValue: value}, &resp)
	if got := resp.Diagnostics[0].Summary(); got != "Invalid vips" {
		t.Errorf("got %q", got)
	}
}

func TestDurationsAreWrittenAsUsersWriteThem(t *testing.T) {
	for want, d := range map[string]time.Duration{"0s": 0, "1s": time.Second, "500ms": 500 * time.Millisecond, "1m": time.Minute, "1m30s": 90 * time.Second, "1h": time.Hour, "1h30m": 90 * time.Minute, "10m": 10 * time.Minute, "1h0m10s": time.Hour + 10*time.Second} {
		if got := durationValue(d).ValueString(); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
		if back, err := parseDuration(want); err != nil || back != d {
			t.Errorf("%q is read as %v, %v", want, back, err)
		}
	}
}
