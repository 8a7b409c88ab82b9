package host

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// director is a machine with all on it that a director of redisVIP has.
func directorMachine() *machine {
	m := bareMachine().hold(redisDirector().Artifacts()).hold(redisVIP().Artifacts())
	m.state, m.stateNoted = "BACKUP", time.Unix(1764119675, 0)
	return m
}

func (m *machine) holdVIP() {
	m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: netip.PrefixFrom(vip, 24), Label: "eth0", Secondary: true})
}

func instanceOn(t *testing.T, m *machine) Instance {
	t.Helper()
	i, err := m.snapshot(t).Instance()
	if err != nil || i == nil {
		t.Fatalf("got %v, %v", i, err)
	}
	return *i
}

func TestInstanceIsToldWithItsStateAndSinceWhen(t *testing.T) {
	i := instanceOn(t, directorMachine())
	equal(t, "name", i.Configured.Name, "VI_1")
	equal(t, "priority", *i.Configured.Priority, 100)
	equal(t, "state", i.State, "backup")
	equal(t, "since", i.Since.UTC().Format(time.RFC3339), "2025-11-26T01:14:35Z")
	equal(t, "guard", i.Guard, BackupOnly)
	equal(t, "drain", i.Drain, false)

	for name, c := range map[string]struct {
		change func(*machine)
		state  string
		since  bool
	}{
		"master":                  {func(m *machine) { m.state = "MASTER"; m.holdVIP() }, "master", true},
		"fault":                   {func(m *machine) { m.state = "FAULT" }, "fault", true},
		"keepalived was stopped":  {func(m *machine) { m.units[keepalivedUnit] = UnitState{"loaded", "inactive", "enabled"} }, "stopped", false},
		"the note is of a killed": {func(m *machine) { m.state = "" }, "backup", false}, // by the VIP
		"no VIP, no note": {func(m *machine) {
			m.state = ""
			delete(m.files, keepalived.VIPAddressPath(vip))
		}, "", false},
		"no VIP, a note": {func(m *machine) {
			m.state = "MASTER"
			delete(m.files, keepalived.VIPAddressPath(vip))
		}, "master", true},
		"the note lags behind the VIP and the daemon": {func(m *machine) {
			m.daemons = strings.ReplaceAll(m.daemons, "backup", "master")
			m.holdVIP()
		}, "master", false},
	} {
		m := directorMachine()
		c.change(m)
		i := instanceOn(t, m)
		equal(t, name, i.State, c.state)
		equal(t, name+": since", !i.Since.IsZero(), c.since)
	}
}

func TestInstanceIsToldOfAnEditedFileAndNotOfAForeignOne(t *testing.T) {
	m := directorMachine()
	edit := func(from, to string) {
		f := m.files[keepalived.ConfigPath]
		f.Content = []byte(strings.Replace(string(f.Content), from, to, 1))
		m.files[keepalived.ConfigPath] = f
	}
	edit("priority 100", "priority 77\n    odd thing")
	i := instanceOn(t, m)
	equal(t, "priority", *i.Configured.Priority, 77)
	equal(t, "guard", i.Guard, "")

	edit("vrrp_instance", "vrrp_instanc")
	_, err := m.snapshot(t).Instance()
	says(t, err, keepalived.ConfigPath, "edited", "next apply")

	m.files[keepalived.ConfigPath] = file("vrrp_instance X {\n}\n")
	if i, err := m.snapshot(t).Instance(); i != nil || err != nil {
		t.Errorf("a foreign one: got %v, %v", i, err)
	}
	if i, err := bareMachine().snapshot(t).Instance(); i != nil || err != nil {
		t.Errorf("none: got %v, %v", i, err)
	}
}

func TestNoteOfTheRoleIsNoFileOfTheHost(t *testing.T) {
	if _, ok := directorMachine().snapshot(t).Files[roleNote]; ok {
		t.Error("it would count as an artifact")
	}
}

