package provider

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// What a validator takes is what the parts below take, one plain word; what it
// refuses, it names without repeating it raw.
func FuzzValidators(f *testing.F) {
	for _, text := range []string{
		"root", "a b", "é", "a\x00", "\xff", "$(x)", "192.0.2.229", "192.0.2.229/24", "192.0.2.255/24", "2001:db8::1", "fe80::1%eth0",
		"::ffff:192.0.2.1/96", "0.0.0.0/0", "30s", "1h0m0.5s", "-1ns", "redis-1.example", "root@a",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		taken := map[string]bool{}
		for name, c := range map[string]stringCheck{
			"word": plainWord, "host": hostName, "VIP": vipAddress, "prefix": vipPrefix, "server": serverAddress,
			"timeout": positiveDuration, "advert": duration(keepalived.ValidateAdvertInterval), "loop": duration(keepalived.ValidateDelayLoop),
		} {
			err := c.check(text)
			taken[name] = err == nil
			if err != nil && (!utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), unicode.IsControl)) {
				t.Errorf("%s: the message holds the text raw: %q", name, err)
			}
			if err == nil && (!utf8.ValidString(text) || len(strings.Fields(text)) != 1 || strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text, "\"'`$;&|<>(){}\\#!")) {
				t.Errorf("%s: %q is taken", name, text)
			}
		}
		if taken["host"] && (!taken["word"] || strings.ContainsAny(text, "@,/")) {
			t.Errorf("%q is taken for a host", text)
		}
		if taken["VIP"] || taken["server"] {
			addr, err := netip.ParseAddr(text)
			if err != nil || addr.String() != text || !addr.Is4() || !taken["VIP"] || !taken["server"] || !taken["host"] {
				t.Errorf("%q is taken for the address %s: %v", text, addr, taken)
			}
		}
		if taken["prefix"] {
			prefix, err := netip.ParsePrefix(text)
			if err != nil || isVIP(prefix.Addr().String()) != nil {
				t.Fatalf("%q is taken: %v", text, err)
			}
			address, services := (keepalived.VIP{Address: prefix}).Render()
			if v, err := keepalived.ParseVIP(address, services); err != nil || v.Address.String() != text {
				t.Errorf("%q became %v, %v", text, v.Address, err)
			}
		}
		d, err := parseDuration(text)
		if err != nil {
			if taken["timeout"] || taken["advert"] || taken["loop"] {
				t.Errorf("%q is taken for a duration", text)
			}
			return
		}
		if taken["timeout"] != (d > 0) || taken["advert"] != (keepalived.ValidateAdvertInterval(d) == nil) {
			t.Errorf("%q is %v: %v", text, d, taken)
		}
	})
}

// A duration that was read from a host is written so that it is the same again.
func FuzzDuration(f *testing.F) {
	for _, d := range []time.Duration{0, 1, -1, time.Minute, time.Hour, 10 * time.Minute, time.Hour + time.Second, 1<<63 - 1, -1 << 63} {
		f.Add(int64(d))
	}
	f.Fuzz(func(t *testing.T, nanoseconds int64) {
		d := time.Duration(nanoseconds)
		text := durationValue(d)
		if again := mustDuration(text); again != d {
			t.Errorf("%v is written %s, which is %v", d, text, again)
		}
		if len(text.ValueString()) > len(d.String()) {
			t.Errorf("%v is written %s", d, text)
		}
	})
}
