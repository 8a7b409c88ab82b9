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
			SwapServices:    rapid.Bool().Draw(t, "swap services"),
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
		d.HMAC = !d.Auth && rapid.Bool().Draw(t, "hmac")
		if !d.NoPreempt {
			d.PreemptDelay = drawDuration(t, 0, 1000*time.Second, time.Millisecond, "preempt")
		}
		if rapid.Bool().Draw(t, "sync") {
			d.SyncInterface, d.SyncID = device.Draw(t, "sync interface"), rapid.IntRange(1, 255).Draw(t, "sync id")
		}
		for _, timeout := range []*time.Duration{&d.Timeouts.TCP, &d.Timeouts.TCPFin, &d.Timeouts.UDP} {
			*timeout = drawDuration(t, 0, 24*24*time.Hour, time.Second, "timeout")
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

// drawCheck has a port that is no real server's, where it has one: a check of the
// real server's own port is read back as one that says nothing of it.
func drawCheck(t *rapid.T) keepalived.Check {
	c := keepalived.Check{Kind: rapid.SampledFrom(keepalived.CheckKinds).Draw(t, "kind")}
	if c.Kind == keepalived.CheckNone {
		return c
	}
	step := time.Millisecond
	switch word := rapid.StringMatching(`[A-Za-z0-9]{1,9}`).Draw(t, "word"); c.Kind {
	case keepalived.CheckHTTP:
		c.HTTP = keepalived.HTTPCheck{Path: "/" + word, TLS: rapid.Bool().Draw(t, "tls"), Status: "200-299 404"}
		c.HTTP.Host = rapid.SampledFrom([]string{"", word + ".example"}).Draw(t, "host")
	case keepalived.CheckRedis:
		c.Redis = keepalived.RedisCheck{Mode: rapid.SampledFrom(keepalived.RedisModes).Draw(t, "mode"), Password: rapid.Bool().Draw(t, "password")}
		if c.Redis.Password {
			c.Redis.User = rapid.SampledFrom([]string{"", word}).Draw(t, "user")
		}
		if c.Redis.TLS = rapid.Bool().Draw(t, "tls"); c.Redis.TLS {
			c.Redis.CAFile = rapid.SampledFrom([]string{"", "/etc/" + word}).Draw(t, "ca")
			c.Redis.CertFile = rapid.SampledFrom([]string{"", "/etc/" + word}).Draw(t, "certificate")
			c.Redis.ServerName = rapid.SampledFrom([]string{"", word}).Draw(t, "name")
		}
	case keepalived.CheckScript:
		c.Script, step = "/bin/"+word+" "+word, time.Second
	}
	c.Port = rapid.SampledFrom([]int{0, 1}).Draw(t, "check port")
	c.Timeout = drawDuration(t, step, time.Hour, step, "timeout")
	c.Retries = rapid.IntRange(0, 100).Draw(t, "retries")
	c.RetryDelay = drawDuration(t, 0, time.Hour, time.Millisecond, "retry delay")
	return c
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
			Protocol:         rapid.SampledFrom([]keepalived.Protocol{keepalived.TCP, keepalived.UDP}).Draw(t, "protocol"),
			Scheduler:        rapid.SampledFrom(keepalived.Schedulers).Draw(t, "scheduler"),
			Forwarding:       rapid.SampledFrom([]keepalived.Forwarding{keepalived.DR, keepalived.NAT, keepalived.TUN}).Draw(t, "forwarding"),
			DelayLoop:        drawDuration(t, 100*time.Millisecond, time.Hour, time.Millisecond, "delay"),
			Check:            drawCheck(t),
			InhibitOnFailure: rapid.Bool().Draw(t, "inhibit"),
			Quorum:           keepalived.Quorum{Weight: 1},
		}
		if flags := keepalived.SchedulerFlags(s.Scheduler); flags != nil && rapid.Bool().Draw(t, "flags") {
			s.SchedulerFlags = flags
		}
		s.OnePacket = s.Protocol == keepalived.UDP && rapid.Bool().Draw(t, "ops")
		if rapid.Bool().Draw(t, "persistent") {
			s.Persistence.Timeout = drawDuration(t, time.Second, 24*24*time.Hour, time.Second, "persistence")
			s.Persistence.Mask = rapid.SampledFrom([]string{"", map[bool]string{true: "56", false: "255.255.254.0"}[v6]}).Draw(t, "mask")
		}
		if rapid.Bool().Draw(t, "quorum") {
			s.Quorum = keepalived.Quorum{Weight: rapid.IntRange(1, 3).Draw(t, "quorum weight"), Up: "/bin/a b", Down: "/bin/c"}
			s.Quorum.Hysteresis = rapid.IntRange(0, s.Quorum.Weight-1).Draw(t, "hysteresis")
		}
		if rapid.Bool().Draw(t, "sorry") {
			s.SorryServer = netip.AddrPortFrom(address("sorry server"), uint16(s.Port))
		}
		for j := range rapid.IntRange(1, 3).Draw(t, "real servers") {
			r := keepalived.RealServer{
				Name: fmt.Sprint(j) + name.Draw(t, "real server"), Address: address("real"), Port: s.Port,
				Weight: rapid.IntRange(0, 65535).Draw(t, "weight"),
			}
			if rapid.Bool().Draw(t, "thresholds") {
				r.UpperThreshold = rapid.IntRange(1, 1<<20).Draw(t, "upper")
				r.LowerThreshold = rapid.IntRange(0, r.UpperThreshold-1).Draw(t, "lower")
			}
			if s.Forwarding == keepalived.NAT {
				r.Port = rapid.IntRange(2, 65535).Draw(t, "port")
			}
			s.RealServers = append(s.RealServers, r)
		}
		v.Services = append(v.Services, s)
	}
	if rapid.Bool().Draw(t, "instance of its own") {
		v.VRRP = &keepalived.VIPInstance{VirtualRouterID: rapid.IntRange(1, 255).Draw(t, "virtual router id"), Priority: rapid.IntRange(1, 254).Draw(t, "priority")}
	}
	return v
}

