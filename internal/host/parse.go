package host

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

// parseSnapshot reads the output of probe.sh. Output that was cut short is an
// error: half a snapshot would look like a host with half its artifacts gone.
func parseSnapshot(out []byte) (*Snapshot, error) {
	text, complete := bytes.CutSuffix(out, []byte("\n== end\n"))
	text, archive, found := bytes.Cut(text, []byte("\n== tar\n"))
	if !complete || !found || !bytes.HasPrefix(text, []byte("== probe 1\n")) {
		return nil, fmt.Errorf("the probe's output is incomplete (%d bytes)", len(out))
	}
	s := &Snapshot{
		Files:      map[string]FileState{},
		Sysctls:    map[string]string{},
		MACs:       map[string]string{},
		Units:      map[string]UnitState{},
		Redis:      map[int]RedisState{},
		CheckedOut: map[RealServerKey]bool{},
		Unchecked:  map[RealServerKey]bool{},
		DownSince:  map[RealServerKey]time.Time{},
		QuorumLost: map[ipvs.Key]bool{},
	}
	if err := s.parseFiles(archive); err != nil {
		return nil, fmt.Errorf("the probe's archive of files: %w", err)
	}
	var proc, save ipvs.Table
	var earlier []Address
	var thresholds string
	var roleBefore, roleAfter string
	toldRole, swapping := false, false
	for section := range strings.SplitSeq(strings.TrimPrefix(string(text), "== "), "\n== ") {
		name, body, _ := strings.Cut(strings.TrimSuffix(section, "\n"), "\n")
		var err error
		switch name {
		case "sysctl":
			s.parseSysctls(body)
		case "address":
			s.Addresses, err = parseAddresses(body)
		case "address before":
			earlier, err = parseAddresses(body)
		case "role before":
			roleBefore, swapping = strings.CutSuffix(body, "swapping")
			roleBefore, toldRole = strings.TrimSpace(roleBefore), true
		case "role":
			roleAfter = body
			s.parseRoles(body)
		case "listeners":
			s.Listeners = parseListeners(body)
		case "ipvs proc":
			proc, err = s.parseTable(body)
		case "ipvs save":
			save, err = ipvs.ParseSave([]byte(body))
		case "ipvs thresholds":
			thresholds = body
		case "ipvs timeouts":
			err = s.parseTimeouts(body)
		case "ipvs daemon":
			err = s.parseSyncDaemons(body)
		case "health":
			err = s.parseHealth(body)
		case "unit":
			s.parseUnits(body)
		case "nft table":
			s.parseNft(body)
		case "loaded":
			s.parseLoaded(body)
		case "overrides":
			s.parseOverrides(body)
		case "redis":
			err = s.parseRedis(body)
		case "secret":
			err = s.parseSecret(body)
		default:
			err = s.parseFact(name, body)
		}
		if err != nil {
			return nil, fmt.Errorf("section %q of the probe's output: %w", name, err)
		}
	}
	s.IPVS = ipvs.Merge(proc, save)
	if err := s.IPVS.AddThresholds([]byte(thresholds)); err != nil {
		return nil, err
	}
	s.Moving = earlier != nil && !slices.Equal(earlier, s.Addresses) || swapping || toldRole && roleBefore != roleAfter
	return s, nil
}

// roles are keepalived's words for them.
var roles = map[string]Role{"MASTER": Master, "BACKUP": Backup, "FAULT": Backup, "STOP": Backup}

// parseRoles reads what keepalived said: a state alone is that of the director's own instance,
// one behind the address of a VIP that of the VIP's.
func (s *Snapshot) parseRoles(text string) {
	for line := range strings.Lines(text) {
		switch f := strings.Fields(line); len(f) {
		case 1:
			s.state, s.noted = f[0], roles[f[0]]
		case 2:
			if vip, err := netip.ParseAddr(f[0]); err == nil {
				if s.stateOf == nil {
					s.stateOf = map[netip.Addr]string{}
				}
				s.stateOf[vip] = f[1]
			}
		}
	}
}

