package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// becomes runs role.sh with a folder for a root, which has files for the VIPs, and
// returns what nft was told and what was noted.
func becomes(t *testing.T, args string, nft bool, vips ...string) (rules, note string) {
	t.Helper()
	return becomesIn(t, t.TempDir(), args, nft, vips...)
}

func becomesIn(t *testing.T, root, args string, nft bool, vips ...string) (rules, note string) {
	t.Helper()
	for _, dir := range []string{"bin", "etc/keepalived/redislb"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put := func(path, text string) {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put("etc/keepalived/keepalived.conf", "vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n    advert_int 2\n}\n")
	for _, vip := range vips {
		text := ""
		if strings.HasSuffix(vip, ".vrrp.conf") {
			text = "vrrp_instance vip:x {\n    virtual_router_id 52\n    priority 99\n}\n"
		}
		put("etc/keepalived/redislb/"+vip, text)
	}
	for _, command := range []string{"sh", "mkdir", "mv", "cat", "sed", "flock", "sha256sum"} {
		path, err := exec.LookPath(command)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(root, "bin", command)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	if nft {
		put("bin/nft", "#!/bin/sh\ncat >>'"+root+"/rules'\n")
		_ = os.Remove(filepath.Join(root, "rules"))
	}
	text := strings.NewReplacer("/run/", root+"/run/", "/etc/", root+"/etc/", "/proc/sys/", root+"/proc/sys/").Replace(string(roleScript))
	cmd := exec.Command("sh", "-c", text, "role.sh")
	cmd.Args = append(cmd.Args, strings.Fields(args)...)
	cmd.Env = []string{"PATH=" + root + "/bin", "MAINPID=4711"}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	read := func(path string) string {
		content, _ := os.ReadFile(filepath.Join(root, path))
		return string(content)
	}
	return read("rules"), read("run/redislb/role")
}

func TestRoleIsNotedAndResetsOfTheVIPsAreHeldBack(t *testing.T) {
	rules, note := becomes(t, "INSTANCE VI_1 BACKUP 100", true, "vip-192.0.2.229.address.conf", "vip-192.0.2.230.address.conf", "vip6-2001:db8::1.address.conf", "vip-192.0.2.229.services.conf")
	if !regexp.MustCompile(`^\d+ BACKUP \d+ \d+\n$`).MatchString(note) {
		t.Errorf("noted %q", note)
	}
	for _, want := range []string{
		"add element inet redislb vips_51 {  192.0.2.229, 192.0.2.230 }\n",
		"add element inet redislb vips6_51 {  2001:db8::1 }\n",
		"add chain inet redislb output { type filter hook output priority -300; }\n",
		"ip protocol 112 @th,8,8 51 update @leads_51 { meta mark & 0 timeout 14s }\n",
		"meta l4proto != tcp accept\n",
		"ip saddr @vips_51 meta mark & 0 @moves_51 counter drop\n",
	} {
		if !strings.Contains(rules, want) {
			t.Errorf("nft is not told %q:\n%s", want, rules)
		}
	}
}

// On one interface a host is master of one instance and backup of another.
func TestEachInstanceHasAGuardAndANoteOfItsOwn(t *testing.T) {
	root := t.TempDir()
	files := []string{"vip-192.0.2.229.address.conf", "vip-192.0.2.230.vrrp.conf", "vip-192.0.2.230.services.conf"}
	becomesIn(t, root, "INSTANCE VI_1 BACKUP 100", true, files...)
	rules, note := becomesIn(t, root, "INSTANCE vip:192.0.2.230 MASTER 99", true, files...)
	own, err := os.ReadFile(filepath.Join(root, "run/redislb/role-192.0.2.230"))
	if err != nil || !strings.Contains(string(own), " MASTER ") || !strings.Contains(note, " BACKUP ") {
		t.Errorf("noted %q of the VIP's instance, %v, and %q of the director's", own, err, note)
	}
	for _, want := range []string{
		"vips_51 {  192.0.2.229 }\n", "vips_52 { 192.0.2.230 }\n",
		"@th,8,8 51 meta mark & 0 != @leads_51 update @moves_51 ", "@th,8,8 52 meta mark & 0 != @leads_52 update @moves_52 ",
		"output ip protocol 112 @th,8,8 52 @th,16,8 0 update @moves_52 ", `input iifname "eth0" ip protocol 112 @th,8,8 52 meta mark & 0 @leads_52 update @moves_52 `,
		"ip saddr @vips_52 meta mark & 0 @moves_52 counter drop\n",
	} {
		if !strings.Contains(rules, want) {
			t.Errorf("nft is not told %q:\n%s", want, rules)
		}
	}
	for part, each := range resetRules {
		equal(t, "rules with "+part, strings.Count(rules, part), 2*each)
	}
	if rules, _ := becomesIn(t, root, "LEAVE", true, files...); strings.Count(rules, `{ 0 timeout 15s }`) != 2 {
		t.Errorf("not all that the host holds is held back when keepalived stops:\n%s", rules)
	}
	if rules, _ := becomes(t, "GUARD", true, "vip-2001:db8::1.vrrp.conf"); !strings.Contains(rules, "vips6_52 { 2001:db8::1 }\n") {
		t.Errorf("IPv6:\n%s", rules)
	}
}

func TestWithoutVIPsNothingIsHeldBack(t *testing.T) {
	rules, _ := becomes(t, "INSTANCE VI_1 MASTER 100", true)
	if strings.Contains(rules, "add element") || !strings.Contains(rules, "add rule") {
		t.Errorf("nft is told\n%s", rules)
	}
}

// keepalived is still there when systemd says that it will be stopped.
func TestBeforeKeepalivedStopsResetsAreHeldBackAtOnce(t *testing.T) {
	rules, note := becomes(t, "LEAVE", true, "vip-192.0.2.229.address.conf")
	if note != "" || !strings.Contains(rules, "add element inet redislb moves_51 { 0 timeout 15s }\n") {
		t.Errorf("noted %q, nft is told\n%s", note, rules)
	}
	if rules, _ := becomes(t, "INSTANCE VI_1 MASTER 100", true); strings.Contains(rules, "add element inet redislb moves_") {
		t.Errorf("a change of the role holds them back by itself:\n%s", rules)
	}
}

// The marks of source_mac are there before keepalived is, at boot too, and go with their file.
func TestWhatPeersSendIsMarkedByTheRulesOfTheVIPs(t *testing.T) {
	_, marks := keepalived.Peers{VIP: vip, Own: serverA.Addr(), MACs: []string{"52:54:00:00:00:0c"}}.Render()
	root := t.TempDir()
	file, sysctls := filepath.Join(root, "etc/keepalived/redislb/vip-192.0.2.229.peers.nft"), filepath.Join(root, "etc/sysctl.d/99-zz-redislb-director.conf")
	for path, content := range map[string][]byte{file: marks, sysctls: nil} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	const chain, rule = "add chain inet redislb prerouting { type filter hook prerouting priority -140; }\n", "add rule inet redislb prerouting ether saddr { 52:54:00:00:00:0c } ip daddr 192.0.2.229 meta mark set 0x"
	rules, _ := becomesIn(t, root, "START", true)
	empty, hook, add := strings.Index(rules, "delete chain inet redislb prerouting\n"), strings.Index(rules, chain), strings.Index(rules, rule)
	if empty < 0 || hook < empty || add < hook {
		t.Errorf("nft is told\n%s", rules)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if rules, _ := becomesIn(t, root, "GUARD", true); !strings.Contains(rules, "delete chain inet redislb prerouting\n") || strings.Contains(rules, chain) {
		t.Errorf("without marks nft is told\n%s", rules)
	}
}

// On a host whose keepalived came before the guard.
func TestRoleIsNotedWithoutNft(t *testing.T) {
	becomes(t, "LEAVE", false, "vip-192.0.2.229.address.conf") // and does not fail
	if _, note := becomes(t, "INSTANCE VI_1 MASTER 100", false, "vip-192.0.2.229.address.conf"); !strings.Contains(note, " MASTER ") {
		t.Errorf("noted %q", note)
	}
}

// keepalived waits for no script of its own, so the one that it started first may come to
// its note last.
func TestLastWordOfKeepalivedCounts(t *testing.T) {
	me := os.Getpid() // in keepalived's place
	for name, c := range map[string]struct {
		noted string
		stays bool
	}{
		"an earlier word":            {fmt.Sprintf("%d MASTER 1 1", me), false},
		"a later word":               {fmt.Sprintf("%d MASTER 99999999999 1", me), true},
		"a later one of another":     {fmt.Sprintf("%d MASTER 99999999999 1", me+1), false},
		"a word that tells no order": {fmt.Sprintf("%d MASTER", me), false},
	} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "run/redislb"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "run/redislb/role"), []byte(c.noted+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, note := becomesIn(t, root, "INSTANCE VI_1 BACKUP 100", false)
		equal(t, name+" stays", note == c.noted+"\n", c.stays)
		equal(t, name+" gives way", strings.Contains(note, " BACKUP "), !c.stays)
	}
}

func TestServicesAreSwappedWhenTheRoleIsNoted(t *testing.T) {
	root := t.TempDir()
	swap := filepath.Join(root, "etc/keepalived/redislb/swap.sh")
	if err := os.MkdirAll(filepath.Dir(swap), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(swap, []byte("#!/bin/sh\ncat '"+root+"/run/redislb/role' >>'"+root+"/swapped'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, note := becomesIn(t, root, "INSTANCE VI_1 MASTER 100", false)
	becomesIn(t, root, "LEAVE", false)
	if swapped, err := os.ReadFile(filepath.Join(root, "swapped")); err != nil || string(swapped) != note {
		t.Errorf("swapped at %q, %v; noted %q", swapped, err, note)
	}
}

// Neither of these is a change of the role.
func TestWhatKeepalivedHasLoadedIsNotedAndTheGuardSetUpAlone(t *testing.T) {
	root := t.TempDir()
	const file = "vip-192.0.2.229.address.conf"
	// VIPs come and go with a reload, in which the role need not change.
	if rules, note := becomesIn(t, root, "LOADED", true, file, "instance.conf"); !strings.Contains(rules, "192.0.2.229 }") || note != "" {
		t.Errorf("LOADED: nft was told %q, noted %q", rules, note)
	}
	text, err := os.ReadFile(filepath.Join(root, "run/redislb/loaded"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Snapshot{}
	s.parseLoaded(strings.ReplaceAll(string(text), root, ""))
	equal(t, "process", strings.HasPrefix(string(text), "4711\n"), true)
	equal(t, "files", len(s.Loaded), 3)
	equal(t, "sum of what instances share", s.Loaded["/etc/keepalived/redislb/instance.conf"], sumOfNothing)
	equal(t, "sum", s.Loaded["/etc/keepalived/redislb/"+file], sumOfNothing)
	if rules, note := becomesIn(t, root, "GUARD", true, file); !strings.Contains(rules, "192.0.2.229 }") || note != "" {
		t.Errorf("GUARD: nft was told %q, noted %q", rules, note)
	}
}

// At boot the switches of the guard hold whatever else set them before, and a start by hand
// is the same.
func TestSwitchesOfTheGuardAreSetBeforeKeepalivedStarts(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"etc/sysctl.d/99-zz-redislb-director.conf": string(sysctlFile("# net.ipv4.vs.none = 1\n", BackupOnly.sysctls())),
		"proc/sys/net/ipv4/vs/backup_only":         "0\n",
		"proc/sys/net/ipv4/vs/sync_threshold":      "3 50\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules, note := becomesIn(t, root, "START", true, "vip-192.0.2.229.address.conf")
	if note != "" {
		t.Errorf("a start is no change of the role: %q", note)
	}
	if !strings.Contains(rules, "add element inet redislb moves_51 { 0 timeout 15s }\n") {
		t.Errorf("resets are not held back where a killed keepalived left the VIPs:\n%s", rules)
	}
	for name, want := range map[string]string{"backup_only": "1\n", "sync_threshold": "1 0\n"} {
		if got, err := os.ReadFile(filepath.Join(root, "proc/sys/net/ipv4/vs", name)); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
}
