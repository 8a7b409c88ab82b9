package host

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Output that arrives in part is an error, wherever it ends.
func FuzzParseSnapshot(f *testing.F) {
	for _, out := range [][]byte{
		full().probe(), bareMachine().probe(), bareMachine().hold(patientDirector().Artifacts()).probe(), capture(f, "probe-bare.out"), capture(f, "probe-foreign-service.out"),
		[]byte("== probe 1\n== tar\n\n== end\n"),
	} {
		f.Add(out, uint(len(out)-1))
		f.Add(out, uint(len(out)/2))
	}
	f.Fuzz(func(t *testing.T, out []byte, cut uint) {
		s, err := parseSnapshot(out)
		if (err == nil) == (s == nil) {
			t.Fatalf("got both or neither of %v, %v", s, err)
		}
		if err != nil {
			return
		}
		if again, err := parseSnapshot(out); err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("got %+v and %+v, %v", s, again, err)
		}
		n := cut % uint(len(out))
		if half, err := parseSnapshot(out[:n]); err == nil {
			t.Fatalf("%d of %d bytes: got %v", n, len(out), half)
		}
		artifacts := slices.Concat(redisDirector().Artifacts(), redisServer().Artifacts(), redisVIP().Artifacts())
		steps(s, artifacts, artifacts)
	})
}

// When tar ends early, the probe goes on to its last line all the same.
func FuzzArchiveOfATarThatDied(f *testing.F) {
	f.Add([]byte("content"), []byte("more"), uint(512))
	f.Add(bytes.Repeat([]byte{0}, 1024), []byte("more"), uint(512+1024))
	f.Fuzz(func(t *testing.T, first, second []byte, cut uint) {
		m := bareMachine()
		m.files[keepalived.ConfigPath] = FileState{Mode: 0o644, Owner: "root:root", Content: first}
		m.files[keepalived.HealthScript] = FileState{Mode: 0o755, Owner: "root:root", Content: second}
		out := m.probe()
		s, err := parseSnapshot(out)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(s.Files[keepalived.ConfigPath].Content, first) || !bytes.Equal(s.Files[keepalived.HealthScript].Content, second) {
			t.Fatalf("%q and %q became %q and %q", first, second, s.Files[keepalived.ConfigPath].Content, s.Files[keepalived.HealthScript].Content)
		}
		start := bytes.Index(out, []byte("== tar\n")) + len("== tar\n")
		archive := out[start : len(out)-len("\n== end\n")]
		dead := slices.Concat(out[:start], archive[:cut%uint(len(archive))], []byte("\n== end\n"))
		if s, err := parseSnapshot(dead); err == nil {
			t.Fatalf("%d of the archive's %d bytes: got %d files", cut%uint(len(archive)), len(archive), len(s.Files))
		}
	})
}

// What ip(8) prints of an address is read as what it was.
func FuzzParseAddresses(f *testing.F) {
	f.Add([]byte{192, 0, 2, 229}, 24, "eth0", true)
	f.Add([]byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 64, "eth0.5", false)
	f.Fuzz(func(t *testing.T, raw []byte, bits int, device string, secondary bool) {
		address, ok := netip.AddrFromSlice(raw)
		prefix := netip.PrefixFrom(address, bits)
		if !ok || !prefix.IsValid() || address.Is4In6() || keepalived.ValidateInterface(device) != nil {
			return
		}
		want := Address{Device: device, Prefix: prefix, Secondary: secondary}
		family, flags, label := "inet6", "", ""
		if secondary {
			flags = "secondary "
		}
		if address.Is4() {
			family, label, want.Label = "inet", device, device
		}
		line := "2: " + device + "    " + family + " " + prefix.String() + " scope global " + flags + label + "\\       valid_lft forever preferred_lft forever\n"
		got, err := parseAddresses(strings.Repeat(line, 2))
		if err != nil || !slices.Equal(got, []Address{want, want}) {
			t.Errorf("%q is read as %+v, %v", line, got, err)
		}
	})
}

// What is adopted is read back as the same.
func FuzzForeignCheck(f *testing.F) {
	for _, check := range []string{
		"TCP_CHECK {\nconnect_port 81\n}", "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nvirtualhost a\n}", "SSL_GET {\nurl {\npath /\ndigest x\n}\nenable_sni\n}",
		"MISC_CHECK {\nmisc_path \"/bin/check 192.0.2.11 80\"\nuser root\n}", "MISC_CHECK {\nmisc_path /bin/check\nmisc_dynamic\n}",
	} {
		f.Add(check)
	}
	const before, after = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.229/24\n}\n}\nvirtual_server 192.0.2.229 80 {\nprotocol TCP\nlvs_method DR\nreal_server 192.0.2.11 80 {\n", "\n}\n}\n"
	f.Fuzz(func(t *testing.T, check string) {
		m := bareMachine()
		m.files[keepalived.ConfigPath] = file(before + check + after)
		vips, _ := m.snapshot(t).foreignVIPs()
		for _, v := range vips {
			address, services := v.Render()
			again, err := keepalived.ParseVIP(address, services)
			if err != nil {
				t.Fatalf("%s\nis adopted as\n%s\nwhich is not read back: %v", check, services, err)
			}
			if _, same := again.Render(); !bytes.Equal(same, services) {
				t.Fatalf("%s\nis adopted as\n%s\nand read back as\n%s", check, services, same)
			}
		}
	})
}