func (s *Snapshot) parseFact(name, text string) error {
	switch name {
	case "probe 1":
	case "kernel":
		s.Kernel = text
	case "uptime": // proc(5): seconds since boot and seconds idle
		seconds, _, _ := strings.Cut(text, " ")
		var err error
		if s.uptime, err = time.ParseDuration(seconds + "s"); err != nil {
			return err
		}
	case "os":
		s.OS = strings.Trim(strings.TrimPrefix(text, "PRETTY_NAME="), `"'`)
	case "keepalived":
		s.KeepalivedVersion, text, _ = strings.Cut(text, "\n")
		for line := range strings.Lines(text) {
			if version, ok := strings.CutPrefix(line, "ipvsadm v"); ok {
				s.IpvsadmVersion = strings.TrimSpace(version)
			}
		}
	case "ssh": // sshd(8), SSH_CONNECTION: client address and port, server address and port
		if f := strings.Fields(text); len(f) == 4 {
			s.Management, _ = netip.ParseAddr(f[2])
		}
	case "transactions":
		s.ended = strings.Fields(text)
	case "ipvsadm":
		s.HasIpvsadm = text != ""
	case "redis greeting":
		s.RedisProtected = text == "-DENIED"
	case "package manager":
		s.PackageManager = path.Base(text)
		if text == "" {
			s.PackageManager = ""
		}
	case "nft":
		s.HasNft = text != ""
	case "redis-server":
		s.HasRedis = text != ""
	case "interfaces":
		s.Interfaces = strings.Fields(text)
	case "schedulers":
		for _, f := range strings.Fields(text) {
			if name, ok := strings.CutPrefix(f, "ip_vs_"); ok {
				name, _, _ = strings.Cut(name, ".")
				s.Schedulers = append(s.Schedulers, name)
			}
		}
	default:
		return fmt.Errorf("unknown section")
	}
	return nil
}

// statsTitle begins /proc/net/ip_vs_stats, which the probe prints behind the table.
const statsTitle = "   Total Incoming Outgoing"

func (s *Snapshot) parseTable(text string) (ipvs.Table, error) {
	s.IPVSLoaded = true
	if at := strings.Index(text, statsTitle); at >= 0 {
		stats, err := ipvs.ParseStats([]byte(text[at:]))
		if err != nil {
			return nil, err
		}
		s.IPVSStats, text = &stats, text[:at]
	}
	return ipvs.ParseProc([]byte(text))
}

// roleNote is where role.sh notes the state of the director's own VRRP instance.
const roleNote = "/run/redislb/role"

// parseFiles reads the archive of the files. It is made of blocks of 512 bytes,
// the last two of zeros, unless tar failed. Zeros may also be the end of the file
// at which it did, so the last two blocks must not be needed for anything else.
func (s *Snapshot) parseFiles(archive []byte) error {
	entries, whole := bytes.CutSuffix(archive, make([]byte, 1024))
	if !whole || len(archive)%512 != 0 {
		return fmt.Errorf("it is incomplete (%d bytes)", len(archive))
	}
	rest := bytes.NewReader(entries)
	files := tar.NewReader(rest)
	for {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			if rest.Len() > 0 {
				return fmt.Errorf("%d bytes follow its end", rest.Len())
			}
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean("/" + head.Name) // a folder's ends with /./
		if name == roleNote {
			s.stateNoted = head.ModTime
			continue
		}
		info := head.FileInfo()
		state := FileState{Mode: info.Mode().Type() | info.Mode().Perm(), Owner: head.Uname + ":" + head.Gname}
		if info.Mode().IsRegular() {
			if state.Content, err = io.ReadAll(files); err != nil {
				return err
			}
		}
		s.Files[name] = state
	}
}

// parseSecret reads what the host tells of a file with a password: "MODE USER:GROUP
// PATH" (stat(1) %f: st_mode in hex), then lines to show.
func (s *Snapshot) parseSecret(text string) error {
	head, shown, _ := strings.Cut(text, "\n")
	hex, rest, _ := strings.Cut(head, " ")
	owner, path, _ := strings.Cut(rest, " ")
	raw, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return err
	}
	state := FileState{Mode: fs.FileMode(raw & 0o777), Owner: owner, Content: []byte(shown + "\n")}
	if raw&0o170000 != 0o100000 { // S_IFMT and S_IFREG (inode(7)) of the host, whatever runs here
		state.Mode |= fs.ModeIrregular
	}
	s.Files[path] = state
	return nil
}

func (s *Snapshot) parseSysctls(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		path, value, ok := strings.Cut(line, ":")
		if name, isSysctl := strings.CutPrefix(path, "/proc/sys/"); ok && isSysctl {
			s.Sysctls[sysctlName(name)] = strings.Join(strings.Fields(value), " ")
		}
		if rest, isMAC := strings.CutPrefix(path, "/sys/class/net/"); isMAC && len(value) == len("00:00:00:00:00:00") {
			name, _, _ := strings.Cut(rest, "/")
			s.MACs[name] = value
		}
	}
}

