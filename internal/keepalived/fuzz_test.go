package keepalived_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/foreign/*.conf")
	more, _ := filepath.Glob("testdata/*.conf")
	for _, file := range append(files, more...) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a\\#b\\ \"#\" {}"))
	f.Add([]byte("$A=x\\\n y\\\n"))
	f.Add([]byte("@x $A=\\\n# y \\\n\nb\n@x \"$A\" =b # \\\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		nodes, err := keepalived.Parse(data)
		if err != nil {
			return
		}
		text := keepalived.Print(nodes)
		again, err := keepalived.Parse(text)
		if err != nil {
			if strings.Contains(err.Error(), "longer than") {
				return // indentation made a long line too long
			}
			t.Fatalf("%v in %q", err, text)
		}
		if got, want := dump(again, "", false), dump(nodes, "", false); got != want {
			t.Fatalf("%q\nis read as\n%s\nwant\n%s", text, got, want)
		}
		if twice := keepalived.Print(again); string(twice) != string(text) {
			t.Fatalf("printed once: %q, twice: %q", text, twice)
		}
	})
}

func FuzzParseDirector(f *testing.F) {
	f.Add(director().Render())
	f.Add(everything(false).Render())
	f.Add(everything(true).Render())
	f.Fuzz(func(t *testing.T, config []byte) {
		d, err := keepalived.ParseDirector(config)
		if err != nil {
			return
		}
		text := d.Render()
		again, err := keepalived.ParseDirector(text)
		if err != nil || string(again.Render()) != string(text) {
			t.Errorf("%+v became %+v, %v", d, again, err)
		}
	})
}

func FuzzParseVIP(f *testing.F) {
	for _, v := range []keepalived.VIP{several(), redis(), full(), inside(), own(redis()), own(ipv6())} {
		address, services := v.Render()
		f.Add(address, services)
	}
	f.Fuzz(func(t *testing.T, address, services []byte) {
		v, err := keepalived.ParseVIP(address, services)
		if err != nil {
			return
		}
		a, s := v.Render()
		again, err := keepalived.ParseVIP(a, s)
		if err != nil {
			t.Fatal(err)
		}
		if a2, s2 := again.Render(); string(a2) != string(a) || string(s2) != string(s) {
			t.Errorf("%s%s became %s%s", a, s, a2, s2)
		}
	})
}

// harmless says whether keepalived reads text as it stands, wherever it stands
// on a line.
func harmless(text string) bool {
	for _, r := range text {
		if r <= ' ' || r > '~' || strings.ContainsRune("\"'#!\\{}$;`", r) {
			return false
		}
	}
	return text != ""
}

// inPlace checks that the text has the value exactly where its twin, rendered
// with another value, has that one: nothing moved, nothing was added.
func inPlace(t *testing.T, text, twin []byte, values ...string) {
	t.Helper()
	want := string(twin)
	for i := 0; i < len(values); i += 2 {
		want = strings.ReplaceAll(want, values[i], values[i+1])
	}
	if string(text) != want {
		t.Errorf("got:\n%s\nwant:\n%s", text, want)
	}
	for line := range strings.Lines(string(text)) {
		if len(line) > 1023 {
			t.Errorf("keepalived reads %q as two lines", line)
		}
	}
}

// What the validators accept stays one word in the file.
func FuzzRenderDirector(f *testing.F) {
	f.Add("a", "VI_1", "eth0", "bond0.100", 51, 100, int64(time.Second), int64(15*time.Second), 51, true, false, int64(0), int64(time.Second), int64(576*time.Hour))
	f.Add("a", "VI_1", "eth0", "eth0", 51, 100, int64(10*time.Millisecond), int64(0), 51, false, true, int64(900*time.Second), int64(0), int64(0))
	f.Add("a\n}", "$(x)", "a b", "", 0, 255, int64(1), int64(-1), 0, false, false, int64(1), int64(-1), int64(0))
	f.Fuzz(func(t *testing.T, router, instance, device, syncDevice string, vrid, priority int, advert, preempt int64, sync int, auth, third bool, tcp, fin, udp int64) {
		d := keepalived.Director{
			RouterID: router, Instance: instance, Interface: device, VirtualRouterID: vrid, Priority: priority,
			AdvertInterval: time.Duration(advert), PreemptDelay: time.Duration(preempt),
			Auth: auth, Version3: third, SyncInterface: syncDevice, SyncID: sync,
			Timeouts: keepalived.IPVSTimeouts{TCP: time.Duration(tcp), TCPFin: time.Duration(fin), UDP: time.Duration(udp)},
		}
		if d.Validate() != nil {
			return
		}
		for _, word := range []string{router, instance, device, syncDevice} {
			if !harmless(word) && (word != "" || d.SyncInterface != "") {
				t.Errorf("%q is allowed", word)
			}
		}
		text := d.Render()
		again, err := keepalived.ParseDirector(text)
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%+v became %+v, %v", d, again, err)
		}
		// No valid name has an @, so none is taken for another's place.
		twin := d
		twin.RouterID, twin.Instance, twin.Interface = "@1@", "@2@", "@3@"
		values := []string{"@1@", router, "@2@", instance, "@3@", device, "@4@", syncDevice}
		if syncDevice != "" {
			twin.SyncInterface = "@4@"
		}
		inPlace(t, text, twin.Render(), values...)
	})
}

// What a check or a hook may say is one word or one command for keepalived.
func FuzzRenderCheck(f *testing.F) {
	f.Add("http", 80, "/health?deep=1", "www.example:80", "200-299 404", "", "", "", "", true, "/bin/up a")
	f.Add("redis", 0, "writable", "redis.example", "", "check", "/etc/ca.crt", "", "", true, "")
	f.Add("script", 1, "", "", "", "", "", "/bin/check --x=1", "255.255.255.0", false, "/bin/up\n}")
	f.Fuzz(func(t *testing.T, kind string, port int, path, host, status, user, ca, script, mask string, tls bool, hook string) {
		v := redis()
		s := &v.Services[0]
		s.Check.Kind, s.Check.Port, s.Check.Script = keepalived.CheckKind(kind), port, script
		switch s.Check.Kind {
		case keepalived.CheckHTTP:
			s.Check.HTTP = keepalived.HTTPCheck{Path: path, Host: host, TLS: tls, Status: status}
		case keepalived.CheckRedis:
			s.Check.Redis = keepalived.RedisCheck{Mode: path, User: user, Password: user != "", TLS: tls, CAFile: ca, ServerName: host}
		}
		if mask != "" {
			s.Persistence = keepalived.Persistence{Timeout: time.Minute, Mask: mask}
		}
		s.Quorum.Up, s.Quorum.Down = hook, hook
		if v.Validate() != nil || port == 6379 { // the real server's own is read back as none
			return
		}
		a, text := v.Render()
		again, err := keepalived.ParseVIP(a, text)
		if err == nil { // in the file's order
			slices.Reverse(again.Services[0].RealServers)
		}
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("%+v became %+v, %v", v, again, err)
		}
		for line := range strings.Lines(string(text)) {
			if len(line) > 1023 || strings.ContainsAny(line, "$!\\`") || strings.Count(line, `"`)%2 != 0 {
				t.Errorf("keepalived reads %q otherwise", line)
			}
		}
	})
}

// What the user names, points at and runs stays one word in the file, or one
// quoted command.
func FuzzRenderTrack(f *testing.F) {
	f.Add("eth1", "redis", "redis-server", "/usr/local/bin/check -a 1", "nobody", "/run/drain", "/bin/hook", -50, 1)
	f.Add("include", "a b", "a\n}", "/bin/sh -c \"$(x)\"", "root\n", "/a/../b", "/a  b", 0, 254)
	f.Fuzz(func(t *testing.T, device, name, process, command, user, path, hook string, weight, value int) {
		d := everything(false)
		d.Track = keepalived.Track{
			Interfaces: []keepalived.TrackedInterface{{Name: device, Weight: weight}},
			Processes:  []keepalived.TrackedProcess{{Name: name, Process: process, Quorum: value, Weight: weight}},
			Scripts:    []keepalived.TrackedScript{{Name: name, Command: command, User: user, Interval: time.Second, Fall: value, Rise: value, Weight: weight}},
			Files:      []keepalived.TrackedFile{{Name: name, Path: path, Initial: value, Weight: weight}},
		}
		d.Notify = keepalived.Notify{Master: hook}
		if d.Validate() != nil {
			return
		}
		for _, word := range append([]string{device, name, process, path}, strings.Fields(command+" "+hook)...) {
			if !harmless(word) {
				t.Errorf("%q is allowed", word)
			}
		}
		text := d.Render()
		again, err := keepalived.ParseDirector(text)
		if err != nil || !reflect.DeepEqual(again.Track, d.Track) || again.Notify != d.Notify {
			t.Errorf("%+v became %+v, %v", d, again, err)
		}
		if lines := strings.Count(string(text), "\n"); lines != strings.Count(string(everythingLike(user, hook)), "\n") {
			t.Errorf("%d lines:\n%s", lines, text)
		}
	})
}

// everythingLike has as many lines as what FuzzRenderTrack makes.
func everythingLike(user, hook string) []byte {
	d := everything(false)
	d.Track = keepalived.Track{
		Interfaces: []keepalived.TrackedInterface{{Name: "eth1"}},
		Processes:  []keepalived.TrackedProcess{{Name: "a", Process: "a", Quorum: 1}},
		Scripts:    []keepalived.TrackedScript{{Name: "a", Command: "/a", User: user, Interval: time.Second, Fall: 1, Rise: 1}},
		Files:      []keepalived.TrackedFile{{Name: "a", Path: "/a"}},
	}
	if user != "" {
		d.Track.Scripts[0].User = "a"
	}
	d.Notify = keepalived.Notify{}
	if hook != "" {
		d.Notify.Master = "/a"
	}
	return d.Render()
}

func FuzzRenderVIP(f *testing.F) {
	f.Add("192.0.2.229/24", "redis", "a", "192.0.2.11", 6379, 6379, 1, "rr", "DR", "TCP", int64(6*time.Second), int64(3*time.Second), 2, int64(time.Second))
	f.Add("2001:db8::1/64", "odd \"}\n#!$(x) ä\\", "\u2028{", "2001:db8::11", 53, 54, 0, "mh", "NAT", "UDP", int64(time.Hour), int64(time.Hour), 0, int64(0))
	f.Fuzz(func(t *testing.T, vip, service, server, address string, port, serverPort, weight int, scheduler, forwarding, protocol string, loop, timeout int64, retries int, delay int64) {
		prefix, _ := netip.ParsePrefix(vip)
		at, _ := netip.ParseAddr(address)
		vipOf := func(service, server string) keepalived.VIP {
			return keepalived.VIP{Address: prefix, Services: []keepalived.VirtualServer{{
				Name: service, Port: port, Protocol: keepalived.Protocol(protocol), Scheduler: scheduler,
				Forwarding: keepalived.Forwarding(forwarding), DelayLoop: time.Duration(loop),
				Check:       keepalived.Check{Kind: keepalived.CheckTCP, Timeout: time.Duration(timeout), Retries: retries, RetryDelay: time.Duration(delay)},
				Quorum:      keepalived.Quorum{Weight: 1},
				RealServers: []keepalived.RealServer{{Name: server, Address: at, Port: serverPort, Weight: weight}},
			}}}
		}
		v := vipOf(service, server)
		if v.Validate() != nil {
			return
		}
		a, s := v.Render()
		again, err := keepalived.ParseVIP(a, s)
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("%+v became %+v, %v", v, again, err)
		}
		twinAddress, twin := vipOf("x", "y").Render()
		inPlace(t, a, twinAddress)
		lines, want := strings.Split(string(s), "\n"), strings.Split(string(twin), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), s)
		}
		for i, line := range lines {
			comment := strings.HasPrefix(want[i], `# service "x"`) || strings.HasPrefix(want[i], `    # real_server "y"`)
			indent := len(want[i]) - len(strings.TrimLeft(want[i], " "))
			switch {
			case !comment && line != want[i], comment && !strings.HasPrefix(line, want[i][:indent]+"# "):
				t.Errorf("got %q, want %q", line, want[i])
			case len(line) > 1022:
				t.Errorf("keepalived reads %q as two lines", line)
			case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }):
				t.Errorf("%q holds more than printable ASCII", line)
			}
		}
	})
}

func FuzzValidators(f *testing.F) {
	for _, text := range []string{"eth0", "a\n", "é", "", "secret12", "%&()*+,-", strings.Repeat("a", 64), "a\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, validate := range map[string]func(string) error{
			"name": keepalived.ValidateName, "interface": keepalived.ValidateInterface,
			"password": keepalived.ValidateAuthPass, "scheduler": keepalived.ValidateScheduler,
		} {
			err := validate(text)
			if err == nil && !harmless(text) {
				t.Errorf("%s: %q is allowed", name, text)
			}
			if err != nil && (strings.ContainsFunc(err.Error(), unicode.IsControl) || !utf8.ValidString(err.Error())) {
				t.Errorf("%s: the message holds the text raw: %q", name, err)
			}
		}
		if keepalived.ValidateKey(text) == nil && (!utf8.ValidString(text) || len(text) > 128) {
			t.Errorf("key: %q is allowed", text)
		}
	})
}

func FuzzAuth(f *testing.F) {
	f.Add("hUsh~7", int64(1), []byte("# auth_pass_wo_version 3\n"))
	f.Add("a}\n", int64(-1), []byte("#auth_pass_wo_version x"))
	f.Fuzz(func(t *testing.T, pass string, version int64, data []byte) {
		if v, err := keepalived.ParseAuthVersion(data); err == nil {
			text, err := keepalived.RenderAuth("x", v)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := keepalived.ParseAuthVersion(text); err != nil || again != v {
				t.Errorf("%d became %d, %v", v, again, err)
			}
		} else if len(err.Error()) > 60 {
			t.Errorf("the error shows the file: %v", err)
		}
		text, err := keepalived.RenderAuth(pass, version)
		if err != nil {
			if err.Error() != keepalived.ValidateAuthPass("").Error() {
				t.Errorf("the error depends on the secret: %v", err)
			}
			return
		}
		if again, err := keepalived.ParseAuthVersion(text); err != nil || again != version {
			t.Errorf("%d became %d, %v", version, again, err)
		}
		nodes, err := keepalived.Parse(text)
		if err != nil || len(nodes) != 1 || len(nodes[0].Block) != 2 || !reflect.DeepEqual(nodes[0].Block[1].Args, []string{pass}) {
			t.Errorf("%q became %+v, %v", pass, nodes, err)
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	f.Add("Keepalived v2.2.7 (01/16,2022)\n")
	f.Add("Keepalived v2.0")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := keepalived.ParseVersion(text)
		if err != nil {
			return
		}
		if again, err := keepalived.ParseVersion("Keepalived v" + v.String()); err != nil || again != v || v.Compare(again) != 0 {
			t.Errorf("%s became %s, %v", v, again, err)
		}
		if (v.Lacks() == "") != (v.Compare(keepalived.Minimum) >= 0) {
			t.Errorf("%s lacks %q", v, v.Lacks())
		}
	})
}
