package host

import (
	"archive/tar"
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf/redisconftest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := udiff.Unified(path, "got", string(want), got); diff != "" {
		t.Errorf("%s\nIf it is meant, run go test with -update and read the diff of %s.", diff, path)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// says checks that a message holds all the words.
func says(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the message lacks %q:\n%s", w, err)
		}
	}
}

var (
	vip      = netip.MustParseAddr("192.0.2.229")
	serverA  = netip.MustParseAddrPort("192.0.2.11:6379")
	serverB  = netip.MustParseAddrPort("192.0.2.12:6379")
	redisKey = ipvs.Key{Protocol: ipvs.TCP, Address: vip, Port: 6379}
)

func redisDirector() Director {
	version := int64(1)
	return Director{
		Name: "a", Install: true, Guard: BackupOnly, Password: "hUsh~7", PasswordVersion: &version,
		VRRP: keepalived.Director{
			Instance: "VI_1", Interface: "eth0", VirtualRouterID: 51, Priority: 100,
			AdvertInterval: time.Second, PreemptDelay: 15 * time.Second,
		},
	}
}

// hashDirector is redisDirector with the other guard, hashVIP what it takes.
func hashDirector() Director {
	d := redisDirector()
	d.Guard = Hash
	return d
}

func hashVIP() VIP {
	v := redisVIP()
	v.Services[0].Scheduler, v.Services[0].SchedulerFlags = "mh", []string{"mh-port"}
	return v
}

func macDirector() Director {
	d := redisDirector()
	d.Guard = SourceMAC
	return d
}

// macVIP is redisVIP on the first of two directors, a and b.
func macVIP(t testing.TB) VIP {
	t.Helper()
	return redisVIP().Among("a", SourceMAC, pairOnTheWire(t))
}

func pairOnTheWire(t testing.TB) map[string]*Snapshot {
	t.Helper()
	a, b := bareMachine().hold(macDirector().Artifacts()), bareMachine().hold(macDirector().Artifacts())
	b.addresses[1].Prefix = netip.MustParsePrefix("192.0.2.12/24")
	b.macs = map[string]string{"eth0": "52:54:00:00:00:0c", "eth1": "52:54:00:00:01:0c"}
	return map[string]*Snapshot{"a": a.snapshot(t), "b": b.snapshot(t)}
}

func swapDirector() Director {
	d := redisDirector()
	d.Guard = ConfigSwap
	return d
}

func swapVIP() VIP {
	v := redisVIP()
	v.Guard = ConfigSwap
	return v
}

var timeoutNames = []string{"tcp", "tcpfin", "udp"}

// patientDirector is redisDirector with timeouts.
func patientDirector() Director {
	d := redisDirector()
	d.VRRP.Timeouts = keepalived.IPVSTimeouts{TCP: time.Hour, UDP: 30 * time.Second}
	return d
}

func redisServer() RealServer { return RealServer{VIPs: []netip.Addr{vip}} }

// instances are a master and a replica of another machine's, each with passwords.
func instances() []Redis {
	master := redisconf.Instance{
		Name: "main", Port: 6380, Bind: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, Protected: true, Password: true,
		Databases: redisconf.DefaultDatabases, MaxMemory: redisconf.DefaultMaxMemory, MaxMemoryPolicy: redisconf.DefaultMaxMemoryPolicy,
		Save: redisconf.DefaultSave, Settings: map[string]string{},
	}
	replica := master
	replica.Name, replica.Port = "copy", 17380
	replica.ReplicaOf = &redisconf.Replica{Master: netip.MustParseAddrPort("192.0.2.12:6380"), Password: true}
	return []Redis{
		{Instance: master, Client: Password{Version: 1, Text: "hUsh~7"}},
		{Instance: replica, Client: Password{Version: 2, Text: "hUsh~8", Kept: true}, Master: Password{Version: 3, Text: "hUsh~9"}},
	}
}

// servingRedis is redisServer with the instances.
func servingRedis() RealServer {
	r := redisServer()
	r.Install, r.Redis = true, instances()
	return r
}

func redisVIP() VIP {
	return VIP{VIP: keepalived.VIP{
		Address: netip.PrefixFrom(vip, 24),
		Services: []keepalived.VirtualServer{{
			Name: "redis", Port: 6379, Protocol: keepalived.TCP, Scheduler: "rr", Forwarding: keepalived.DR,
			DelayLoop: 6 * time.Second,
			Check:     keepalived.Check{Kind: keepalived.CheckTCP, Timeout: 3 * time.Second, Retries: 2, RetryDelay: time.Second},
			Quorum:    keepalived.Quorum{Weight: 1},
			RealServers: []keepalived.RealServer{
				{Name: "a", Address: serverA.Addr(), Port: 6379, Weight: 1},
				{Name: "b", Address: serverB.Addr(), Port: 6379, Weight: 1},
			},
		}},
	}}
}

