// Package hosttest makes up what a host answers to the probe, from the capture of
// a real one, for those who need more hosts than there are machines.
package hosttest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf/redisconftest"
)

// RealServer returns what a bare host answers once it has all on it that a real
// server for the VIP has, with servers of Redis. bare is the answer of a bare host.
func RealServer(bare []byte, vip netip.Addr, redis ...host.Redis) ([]byte, error) {
	text, _, _ := strings.Cut(string(bare), "== tar\n")
	replacements := [][2]string{
		{"1: lo    inet6", "1: lo    inet " + vip.String() + "/32 scope global lo:1\\       valid_lft forever preferred_lft forever\n1: lo    inet6"},
		{
			"Id=redislb-realserver.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n",
			"Id=redislb-realserver.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n",
		},
	}
	for _, device := range []string{"lo", "all"} {
		replacements = append(replacements,
			[2]string{"conf/" + device + "/arp_ignore:0", "conf/" + device + "/arp_ignore:1"},
			[2]string{"conf/" + device + "/arp_announce:0", "conf/" + device + "/arp_announce:2"})
	}
	more := ""
	for _, r := range redis {
		replacements = append(replacements, [2]string{"== unit\n", fmt.Sprintf("== unit\nId=%s\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n", redisconf.Unit(r.Port))})
		more += "== redis\n" + redisconftest.Section(r.Instance)
	}
	if len(redis) > 0 {
		more += "== redis-server\n/usr/bin/redis-server\n"
	}
	for _, r := range replacements {
		if !strings.Contains(text, r[0]) {
			return nil, fmt.Errorf("the capture lacks %q", r[0])
		}
		text = strings.Replace(text, r[0], r[1], 1)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for key, content := range host.Wanted(host.RealServer{VIPs: []netip.Addr{vip}, Redis: redis}.Artifacts()) {
		path, ok := strings.CutPrefix(key, "file /")
		if !ok {
			continue
		}
		if strings.HasSuffix(path, ".password") {
			more += "== secret\n8180 root:root /" + path + "\n" + content
			continue
		}
		head := &tar.Header{Name: path, Mode: 0o644, Uname: "root", Gname: "root", Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(head); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(content)); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return []byte(text + more + "== tar\n" + archive.String() + "\n== end\n"), nil
}