// sysctlName turns net/ipv4/conf/eth0.5/arp_ignore into sysctl(8)'s dotted form,
// in which a dot within a component is written as a slash.
func sysctlName(path string) string {
	return strings.NewReplacer("/", ".", ".", "/").Replace(path)
}

// parseAddresses reads ip -o address show: "2: eth0    inet 192.0.2.11/24 brd … scope global eth0\…".
func parseAddresses(text string) ([]Address, error) {
	var addresses []Address
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, `\`)
		f := strings.Fields(line)
		if len(f) < 4 || (f[2] != "inet" && f[2] != "inet6") {
			continue
		}
		text := f[3]
		if !strings.Contains(text, "/") { // a point-to-point address: "inet A peer B/32"
			text += map[string]string{"inet": "/32", "inet6": "/128"}[f[2]]
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("address line %q: %w", line, err)
		}
		a := Address{Device: f[1], Prefix: prefix}
		for _, word := range f[4:] {
			// IPv6 says temporary where IPv4 says secondary (ip-address(8)).
			a.Secondary = a.Secondary || slices.Contains([]string{"secondary", "temporary", "deprecated", "tentative", "dadfailed"}, word)
		}
		if f[2] == "inet" {
			a.Label = f[len(f)-1]
		}
		addresses = append(addresses, a)
	}
	return addresses, nil
}

// parseListeners reads ss -Hltn: "LISTEN 0 511 192.0.2.11:6379 0.0.0.0:*". An address
// that is bound to a device has its name behind it, IPv6 or not: "127.0.0.53%lo:53".
// What it does not understand is left out: it is for warnings alone.
func parseListeners(text string) []netip.AddrPort {
	var listeners []netip.AddrPort
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "LISTEN" {
			continue
		}
		host, port, _ := net.SplitHostPort(f[3])
		host, _, _ = strings.Cut(host, "%")
		if host == "*" {
			host = "::"
		}
		if at, err := netip.ParseAddrPort(net.JoinHostPort(host, port)); err == nil {
			listeners = append(listeners, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
		}
	}
	return listeners
}

// parseNft reads redislb's table in nft's words.
func (s *Snapshot) parseNft(table string) {
	resets := nftBlock(table, "chain output") + nftBlock(table, "chain input")
	s.ResetGuard, s.Marks = &resets, nftBlock(table, "chain prerouting")
	for _, set := range strangers.FindAllStringSubmatch(table, -1) {
		id, _ := strconv.Atoi(set[1])
		for _, element := range strangerElement.FindAllStringSubmatch(nftBlock(table, "set strangers_"+set[1]), -1) {
			if addr, err := netip.ParseAddr(element[1]); err == nil {
				if s.Strangers == nil {
					s.Strangers = map[int][]netip.Addr{}
				}
				s.Strangers[id] = append(s.Strangers[id], addr)
			}
		}
	}
}

var (
	strangers       = regexp.MustCompile(`(?m)^\tset strangers_([0-9]+) {$`)
	strangerElement = regexp.MustCompile(`([0-9.]+) (?:timeout|expires) `)
)

// nftBlock is the part of a table of that name; empty: there is none.
func nftBlock(table, name string) string {
	_, body, found := strings.Cut(table, "\n\t"+name+" {\n")
	if !found {
		return ""
	}
	body, _, _ = strings.Cut(body, "\n\t}")
	return name + " {\n" + body + "\n}\n"
}

// parseSyncDaemons reads ipvsadm -L --daemon: "backup sync daemon (mcast=eth0, syncid=51, …)".
func (s *Snapshot) parseSyncDaemons(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		role, args, ok := strings.Cut(line, " sync daemon (")
		if !ok {
			continue
		}
		d := SyncDaemon{Role: Role(strings.TrimSpace(role))}
		for _, arg := range strings.Split(strings.TrimSuffix(strings.TrimSpace(args), ")"), ", ") {
			name, value, _ := strings.Cut(arg, "=")
			switch name {
			case "mcast":
				d.Interface = value
			case "syncid":
				id, err := strconv.Atoi(value)
				if err != nil {
					return fmt.Errorf("sync daemon line %q: %w", line, err)
				}
				d.ID = id
			}
		}
		s.SyncDaemons = append(s.SyncDaemons, d)
	}
	return nil
}

// parseHealth reads health.sh's notes: "[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 DOWN"
// and since when (date(1), %s) of a real server, or NEW and the second of uptime until
// which that holds, or LATE and the second from which on it is down, and "[192.0.2.229]:tcp:6379 DOWN" of a virtual server. Before them is
// "now" and what time it is.
func (s *Snapshot) parseHealth(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		name, verdict, _ := strings.Cut(line, " ")
		verdict, number, _ := strings.Cut(verdict, " ")
		if name == "now" {
			s.clock = epoch(verdict)
			continue
		}
		unchecked := false
		switch verdict {
		case "DOWN":
		case "NEW", "LATE":
			seconds, err := strconv.ParseUint(number, 10, 32)
			if err != nil {
				return fmt.Errorf("health note %q: %w", line, err)
			}
			over := s.uptime >= time.Duration(seconds)*time.Second
			if over && verdict == "NEW" {
				continue
			}
			unchecked, number = !over, ""
		default:
			continue
		}
		vip, server, ofServer := strings.Cut(name, "_")
		keys, err := parseServiceNote(vip)
		if err != nil {
			return fmt.Errorf("health note %q: %w", name, err)
		}
		for _, key := range keys {
			if !ofServer {
				s.QuorumLost[key] = true
				continue
			}
			endpoint, _, err := parseTrio(server)
			if err != nil {
				return fmt.Errorf("health note %q: %w", name, err)
			}
			of := RealServerKey{Service: key, Server: endpoint}
			s.CheckedOut[of] = true
			if unchecked {
				s.Unchecked[of] = true
			} else if since := epoch(number); !since.IsZero() {
				s.DownSince[of] = since
			}
		}
	}
	return nil
}

// parseServiceNote reads the name of a virtual server: [ADDRESS]:PROTOCOL:PORT, or FWM:MARK,
// of which keepalived does not say the family.
func parseServiceNote(text string) ([]ipvs.Key, error) {
	if mark, ok := strings.CutPrefix(text, "FWM:"); ok {
		number, err := strconv.ParseUint(mark, 10, 32)
		return []ipvs.Key{{FWMark: uint32(number)}, {FWMark: uint32(number), IPv6: true}}, err
	}
	service, protocol, err := parseTrio(text)
	return []ipvs.Key{{Protocol: protocol, Address: service.Addr(), Port: service.Port()}}, err
}

// epoch reads the seconds since 1970; the zero Time where there are none.
func epoch(text string) time.Time {
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// parseTrio reads keepalived's [ADDRESS]:PROTOCOL:PORT. The protocol is none, or whatever
// keepalived takes for it, where a firewall mark goes for all.
func parseTrio(text string) (netip.AddrPort, ipvs.Protocol, error) {
	address, rest, _ := strings.Cut(strings.TrimPrefix(text, "["), "]:")
	name, port, _ := strings.Cut(rest, ":")
	protocol, ok := map[string]ipvs.Protocol{"tcp": ipvs.TCP, "udp": ipvs.UDP, "none": ipvs.TCP}[name]
	if !ok {
		return netip.AddrPort{}, 0, fmt.Errorf("%q: want tcp, udp or none", text)
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.AddrPort{}, 0, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(ip, uint16(number)), protocol, err
}

// parseUnits reads systemctl show: blocks of KEY=VALUE lines, one a unit.
func (s *Snapshot) parseUnits(text string) {
	for block := range strings.SplitSeq(text, "\n\n") {
		props := map[string]string{}
		for line := range strings.SplitSeq(block, "\n") {
			k, v, _ := strings.Cut(line, "=")
			props[k] = v
		}
		if id := props["Id"]; id != "" {
			if since, err := strconv.ParseInt(props["ActiveEnterTimestampMonotonic"], 10, 64); err == nil && id == keepalivedUnit {
				s.KeepalivedAge = s.uptime - time.Duration(since)*time.Microsecond
			}
			s.Units[id] = UnitState{Load: props["LoadState"], Active: props["ActiveState"], File: props["UnitFileState"]}
		}
	}
}

// parseOverrides reads paths, one a line, of which one may be our own.
func (s *Snapshot) parseOverrides(text string) {
	for path := range strings.Lines(text) {
		if path = strings.TrimSpace(path); path != "" && path != keepalivedDropIn {
			s.Overrides = append(s.Overrides, path)
		}
	}
}

// parseLoaded reads the process and what sha256sum says of the files that it runs by.
func (s *Snapshot) parseLoaded(text string) {
	for line := range strings.Lines(text) {
		if sum, path, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			if s.Loaded == nil {
				s.Loaded = map[string]string{}
			}
			s.Loaded[path] = sum
		}
	}
}