func TestParseVIPInvertsRender(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVIP(t)
		if v.Validate() != nil {
			t.Skip("an address or a name that does not fit, or a quorum out of reach")
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
		"line 15: state: \"MASTER\", expected \"BACKUP\"": main("BACKUP", "MASTER"),
		"line 15: strict_mode: does not belong here":      main("state BACKUP", "strict_mode"),
		"line 2: global_defs: router_id is missing":       main("router_id a", ""),
		"priority: \"x\" is no whole number":              main("priority 100", "priority x"),
		"from 1 to 254":                                   main("priority 100", "priority 255"),
		"advertisement interval":                          main("advert_int 1", "advert_int 0.5"),
		"\"1e3\" is no number of seconds":                 main("advert_int 1", "advert_int 1e3"),
		"lvs_sync_daemon: expected an interface":          main("inst VI_1", "ints VI_1"),
		"follows \"VI_2\"":                                main("inst VI_1", "inst VI_2"),
		"line 19: priority: is there twice":               main("advert_int 1", "priority 1"),
		"enable_script_security: expected nothing":        main("enable_script_security", "enable_script_security x"),
		"lvs_timeouts: expected tcp, tcpfin or udp":       main("router_id a", "router_id a\nlvs_timeouts tcp"),
		"\"sctp\" is none of tcp, tcpfin and udp":         main("router_id a", "router_id a\nlvs_timeouts sctp 1"),
		"lvs_timeouts: \"udp\" is none of":                main("router_id a", "router_id a\nlvs_timeouts udp 1 udp 2"),
		"lvs_timeouts: 0s: an IPVS timeout is from 1s":    main("router_id a", "router_id a\nlvs_timeouts tcp 0"),
		"\"-1\" is no number of seconds":                  main("router_id a", "router_id a\nlvs_timeouts tcp -1"),
		"not closed":                                      main("}\n", "\n"),
		"include: \"/etc/other\"":                         main(keepalived.AuthPath, "/etc/other"),
		"include: \"/etc/services\": expected":            main("/etc/keepalived/redislb/vip-*.services.conf", "/etc/services"),
		"protocl: does not belong here":                   vip("protocol", "protocl"),
		"of 192.0.2.9 in the file of 192.0.2.229":         vip("virtual_server 192.0.2.229", "virtual_server 192.0.2.9"),
		"\"0\" is no port":                                vip("192.0.2.229 6379 {", "192.0.2.229 0 {"),
		"TCP_CHECK: connect_port is missing":              vip("connect_port 6379", ""),
		"\"b\" is checked otherwise than":                 vip("connect_port 6379", "connect_port 1"),
		"TCP_CHECK: is a second check":                    vip("        TCP_CHECK {", "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nconnect_port 1\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\n}\n        TCP_CHECK {"),
		"\"b\" is checked otherwise":                      vip("retry 2", "retry 3"),
		"expected a block of virtual_server":              vip("virtual_server", "virtual_server_group"),
		"a scheduler is one of":                           vip("lvs_sched rr", "lvs_sched rrr"),
		"weight is missing":                               vip("weight 1\n", "\n"),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "line ") > 1 {
			t.Errorf("error %v, want %q in it and one line", err, want)
		}
	}
	for _, bad := range []string{"", "192.0.2.1", "192.0.2.1/24\n192.0.2.2/24", "192.0.2.1/24 dev", "192.0.2.1/24 {\n}"} {
		if v, err := keepalived.ParseVIP([]byte(bad), nil); err == nil {
			t.Errorf("address file %q is %+v", bad, v)
		}
	}
}

// checked gives the service another check, changed.
func checked(kind keepalived.CheckKind, change func(*keepalived.Check)) func(*keepalived.VIP) {
	return func(v *keepalived.VIP) {
		c := &v.Services[0].Check
		switch c.Kind = kind; kind {
		case keepalived.CheckHTTP:
			c.HTTP = keepalived.HTTPCheck{Path: "/", Status: "200"}
		case keepalived.CheckRedis:
			c.Redis.Mode = "ping"
		}
		change(c)
	}
}

