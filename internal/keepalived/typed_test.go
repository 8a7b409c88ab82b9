package keepalived_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"pgregory.net/rapid"
)

func drawDuration(t *rapid.T, low, high, step time.Duration, label string) time.Duration {
	return time.Duration(rapid.Int64Range(int64(low/step), int64(high/step)).Draw(t, label)) * step
}

func TestParseDirectorInvertsRender(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,62}`)
	device := rapid.StringMatching(`[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}`)
	rapid.Check(t, func(t *rapid.T) {
		d := keepalived.Director{
			RouterID: name.Draw(t, "router"), Instance: name.Draw(t, "instance"), Interface: device.Draw(t, "interface"),
			VirtualRouterID: rapid.IntRange(1, 255).Draw(t, "vrid"),
			Priority:        rapid.IntRange(1, 254).Draw(t, "priority"),
			Version3:        rapid.Bool().Draw(t, "version 3"),
			NoPreempt:       rapid.Bool().Draw(t, "no preempt"),
			Unicast:         drawUnicast(t),
			GARP:            drawGARP(t),
			Track:           drawTrack(t),
			Notify:          keepalived.Notify{Master: drawCommand(t), Backup: drawCommand(t), Fault: drawCommand(t), Stop: drawCommand(t)},
		}
		if d.Version3 {
			d.AdvertInterval = drawDuration(t, 10*time.Millisecond, 40950*time.Millisecond, 10*time.Millisecond, "advert")
		} else {
			d.AdvertInterval = drawDuration(t, time.Second, 255*time.Second, time.Second, "advert")
			d.Auth = rapid.Bool().Draw(t, "auth")
		}
		if !d.NoPreempt {
			d.PreemptDelay = drawDuration(t, 0, 1000*time.Second, time.Millisecond, "preempt")
		}
		if rapid.Bool().Draw(t, "sync") {
			d.SyncInterface, d.SyncID = device.Draw(t, "sync interface"), rapid.IntRange(1, 255).Draw(t, "sync id")
		}
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		again, err := keepalived.ParseDirector(d.Render())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again, d) {
			t.Fatalf("%+v became %+v", d, again)
		}
	})
}

func drawUnicast(t *rapid.T) *keepalived.Unicast {
	if !rapid.Bool().Draw(t, "unicast") {
		return nil
	}
	u := &keepalived.Unicast{}
	for i := range rapid.IntRange(1, 3).Draw(t, "peers") {
		u.Peers = append(u.Peers, netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}))
	}
	if rapid.Bool().Draw(t, "source") {
		u.Source = netip.AddrFrom4([4]byte{192, 0, 2, byte(rapid.IntRange(100, 200).Draw(t, "source's"))})
	}
	return u
}

func drawGARP(t *rapid.T) *keepalived.GARP {
	if !rapid.Bool().Draw(t, "garp") {
		return nil
	}
	seconds := func() time.Duration { return drawDuration(t, 0, time.Hour, time.Second, "garp time") }
	return &keepalived.GARP{
		MasterDelay: seconds(), MasterRepeat: rapid.IntRange(1, 100).Draw(t, "repeat"),
		MasterRefresh: seconds(), MasterRefreshRepeat: rapid.IntRange(1, 100).Draw(t, "refresh repeat"),
		LowerPrioDelay: seconds(), LowerPrioRepeat: rapid.IntRange(0, 100).Draw(t, "lower repeat"),
	}
}

func drawCommand(t *rapid.T) string {
	return rapid.StringMatching(`(/[A-Za-z0-9_][A-Za-z0-9_./:=,@%+-]{0,8}( [A-Za-z0-9_./:=,@%+-]{1,8}){0,3})?`).
		Filter(func(s string) bool { return s == "" || keepalived.ValidateCommand(s) == nil }).Draw(t, "command")
}

// drawTrack draws things in the order of their names, in which they are written.
func drawTrack(t *rapid.T) keepalived.Track {
	weight := func() int { return rapid.IntRange(-253, 253).Draw(t, "weight") }
	count := func(what string) []string { return []string{"a", "b", "c"}[:rapid.IntRange(0, 3).Draw(t, what)] }
	name := rapid.StringMatching(`[A-Za-z0-9._-]{0,20}`)
	var track keepalived.Track
	for _, first := range count("interfaces") {
		track.Interfaces = append(track.Interfaces, keepalived.TrackedInterface{Name: first + "_if", Weight: weight()})
	}
	for _, first := range count("processes") {
		track.Processes = append(track.Processes, keepalived.TrackedProcess{
			Name: first + name.Draw(t, "name"), Process: rapid.StringMatching(`[A-Za-z0-9_./:@%+-]{1,15}`).Draw(t, "process"),
			Quorum: rapid.IntRange(1, 65535).Draw(t, "quorum"), Delay: drawDuration(t, 0, time.Hour, time.Millisecond, "delay"), Weight: weight(),
		})
	}
	for _, first := range count("scripts") {
		s := keepalived.TrackedScript{
			Name: first + name.Draw(t, "name"), Command: "/bin/x" + drawCommand(t), Weight: weight(),
			Interval: drawDuration(t, time.Second, time.Hour, time.Second, "interval"), Timeout: drawDuration(t, 0, time.Hour, time.Second, "timeout"),
			Fall: rapid.IntRange(1, 1000).Draw(t, "fall"), Rise: rapid.IntRange(1, 1000).Draw(t, "rise"),
		}
		if rapid.Bool().Draw(t, "other user") {
			s.User = rapid.StringMatching(`[a-z_][a-z0-9_-]{0,31}`).Draw(t, "user")
		}
		track.Scripts = append(track.Scripts, s)
	}
	for _, first := range count("files") {
		track.Files = append(track.Files, keepalived.TrackedFile{
			Name: first + name.Draw(t, "name"), Path: "/run/" + first, Initial: rapid.IntRange(-254, 254).Draw(t, "initial"), Weight: weight(),
		})
	}
	return track
}

func drawVIP(t *rapid.T) keepalived.VIP {
	v6 := rapid.Bool().Draw(t, "v6")
	address := func(label string) netip.Addr {
		n := byte(rapid.IntRange(1, 254).Draw(t, label))
		if v6 {
			return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n))
		}
		return netip.AddrFrom4([4]byte{192, 0, 2, n})
	}
	name := rapid.StringOf(rapid.Rune()).Filter(func(s string) bool { return keepalived.ValidateKey(s) == nil })
	v := keepalived.VIP{Address: netip.PrefixFrom(address("vip"), rapid.IntRange(1, 32).Draw(t, "bits"))}
	for i := range rapid.IntRange(0, 3).Draw(t, "services") {
		s := keepalived.VirtualServer{
			Name: fmt.Sprint(i) + name.Draw(t, "service"), Port: 6379 + i,
			Protocol:   rapid.SampledFrom([]keepalived.Protocol{keepalived.TCP, keepalived.UDP}).Draw(t, "protocol"),
			Scheduler:  rapid.SampledFrom(keepalived.Schedulers).Draw(t, "scheduler"),
			Forwarding: rapid.SampledFrom([]keepalived.Forwarding{keepalived.DR, keepalived.NAT, keepalived.TUN}).Draw(t, "forwarding"),
			DelayLoop:  drawDuration(t, 100*time.Millisecond, time.Hour, time.Millisecond, "delay"),
			Check: keepalived.TCPCheck{
				Timeout:    drawDuration(t, 100*time.Millisecond, time.Hour, time.Millisecond, "timeout"),
				Retries:    rapid.IntRange(0, 100).Draw(t, "retries"),
				RetryDelay: drawDuration(t, 0, time.Hour, time.Millisecond, "retry delay"),
			},
		}
		for j := range rapid.IntRange(1, 3).Draw(t, "real servers") {
			r := keepalived.RealServer{
				Name: fmt.Sprint(j) + name.Draw(t, "real server"), Address: address("real"), Port: s.Port,
				Weight: rapid.IntRange(0, 65535).Draw(t, "weight"),
			}
			if s.Forwarding == keepalived.NAT {
				r.Port = rapid.IntRange(1, 65535).Draw(t, "port")
			}
			s.RealServers = append(s.RealServers, r)
		}
		v.Services = append(v.Services, s)
	}
	return v
}

func TestParseVIPInvertsRender(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVIP(t)
		if v.Validate() != nil {
			t.Skip("two real servers with one address, or a name too long")
		}
		address, services := v.Render()
		again, err := keepalived.ParseVIP(address, services)
		if err != nil {
			t.Fatalf("%v in\n%s", err, services)
		}
		if !reflect.DeepEqual(again, v) {
			t.Fatalf("%+v became %+v", v, again)
		}
		for line := range strings.Lines(string(services)) {
			if len(line) > 1023 {
				t.Fatalf("keepalived reads line %q as two", line)
			}
		}
	})
}

func TestOrderOfServicesAndRealServersDoesNotMatter(t *testing.T) {
	one, two := several(), several()
	s := two.Services
	s[0], s[1], s[2] = s[2], s[0], s[1]
	r := s[1].RealServers
	r[0], r[1] = r[1], r[0]
	_, a := one.Render()
	_, b := two.Render()
	if string(a) != string(b) {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestHandEditedLayoutIsReadAndLostNamesAreReplaced(t *testing.T) {
	address, services := redis().Render()
	text := strings.ReplaceAll(strings.ReplaceAll(string(services), "    ", "\t"), "# service \"redis\"\n", "")
	text = strings.Replace(text, "# real_server \"a\"", "# was a", 1)
	v, err := keepalived.ParseVIP(address, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if s := v.Services[0]; s.Name != "tcp-6379" || s.RealServers[0].Name != "192.0.2.11" || s.RealServers[1].Name != "b" {
		t.Errorf("%+v", s)
	}
}

func TestWhatRenderNeverWritesIsRefusedByLine(t *testing.T) {
	config := string(director().Render())
	address, services := redis().Render()
	vip := func(from, to string) error {
		_, err := keepalived.ParseVIP(address, []byte(strings.Replace(string(services), from, to, 1)))
		return err
	}
	main := func(from, to string) error {
		_, err := keepalived.ParseDirector([]byte(strings.Replace(config, from, to, 1)))
		return err
	}
	for want, err := range map[string]error{
		"line 11: state: \"MASTER\", expected \"BACKUP\"": main("BACKUP", "MASTER"),
		"line 11: strict_mode: does not belong here":      main("state BACKUP", "strict_mode"),
		"line 2: global_defs: router_id is missing":       main("router_id a", ""),
		"priority: \"x\" is no whole number":              main("priority 100", "priority x"),
		"from 1 to 254":                                   main("priority 100", "priority 255"),
		"advertisement interval":                          main("advert_int 1", "advert_int 0.5"),
		"\"1e3\" is no number of seconds":                 main("advert_int 1", "advert_int 1e3"),
		"lvs_sync_daemon: expected an interface":          main("inst VI_1", "ints VI_1"),
		"follows \"VI_2\"":                                main("inst VI_1", "inst VI_2"),
		"line 15: priority: is there twice":               main("advert_int 1", "priority 1"),
		"enable_script_security: expected nothing":        main("enable_script_security", "enable_script_security x"),
		"not closed":                              main("}\n", "\n"),
		"include: \"/etc/other\"":                 main(keepalived.AuthPath, "/etc/other"),
		"protocl: does not belong here":           vip("protocol", "protocl"),
		"of 192.0.2.9 in the file of 192.0.2.229": vip("virtual_server 192.0.2.229", "virtual_server 192.0.2.9"),
		"\"0\" is no port":                        vip("192.0.2.229 6379 {", "192.0.2.229 0 {"),
		"connect_port: \"1\", expected":           vip("connect_port 6379", "connect_port 1"),
		"checked otherwise":                       vip("retry 2", "retry 3"),
		"expected a block of virtual_server":      vip("virtual_server", "virtual_server_group"),
		"a scheduler is one of":                   vip("lvs_sched rr", "lvs_sched rrr"),
		"weight is missing":                       vip("weight 1\n", "\n"),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "line ") > 1 {
			t.Errorf("error %v, want %q in it and one line", err, want)
		}
	}
	for _, bad := range []string{"", "192.0.2.1", "192.0.2.1/24\n192.0.2.2/24", "192.0.2.1/24 dev eth0", "192.0.2.1/24 {\n}"} {
		if v, err := keepalived.ParseVIP([]byte(bad), nil); err == nil {
			t.Errorf("address file %q is %+v", bad, v)
		}
	}
}

func TestInvalidVIPsAreRefused(t *testing.T) {
	if err := redis().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*keepalived.VIP){
		"a VIP is an address":         func(v *keepalived.VIP) { v.Address = netip.Prefix{} },
		"a name has 1 to 128 bytes":   func(v *keepalived.VIP) { v.Services[0].Name = "" },
		"the port is a whole number":  func(v *keepalived.VIP) { v.Services[0].Port = 65536 },
		"the protocol is TCP or UDP":  func(v *keepalived.VIP) { v.Services[0].Protocol = "tcp" },
		"the forwarding method is":    func(v *keepalived.VIP) { v.Services[0].Forwarding = "" },
		"a scheduler is one of":       func(v *keepalived.VIP) { v.Services[0].Scheduler = "rr\n}" },
		"the check interval is":       func(v *keepalived.VIP) { v.Services[0].DelayLoop = 0 },
		"the check timeout is":        func(v *keepalived.VIP) { v.Services[0].Check.Timeout = 2 * time.Hour },
		"the retry delay is":          func(v *keepalived.VIP) { v.Services[0].Check.RetryDelay = time.Microsecond },
		"the number of retries is":    func(v *keepalived.VIP) { v.Services[0].Check.Retries = -1 },
		"at least one real server":    func(v *keepalived.VIP) { v.Services[0].RealServers = nil },
		"the weight is":               func(v *keepalived.VIP) { v.Services[0].RealServers[0].Weight = 65536 },
		"no address of a real server": func(v *keepalived.VIP) { v.Services[0].RealServers[0].Address = netip.Addr{} },
		"of two families":             func(v *keepalived.VIP) { v.Services[0].RealServers[0].Address = netip.IPv6Loopback() },
		"DR cannot change the port":   func(v *keepalived.VIP) { v.Services[0].RealServers[0].Port = 17379 },
		"another real server":         func(v *keepalived.VIP) { v.Services[0].RealServers[0].Address = v.Services[0].RealServers[1].Address },
		"TCP port 6379: another service": func(v *keepalived.VIP) {
			second := v.Services[0]
			second.Name = "second"
			v.Services = append(v.Services, second)
		},
		"another service of the VIP": func(v *keepalived.VIP) { v.Services = append(v.Services, v.Services[0]) },
	} {
		v := redis()
		change(&v)
		if err := v.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
