package keepalived_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestStringsThatCouldDoHarmAreRefusedEverywhere(t *testing.T) {
	for name, validate := range map[string]func(string) error{
		"name": keepalived.ValidateName, "interface": keepalived.ValidateInterface,
		"password": keepalived.ValidateAuthPass, "scheduler": keepalived.ValidateScheduler,
		"process": keepalived.ValidateProcess, "user": keepalived.ValidateUser,
		"path": func(text string) error { return keepalived.ValidatePath("/" + strings.Repeat(text, 5)) },
	} {
		for _, bad := range []string{"", "a\n", "a\nb", "\r", "a b", "a\tb", `a"b`, "a'b", "a{", "}", "$(x)", "${x}", "a;b", "a#b", "a!b", "a\\", "a`b`", "é", "a\x00", "a\x7f", strings.Repeat("a", 64)} {
			if validate(bad) == nil {
				t.Errorf("%s: %q is allowed", name, bad)
			}
		}
	}
	for _, good := range []string{"a", "VI_1", "node-1.example.org", strings.Repeat("a", 63)} {
		if err := keepalived.ValidateName(good); err != nil {
			t.Error(err)
		}
	}
	for _, good := range []string{"eth0", "bond0.100", "wlp2s0", "br-lan", "_x", strings.Repeat("a", 15)} {
		if err := keepalived.ValidateInterface(good); err != nil {
			t.Error(err)
		}
	}
	if keepalived.ValidateInterface(strings.Repeat("a", 16)) == nil || keepalived.ValidateInterface("..") == nil {
		t.Error("an impossible interface is allowed")
	}
}

func TestCommandsAreAPathAndPlainWords(t *testing.T) {
	for _, good := range []string{"/bin/true", "/usr/local/bin/check -c 1 a@b:6379,x=%y", "/bin/x " + strings.Repeat("a", 505)} {
		if err := keepalived.ValidateCommand(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "true", "bin/true", "/", "/bin/", "//bin/true", "/bin/../true", " /bin/true", "/bin/true ", "/bin/x  y", "/bin/x\ty", "/bin/x\ny", `/bin/x "y"`, "/bin/x 'y'", `/bin/x \y`, "/bin/x $y", "/bin/x {y}", "/bin/x #y", "/bin/x !y", "/bin/x;y", "/bin/x|y", "/bin/x é", "/bin/x ~", "/bin/x " + strings.Repeat("a", 506)} {
		if keepalived.ValidateCommand(bad) == nil {
			t.Errorf("%q is allowed", bad)
		}
	}
}

func TestPasswordsAreExactlyWhatTheErrorSays(t *testing.T) {
	err := keepalived.ValidateAuthPass("secret123")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Fatalf("error %v", err)
	}
	_, said, _ := strings.Cut(err.Error(), "one of ")
	for c := rune(0); c < 256; c++ {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		want := letter || slices.Contains(strings.Fields(said), string(c))
		if got := keepalived.ValidateAuthPass("a"+string(c)) == nil; got != want {
			t.Errorf("%q is allowed: %t, the error says %t", c, got, want)
		}
	}
	if err := keepalived.ValidateAuthPass("12345678"); err != nil {
		t.Error(err)
	}
	if _, err := keepalived.RenderAuth("a\nb", 1); err == nil {
		t.Error("rendered")
	}
}

func TestAuthVersionIsReadBackAndNeverTheSecret(t *testing.T) {
	for _, version := range []int64{-1, 0, 7, 1 << 62} {
		text, err := keepalived.RenderAuth("secret", version)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := keepalived.ParseAuthVersion(text); err != nil || got != version {
			t.Errorf("%d became %d, %v", version, got, err)
		}
	}
	for _, bad := range []string{"", "authentication {\n auth_pass secret\n}", "# auth_pass_wo_version secret"} {
		if v, err := keepalived.ParseAuthVersion([]byte(bad)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %d, %v", bad, v, err)
		}
	}
}

func TestVersionOfAKeptPasswordIsNotTakenForTheOther(t *testing.T) {
	kept, err := keepalived.RenderKeptAuth("secret", 7)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keepalived.ParseKeptAuthVersion(kept); err != nil || got != 7 {
		t.Errorf("7 became %d, %v", got, err)
	}
	if got, err := keepalived.ParseAuthVersion(kept); err == nil {
		t.Errorf("a kept password has the version %d of the other kind", got)
	}
	other, err := keepalived.RenderAuth("secret", 7)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keepalived.ParseKeptAuthVersion(other); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := keepalived.RenderKeptAuth("a\nb", 1); err == nil {
		t.Error("rendered")
	}
}