func TestPreflightTellsWhatKeepsAHostFromBeingADirector(t *testing.T) {
	summaries := func(m *machine) string {
		var texts []string
		for _, p := range Preflight(m.snapshot(t)) {
			texts = append(texts, p.Summary)
		}
		return strings.Join(texts, ", ")
	}
	m := bareMachine()
	equal(t, "nothing to install by", summaries(m), "No Package Manager")
	equal(t, "missing", strings.Join(m.snapshot(t).MissingPackages(), " "), "keepalived ipvsadm nftables")
	m.packageManager = "/usr/bin/dnf"
	equal(t, "bare", summaries(m), "")
	equal(t, "package manager", m.snapshot(t).PackageManager, "dnf")
	m = directorMachine()
	equal(t, "a director", summaries(m), "")
	equal(t, "nothing is missing", len(m.snapshot(t).MissingPackages()), 0)
	m.files[keepalived.ConfigPath] = file("vrrp_instance X {\n}\n")
	equal(t, "foreign", summaries(m), "Foreign keepalived.conf")
	equal(t, "whose", m.snapshot(t).Configuration(), ForeignConfiguration)
	m = directorMachine()
	m.keepalivedVersion = "Keepalived v1.3.5 (03/19,2017)"
	equal(t, "old", summaries(m), "keepalived Too Old")
	delete(m.sysctls, "net/ipv4/vs/backup_only")
	m.units = nil
	equal(t, "more", summaries(m), "Loop Guard Chosen by the Kernel, keepalived Too Old, No systemd")
	equal(t, "whose", bareMachine().snapshot(t).Configuration(), NoConfiguration)
	equal(t, "keepalived is not there", bareMachine().snapshot(t).KeepalivedState(), "")
	equal(t, "keepalived is there", directorMachine().snapshot(t).KeepalivedState(), "active")
}

func TestCountersAreToldFromTheTableBehindWhichTheyStand(t *testing.T) {
	m := directorMachine()
	if s := m.snapshot(t); s.IPVSStats != nil || len(s.IPVS) != 1 {
		t.Errorf("without: got %v and %v", s.IPVSStats, s.IPVS)
	}
	m.stats = "   Total Incoming Outgoing         Incoming         Outgoing\n   Conns  Packets  Packets            Bytes            Bytes\n       A       14        0              3E8                0\n\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n       0        0        0                0                0\n"
	s := m.snapshot(t)
	equal(t, "counters", *s.IPVSStats, ipvs.Stats{Connections: 10, IncomingPackets: 20, IncomingBytes: 1000})
	equal(t, "services", len(s.IPVS), 1)
	m.stats = "   Total Incoming Outgoing\n"
	_, err := parseSnapshot(m.probe())
	says(t, err, "ipvs proc", "ip_vs_stats")
}

// The part of probe.sh that looks for versions, with programs of the test's.
func TestVersionsAreReadFromTheProgramsThemselves(t *testing.T) {
	_, part, _ := strings.Cut(probe, "echo '== keepalived'\n")
	part, _, found := strings.Cut(part, "echo '== ipvsadm'\n")
	if !found {
		t.Fatal("probe.sh has another order")
	}
	bin := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	part = strings.NewReplacer("/usr/sbin/ipvsadm", filepath.Join(bin, "ipvsadm"), "/sbin/ipvsadm", filepath.Join(bin, "no-link")).Replace(part)
	told := func() *Snapshot {
		cmd := exec.Command("/bin/sh", "-c", part)
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		s := &Snapshot{}
		if err := s.parseFact("keepalived", strings.TrimSuffix(string(out), "\n")); err != nil {
			t.Fatal(err)
		}
		return s
	}
	write("keepalived", "#!/bin/sh\n# \x00\x01Keepalived v2.2.7 (01/16,2022)\x00Copyright\necho Keepalived 'v9.9.9 (asked)' >&2\n")
	s := told()
	equal(t, "keepalived alone", s.KeepalivedVersion+"|"+s.IpvsadmVersion, "Keepalived v2.2.7 (01/16,2022)|")
	write("ipvsadm", "\x7fELF\x00ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v%d)\n\x00ipvsadm v1.31 requires\n")
	s = told()
	equal(t, "both", s.KeepalivedVersion+"|"+s.IpvsadmVersion, "Keepalived v2.2.7 (01/16,2022)|1.31")
	if err := os.Rename(filepath.Join(bin, "ipvsadm"), filepath.Join(bin, "no-link")); err != nil {
		t.Fatal(err)
	}
	equal(t, "in the other folder", told().IpvsadmVersion, "1.31")
	write("keepalived", "#!/bin/sh\necho Keepalived 'v9.9.9 (asked)' >&2\n")
	s = told()
	equal(t, "one that has to be asked", s.KeepalivedVersion, "Keepalived v9.9.9 (asked)")
	if !slices.Contains(strings.Fields(part), "keepalived") {
		t.Fatal("positive control")
	}
}
