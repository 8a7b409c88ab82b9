package host

import (
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// richDirector has options of VRRP that concern the host.
func richDirector() Director {
	d := redisDirector()
	d.VRRP.Unicast = &keepalived.Unicast{Source: netip.MustParseAddr("192.0.2.11"), Peers: []netip.Addr{netip.MustParseAddr("192.0.2.12")}}
	d.VRRP.Track = keepalived.Track{
		Interfaces: []keepalived.TrackedInterface{{Name: "lo", Weight: -50}},
		Scripts:    []keepalived.TrackedScript{{Name: "ready", Command: "/etc/ready -v", Interval: time.Second, Fall: 1, Rise: 1, Weight: -50}},
		Files:      []keepalived.TrackedFile{{Name: "drain", Path: "/run/drain", Weight: 1}},
	}
	d.VRRP.Notify = keepalived.Notify{Master: "/etc/hook"}
	return d
}

func TestDirectorIsRefusedForWhatTheHostIsNot(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Director, *machine)
		at     string
		words  string // empty: there is no problem
	}{
		"as it is":            {change: func(*Director, *machine) {}},
		"interface":           {func(d *Director, _ *machine) { d.VRRP.Interface = "eth9" }, "vrrp.interface", `no network interface "eth9". It has: eth0, lo.`},
		"tracked interface":   {func(d *Director, _ *machine) { d.VRRP.Track.Interfaces[0].Name = "eth9" }, "vrrp.track_interfaces", `no network interface "eth9" to track. It has: eth0, lo.`},
		"peer is the host":    {func(d *Director, _ *machine) { d.VRRP.Unicast.Peers[0] = netip.MustParseAddr("198.51.100.11") }, "vrrp.unicast.peers", "198.51.100.11 is an address of this host"},
		"source is elsewhere": {func(d *Director, _ *machine) { d.VRRP.Unicast.Source = netip.MustParseAddr("192.0.2.99") }, "vrrp.unicast.source", "192.0.2.99 is not an address of this host (192.0.2.11/24 on eth0"},
		"no source":           {change: func(d *Director, _ *machine) { d.VRRP.Unicast.Source = netip.Addr{} }},
		"user of a script":    {func(d *Director, _ *machine) { d.VRRP.Track.Scripts[0].User = "nobody" }, "vrrp", "keepalived 2.2.7 cannot check"},
		"user root":           {change: func(d *Director, _ *machine) { d.VRRP.Track.Scripts[0].User = "root" }},
		"user of a script, 2.2.8": {change: func(d *Director, m *machine) {
			d.VRRP.Track.Scripts[0].User, m.keepalivedVersion = "nobody", "Keepalived v2.2.8 (04/04,2023)"
		}},
		"keepalived too old": {func(_ *Director, m *machine) { m.keepalivedVersion = "Keepalived v2.0.20 (01/22,2020)" }, "", "2.0.20 is older than 2.1.5"},
	} {
		t.Run(name, func(t *testing.T) {
			d, m := richDirector(), director()
			c.change(&d, m)
			problems := d.Check(m.snapshot(t), false)
			if c.words == "" {
				equal(t, "problems", len(problems), 0)
				return
			}
			equal(t, "problems", len(problems), 1)
			equal(t, "attribute", strings.Join(problems[0].Attribute, "."), c.at)
			if !strings.Contains(problems[0].Detail, c.words) {
				t.Errorf("%q lacks %q", problems[0].Detail, c.words)
			}
		})
	}
}

