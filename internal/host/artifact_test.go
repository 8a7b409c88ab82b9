package host

import (
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func words(steps []step) string {
	var lines []string
	for _, s := range steps {
		for _, f := range s.files {
			if f.remove {
				lines = append(lines, fmt.Sprintf("remove %s %s", f.path, f.expect))
			} else {
				lines = append(lines, fmt.Sprintf("put %s %04o %s", f.path, f.mode, f.expect))
			}
		}
		if len(s.files) == 0 {
			lines = append(lines, strings.ReplaceAll(strings.Join(s.words, " "), stagedContent, "STAGED"))
		}
	}
	return strings.Join(lines, "\n")
}

// sum is the SHA-256 of an empty file.
const sumOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestArtifactsAreLookedAtEstablishedAndRemovedByKind(t *testing.T) {
	plain := File{Path: "/etc/sysctl.d/x", Mode: 0o644, Content: []byte("text\n")}
	adopting := File{Path: keepalived.ConfigPath, Mode: 0o644, Content: []byte("text\n"), Adopt: true}
	secret := File{Path: keepalived.AuthPath, Mode: 0o600, Content: []byte("# c\nhush\n"), Label: "# c\n"}
	other := func(m fileMap) *Snapshot { return &Snapshot{Files: m} }
	const sumOfText = "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733"

	loaded := File{Path: keepalived.VIPServicesPath(vip), Mode: 0o644, Content: []byte("text\n")}
	runsBy := func(path, sum string) *Snapshot {
		s := other(fileMap{loaded.Path: file("text\n")})
		s.Loaded = map[string]string{path: sum}
		return s
	}
	folder, packaged := Folder{Path: keepalived.Dir}, Folder{Path: "/etc/keepalived", Packaged: true}
	folderOf := func(mode fs.FileMode, owner string) *Snapshot {
		state := FileState{Mode: fs.ModeDir | mode, Owner: owner}
		return other(fileMap{folder.Path: state, packaged.Path: state})
	}
	tcp53 := OtherProtocols{vip, []ipvs.Key{{Protocol: ipvs.TCP, Address: vip, Port: 53}}}
	arp := ARPIgnore{Sysctl{arpIgnore, "1"}, []netip.Addr{vip}}
	for name, c := range map[string]struct {
		artifact          Artifact
		snapshot          *Snapshot
		found             string // empty: absent
		same              bool   // as wanted
		establish, remove string
	}{
		"package missing":   {artifact: Package{"keepalived"}, snapshot: &Snapshot{HasIpvsadm: true}, establish: "install_packages keepalived"},
		"package installed": {artifact: Package{"ipvsadm"}, snapshot: &Snapshot{HasIpvsadm: true}, found: "installed", same: true, establish: "install_packages ipvsadm"},
		"module missing":    {artifact: Module{"ip_vs"}, snapshot: &Snapshot{}, establish: "load_module ip_vs", remove: "unload_module ip_vs"},
		"module loaded":     {artifact: Module{"ip_vs"}, snapshot: &Snapshot{IPVSLoaded: true}, found: "loaded", same: true, establish: "load_module ip_vs", remove: "unload_module ip_vs"},
		"sysctl missing":    {artifact: Sysctl{"net.ipv4.vs.x", "1 0"}, snapshot: &Snapshot{}, establish: "set_sysctl net/ipv4/vs/x 1 0", remove: "restore_sysctl net/ipv4/vs/x"},
		"sysctl differs":    {artifact: Sysctl{"net.x", "1"}, snapshot: &Snapshot{Sysctls: map[string]string{"net.x": "2"}}, found: "2", establish: "set_sysctl net/x 1", remove: "restore_sysctl net/x"},
		"sysctl as wanted":  {artifact: Sysctl{"net.x", "1"}, snapshot: &Snapshot{Sysctls: map[string]string{"net.x": "1"}}, found: "1", same: true, establish: "set_sysctl net/x 1", remove: "restore_sysctl net/x"},

		"no reset guard":                  {artifact: ResetGuard{}, snapshot: guarded(""), establish: "guard_resets"},
		"reset guard in place":            {artifact: ResetGuard{}, snapshot: guarded(resetChain), found: "holds resets of the VIPs back while they move", same: true, establish: "guard_resets"},
		"reset guard with a hole":         {artifact: ResetGuard{}, snapshot: guarded(strings.Replace(resetChain, " drop\n", " accept\n", 1)), found: strings.Replace(uncounted, " drop\n", " accept\n", 1), establish: "guard_resets"},
		"reset guard that hears nothing":  {artifact: ResetGuard{}, snapshot: guarded(heardRule.ReplaceAllString(resetChain, "")), found: heardRule.ReplaceAllString(uncounted, ""), establish: "guard_resets"},
		"reset guard without a chain":     {artifact: ResetGuard{}, snapshot: guarded(strings.Replace(resetChain, "hook input", "hook forward", 1)), found: strings.Replace(uncounted, "hook input", "hook forward", 1), establish: "guard_resets"},
		"reset guard of another instance": {artifact: ResetGuard{}, snapshot: withOwnInstance(guarded(resetChain)), found: uncounted, establish: "guard_resets"},
		"reset guard of two instances":    {artifact: ResetGuard{}, snapshot: withOwnInstance(guarded(resetChain + resetChain)), found: "holds resets of the VIPs back while they move", same: true, establish: "guard_resets"},
		"nobody can tell of it":           {artifact: ResetGuard{}, snapshot: &Snapshot{}, found: "holds resets of the VIPs back while they move", same: true, establish: "guard_resets"},

		"one protocol on the port":   {artifact: tcp53, snapshot: with53(ipvs.TCP), found: "none", same: true},
		"other protocol on the port": {artifact: tcp53, snapshot: with53(ipvs.TCP, ipvs.UDP), found: "-A -u 192.0.2.229:53 -s rr\n", establish: "edit_ipvs STAGED STAGED"},

		"ARP as wanted":            {artifact: arp, snapshot: onWire("1", "2", "0"), found: "1", same: true, establish: "set_sysctl net/ipv4/conf/all/arp_ignore 1", remove: "restore_sysctl net/ipv4/conf/all/arp_ignore\nrestore_sysctl net/ipv4/conf/eth0.7/arp_ignore"},
		"ARP of an interface wins": {artifact: arp, snapshot: onWire("1", "0", "8"), found: "1, but 8 on eth0.7", establish: "set_sysctl net/ipv4/conf/all/arp_ignore 1\nset_sysctl net/ipv4/conf/eth0.7/arp_ignore 1", remove: "restore_sysctl net/ipv4/conf/all/arp_ignore\nrestore_sysctl net/ipv4/conf/eth0.7/arp_ignore"},

		"switch that the kernel does not have": {artifact: Sysctl{"net.ipv4.vs.x", "0"}, snapshot: &Snapshot{IPVSLoaded: true}, found: "0", same: true, establish: "set_sysctl net/ipv4/vs/x 0", remove: "restore_sysctl net/ipv4/vs/x"},
		"switch before the module is loaded":   {artifact: Sysctl{"net.ipv4.vs.x", "0"}, snapshot: &Snapshot{}, establish: "set_sysctl net/ipv4/vs/x 0", remove: "restore_sysctl net/ipv4/vs/x"},

		"no daemon":            {artifact: SyncRole{}, snapshot: &Snapshot{}, found: "none", same: true, establish: "stop_sync_daemons STAGED"},
		"a daemon too many":    {artifact: SyncRole{}, snapshot: &Snapshot{SyncDaemons: []SyncDaemon{{Backup, "eth0", 51}}}, found: "backup on eth0, syncid 51", establish: "stop_sync_daemons STAGED"},
		"two daemons too many": {artifact: SyncRole{}, snapshot: &Snapshot{SyncDaemons: []SyncDaemon{{Master, "eth0", 51}, {Backup, "eth0", 51}}}, found: "master on eth0, syncid 51; backup on eth0, syncid 51", establish: "stop_sync_daemons STAGED"},

		"unit unknown":   {artifact: Unit{keepalivedUnit}, snapshot: &Snapshot{Units: unitMap{keepalivedUnit: {Load: "not-found", Active: "inactive"}}}, establish: "start_unit keepalived.service", remove: "stop_unit keepalived.service"},
		"unit stopped":   {artifact: Unit{keepalivedUnit}, snapshot: &Snapshot{Units: unitMap{keepalivedUnit: {"loaded", "inactive", "enabled"}}}, found: "enabled, inactive", establish: "start_unit keepalived.service", remove: "stop_unit keepalived.service"},
		"unit disabled":  {artifact: Unit{keepalivedUnit}, snapshot: &Snapshot{Units: unitMap{keepalivedUnit: {"loaded", "active", "disabled"}}}, found: "disabled, active", establish: "start_unit keepalived.service", remove: "stop_unit keepalived.service"},
		"unit masked":    {artifact: Unit{keepalivedUnit}, snapshot: &Snapshot{Units: unitMap{keepalivedUnit: {"masked", "active", "masked"}}}, found: "masked, active", establish: "start_unit keepalived.service", remove: "stop_unit keepalived.service"},
		"unit as wanted": {artifact: Unit{keepalivedUnit}, snapshot: &Snapshot{Units: unitMap{keepalivedUnit: {"loaded", "active", "enabled"}}}, found: "enabled, active", same: true, establish: "start_unit keepalived.service", remove: "stop_unit keepalived.service"},

		"file not loaded":    {artifact: loaded, snapshot: runsBy(loaded.Path, sumOfNothing), found: "(not what keepalived runs by: changed and loaded by hand, and put back since, or never loaded)\ntext\n", establish: "put /etc/keepalived/redislb/vip-192.0.2.229.services.conf 0644 " + sumOfText, remove: "remove /etc/keepalived/redislb/vip-192.0.2.229.services.conf " + sumOfText},
		"file never loaded":  {artifact: loaded, snapshot: runsBy("/etc/keepalived/keepalived.conf", sumOfText), found: "(not what keepalived runs by: changed and loaded by hand, and put back since, or never loaded)\ntext\n", establish: "put /etc/keepalived/redislb/vip-192.0.2.229.services.conf 0644 " + sumOfText, remove: "remove /etc/keepalived/redislb/vip-192.0.2.229.services.conf " + sumOfText},
		"file as it runs by": {artifact: loaded, snapshot: runsBy(loaded.Path, sumOfText), found: "text\n", same: true, establish: "put /etc/keepalived/redislb/vip-192.0.2.229.services.conf 0644 " + sumOfText, remove: "remove /etc/keepalived/redislb/vip-192.0.2.229.services.conf " + sumOfText},

		"no folder":                       {artifact: folder, snapshot: other(nil)},
		"folder as wanted":                {artifact: folder, snapshot: folderOf(0o755, "root:root"), found: "mode 0755, owner root:root", same: true, establish: "set_folder /etc/keepalived/redislb root:root 755"},
		"folder open to all":              {artifact: folder, snapshot: folderOf(0o777, "root:root"), found: "mode 0777, owner root:root", establish: "set_folder /etc/keepalived/redislb root:root 755"},
		"folder of another owner":         {artifact: folder, snapshot: folderOf(0o755, "nobody:root"), found: "mode 0755, owner nobody:root", establish: "set_folder /etc/keepalived/redislb root:root 755"},
		"folder of another group":         {artifact: folder, snapshot: folderOf(0o755, "root:adm"), found: "mode 0755, owner root:adm", establish: "set_folder /etc/keepalived/redislb root:root 755"},
		"folder that nobody enters":       {artifact: folder, snapshot: folderOf(0o600, "root:root"), found: "mode 0600, owner root:root", establish: "set_folder /etc/keepalived/redislb root:root 755"},
		"no packaged folder":              {artifact: packaged, snapshot: other(nil)},
		"packaged folder":                 {artifact: packaged, snapshot: folderOf(0o755, "root:root"), found: packaged.Want(), same: true, establish: "set_folder /etc/keepalived root go-w"},
		"packaged folder of a group":      {artifact: packaged, snapshot: folderOf(0o750, "root:adm"), found: packaged.Want(), same: true, establish: "set_folder /etc/keepalived root go-w"},
		"packaged folder, group root":     {artifact: packaged, snapshot: folderOf(0o775, "root:root"), found: packaged.Want(), same: true, establish: "set_folder /etc/keepalived root go-w"},
		"packaged folder open to all":     {artifact: packaged, snapshot: folderOf(0o757, "root:root"), found: "mode 0757, owner root:root", establish: "set_folder /etc/keepalived root go-w"},
		"packaged folder open to a group": {artifact: packaged, snapshot: folderOf(0o775, "root:adm"), found: "mode 0775, owner root:adm", establish: "set_folder /etc/keepalived root go-w"},
		"packaged folder of another":      {artifact: packaged, snapshot: folderOf(0o755, "nobody:root"), found: "mode 0755, owner nobody:root", establish: "set_folder /etc/keepalived root go-w"},

		"file missing":     {artifact: plain, snapshot: other(nil), establish: "put /etc/sysctl.d/x 0644 absent", remove: "remove /etc/sysctl.d/x " + sumOfNothing},
		"file as wanted":   {artifact: plain, snapshot: other(fileMap{plain.Path: file("text\n")}), found: "text\n", same: true, establish: "put /etc/sysctl.d/x 0644 " + sumOfText, remove: "remove /etc/sysctl.d/x " + sumOfText},
		"file differs":     {artifact: plain, snapshot: other(fileMap{plain.Path: file("")}), establish: "put /etc/sysctl.d/x 0644 " + sumOfNothing, remove: "remove /etc/sysctl.d/x " + sumOfNothing},
		"file mode":        {artifact: plain, snapshot: other(fileMap{plain.Path: {Mode: 0o666, Owner: "root:root", Content: []byte("text\n")}}), found: "(mode 0666, owner root:root)\ntext\n", establish: "put /etc/sysctl.d/x 0644 " + sumOfText, remove: "remove /etc/sysctl.d/x " + sumOfText},
		"file owner":       {artifact: plain, snapshot: other(fileMap{plain.Path: {Mode: 0o644, Owner: "me:root", Content: []byte("text\n")}}), found: "(mode 0644, owner me:root)\ntext\n", establish: "put /etc/sysctl.d/x 0644 " + sumOfText, remove: "remove /etc/sysctl.d/x " + sumOfText},
		"file is a link":   {artifact: plain, snapshot: other(fileMap{plain.Path: {Mode: symlink, Owner: "root:root"}}), found: "(not a regular file: L---------)\n", establish: "put /etc/sysctl.d/x 0644 any", remove: "remove /etc/sysctl.d/x any"},
		"file not UTF-8":   {artifact: File{Path: plain.Path, Mode: 0o644, Content: []byte("\xff")}, snapshot: other(fileMap{plain.Path: file("\xff")}), found: "\uFFFD", establish: "put /etc/sysctl.d/x 0644 a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89", remove: "remove /etc/sysctl.d/x a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89"},
		"foreign file":     {artifact: adopting, snapshot: other(fileMap{adopting.Path: file("text\n")}), found: "text\n", same: true, establish: "keep_foreign_file /etc/keepalived/keepalived.conf\nput /etc/keepalived/keepalived.conf 0644 " + sumOfText, remove: "remove /etc/keepalived/keepalived.conf " + sumOfText},
		"secret missing":   {artifact: secret, snapshot: other(nil), establish: "put /etc/keepalived/redislb/auth.conf 0600 absent\nseal_secret /etc/keepalived/redislb/auth.conf", remove: "remove /etc/keepalived/redislb/auth.conf any\nunseal_secret /etc/keepalived/redislb/auth.conf"},
		"secret as wanted": {artifact: secret, snapshot: other(fileMap{secret.Path: {Mode: 0o600, Owner: "root:root", Content: []byte("# c\n(secret, unchanged on the host)\n")}}), found: "# c\n(secret, unchanged on the host)\n", same: true, establish: "put /etc/keepalived/redislb/auth.conf 0600 any\nseal_secret /etc/keepalived/redislb/auth.conf", remove: "remove /etc/keepalived/redislb/auth.conf any\nunseal_secret /etc/keepalived/redislb/auth.conf"},
		"secret readable":  {artifact: secret, snapshot: other(fileMap{secret.Path: {Mode: 0o644, Owner: "root:root", Content: []byte("# c\n(secret, unchanged on the host)\n")}}), found: "(mode 0644, owner root:root)\n# c\n(secret, unchanged on the host)\n", establish: "put /etc/keepalived/redislb/auth.conf 0600 any\nseal_secret /etc/keepalived/redislb/auth.conf", remove: "remove /etc/keepalived/redislb/auth.conf any\nunseal_secret /etc/keepalived/redislb/auth.conf"},

		"address missing":      {artifact: LoopbackAddress{vip}, snapshot: onLo(), establish: "add_address lo 192.0.2.229/32 lo:1"},
		"address elsewhere":    {artifact: LoopbackAddress{vip}, snapshot: &Snapshot{Addresses: []Address{{Device: "eth0", Prefix: netip.PrefixFrom(vip, 24), Label: "eth0"}}}, establish: "add_address lo 192.0.2.229/32 lo:1"},
		"address as wanted":    {artifact: LoopbackAddress{vip}, snapshot: onLo("192.0.2.229/32 lo:1"), found: "192.0.2.229/32 label lo:1", same: true, remove: "delete_address lo 192.0.2.229/32 lo:1"},
		"address with /24":     {artifact: LoopbackAddress{vip}, snapshot: onLo("192.0.2.229/24 lo:1"), found: "192.0.2.229/24 label lo:1", establish: "delete_address lo 192.0.2.229/24 lo:1\nadd_address lo 192.0.2.229/32 lo:1", remove: "delete_address lo 192.0.2.229/24 lo:1"},
		"address, other label": {artifact: LoopbackAddress{vip}, snapshot: onLo("192.0.2.229/32 lo:0"), found: "192.0.2.229/32 label lo:0", establish: "delete_address lo 192.0.2.229/32 lo:0\nadd_address lo 192.0.2.229/32 lo:1", remove: "delete_address lo 192.0.2.229/32 lo:0"},
		"address twice":        {artifact: LoopbackAddress{vip}, snapshot: onLo("192.0.2.229/24 lo", "192.0.2.229/32 lo:1"), found: "192.0.2.229/24 label lo, 192.0.2.229/32 label lo:1", establish: "delete_address lo 192.0.2.229/24 lo", remove: "delete_address lo 192.0.2.229/24 lo\ndelete_address lo 192.0.2.229/32 lo:1"},
	} {
		t.Run(name, func(t *testing.T) {
			found, there := c.artifact.Found(c.snapshot)
			if there || c.found != "" {
				equal(t, "Found", found, c.found)
			}
			equal(t, "as wanted", there && found == c.artifact.Want(), c.same)
			equal(t, "establish", words(c.artifact.establish(c.snapshot)), c.establish)
			equal(t, "remove", words(c.artifact.remove(c.snapshot)), c.remove)
		})
	}
}

type (
	fileMap = map[string]FileState
	unitMap = map[string]UnitState
)

// resetChain is what nft of Debian 12 lists.
const resetChain = `table inet redislb {
	chain output {
		type filter hook output priority raw; policy accept;
		ip protocol 112 @th,8,8 0x33 meta mark & 0x00000000 != @leads_51 update @moves_51 { meta mark & 0x00000000 timeout 16s }
		ip protocol 112 @th,8,16 0x3300 update @moves_51 { meta mark & 0x00000000 timeout 16s }
		ip protocol 112 @th,8,8 0x33 update @leads_51 { meta mark & 0x00000000 timeout 10s }
		meta l4proto != 6 accept
		tcp flags != rst / rst,ack accept
		ip saddr @vips_51 meta mark & 0x00000000 == @moves_51 counter packets 3 bytes 180 drop
		ip6 saddr @vips6_51 meta mark & 0x00000000 == @moves_51 counter packets 3 bytes 180 drop
	}

	chain input {
		type filter hook input priority raw; policy accept;
		iifname "eth0" ip protocol 112 @th,8,8 0x33 meta mark & 0x00000000 == @leads_51 update @moves_51 { meta mark & 0x00000000 timeout 16s }
	}
}
`

var uncounted = strings.ReplaceAll(resetChain, " counter packets 3 bytes 180", "")

var heardRule = regexp.MustCompile(`(?m)^\t\tiifname .*\n`)

// withOwnInstance adds a VIP that has one.
func withOwnInstance(s *Snapshot) *Snapshot {
	s.Files = fileMap{keepalived.VIPInstancePath(vip): ours("")}
	return s
}

func guarded(chain string) *Snapshot { return &Snapshot{ResetGuard: &chain} }

// with53 is a snapshot with a service of each of the protocols on port 53, and one on 54.
func with53(protocols ...ipvs.Protocol) *Snapshot {
	vip := netip.MustParseAddr("192.0.2.229")
	s := &Snapshot{IPVS: ipvs.Table{{Key: ipvs.Key{Protocol: ipvs.TCP, Address: vip, Port: 54}, Scheduler: "rr"}}}
	for _, p := range protocols {
		s.IPVS = append(s.IPVS, ipvs.Service{Key: ipvs.Key{Protocol: p, Address: vip, Port: 53}, Scheduler: "rr"})
	}
	return s
}

// onWire is a snapshot with eth1, and eth0.7 on the network of the VIP, and their arp_ignore.
func onWire(all, eth1, eth0 string) *Snapshot {
	return &Snapshot{
		Addresses: []Address{{Device: "eth1", Prefix: netip.MustParsePrefix("198.51.100.1/24")}, {Device: "eth0.7", Prefix: netip.MustParsePrefix("192.0.2.11/24")}},
		Sysctls:   map[string]string{arpIgnore: all, arpIgnoreOf("eth1"): eth1, arpIgnoreOf("eth0.7"): eth0},
	}
}

// onLo is a snapshot with addresses "PREFIX LABEL" on lo.
func onLo(addresses ...string) *Snapshot {
	s := &Snapshot{}
	for _, a := range addresses {
		prefix, label, _ := strings.Cut(a, " ")
		s.Addresses = append(s.Addresses, Address{Device: "lo", Prefix: netip.MustParsePrefix(prefix), Label: label})
	}
	return s
}

func TestSecretsNeverShow(t *testing.T) {
	d := redisDirector()
	for _, a := range d.Artifacts() {
		if strings.Contains(a.Key()+a.Want(), d.Password) {
			t.Errorf("%s shows the password:\n%s", a.Key(), a.Want())
		}
	}
	if auth := d.auth(); !strings.Contains(string(auth.Content), d.Password) {
		t.Errorf("positive control: the file that is written lacks the password:\n%s", auth.Content)
	}
	d.Password = ""
	equal(t, "a plan without the password promises the same", d.auth().Want(), redisDirector().auth().Want())
}

func inTable(rows ...ipvs.Service) *Snapshot {
	return &Snapshot{IPVS: rows, CheckedOut: map[RealServerKey]bool{}, QuorumLost: map[ipvs.Key]bool{}}
}

func TestVirtualServiceDriftIsWhatKeepalivedHasNoReasonFor(t *testing.T) {
	rogue := netip.MustParseAddrPort("192.0.2.66:6379")
	for name, c := range map[string]struct {
		row       ipvs.Service
		out       []netip.AddrPort
		drift     bool
		establish string
	}{
		"as wanted": {row: redisRow()},
		"in another order": {row: redisRow(func(s *ipvs.Service) {
			slices.Reverse(s.Destinations)
		})},
		"counters": {row: redisRow(func(s *ipvs.Service) { s.Destinations[0].ActiveConns = 7 })},
		"missing": {row: redisRow(without(serverA)), drift: true,
			establish: "-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n"},
		"missing because it was checked out": {row: redisRow(without(serverA)), out: []netip.AddrPort{serverA}},
		"all missing because checked out":    {row: redisRow(without(serverA), without(serverB)), out: []netip.AddrPort{serverA, serverB}},
		"another is checked out": {row: redisRow(without(serverA)), out: []netip.AddrPort{serverB}, drift: true,
			establish: "-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n"},
		"checked out but there": {row: redisRow(), out: []netip.AddrPort{serverA}},
		"weight": {row: redisRow(weighing(serverB, 5)), drift: true,
			establish: "-e -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"},
		"weight while another is checked out": {row: redisRow(without(serverA), weighing(serverB, 5)), out: []netip.AddrPort{serverA}, drift: true,
			establish: "-e -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"},
		"weight of one that is checked out and there": {row: redisRow(weighing(serverA, 5)), out: []netip.AddrPort{serverA}, drift: true,
			establish: "-e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n"},
		"rogue": {row: redisRow(with(rogue)), drift: true,
			establish: "-d -t 192.0.2.229:6379 -r 192.0.2.66:6379\n"},
		"rogue that was checked out": {row: redisRow(with(rogue)), out: []netip.AddrPort{rogue}, drift: true,
			establish: "-d -t 192.0.2.229:6379 -r 192.0.2.66:6379\n"},
		"rogue beside one that is checked out": {row: redisRow(without(serverA), with(rogue)), out: []netip.AddrPort{serverA}, drift: true,
			establish: "-d -t 192.0.2.229:6379 -r 192.0.2.66:6379\n"},
		"scheduler": {row: redisRow(func(s *ipvs.Service) { s.Scheduler = "wlc" }), drift: true,
			establish: "-E -t 192.0.2.229:6379 -s rr\n"},
		"persistent": {row: redisRow(func(s *ipvs.Service) { s.Persistent = true }), drift: true,
			establish: "-E -t 192.0.2.229:6379 -s rr\n"},
		"forwarding": {row: redisRow(func(s *ipvs.Service) { s.Destinations[0].Forwarding = ipvs.NAT }), drift: true,
			establish: "-e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := inTable(c.row)
			for _, server := range c.out {
				s.CheckedOut[RealServerKey{redisKey, server}] = true
			}
			artifact := VirtualService{Service: redisRow()}
			equal(t, "drift", len(deviating([]Artifact{artifact}, s)) > 0, c.drift)
			var edit string
			for _, st := range artifact.establish(s) {
				equal(t, "step", words([]step{st}), "edit_ipvs STAGED STAGED")
				edit += string(st.staged[0])
			}
			equal(t, "edit", edit, c.establish)
		})
	}
}