func TestOnlyScriptsWithAnotherUserAndHMACAreBeyondAVersion(t *testing.T) {
	d := everything(false)
	for version, lacking := range map[keepalived.Version]bool{{2, 1, 5}: false, {2, 2, 4}: false, {2, 2, 5}: true, {2, 2, 7}: true, {2, 2, 8}: false, {2, 3, 3}: false} {
		if got := d.Lacks(version); (got != "") != lacking || lacking && !strings.Contains(got, `"ping"`) {
			t.Errorf("%s lacks %q", version, got)
		}
	}
	d.Auth, d.HMAC = false, true
	for version, lacking := range map[keepalived.Version]bool{{2, 3, 4}: true, {2, 4, 0}: false, {2, 4, 3}: false} {
		if got := d.Lacks(version); (got != "") != lacking || lacking && !strings.Contains(got, "keepalived 2.3.4 has no auth_hmac, which came with 2.4.0") {
			t.Errorf("%s lacks %q", version, got)
		}
	}
	d.HMAC = false
	d.Track.Scripts[0].User = "root"
	if got := d.Lacks(keepalived.Version{Major: 2, Minor: 2, Patch: 7}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestKeysAreAnyTextThatFitsALine(t *testing.T) {
	for _, good := range []string{"redis", "a b", "ä{\n#", strings.Repeat("\x01", 128)} {
		if err := keepalived.ValidateKey(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("a", 129), "a\xff"} {
		if keepalived.ValidateKey(bad) == nil {
			t.Errorf("%q is allowed", bad)
		}
	}
}

func TestNumbersAreAllowedFromTheFirstToTheLast(t *testing.T) {
	for name, c := range map[string]struct {
		validate  func(int) error
		low, high int
	}{
		"vrid":     {keepalived.ValidateVirtualRouterID, 1, 255},
		"priority": {keepalived.ValidatePriority, 1, 254},
		"sync id":  {keepalived.ValidateSyncID, 1, 255},
		"weight":   {keepalived.ValidateWeight, 0, 65535},
		"port":     {keepalived.ValidatePort, 1, 65535},
		"retries":  {keepalived.ValidateRetries, 0, 100},

		"track weight": {keepalived.ValidateTrackWeight, -253, 253},
		"file value":   {keepalived.ValidateTrackFileValue, -254, 254},
		"quorum":       {keepalived.ValidateProcessQuorum, 1, 65535},
		"script count": {keepalived.ValidateScriptCount, 1, 1000},
		"garp repeat":  {keepalived.ValidateGARPRepeat, 1, 100},
		"garp lower":   {keepalived.ValidateGARPLowerRepeat, 0, 100},
	} {
		if c.validate(c.low) != nil || c.validate(c.high) != nil || c.validate(c.low-1) == nil || c.validate(c.high+1) == nil {
			t.Errorf("%s is not from %d to %d", name, c.low, c.high)
		}
	}
	for name, c := range map[string]struct {
		validate        func(time.Duration) error
		low, high, step time.Duration
	}{
		"advert": {keepalived.ValidateAdvertInterval, 10 * time.Millisecond, 255 * time.Second, 10 * time.Millisecond},
		"advert of version 2": {func(d time.Duration) error { return keepalived.ValidateAdvertIntervalOf(d, false) },
			time.Second, 255 * time.Second, time.Second},
		"advert of version 3": {func(d time.Duration) error { return keepalived.ValidateAdvertIntervalOf(d, true) },
			10 * time.Millisecond, 40950 * time.Millisecond, 10 * time.Millisecond},
		"process delay": {keepalived.ValidateProcessDelay, 0, time.Hour, time.Millisecond},
		"script time":   {keepalived.ValidateScriptTime, time.Second, time.Hour, time.Second},
		"garp time":     {keepalived.ValidateGARPTime, 0, time.Hour, time.Second},
		"preempt":       {keepalived.ValidatePreemptDelay, 0, 1000 * time.Second, time.Millisecond},
		"delay loop":    {keepalived.ValidateDelayLoop, 100 * time.Millisecond, time.Hour, time.Millisecond},
		"timeout":       {keepalived.ValidateConnectTimeout, 100 * time.Millisecond, time.Hour, time.Millisecond},
		"retry delay":   {keepalived.ValidateRetryDelay, 0, time.Hour, time.Millisecond},
	} {
		if c.validate(c.low) != nil || c.validate(c.high) != nil ||
			c.validate(c.low-c.step) == nil || c.validate(c.high+c.step) == nil || c.validate(c.low+c.step/2) == nil {
			t.Errorf("%s is not from %s to %s by %s", name, c.low, c.high, c.step)
		}
	}
}

func TestInvalidDirectorsAreRefusedWithAllReasons(t *testing.T) {
	if err := director().Validate(); err != nil {
		t.Fatal(err)
	}
	err := keepalived.Director{SyncID: 1}.Validate()
	for _, want := range []string{"router_id", "instance", "interface", "virtual router id", "priority", "advertisement", "without a sync interface"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	d := director()
	d.SyncID = 0
	if d.Validate() == nil {
		t.Error("sync id 0 is allowed")
	}
}

func TestPrintPanicsRatherThanWriteWhatWasNotValidated(t *testing.T) {
	for _, bad := range []string{"a\nb", `a"b`, "a\x00"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was printed", bad)
				}
			}()
			d := director()
			d.RouterID = bad
			d.Render()
		}()
	}
}

func TestVersionsAreReadAndCompared(t *testing.T) {
	for text, want := range map[string]keepalived.Version{
		"Keepalived v2.2.7 (01/16,2022)\n\nCopyright(C) 2001-2022 Alexandre Cassen": {2, 2, 7},
		"Keepalived v2.1.5 (07/13,2020)":                                            {2, 1, 5},
		"Keepalived v2.3.3 (03/30,2025), git commit v2.3.3":                         {2, 3, 3},
		"Keepalived v1.3.5 (03/19,2017), git commit v1.3.5-6-g6fa32f2":              {1, 3, 5},
		"Keepalived v2.0 (x)":                                                       {2, 0, 0},
	} {
		if got, err := keepalived.ParseVersion(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "keepalived: not found", "Keepalived v2", "Keepalived v99999999.1"} {
		if v, err := keepalived.ParseVersion(bad); err == nil {
			t.Errorf("%q is %s", bad, v)
		}
	}
	old, older := keepalived.Version{2, 1, 5}, keepalived.Version{1, 99, 99}
	if old.Compare(older) <= 0 || older.Compare(old) >= 0 || old.Compare(old) != 0 || (keepalived.Version{2, 2, 0}).Compare(old) <= 0 {
		t.Error("wrong order")
	}
	if old.Lacks() != "" || !strings.Contains(older.Lacks(), "1.99.99 is older than 2.1.5") {
		t.Errorf("%q, %q", old.Lacks(), older.Lacks())
	}
}

// The texts are those of keepalived 2.2.7.
func TestHarmlessComplaintTellsLegalStatesFromFailures(t *testing.T) {
	harmless := regexp.MustCompilePOSIX(keepalived.HarmlessComplaint)
	for line, want := range map[string]bool{
		"(VI_1) No VIP specified; at least one is sensible":                                                          true,
		"Warning - quorum 1 for [192.0.2.230]:tcp:6380 exceeds total weight of real servers 0, reducing quorum to 0": true,
		"Virtual server [192.0.2.230]:tcp:6380: hysteresis 0 >= quorum 0; setting hysteresis to 4294967295":          true,
		"": true,
		"(/etc/keepalived/keepalived.conf: Line 3) Unknown keyword 'protocl'":                                        false,
		"(VI_1) No VIP specified; at least one is required":                                                          false,
		"Warning - quorum 3 for [192.0.2.230]:tcp:6380 exceeds total weight of real servers 2, reducing quorum to 2": true,
		"Virtual server [192.0.2.230]:tcp:6380: hysteresis 1 >= quorum 1; setting hysteresis to 0":                   true,
		"Virtual server [192.0.2.230]:tcp:6380: no protocol set - defaulting to UDP":                                 false,
		"(VI_1) address family must match VRRP instance":                                                             false,
	} {
		if harmless.MatchString(line) != want {
			t.Errorf("%q: harmless is %v", line, !want)
		}
	}
}

func TestPathsNameTheVIP(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.229"), netip.MustParseAddr("2001:db8::229")
	for got, want := range map[string]string{
		keepalived.VIPAddressPath(v4):  "/etc/keepalived/redislb/vip-192.0.2.229.address.conf",
		keepalived.VIPServicesPath(v6): "/etc/keepalived/redislb/vip-2001:db8::229.services.conf",
		redis().Path():                 keepalived.VIPAddressPath(v4),
		own(redis()).Path():            "/etc/keepalived/redislb/vip-192.0.2.229.vrrp.conf",
		own(ipv6()).Path():             keepalived.VIPInstancePath(v6),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestOurFilesAreToldFromForeignOnes(t *testing.T) {
	_, services := redis().Render()
	for text, want := range map[string]bool{
		string(director().Render()): true,
		string(services):            true,
		"":                          false,
		"global_defs {\n}\n":        false,
		"# Managed by Terraform (x": false,
		"# (redislb_vip) by hand":   false,
	} {
		if got := strings.Contains(text, keepalived.ManagedMark); got != want {
			t.Errorf("%.60q bears the mark: %v, want %v", text, got, want)
		}
	}
}

func TestKeyOfHMACIsWrittenAsItIsAndNeverTold(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	text, err := keepalived.RenderHMAC(key, 7)
	if err != nil {
		t.Fatal(err)
	}
	const want = "# auth_hmac_wo_version 7\nauth_hmac {\n    key 1 " + key + "\n    active_key 1\n}\n"
	if !strings.HasSuffix(string(text), want) {
		t.Errorf("got %s\nwant %s", text, want)
	}
	if got, err := keepalived.ParseHMACVersion(text); err != nil || got != 7 {
		t.Errorf("7 became %d, %v", got, err)
	}
	for _, bad := range []string{"", key[1:], key + key + "x", key + "$", key + " ", "hex:" + key + key, "file:/etc/" + key} {
		if _, err := keepalived.RenderHMAC(bad, 7); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := keepalived.RenderHMAC(key+key, 7); err != nil {
		t.Error(err)
	}
}