func TestDirectorIsReadBackFromItsArtifacts(t *testing.T) {
	for name, change := range map[string]func(*Director){
		"plain":             func(*Director) {},
		"password in state": func(d *Director) { d.PasswordKept = true },
		"hash":              func(d *Director) { d.Guard = Hash },
		"version 3":         func(d *Director) { d.PasswordVersion, d.VRRP.Version3 = nil, true },
	} {
		t.Run(name, func(t *testing.T) {
			d := richDirector()
			change(&d)
			got, err := DirectorOn(bareMachine().hold(d.Artifacts()).snapshot(t))
			if err != nil {
				t.Fatal(err)
			}
			want := d
			want.Name, want.Password, want.VRRP = "", "", d.config()
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestPasswordThatMovesToTheStateOrFromItIsWrittenAnew(t *testing.T) {
	d := redisDirector()
	s := bareMachine().hold(d.Artifacts()).snapshot(t)
	equal(t, "version of a password that is not kept", KeptPasswordVersion(s), 0)
	d.PasswordKept = true
	equal(t, "deviating", len(deviating(d.Artifacts(), s)), 1)
	s = bareMachine().hold(d.Artifacts()).snapshot(t)
	equal(t, "version", KeptPasswordVersion(s), 1)
	equal(t, "deviating", len(deviating(d.Artifacts(), s)), 0)
	d.PasswordKept = false
	equal(t, "deviating", len(deviating(d.Artifacts(), s)), 1)
}

func TestScriptsAndFoldersAreLookedAtBeforeKeepalivedIsReloaded(t *testing.T) {
	d := richDirector()
	s := director().snapshot(t)
	text := rendered(steps(s, deviating(d.Artifacts(), s), nil))
	for _, want := range []string{"check_script /etc/ready root", "check_script /etc/hook root", "check_tracked_file /run/drain"} {
		at := strings.Index(text, want)
		if at < 0 || at > strings.Index(text, "check_keepalived") {
			t.Errorf("%q is not there in time:\n%s", want, text)
		}
	}
}

func TestScriptThatKeepalivedWouldNotRunFailsTheCommit(t *testing.T) {
	script := func(b *box) { b.write("etc/ready", "#!/bin/sh\n", 0o755) }
	linked := func(b *box, version string) {
		b.must(os.Rename(b.root+"/etc", b.root+"/real"))
		b.must(os.Symlink("real", b.root+"/etc"))
		script(b)
		b.write("bin/keepalived", "#!/bin/sh\necho 'Keepalived v"+version+" (01/16,2022)' >&2\n", 0o755)
	}
	for name, c := range map[string]struct {
		prepare func(b *box)
		user    string
		words   string // empty: it is fine
		asRoot  bool   // the test needs to be root
	}{
		"fine": {script, "root", "", true},
		"link": {func(b *box) {
			script(b)
			b.must(os.Rename(b.root+"/etc/ready", b.root+"/etc/real"))
			b.must(os.Symlink("real", b.root+"/etc/ready"))
		}, "root", "", true},
		"folder that is a link, 2.2": {func(b *box) { linked(b, "2.2.7") }, "root", "", true},
		"folder that is a link, 2.3": {func(b *box) { linked(b, "2.3.3") }, "root", "/etc/ready leads over a link", true},
		"missing":                    {func(*box) {}, "root", "there is no file /etc/ready on the host", false},
		"a folder":                   {func(b *box) { b.must(os.Mkdir(b.root+"/etc/ready", 0o755)) }, "root", "there is no file /etc/ready on the host", false},
		"not executable":             {func(b *box) { b.write("etc/ready", "#!/bin/sh\n", 0o644) }, "root", "/etc/ready is not executable", false},
		"written by anybody":         {func(b *box) { b.write("etc/ready", "#!/bin/sh\n", 0o757) }, "root", "/etc/ready can be changed by others", true},
		"another's":                  {func(b *box) { script(b); b.must(os.Chown(b.root+"/etc/ready", 1, 0)) }, "root", "/etc/ready can be changed by others", true},
		"another group's": {func(b *box) {
			script(b)
			b.must(os.Chown(b.root+"/etc/ready", 0, 1))
			b.must(os.Chmod(b.root+"/etc/ready", 0o775))
		}, "root", "/etc/ready can be changed by others", true},
		"root's own group":        {func(b *box) { b.write("etc/ready", "#!/bin/sh\n", 0o775) }, "root", "", true},
		"folder for anybody":      {func(b *box) { script(b); b.must(os.Chmod(b.root+"/etc", 0o777)) }, "root", "/etc can be changed by others", true},
		"sticky folder":           {func(b *box) { script(b); b.must(os.Chmod(b.root+"/etc", os.ModeSticky|0o777)) }, "root", "", true},
		"written, but not root's": {func(b *box) { b.write("etc/ready", "#!/bin/sh\n", 0o757) }, "nobody", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.asRoot && os.Getuid() != 0 {
				t.Skip("needs files of root's")
			}
			b := newBox(t)
			c.prepare(b)
			todo := call("check_script", "/etc/ready", c.user)
			if c.words == "" {
				b.ok(todo)
			} else {
				b.fails([]string{c.words}, todo)
			}
		})
	}
}

func TestFolderOfATrackedFileMustBeThere(t *testing.T) {
	b := newBox(t)
	b.ok(call("check_tracked_file", "/run/drain"))
	b.fails([]string{"there is no folder /run/none on the host for the tracked file /run/none/drain"}, call("check_tracked_file", "/run/none/drain"))
}

func TestKeyOfHMACIsASecretOfTheDirectorAndReadBackByItsVersion(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	version := int64(7)
	d := redisDirector()
	d.PasswordVersion, d.Password, d.HMACVersion, d.HMACKey = nil, "", &version, key
	texts := Wanted(d.Artifacts())
	equal(t, "shown", texts["file "+keepalived.HMACPath], keepalived.Header("redislb_director")+"# auth_hmac_wo_version 7\n(secret, unchanged on the host)\n")
	without := d
	without.HMACKey = "" // as in a plan
	if !reflect.DeepEqual(Wanted(without.Artifacts()), texts) {
		t.Error("the key makes a difference to what a plan shows")
	}
	for _, text := range texts {
		if strings.Contains(text, key) {
			t.Errorf("the key is shown: %s", text)
		}
	}
	m := bareMachine().hold(d.Artifacts())
	again, err := DirectorOn(m.snapshot(t))
	if err != nil || again.HMACVersion == nil || *again.HMACVersion != 7 || again.PasswordVersion != nil {
		t.Errorf("%+v, %v", again, err)
	}
	problems := d.Check(m.snapshot(t), false)
	equal(t, "problems", len(problems), 1)
	equal(t, "summary", problems[0].Summary, "Unknown to the Host's keepalived")
	m.keepalivedVersion = "Keepalived v2.4.0 (06/22,2026)"
	equal(t, "problems of 2.4.0", len(d.Check(m.snapshot(t), false)), 0)
}
