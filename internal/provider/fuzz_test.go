package provider

import (
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/types"

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
			if err != nil || addr.String() != text || addr.Zone() != "" || !taken["VIP"] || !taken["server"] || !taken["host"] {
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

// What an import id is taken for is what the validators of the attributes take, and
// what the resource is called by afterwards.
func FuzzVIPImportID(f *testing.F) {
	for _, id := range []string{"192.0.2.229@a,b", "192.0.2.229@b,a", "192.0.2.229@a,a", "192.0.2.229@", "192.0.2.229", "192.0.2.229/24@a", "192.0.2.229@a,,b", "192.0.2.229@a@b", "@a", "2001:db8::1@a", "192.0.2.229@a b", "192.0.2.229@a\x00", ""} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		address, directors, err := parseVIPID(id)
		if err != nil {
			if !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("the message holds the id raw: %q", err)
			}
			return
		}
		if err := vipAddress.check(address); err != nil || len(directors) == 0 {
			t.Errorf("%q: %q, %q: %v", id, address, directors, err)
		}
		for _, name := range directors {
			if err := hostName.check(name); err != nil {
				t.Errorf("%q is taken: %v", id, err)
			}
		}
		called := vipModel{Address: types.StringValue(address), Directors: stringSet(directors)}.id().ValueString()
		if a, d, err := parseVIPID(called); err != nil || a != address || !slices.Equal(d, directors) {
			t.Errorf("%q is called %q, which is %q, %q (%v)", id, called, a, d, err)
		}
		if _, names, _ := strings.Cut(id, "@"); !strings.HasPrefix(id, address+"@") || len(names) < len(strings.Join(directors, ",")) {
			t.Errorf("%q is taken for %q, %q", id, address, directors)
		}
	})
}

// A variable is what it says, or an error that names it and shows nothing of it.
func FuzzEnvironment(f *testing.F) {
	f.Add("2222", "true", "one, two", "Sesame open")
	f.Add("-0x1", "T", ",, ,", " ")
	f.Add("9223372036854775808", "yes", "a", "\xff")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, number, truth, list, word string) {
		if strings.ContainsRune(number+truth+list+word, 0) {
			t.Skip("no environment holds a NUL")
		}
		for name, value := range map[string]string{"REDISLB_PORT": number, "REDISLB_AGENT": truth, "REDISLB_JUMP_HOSTS": list, "REDISLB_PASSWORD": word} {
			t.Setenv(name, value)
		}
		n, numberErr := strconv.ParseInt(number, 10, 64)
		b, truthErr := strconv.ParseBool(truth)
		c, err := fromEnvironment()
		if err != nil {
			wrong := err.Error()
			if !(number != "" && numberErr != nil && wrong == "REDISLB_PORT is not a number") && !(truth != "" && truthErr != nil && wrong == "REDISLB_AGENT is neither true nor false") {
				t.Errorf("%q, %q: %v", number, truth, err)
			}
			return
		}
		if number == "" != c.Port.IsNull() || number != "" && (numberErr != nil || c.Port.ValueInt64() != n) {
			t.Errorf("the number %q is %v", number, c.Port)
		}
		if truth == "" != c.Agent.IsNull() || truth != "" && (truthErr != nil || c.Agent.ValueBool() != b) {
			t.Errorf("the truth %q is %v", truth, c.Agent)
		}
		if word == "" != c.Password.IsNull() || c.Password.ValueString() != word {
			t.Errorf("the word %q is %v", word, c.Password)
		}
		if list == "" != c.JumpHosts.IsNull() {
			t.Errorf("the list %q is %v", list, c.JumpHosts)
		}
		for _, name := range listed(c.JumpHosts) {
			if name == "" || name != strings.TrimSpace(name) || strings.Contains(name, ",") || !strings.Contains(list, name) {
				t.Errorf("the list %q holds %q", list, name)
			}
		}
		if own := filled("own ", 1, true); !reflect.DeepEqual(own.over(c), own) {
			t.Error("the environment wins over the block")
		}
	})
}