// What keepalived does besides taking a real server out is excused as long as it says
// that it does it.
func TestStandInsAndInhibitedServersAreNoDrift(t *testing.T) {
	sorry := netip.MustParseAddrPort("192.0.2.13:6379")
	alone := func(s *ipvs.Service) { s.Destinations = nil; with(sorry)(s) }
	for name, c := range map[string]struct {
		change  []func(*ipvs.Service)
		inhibit bool
		lost    bool
		out     bool // a
		drift   bool
	}{
		"it stands in":                           {change: []func(*ipvs.Service){alone}, lost: true},
		"and one is still there":                 {change: []func(*ipvs.Service){with(sorry), without(serverA)}, lost: true},
		"quorum lost, all there":                 {lost: true},
		"nothing stands in":                      {change: []func(*ipvs.Service){without(serverA)}, lost: true, drift: true},
		"it stands in for a well one, inhibited": {change: []func(*ipvs.Service){with(sorry), weighing(serverB, 0)}, lost: true, inhibit: true},
		"nobody said that it stands in":          {change: []func(*ipvs.Service){alone}, drift: true},
		"beside all, unasked":                    {change: []func(*ipvs.Service){with(sorry)}, drift: true},
		"inhibited":                              {change: []func(*ipvs.Service){weighing(serverA, 0)}, inhibit: true, out: true},
		"inhibited, and deleted":                 {change: []func(*ipvs.Service){without(serverA)}, inhibit: true, out: true},
		"inhibited, with another weight":         {change: []func(*ipvs.Service){weighing(serverA, 5)}, inhibit: true, out: true, drift: true},
		"weight 0 of one that is well":           {change: []func(*ipvs.Service){weighing(serverA, 0)}, inhibit: true, drift: true},
		"weight 0 where ill ones are taken out":  {change: []func(*ipvs.Service){weighing(serverA, 0)}, out: true, drift: true},
		"weight 0 of another than the inhibited": {change: []func(*ipvs.Service){weighing(serverB, 0)}, inhibit: true, out: true, drift: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := inTable(redisRow(c.change...))
			s.QuorumLost[redisKey] = c.lost
			s.CheckedOut[RealServerKey{redisKey, serverA}] = c.out
			v := VirtualService{Service: redisRow(), Sorry: sorry, Inhibit: c.inhibit}
			equal(t, "drift", len(deviating([]Artifact{v}, s)) > 0, c.drift)
		})
	}
}

