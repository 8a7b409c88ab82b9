package host

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func capture(t testing.TB, name string) []byte {
	t.Helper()
	out, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRealCaptureOfABareHostIsUnderstood(t *testing.T) {
	s, err := parseSnapshot(capture(t, "probe-bare.out"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "kernel", s.Kernel, "6.1.0-56-cloud-amd64")
	equal(t, "os", s.OS, "Debian GNU/Linux 12 (bookworm)")
	equal(t, "interfaces", strings.Join(s.Interfaces, " "), "eth0 eth1 lo")
	equal(t, "schedulers", strings.Join(s.Schedulers, " "), "dh fo ftp lblc lblcr lc mh nq ovf pe_sip rr sed sh wlc wrr")
	equal(t, "keepalived", s.KeepalivedVersion, "Keepalived v2.2.7 (01/16,2022)")
	equal(t, "ipvsadm", s.HasIpvsadm, true)
	equal(t, "files", len(s.Files), 0)
	equal(t, "sync_threshold with its tab", s.Sysctls["net.ipv4.vs.sync_threshold"], "3 50")
	equal(t, "arp_ignore", s.Sysctls["net.ipv4.conf.all.arp_ignore"], "0")
	equal(t, "sysctls", len(s.Sysctls), 27+10)
	equal(t, "addresses", len(s.Addresses), 6)
	equal(t, "lo", s.Addresses[0], Address{Device: "lo", Prefix: netip.MustParsePrefix("127.0.0.1/8"), Label: "lo"})
	equal(t, "eth0", s.Addresses[2], Address{Device: "eth0", Prefix: netip.MustParsePrefix("192.0.2.11/24"), Label: "eth0"})
	equal(t, "IPv6 has no label", s.Addresses[3], Address{Device: "eth0", Prefix: netip.MustParsePrefix("fe80::5054:ff:fe00:20b/64")})
	equal(t, "ip_vs", s.IPVSLoaded, true)
	equal(t, "services", len(s.IPVS), 0)
	equal(t, "sync daemons", len(s.SyncDaemons), 0)
	equal(t, "units", len(s.Units), 2)
	equal(t, "keepalived.service", s.Units[keepalivedUnit], UnitState{Load: "loaded", Active: "inactive", File: "disabled"})
	equal(t, "our unit", s.Units[realServerUnit], UnitState{Load: "not-found", Active: "inactive"})
}

func TestRealCaptureWithSomebodyElsesServiceIsUnderstood(t *testing.T) {
	s, err := parseSnapshot(capture(t, "probe-foreign-service.out"))
	if err != nil {
		t.Fatal(err)
	}
	row := s.Service(ipvs.Key{Protocol: ipvs.TCP, Address: netip.MustParseAddr("192.0.2.99"), Port: 80})
	if row == nil {
		t.Fatalf("the service is missing: %v", s.IPVS)
	}
	equal(t, "row", row.Canonical(), "-A -t 192.0.2.99:80 -s wlc\n-a -t 192.0.2.99:80 -r 192.0.2.50:80 -g -w 1\n")
}

func TestHostWithoutIPVSIsToldFromOneWithAnEmptyTable(t *testing.T) {
	equal(t, "not loaded", bareMachine().snapshot(t).IPVSLoaded, false)
	m := bareMachine()
	m.ipvsLoaded = true
	equal(t, "loaded", m.snapshot(t).IPVSLoaded, true)
}

func TestFlagsAndTimeoutsComeFromIpvsadmAndRowsFromProc(t *testing.T) {
	m := bareMachine()
	m.ipvsLoaded = true
	maglev := redisRow(func(s *ipvs.Service) { s.Scheduler = "mh" })
	sticky := redisRow(func(s *ipvs.Service) { s.Port, s.Persistent, s.Scheduler = 80, true, "sh" }, weighing(serverA, 7))
	m.table = ipvs.Table{maglev, sticky}
	m.save = "-A -t 192.0.2.229:6379 -s mh -b mh-fallback,mh-port\n-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n-A -t 192.0.2.229:80 -s sh -p 300\n"
	s := m.snapshot(t)
	equal(t, "mh", s.Service(maglev.Key).Canonical(),
		"-A -t 192.0.2.229:6379 -s mh -b mh-fallback,mh-port\n-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n")
	equal(t, "sh", strings.Split(s.Service(sticky.Key).Canonical(), "\n")[0], "-A -t 192.0.2.229:80 -s sh -p 300")
}

func TestSyncDaemonsOfBothRolesAreSeen(t *testing.T) {
	m := bareMachine()
	m.ipvsLoaded = true
	m.daemons = "master sync daemon (mcast=eth0, syncid=51, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\nbackup sync daemon (mcast=eth1.5, syncid=255, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
	s := m.snapshot(t)
	want := []SyncDaemon{{"master", "eth0", 51}, {"backup", "eth1.5", 255}}
	if !slices.Equal(s.SyncDaemons, want) {
		t.Errorf("got %v, want %v", s.SyncDaemons, want)
	}
}

func TestOnlyNotesThatSayDownTakeAServerOut(t *testing.T) {
	m := bareMachine()
	m.health = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 DOWN\n[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 UP\n[192.0.2.229]:udp:53_[192.0.2.12]:udp:53 DOWN\n[2001:db8::1]:tcp:80_[2001:db8::2]:tcp:80 DOWN\n[192.0.2.229]:tcp:6379 DOWN\n"
	s := m.snapshot(t)
	equal(t, "notes", len(s.CheckedOut), 3)
	equal(t, "a is out", s.CheckedOut[RealServerKey{redisKey, serverA}], true)
	equal(t, "b is not", s.CheckedOut[RealServerKey{redisKey, serverB}], false)
	dns := ipvs.Key{Protocol: ipvs.UDP, Address: vip, Port: 53}
	equal(t, "UDP", s.CheckedOut[RealServerKey{dns, netip.MustParseAddrPort("192.0.2.12:53")}], true)
	equal(t, "quorum of Redis", s.QuorumLost[redisKey], true)
	equal(t, "quorum of the others", len(s.QuorumLost), 1)
	equal(t, "the same over TCP", s.CheckedOut[RealServerKey{ipvs.Key{Address: vip, Port: 53}, netip.MustParseAddrPort("192.0.2.12:53")}], false)
}

func TestServersThatAreNewAreOutUntilTheirTimeIsOver(t *testing.T) {
	m := bareMachine()
	m.health = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 NEW 4000000000\n[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 NEW 0\n[192.0.2.229]:tcp:6380_[192.0.2.12]:tcp:6380 DOWN\n"
	s := m.snapshot(t)
	equal(t, "a is out", s.CheckedOut[RealServerKey{redisKey, serverA}], true)
	equal(t, "a is new", s.Unchecked[RealServerKey{redisKey, serverA}], true)
	equal(t, "b is none of both", len(s.CheckedOut), 2)
	equal(t, "new ones", len(s.Unchecked), 1)
}

func TestMalformedSectionsAreErrorsThatNameThem(t *testing.T) {
	for name, change := range map[string]func(*machine){
		"health":      func(m *machine) { m.health = "[192.0.2.229]:tcp DOWN" },
		"health vip":  func(m *machine) { m.health = "[x]:tcp:1_[192.0.2.11]:tcp:1 DOWN" },
		"health new":  func(m *machine) { m.health = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 NEW soon" },
		"health rs":   func(m *machine) { m.health = "[192.0.2.11]:tcp:1_[192.0.2.11]:tcp:x DOWN" },
		"ipvs daemon": func(m *machine) { m.ipvsLoaded, m.daemons = true, "master sync daemon (mcast=eth0, syncid=x)" },
		"ipvs save":   func(m *machine) { m.ipvsLoaded, m.save = true, "-A nonsense" },
		"secret":      func(m *machine) { m.secrets = []string{"what? root:root /x"} },
		"mystery":     func(m *machine) { m.health = "x up\n== mystery" },
	} {
		t.Run(name, func(t *testing.T) {
			m := bareMachine()
			change(m)
			_, err := parseSnapshot(m.probe())
			says(t, err, strings.Fields(name)[0])
		})
	}
}

func TestUnitsThatAreMaskedOrMissingAreToldApart(t *testing.T) {
	m := bareMachine()
	m.units[keepalivedUnit] = UnitState{Load: "masked", Active: "inactive", File: "masked"}
	s := m.snapshot(t)
	equal(t, "masked", s.Units[keepalivedUnit], UnitState{Load: "masked", Active: "inactive", File: "masked"})
	equal(t, "missing", s.Units[realServerUnit].Load, "not-found")
	delete(m.units, realServerUnit)
	delete(m.units, keepalivedUnit)
	equal(t, "no systemd", len(m.snapshot(t).Units), 0)
}

func TestKeepalivedsAgeIsTheTimeSinceItsUnitStarted(t *testing.T) {
	m := bareMachine().hold([]Artifact{Unit{keepalivedUnit}})
	age := m.snapshot(t).KeepalivedAge
	if age < 59*time.Second || age > 61*time.Second {
		t.Errorf("got %v, want a minute", age)
	}
}

func TestSecretFileIsToldByItsModeOwnerAndComments(t *testing.T) {
	m := bareMachine()
	m.secrets = []string{"81b6 nobody:nogroup " + keepalived.AuthPath + "\n# Managed by Terraform (redislb_director)\n# version 1\n(secret, changed on the host)", "8180 root:root /other\n"}
	f := m.snapshot(t).Files[keepalived.AuthPath]
	equal(t, "mode", f.Mode, 0o666)
	equal(t, "owner", f.Owner, "nobody:nogroup")
	equal(t, "content", string(f.Content), "# Managed by Terraform (redislb_director)\n# version 1\n(secret, changed on the host)\n")
	m.secrets = []string{"a1ff root:root " + keepalived.AuthPath + "\n"}
	equal(t, "a second", m.snapshot(t).Files["/other"].Mode, 0)
	equal(t, "a symbolic link is no regular file", m.snapshot(t).Files[keepalived.AuthPath].Mode.IsRegular(), false)
}

func TestFilesAreToldWithModeOwnerAndBinaryContent(t *testing.T) {
	m := bareMachine()
	content := "a\x00b\xff\n== end\n== tar\nc"
	m.files[directorSysctlFile] = FileState{Mode: 0o666, Owner: "nobody:nogroup", Content: []byte(content)}
	m.links = map[string]string{keepalived.ConfigPath: "/etc/passwd"}
	s := m.snapshot(t)
	equal(t, "files", len(s.Files), 2)
	equal(t, "mode", s.Files[directorSysctlFile].Mode, 0o666)
	equal(t, "owner", s.Files[directorSysctlFile].Owner, "nobody:nogroup")
	equal(t, "content", string(s.Files[directorSysctlFile].Content), content)
	equal(t, "a link is told as one", s.Files[keepalived.ConfigPath].Mode, symlink)
	equal(t, "and never followed", len(s.Files[keepalived.ConfigPath].Content), 0)
}

func TestSysctlOfAnInterfaceWithADotIsNamedAsSysctl8Does(t *testing.T) {
	m := bareMachine()
	m.sysctls["net/ipv4/conf/eth0.5/arp_ignore"] = "1"
	equal(t, "value", m.snapshot(t).Sysctls["net.ipv4.conf.eth0/5.arp_ignore"], "1")
}

func TestSecondaryAndPointToPointAddressesAreUnderstood(t *testing.T) {
	lines := "== address\n2: eth0    inet 192.0.2.13/24 scope global secondary eth0:1\\ x\n5: tun0    inet 10.0.0.1 peer 10.0.0.2/32 scope global tun0\\ x\n== "
	out := regexp.MustCompile(`(?s)== address\n.*?== `).ReplaceAllLiteral(bareMachine().probe(), []byte(lines))
	s, err := parseSnapshot(out)
	if err != nil {
		t.Fatal(err)
	}
	want := []Address{
		{Device: "eth0", Prefix: netip.MustParsePrefix("192.0.2.13/24"), Label: "eth0:1", Secondary: true},
		{Device: "tun0", Prefix: netip.MustParsePrefix("10.0.0.1/32"), Label: "tun0"},
	}
	if !slices.Equal(s.Addresses, want) {
		t.Errorf("got %v, want %v", s.Addresses, want)
	}
}

// full has something in every section, files that end like the output itself
// among it.
func full() *machine {
	m := bareMachine().hold(redisDirector().Artifacts()).hold(redisServer().Artifacts()).hold(redisVIP().Artifacts())
	m.health = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 DOWN"
	m.save = "-A -t 192.0.2.229:6379 -s rr\n"
	m.files["/etc/keepalived/redislb/odd"] = file("x\n== end\n" + strings.Repeat("\x00", 600) + "\n== end\n== tar\n\n== end\n")
	return m
}

func TestOutputCutShortAnywhereIsAnErrorAndNoHalfSnapshot(t *testing.T) {
	for name, out := range map[string][]byte{"full": full().probe(), "real": capture(t, "probe-bare.out")} {
		if _, err := parseSnapshot(out); err != nil {
			t.Fatalf("%s: whole output: %v", name, err)
		}
		for n := range out {
			if s, err := parseSnapshot(out[:n]); err == nil || s != nil {
				t.Fatalf("%s: %d of %d bytes: got %v, %v; want an error and no snapshot", name, n, len(out), s, err)
			}
		}
	}
}

func TestOutputWithAPieceMissingNeverPanics(t *testing.T) {
	out := full().probe()
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, len(out)).Draw(t, "from")
		to := rapid.IntRange(from, len(out)).Draw(t, "to")
		if s, err := parseSnapshot(slices.Concat(out[:from], out[to:])); (err == nil) == (s == nil) {
			t.Fatalf("got both or neither of %v, %v", s, err)
		}
	})
}

func TestArchiveThatTarDidNotWriteIsAnError(t *testing.T) {
	out := bareMachine().probe()
	before, after, _ := bytes.Cut(out, []byte("== tar\n"))
	end := after[len(after)-len("\n== end\n"):]
	if _, err := parseSnapshot(slices.Concat(before, []byte("== tar\n"), end)); err == nil {
		t.Error("a host whose tar failed looks like one without files: the resource would be removed from the state")
	}
}