// redisRow is what the table holds of redisVIP, changed by the functions.
func redisRow(change ...func(*ipvs.Service)) ipvs.Service {
	row := virtualService(vip, redisVIP().Services[0]).Service
	for _, f := range change {
		f(&row)
	}
	return row
}

func without(server netip.AddrPort) func(*ipvs.Service) {
	return func(s *ipvs.Service) {
		s.Destinations = slices.DeleteFunc(s.Destinations, func(d ipvs.Destination) bool { return d.Endpoint() == server })
	}
}

func weighing(server netip.AddrPort, weight int) func(*ipvs.Service) {
	return func(s *ipvs.Service) {
		for i, d := range s.Destinations {
			if d.Endpoint() == server {
				s.Destinations[i].Weight = weight
			}
		}
	}
}

func with(server netip.AddrPort) func(*ipvs.Service) {
	return func(s *ipvs.Service) {
		s.Destinations = append(s.Destinations, ipvs.Destination{Address: server.Addr(), Port: server.Port(), Weight: 1})
	}
}

// machine is a make-believe Linux host: probe answers for it in the words of
// probe.sh.
type machine struct {
	keepalivedVersion string // lines
	packageManager    string
	ipvsadm, nft      bool
	redis             bool // the package
	servers           []Redis
	files             map[string]FileState
	links             map[string]string // symbolic links: path to target
	secrets           []string          // bodies of the sections
	sysctls           map[string]string // by path under /proc/sys
	addresses         []Address
	macs              map[string]string // by interface
	marks             string
	units             map[string]UnitState
	ipvsLoaded        bool
	table             ipvs.Table
	save              string // body of the section "ipvs save"; empty: no such section
	stats             string // of /proc/net/ip_vs_stats
	state             string // what keepalived noted of its VRRP instance
	stateNoted        time.Time
	daemons           string
	timeouts          [3]int64 // tcp, tcpfin and udp, in seconds
	noted             []string // those of them that a director has set
	health            string
	listeners         string   // body of the section
	greeting          string   // of the Redis on its usual port
	ended             []string // transactions
	booted            time.Time
	keepalivedSince   time.Time
}

// bareMachine has nothing of ours on it and packages missing.
func bareMachine() *machine {
	return &machine{
		files: map[string]FileState{},
		sysctls: map[string]string{
			"net/ipv4/conf/lo/arp_ignore": "0", "net/ipv4/conf/lo/arp_announce": "0",
			"net/ipv4/conf/all/arp_ignore": "0", "net/ipv4/conf/all/arp_announce": "0",
			"net/ipv4/conf/eth0/arp_ignore": "0", "net/ipv4/conf/eth0/arp_announce": "0",
		},
		addresses: []Address{
			{Device: "lo", Prefix: netip.MustParsePrefix("127.0.0.1/8"), Label: "lo"},
			{Device: "eth0", Prefix: netip.MustParsePrefix("192.0.2.11/24"), Label: "eth0"},
			{Device: "eth1", Prefix: netip.MustParsePrefix("198.51.100.11/24"), Label: "eth1"},
		},
		macs: map[string]string{"eth0": "52:54:00:00:00:0b", "eth1": "52:54:00:00:01:0b"},
		units: map[string]UnitState{
			keepalivedUnit: {Load: "not-found", Active: "inactive"},
			realServerUnit: {Load: "not-found", Active: "inactive"},
		},
		timeouts: [3]int64{900, 120, 300},
		booted:   time.Now().Add(-time.Hour),
	}
}

