package hosttest

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf/redisconftest"
)

// Holding returns what a host answers once it has all of the artifacts on it, and that role
// in each VRRP instance. bare is the answer of a bare host.
func Holding(bare []byte, role host.Role, artifacts []host.Artifact) ([]byte, error) {
	h := holding{role: role}
	h.text, _, _ = strings.Cut(string(bare), "== tar\n")
	_, addresses, found := strings.Cut(h.text, "== address\n")
	if !found {
		return nil, fmt.Errorf("the capture lacks addresses")
	}
	h.addresses, _, _ = strings.Cut(addresses, "== ")
	files := tar.NewWriter(&h.archive)
	for _, a := range artifacts {
		head, content := h.file(a)
		if head == nil {
			h.hold(a)
			continue
		}
		head.Uname, head.Gname = "root", "root"
		if err := files.WriteHeader(head); err != nil {
			return nil, err
		}
		if _, err := files.Write(content); err != nil {
			return nil, err
		}
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	h.section("address", h.addresses)
	if len(h.table) > 0 {
		h.section("ipvs proc", procTable(h.table))
		h.section("ipvs save", h.table.Canonical())
		h.section("ipvs thresholds", thresholds(h.table))
	}
	if h.noted != "" {
		h.section("ipvs timeouts", h.noted+fmt.Sprintf("\nTimeout (tcp tcpfin udp): %d %d %d", h.timeouts["tcp"], h.timeouts["tcpfin"], h.timeouts["udp"]))
	}
	return []byte(h.text + "== tar\n" + h.archive.String() + "\n== end\n"), nil
}

// holding is the answer in the making. Of a section that is there twice, the last one counts,
// or what it says besides.
type holding struct {
	role      host.Role
	text      string
	addresses string
	table     ipvs.Table
	timeouts  map[string]int64
	noted     string
	archive   bytes.Buffer
}

func (h *holding) section(name, body string) {
	h.text += "== " + name + "\n" + strings.TrimSuffix(body, "\n") + "\n"
}

// file is what of an artifact is in the archive; nil: nothing.
func (h *holding) file(a host.Artifact) (*tar.Header, []byte) {
	switch a := a.(type) {
	case host.Folder:
		return &tar.Header{Name: a.Path[1:] + "/./", Mode: 0o755, Typeflag: tar.TypeDir}, nil
	case host.File:
		if a.Label == "" {
			return &tar.Header{Name: a.Path[1:], Mode: int64(a.Mode), Size: int64(len(a.Content)), Typeflag: tar.TypeReg}, a.Content
		}
	}
	return nil, nil
}

func (h *holding) hold(a host.Artifact) {
	switch a := a.(type) {
	case host.File: // a secret
		h.section("secret", "8180 root:root "+a.Path+"\n"+a.Want())
	case host.Package:
		if section := map[string]string{"nftables": "nft", "redis-server": "redis-server"}[a.Name]; section != "" { // the capture has the others
			h.section(section, "/usr/bin/"+section)
		}
	case host.Sysctl:
		h.section("sysctl", "/proc/sys/"+strings.ReplaceAll(a.Name, ".", "/")+":"+a.Value)
	case host.ARPIgnore:
		h.hold(a.Sysctl)
	case host.Unit:
		h.section("unit", "Id="+a.Name+"\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled")
	case host.LoopbackAddress:
		h.address("1: lo", netip.PrefixFrom(a.Address, a.Address.BitLen()), "lo:1")
	case host.HeldAddress:
		if h.role == host.Master {
			h.address("2: eth0", a.Prefix, "secondary eth0")
		}
	case host.RedisServer:
		h.section("redis", redisconftest.Section(a.Instance))
	case host.VirtualService:
		if !a.OnMaster || h.role == host.Master {
			h.table = append(h.table, a.Service)
		}
	case host.IPVSTimeout:
		if h.timeouts == nil {
			h.timeouts = map[string]int64{}
		}
		h.timeouts[a.Name] = int64(a.Value.Seconds())
		h.noted += " /var/lib/redislb/before/ipvs.timeout." + a.Name
	case host.SyncRole:
		var daemons string
		for _, role := range []host.Role{host.Master, host.Backup} {
			if a.Interface != "" && (a.Both || role == h.role) {
				daemons += fmt.Sprintf("%s sync daemon (mcast=%s, syncid=%d, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n", role, a.Interface, a.ID)
			}
		}
		h.section("ipvs daemon", daemons)
	}
}

func (h *holding) address(device string, prefix netip.Prefix, rest string) {
	family := "inet"
	if prefix.Addr().Is6() {
		family, rest = "inet6", ""
	}
	h.addresses += fmt.Sprintf("%s    %s %s scope global %s\\       valid_lft forever preferred_lft forever\n", device, family, prefix, rest)
}

// procTable prints a table the way of /proc/net/ip_vs.
func procTable(table ipvs.Table) string {
	endpoint := func(a netip.AddrPort) string {
		if a.Addr().Is6() {
			return fmt.Sprintf("[%s]:%04X", a.Addr().StringExpanded(), a.Port())
		}
		return fmt.Sprintf("%08X:%04X", binary.BigEndian.Uint32(a.Addr().AsSlice()), a.Port())
	}
	var b strings.Builder
	for _, s := range table {
		if s.FWMark != 0 {
			fmt.Fprintf(&b, "FWM  %08X %s", s.FWMark, s.Scheduler)
		} else {
			fmt.Fprintf(&b, "%s  %s %s", strings.ToUpper(s.Protocol.String()), endpoint(netip.AddrPortFrom(s.Address, s.Port)), s.Scheduler)
		}
		if s.Persistent { // how long and for whom is told by ipvsadm
			b.WriteString(" persistent 75000 " + map[bool]string{true: "00000080", false: "FFFFFFFF"}[s.Address.Is6()])
		}
		b.WriteByte('\n')
		for _, d := range s.Destinations {
			method := map[ipvs.Forwarding]string{ipvs.DR: "Route", ipvs.NAT: "Masq", ipvs.TUN: "Tunnel"}[d.Forwarding]
			fmt.Fprintf(&b, "  -> %s      %s   %d      0          0\n", endpoint(d.Endpoint()), method, d.Weight)
		}
	}
	return b.String()
}

// thresholds prints them the way of ipvsadm -Ln --thresholds.
func thresholds(table ipvs.Table) string {
	var b strings.Builder
	for _, s := range table {
		if s.FWMark != 0 {
			fmt.Fprintf(&b, "FWM  %d\n", s.FWMark)
		} else {
			fmt.Fprintf(&b, "%s  %s\n", strings.ToUpper(s.Protocol.String()), netip.AddrPortFrom(s.Address, s.Port))
		}
		for _, d := range s.Destinations {
			fmt.Fprintf(&b, "  -> %s %d %d 0 0\n", d.Endpoint(), d.UpperThreshold, d.LowerThreshold)
		}
	}
	return b.String()
}