func TestLookingAtAServiceLeavesTheSnapshotAsItIs(t *testing.T) {
	s := inTable(redisRow(without(serverA)))
	s.CheckedOut[RealServerKey{redisKey, serverA}] = true
	VirtualService{Service: redisRow()}.Found(s)
	equal(t, "rows", len(s.IPVS[0].Destinations), 1)
}

func TestDeletedServiceIsMissingEvenWhenItsServersAreCheckedOut(t *testing.T) {
	s := inTable()
	s.CheckedOut[RealServerKey{redisKey, serverA}] = true
	v := VirtualService{Service: redisRow()}
	_, there := v.Found(s)
	equal(t, "is there", there, false)
	equal(t, "establish", string(v.establish(s)[0].staged[0]),
		"-A -t 192.0.2.229:6379 -s rr\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n")
	equal(t, "nothing to remove", len(v.remove(s)), 0)
	equal(t, "remove", string(v.remove(inTable(redisRow()))[0].staged[0]), "-D -t 192.0.2.229:6379\n")
}

func TestServicesOfOthersNeverAppear(t *testing.T) {
	foreign := redisRow(func(s *ipvs.Service) { s.Port = 80 })
	s := inTable(foreign, redisRow())
	artifacts := redisVIP().Artifacts()
	for key, text := range Found(artifacts, s) {
		if strings.Contains(key+text, ":80 ") {
			t.Errorf("%s: %s", key, text)
		}
	}
	for _, st := range steps(s, nil, artifacts) {
		if strings.Contains(fmt.Sprintf("%s", st.staged), ":80") {
			t.Errorf("a step touches it: %s", st.staged)
		}
	}
}