// hold makes the machine hold what the artifacts want.
func (m *machine) hold(artifacts []Artifact) *machine {
	for _, a := range artifacts {
		switch a := a.(type) {
		case Package:
			switch a.Name {
			case "keepalived":
				m.keepalivedVersion = "Keepalived v2.2.7 (01/16,2022)"
			case "ipvsadm":
				m.ipvsadm = true
			case "nftables":
				m.nft = true
			case redisPackage:
				m.redis = true
			}
		case Module:
			m.ipvsLoaded = true
		case Folder:
			m.files[a.Path] = FileState{Mode: fs.ModeDir | 0o755, Owner: "root:root"}
		case File:
			if a.Label != "" {
				m.secrets = append(m.secrets, "8180 root:root "+a.Path+"\n"+a.Want())
			} else {
				m.files[a.Path] = FileState{Mode: a.Mode, Owner: "root:root", Content: a.Content}
			}
		case Sysctl:
			m.sysctls[a.path()] = strings.ReplaceAll(a.Value, " ", "\t")
		case ARPIgnore:
			m.sysctls[a.path()] = a.Value
		case LoopbackAddress:
			m.addresses = append(m.addresses, Address{Device: "lo", Prefix: a.prefix(), Label: loopbackLabel})
		case Unit:
			m.units[a.Name] = UnitState{Load: "loaded", Active: "active", File: "enabled"}
			if a.Name == keepalivedUnit {
				m.keepalivedSince = time.Now().Add(-time.Minute)
			}
		case RedisServer:
			m.servers = append(m.servers, Redis{Instance: a.Instance})
		case VirtualService:
			m.table = append(m.table, a.Service)
		case PeerMarks:
			_, rules := a.Render()
			m.marks = strings.ReplaceAll(string(rules), "add rule inet redislb prerouting ", "\t\t")
		case IPVSTimeout:
			m.timeouts[slices.Index(timeoutNames, a.Name)] = int64(a.Value / time.Second)
			m.noted = append(m.noted, "/var/lib/redislb/before/ipvs.timeout."+a.Name)
		case SyncRole:
			m.daemons = ""
			if a.Interface == "" {
				continue
			}
			if a.Both {
				m.daemons = fmt.Sprintf("master sync daemon (mcast=%s, syncid=%d, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n", a.Interface, a.ID)
			}
			m.daemons += fmt.Sprintf("backup sync daemon (mcast=%s, syncid=%d, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n", a.Interface, a.ID)
		}
	}
	return m
}

func (m *machine) probe() []byte {
	var b bytes.Buffer
	section := func(name, body string) {
		b.WriteString("== " + name + "\n" + body)
		if body != "" && !strings.HasSuffix(body, "\n") {
			b.WriteByte('\n')
		}
	}
	section("probe 1", "")
	section("kernel", "6.1.0-56-cloud-amd64")
	section("uptime", fmt.Sprintf("%.2f 508.83", time.Since(m.booted).Seconds()))
	section("os", `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"`)
	section("keepalived", m.keepalivedVersion)
	if m.ipvsadm {
		section("ipvsadm", "/usr/sbin/ipvsadm")
	} else {
		section("ipvsadm", "")
	}
	section("nft", map[bool]string{true: "/usr/sbin/nft"}[m.nft])
	section("redis-server", map[bool]string{true: "/usr/bin/redis-server"}[m.redis])
	section("package manager", m.packageManager)
	section("interfaces", "eth0 lo")
	section("ssh", "198.51.100.1 50000 198.51.100.11 22")
	section("transactions", strings.Join(m.ended, "\n"))
	section("schedulers", "ip_vs.ko ip_vs_mh.ko.xz ip_vs_rr.ko ip_vs_wrr.ko")
	var sysctls string
	for _, path := range slices.Sorted(maps.Keys(m.sysctls)) {
		sysctls += "/proc/sys/" + path + ":" + m.sysctls[path] + "\n"
	}
	for _, name := range slices.Sorted(maps.Keys(m.macs)) {
		sysctls += "/sys/class/net/" + name + "/address:" + m.macs[name] + "\n"
	}
	section("sysctl", sysctls)
	section("address", m.addressLines())
	section("listeners", m.listeners)
	section("redis greeting", m.greeting)
	if m.ipvsLoaded {
		section("ipvs proc", procTable(m.table)+m.stats)
		if m.save != "" {
			section("ipvs save", m.save)
		}
		if len(m.noted) > 0 {
			section("ipvs timeouts", fmt.Sprintf("%s\nTimeout (tcp tcpfin udp): %d %d %d", strings.Join(m.noted, " "), m.timeouts[0], m.timeouts[1], m.timeouts[2]))
		}
		section("ipvs daemon", m.daemons)
	}
	section("health", m.health)
	section("role", m.state)
	if m.marks != "" {
		_, own := managedVIPs(m.files)
		rules := ""
		for part, each := range resetRules {
			rules += strings.Repeat("\t\tx"+strings.TrimSuffix(part, "\n")+"\n", each*(1+len(own)))
		}
		section("nft table", nftTable("chain output {\n\t\ttype filter hook output priority raw; policy accept;\n"+rules+"\t}", "chain input {\n\t\ttype filter hook input priority raw; policy accept;\n\t}",
			"chain prerouting {\n"+strings.TrimSuffix(m.marks, "\n")+"\n\t}"))
	}
	var units []string
	for _, name := range slices.Sorted(maps.Keys(m.units)) {
		u, since := m.units[name], int64(0)
		if name == keepalivedUnit && !m.keepalivedSince.IsZero() {
			since = m.keepalivedSince.Sub(m.booted).Microseconds()
		}
		units = append(units, fmt.Sprintf("Id=%s\nLoadState=%s\nActiveState=%s\nUnitFileState=%s\nActiveEnterTimestampMonotonic=%d\n", name, u.Load, u.Active, u.File, since))
	}
	section("unit", strings.Join(units, "\n"))
	for _, r := range m.servers {
		section("redis", redisconftest.Section(r.Instance))
	}
	for _, secret := range m.secrets {
		section("secret", secret)
	}
	b.WriteString("== tar\n")
	b.Write(archiveOf(m.files, m.links, m.stateNoted))
	b.WriteString("\n== end\n")
	return b.Bytes()
}