// A quorum that is out of reach because real servers are being drained is legal.
func TestDrainedRealServersMayLeaveLessThanTheQuorum(t *testing.T) {
	v := redis()
	v.Services[0].Quorum.Weight = 2
	v.Services[0].RealServers[0].Weight = 0
	if err := v.Validate(); err != nil {
		t.Error(err)
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
		"flags of the scheduler rr are, once each: none": func(v *keepalived.VIP) { v.Services[0].SchedulerFlags = []string{"mh-port"} },
		"flags of the scheduler sh are, once each: sh-fallback, sh-port": func(v *keepalived.VIP) {
			v.Services[0].Scheduler, v.Services[0].SchedulerFlags = "sh", []string{"sh-port", "sh-port"}
		},
		"each packet by itself is for UDP": func(v *keepalived.VIP) { v.Services[0].OnePacket = true },
		"the persistence timeout is":       func(v *keepalived.VIP) { v.Services[0].Persistence.Mask = "255.0.0.0" },
		"a netmask is ones and then zeros": func(v *keepalived.VIP) {
			v.Services[0].Persistence = keepalived.Persistence{Timeout: time.Minute, Mask: "255.0.255.0"}
		},
		"is a netmask such as": func(v *keepalived.VIP) {
			v.Services[0].Persistence = keepalived.Persistence{Timeout: time.Minute, Mask: "24"}
		},
		"a prefix length from 1 to 127": func(v *keepalived.VIP) {
			*v = ipv6()
			v.Services[0].Persistence.Mask = "128"
		},
		"quorum 3: it is from 1 to the total weight of the real servers, 2": func(v *keepalived.VIP) { v.Services[0].Quorum.Weight = 3 },
		"quorum 0":     func(v *keepalived.VIP) { v.Services[0].Quorum.Weight = 0 },
		"hysteresis 1": func(v *keepalived.VIP) { v.Services[0].Quorum.Hysteresis = 1 },
		"a command begins with the path of a program: \"logger\"": func(v *keepalived.VIP) { v.Services[0].Quorum.Up = "logger up" },
		"\"/bin/a  b\": a command is a path":                      func(v *keepalived.VIP) { v.Services[0].Quorum.Down = "/bin/a  b" },
		"thresholds 10 and 10": func(v *keepalived.VIP) {
			s := &v.Services[0].RealServers[0]
			s.UpperThreshold, s.LowerThreshold = 10, 10
		},
		"thresholds 0 and 1":                                         func(v *keepalived.VIP) { v.Services[0].RealServers[0].LowerThreshold = 1 },
		"sorry server: port 1, but DR":                               func(v *keepalived.VIP) { v.Services[0].SorryServer = netip.MustParseAddrPort("192.0.2.13:1") },
		"12:6379 is a real server":                                   func(v *keepalived.VIP) { v.Services[0].SorryServer = netip.MustParseAddrPort("192.0.2.12:6379") },
		"the kind of a check is":                                     func(v *keepalived.VIP) { v.Services[0].Check.Kind = "" },
		"there is nothing to set":                                    func(v *keepalived.VIP) { v.Services[0].Check.Kind = keepalived.CheckNone },
		"settings of another kind":                                   func(v *keepalived.VIP) { v.Services[0].Check.Script = "/bin/true" },
		"check: 65536: the port is":                                  func(v *keepalived.VIP) { v.Services[0].Check.Port = 65536 },
		"the mode is one of ping":                                    checked(keepalived.CheckRedis, func(c *keepalived.Check) { c.Redis.Mode = "pong" }),
		"a user of Redis needs":                                      checked(keepalived.CheckRedis, func(c *keepalived.Check) { c.Redis.User = "check" }),
		"a user's name has":                                          checked(keepalived.CheckRedis, func(c *keepalived.Check) { c.Redis.User = "a b" }),
		"are of TLS, which is off":                                   checked(keepalived.CheckRedis, func(c *keepalived.Check) { c.Redis.CAFile = "/ca" }),
		"\"/c a\": a path is absolute":                               checked(keepalived.CheckRedis, func(c *keepalived.Check) { c.Redis.CAFile = "/c a" }),
		"\"a b\" is no host name":                                    checked(keepalived.CheckHTTP, func(c *keepalived.Check) { c.HTTP.Host = "a b" }),
		"a path begins with /":                                       checked(keepalived.CheckHTTP, func(c *keepalived.Check) { c.HTTP.Path = "/a b" }),
		"a status is codes":                                          checked(keepalived.CheckHTTP, func(c *keepalived.Check) { c.HTTP.Status = "200 299-200" }),
		"timeout of a script has":                                    checked(keepalived.CheckScript, func(c *keepalived.Check) { c.Script, c.Timeout = "/bin/true", 1500*time.Millisecond }),
		"a command begins with the path of a program: \"/bin/$(x)\"": checked(keepalived.CheckScript, func(c *keepalived.Check) { c.Script = "/bin/$(x)" }),
		"another service of the VIP":                                 func(v *keepalived.VIP) { v.Services = append(v.Services, v.Services[0]) },
	} {
		v := redis()
		change(&v)
		if err := v.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