func TestSyncDaemonFollowsTheRoleOfTheVRRPInstance(t *testing.T) {
	r := SyncRole{Interface: "eth0", ID: 51}
	backup, master := SyncDaemon{"backup", "eth0", 51}, SyncDaemon{"master", "eth0", 51}
	for _, daemons := range []struct {
		name  string
		run   []SyncDaemon
		right string // the role in which they are as wanted; "any" without a VIP
	}{
		{"none", nil, ""},
		{"backup", []SyncDaemon{backup}, "backup"},
		{"master", []SyncDaemon{master}, "master"},
		{"both", []SyncDaemon{master, backup}, ""},
		{"backup on another interface", []SyncDaemon{{Backup, "eth1", 51}}, ""},
		{"master with another id", []SyncDaemon{{"master", "eth0", 52}}, ""},
	} {
		for _, role := range []string{"", "backup", "master", "master on another interface"} {
			t.Run(daemons.name+" as "+role, func(t *testing.T) {
				s := &Snapshot{SyncDaemons: daemons.run, Files: fileMap{}}
				if role != "" {
					s.Files[keepalived.VIPAddressPath(vip)] = ours("")
				}
				is := role
				switch role {
				case "master":
					s.Addresses = []Address{{Device: "lo", Prefix: netip.PrefixFrom(vip, 32)}, {Device: "eth0", Prefix: netip.PrefixFrom(vip, 24)}}
				case "master on another interface":
					s.Addresses = []Address{{Device: "eth1", Prefix: netip.PrefixFrom(vip, 24)}}
					is = "master"
				case "backup":
					s.Addresses = []Address{{Device: "lo", Prefix: netip.PrefixFrom(vip, 32)}}
				}
				text, there := r.Found(s)
				right := daemons.right != "" && (is == "" || daemons.right == is)
				equal(t, "as wanted", there && text == r.Want(), right)
				equal(t, "is there", there, len(daemons.run) > 0)
				if there && !right && is != "" && !strings.HasSuffix(text, "; VRRP is "+is) {
					t.Errorf("the role is not named: %q", text)
				}
				start := is
				if start == "" {
					start = "backup"
				}
				equal(t, "establish", words(r.establish(s)), fmt.Sprintf("start_sync_daemon %s eth0 51 STAGED", start))
			})
		}
	}
}