// addressLines is ip -o address show, IPv4 only.
func (m *machine) addressLines() string {
	var addresses string
	for i, a := range m.addresses {
		secondary := ""
		if a.Secondary {
			secondary = "secondary "
		}
		addresses += fmt.Sprintf("%d: %s    inet %s scope global %s%s\\       valid_lft forever preferred_lft forever\n", i+1, a.Device, a.Prefix, secondary, a.Label)
	}
	return addresses
}

func archiveOf(files map[string]FileState, links map[string]string, noted time.Time) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		f := files[path]
		user, group, _ := strings.Cut(f.Owner, ":")
		head := &tar.Header{Name: path[1:], Mode: int64(f.Mode.Perm()), Uname: user, Gname: group, Size: int64(len(f.Content)), Typeflag: tar.TypeReg, Format: tar.FormatGNU}
		if f.Mode.IsDir() {
			head.Name, head.Typeflag = head.Name+"/./", tar.TypeDir
		}
		if err := w.WriteHeader(head); err != nil {
			panic(err)
		}
		if _, err := w.Write(f.Content); err != nil {
			panic(err)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(links)) {
		head := &tar.Header{Name: path[1:], Linkname: links[path], Mode: 0o777, Uname: "root", Gname: "root", Typeflag: tar.TypeSymlink, Format: tar.FormatGNU}
		if err := w.WriteHeader(head); err != nil {
			panic(err)
		}
	}
	if !noted.IsZero() {
		if err := w.WriteHeader(&tar.Header{Name: roleNote[1:], Mode: 0o644, ModTime: noted, Typeflag: tar.TypeReg, Format: tar.FormatGNU}); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// procTable prints a table the way of /proc/net/ip_vs, IPv4 only.
func procTable(table ipvs.Table) string {
	var b strings.Builder
	b.WriteString("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n")
	for _, s := range table {
		flags := ""
		if s.Persistent {
			flags = "persistent 75000 FFFFFFFF"
		}
		if s.FWMark != 0 {
			fmt.Fprintf(&b, "FWM  %08X %s %s\n", s.FWMark, s.Scheduler, flags)
		} else {
			fmt.Fprintf(&b, "%s  %X:%04X %s %s\n", strings.ToUpper(s.Protocol.String()), s.Address.As4(), s.Port, s.Scheduler, flags)
		}
		for _, d := range s.Destinations {
			fmt.Fprintf(&b, "  -> %X:%04X      Route   %d      %-10d %-10d\n", d.Address.As4(), d.Port, d.Weight, d.ActiveConns, d.InactConns)
		}
	}
	return b.String()
}

// nftTable is redislb's table as nft lists it, of these parts.
func nftTable(parts ...string) string {
	return "table inet redislb {\n\t" + strings.Join(parts, "\n\n\t") + "\n}"
}

func (m *machine) snapshot(t testing.TB) *Snapshot {
	t.Helper()
	s, err := parseSnapshot(m.probe())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func file(content string) FileState {
	return FileState{Mode: 0o644, Owner: "root:root", Content: []byte(content)}
}

// ours is a file that bears the mark.
func ours(rest string) FileState { return file(keepalived.Header("redislb_director") + rest) }

const symlink = fs.ModeSymlink | 0o777

func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to pass")
		}
	}
}