// Of what keepalived said, the VIP and the daemon, one may have been changed by
// hand or lag behind: the other two are right.
func TestRoleIsWhatTwoOfThreeSay(t *testing.T) {
	held := []Address{{Device: "eth0", Prefix: netip.PrefixFrom(vip, 24)}}
	none := []SyncDaemon(nil)
	asMaster, asBackup := []SyncDaemon{{Master, "eth0", 51}}, []SyncDaemon{{Backup, "eth0", 51}}
	for _, c := range []struct {
		noted     Role
		addresses []Address
		daemons   []SyncDaemon
		role      Role
		daemon    bool // the daemon is as wanted
		vip       string
	}{
		{Master, held, asMaster, Master, true, "as wanted"},
		{Backup, nil, asBackup, Backup, true, "as wanted"},
		{Backup, held, asBackup, Backup, true, "192.0.2.229/24 on eth0 of the backup"},
		{Master, nil, asMaster, Master, true, "on no interface of the master"},
		{Backup, nil, asMaster, Backup, false, "as wanted"},
		{Master, held, asBackup, Master, false, "as wanted"},
		{Backup, held, asMaster, Master, true, "as wanted"}, // keepalived's note lags
		{Master, nil, asBackup, Backup, true, "as wanted"},
		{Backup, held, none, Backup, false, "192.0.2.229/24 on eth0 of the backup"},
		{Master, held, none, Master, false, "as wanted"},
		{"", held, asMaster, Master, true, "as wanted"},
		{"", nil, asBackup, Backup, true, "as wanted"},
	} {
		s := &Snapshot{noted: c.noted, Addresses: c.addresses, SyncDaemons: c.daemons, Files: fileMap{keepalived.VIPAddressPath(vip): ours("")}}
		what := fmt.Sprintf("%+v", c)
		equal(t, what+": role", s.Role(), c.role)
		r, h := SyncRole{Interface: "eth0", ID: 51}, HeldAddress{Prefix: netip.PrefixFrom(vip, 24)}
		text, _ := r.Found(s)
		equal(t, what+": daemon", text == r.Want(), c.daemon)
		text, there := h.Found(s)
		if text == h.Want() {
			text = "as wanted"
		}
		equal(t, what+": VIP", text, c.vip)
		equal(t, what+": is there", there, true)
		taken := ""
		if strings.HasSuffix(c.vip, "of the backup") {
			taken = "delete_address eth0 192.0.2.229/24 -"
		}
		equal(t, what+": steps", words(h.establish(s)), taken)
		s.Moving = true
		equal(t, what+": role of a VIP on its way", s.Role(), "")
	}
	gone := &Snapshot{Files: fileMap{}}
	_, there := HeldAddress{Prefix: netip.PrefixFrom(vip, 24)}.Found(gone)
	equal(t, "a VIP that is not configured and on no interface is there", there, false)
}

func TestTracesAreOnlyWhatTheResourceAloneCanHavePutThere(t *testing.T) {
	all := slices.Concat(redisDirector().Artifacts(), redisServer().Artifacts(), redisVIP().Artifacts())
	for _, a := range all {
		m := bareMachine().hold([]Artifact{a})
		if _, ok := a.(VirtualService); ok {
			m.ipvsLoaded = true
		}
		want := false
		switch a.(type) {
		case File, LoopbackAddress, VirtualService:
			want = true
		}
		equal(t, a.Key(), Traces(all, m.snapshot(t)), want)
	}
	equal(t, "a bare host", Traces(all, bareMachine().snapshot(t)), false)
}

func TestObsoleteIsWhatTheNewSetNoLongerNames(t *testing.T) {
	before := redisVIP()
	after := redisVIP()
	after.Services[0].Port = 6380
	gone := Obsolete(before.Artifacts(), after.Artifacts())
	equal(t, "gone", len(gone), 1)
	equal(t, "key", gone[0].Key(), "ipvs tcp 192.0.2.229:6379")
	equal(t, "nothing", len(Obsolete(before.Artifacts(), before.Artifacts())), 0)
	equal(t, "all", len(Obsolete(before.Artifacts(), nil)), 5)
}

func TestRemainsAreWhatADestroyMustWaitFor(t *testing.T) {
	s := bareMachine().hold(redisDirector().Artifacts()).hold(redisServer().Artifacts()).hold(redisVIP().Artifacts()).snapshot(t)
	left := map[string]bool{}
	for _, a := range remains(slices.Concat(redisDirector().Artifacts(), redisServer().Artifacts(), redisVIP().Artifacts()), s) {
		left[strings.Fields(a.Key())[0]] = true
	}
	equal(t, "kinds", fmt.Sprint(left), "map[address:true file:true ipvs:true]")

	s.Files[keepalived.ConfigPath] = file("somebody else's, put back\n")
	for _, a := range remains(redisDirector().Artifacts(), s) {
		if a.Key() == "file "+keepalived.ConfigPath {
			t.Error("a foreign file that was put back counts as left over")
		}
	}
}

func TestWhatIsFoundOnAHostThatHoldsEverythingIsWhatWasWanted(t *testing.T) {
	all := slices.Concat(redisDirector().Artifacts(), redisServer().Artifacts(), redisVIP().Artifacts())
	s := bareMachine().hold(all).snapshot(t)
	for _, a := range deviating(all, s) {
		found, _ := a.Found(s)
		t.Errorf("%s:\n got %q\nwant %q", a.Key(), found, a.Want())
	}
	equal(t, "artifacts", len(Found(all, s)), len(Wanted(all)))
	equal(t, "no two share a key", len(Wanted(all)), len(all))
}
