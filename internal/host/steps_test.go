package host

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// calls are those of a script, without the library.
func calls(script string) string {
	_, body, _ := strings.Cut(script, mainHead)
	return strings.TrimSuffix(body, mainTail)
}

// rendered shows the calls, and the content of what is staged for them where it
// is not a file of its own on the host.
func rendered(todo []step) string {
	text, members := script("HOLDER", todo)
	text = calls(text)
	for _, m := range members {
		if !strings.HasPrefix(m.name, "new.") {
			text += "# " + m.name + "\n#   " + strings.ReplaceAll(strings.TrimSpace(string(m.content)), "\n", "\n#   ") + "\n"
		}
	}
	return text
}

func director() *machine { return bareMachine().hold(redisDirector().Artifacts()) }

func TestStepsAreInTheOrderThatTheGoldenFilesSay(t *testing.T) {
	raised := redisDirector()
	raised.VRRP.Priority = 150
	weighed := redisVIP()
	weighed.Services[0].RealServers[1].Weight = 3
	moved := redisVIP()
	moved.Services[0].Port = 6380
	for i := range moved.Services[0].RealServers {
		moved.Services[0].RealServers[i].Port = 6380
	}
	drained := redisDirector()
	drained.Drain = true
	lazy := patientDirector()
	lazy.VRRP.Timeouts = keepalived.IPVSTimeouts{TCP: 2 * time.Hour, TCPFin: time.Second}
	patient := bareMachine().hold(patientDirector().Artifacts())
	noPassword := redisDirector()
	noPassword.PasswordVersion = nil
	hashing := bareMachine().hold(hashDirector().Artifacts())
	swapping := bareMachine().hold(swapDirector().Artifacts())
	adopting := redisDirector()
	adopting.Adopt = true
	foreign := director()
	foreign.files[keepalived.ConfigPath] = file("vrrp_instance theirs {\n}\n")

	limited := servingRedis()
	limited.Redis[1].MaxMemory = "1gb"
	open := director()
	open.files[keepalived.Dir] = FileState{Mode: fs.ModeDir | 0o777, Owner: "root:root"}

	promoted := bareMachine().hold(servingRedis().Artifacts())
	promoted.servers[1].ReplicaOf = nil

	for name, c := range map[string]struct {
		machine    *machine
		want, gone []Artifact
	}{
		"director-create":           {machine: bareMachine(), want: redisDirector().Artifacts()},
		"director-adopt":            {machine: foreign, want: adopting.Artifacts()[len(adopting.Artifacts())-5:]},
		"director-update":           {machine: director(), want: deviating(raised.Artifacts(), director().snapshot(t))},
		"director-open-folder":      {machine: open, want: deviating(redisDirector().Artifacts(), open.snapshot(t))},
		"director-drain":            {machine: director(), want: deviating(drained.Artifacts(), director().snapshot(t))},
		"director-hash":             {machine: director(), want: deviating(hashDirector().Artifacts(), director().snapshot(t)), gone: Obsolete(redisDirector().Artifacts(), hashDirector().Artifacts())},
		"director-hash-no-more":     {machine: hashing, want: deviating(redisDirector().Artifacts(), hashing.snapshot(t)), gone: Obsolete(hashDirector().Artifacts(), redisDirector().Artifacts())},
		"director-swap":             {machine: director(), want: deviating(swapDirector().Artifacts(), director().snapshot(t)), gone: Obsolete(redisDirector().Artifacts(), swapDirector().Artifacts())},
		"director-swap-no-more":     {machine: swapping, want: deviating(redisDirector().Artifacts(), swapping.snapshot(t)), gone: Obsolete(swapDirector().Artifacts(), redisDirector().Artifacts())},
		"director-no-password":      {machine: director(), want: deviating(noPassword.Artifacts(), director().snapshot(t)), gone: Obsolete(redisDirector().Artifacts(), noPassword.Artifacts())},
		"director-timeouts":         {machine: director(), want: deviating(patientDirector().Artifacts(), director().snapshot(t))},
		"director-timeouts-other":   {machine: patient, want: deviating(lazy.Artifacts(), patient.snapshot(t)), gone: Obsolete(patientDirector().Artifacts(), lazy.Artifacts())},
		"director-timeouts-no-more": {machine: patient, want: deviating(redisDirector().Artifacts(), patient.snapshot(t)), gone: Obsolete(patientDirector().Artifacts(), redisDirector().Artifacts())},
		"director-destroy":          {machine: director(), gone: redisDirector().Artifacts()},
		"realserver-create":         {machine: bareMachine(), want: redisServer().Artifacts()},
		"realserver-destroy":        {machine: bareMachine().hold(redisServer().Artifacts()), gone: redisServer().Artifacts()},
		"redis-create":              {machine: bareMachine(), want: servingRedis().Artifacts()},
		"redis-update":              {machine: bareMachine().hold(servingRedis().Artifacts()), want: deviating(limited.Artifacts(), bareMachine().hold(servingRedis().Artifacts()).snapshot(t))},
		"redis-other-role":          {machine: promoted, want: deviating(servingRedis().Artifacts(), promoted.snapshot(t))},
		"redis-destroy":             {machine: bareMachine().hold(servingRedis().Artifacts()), gone: servingRedis().Artifacts()},
		"vip-create":                {machine: director(), want: redisVIP().Artifacts()},
		"vip-update":                {machine: director().hold(redisVIP().Artifacts()), want: deviating(weighed.Artifacts(), director().hold(redisVIP().Artifacts()).snapshot(t))},
		"vip-update-of-the-port":    {machine: director().hold(redisVIP().Artifacts()), want: deviating(moved.Artifacts(), director().hold(redisVIP().Artifacts()).snapshot(t)), gone: Obsolete(redisVIP().Artifacts(), moved.Artifacts())},
		"director-source-mac":       {machine: director(), want: deviating(macDirector().Artifacts(), director().snapshot(t))},
		"vip-source-mac":            {machine: bareMachine().hold(macDirector().Artifacts()).hold(redisVIP().Artifacts()), want: deviating(macVIP(t).Artifacts(), bareMachine().hold(macDirector().Artifacts()).hold(redisVIP().Artifacts()).snapshot(t))},
		"vip-source-mac-no-more":    {machine: bareMachine().hold(macDirector().Artifacts()).hold(macVIP(t).Artifacts()), gone: Obsolete(macVIP(t).Artifacts(), redisVIP().Artifacts())},
		"vip-destroy":               {machine: director().hold(redisVIP().Artifacts()), gone: redisVIP().Artifacts()},
	} {
		t.Run(name, func(t *testing.T) {
			// As Host.Apply does it: first what stays as it is put, then, if keepalived
			// does not do it by itself, the kernel's tables.
			s := c.machine.snapshot(t)
			settled, kept := splitByKeeper(c.want)
			settledGone, keptGone := splitByKeeper(present(c.gone, s))
			text := rendered(steps(s, settled, settledGone))
			if edit := steps(s, kept, keptGone); len(edit) > 0 {
				text += "\n# unless keepalived does it by itself:\n" + rendered(edit)
			}
			golden(t, "steps-"+name+".golden", text)
		})
	}
}

func TestNothingToDoIsNoStep(t *testing.T) {
	equal(t, "steps", len(steps(bareMachine().snapshot(t), nil, nil)), 0)
}

// TestKeepalivedIsCheckedAndReloadedOnceIffItsFilesChange looks at all mixtures of
// artifacts that are established and removed.
func TestKeepalivedIsCheckedAndReloadedOnceIffItsFilesChange(t *testing.T) {
	all := slices.Concat(redisDirector().Artifacts(), redisServer().Artifacts(), redisVIP().Artifacts())
	there := bareMachine().hold(all).snapshot(t)
	bare := bareMachine().hold([]Artifact{Folder{Path: "/etc/keepalived"}, Folder{Path: keepalived.Dir}}).snapshot(t)
	rapid.Check(t, func(t *rapid.T) {
		s := there
		var want, gone []Artifact
		touched, released := false, false
		for i, a := range all {
			fate := rapid.IntRange(0, 2).Draw(t, fmt.Sprint(i))
			f, isFile := a.(File)
			_, isFolder := a.(Folder)
			touched = touched || isFile && strings.HasPrefix(f.Path, "/etc/keepalived/") && fate > 0 || isFolder && fate == 1
			switch fate {
			case 1:
				want = append(want, a)
			case 2:
				gone = append(gone, a)
				released = released || a == Artifact(Unit{keepalivedUnit})
			}
		}
		if len(gone) == 0 && rapid.Bool().Draw(t, "bare") {
			s = bare
		}
		count := map[string]int{}
		var order []string
		for _, st := range steps(s, want, gone) {
			function := "files"
			if len(st.files) == 0 {
				function = st.words[0]
			}
			count[function]++
			order = append(order, function)
		}
		if count["files"] > 1 {
			t.Fatalf("files change in %d steps: %v", count["files"], order)
		}
		// Once the director goes, the configuration that comes back is not ours
		// to check.
		checks, reloads := 0, 0
		switch {
		case released:
			reloads = 1
		case touched:
			checks, reloads = 1, 1
		}
		equalRapid(t, "check_keepalived", count["check_keepalived"], checks)
		equalRapid(t, "reload_keepalived", count["reload_keepalived"], reloads)
		last := lastIndex(order, "files")
		for _, after := range []string{"check_keepalived", "reload_keepalived", "reload_units", "edit_ipvs", "start_unit", "unload_module"} {
			if first := slices.Index(order, after); first >= 0 && first < last {
				t.Fatalf("%s comes before a file: %v", after, order)
			}
		}
		for _, before := range []string{"stop_unit", "delete_address"} {
			if at := slices.Index(order, before); at > 0 && slices.Index(order, "restore_sysctl") >= 0 && at > slices.Index(order, "restore_sysctl") {
				t.Fatalf("the host may answer for the VIP: %s comes after restore_sysctl: %v", before, order)
			}
		}
		if up, silent := slices.Index(order, "add_address"), lastIndex(order, "set_sysctl"); up >= 0 && up < silent {
			t.Fatalf("the host may answer for the VIP: add_address comes before set_sysctl: %v", order)
		}
	})
}

func lastIndex(list []string, what string) int {
	for i, l := range slices.Backward(list) {
		if l == what {
			return i
		}
	}
	return -1
}

func equalRapid[T comparable](t *rapid.T, what string, got, want T) {
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func TestEveryArgumentReachesTheFunctionAsItIs(t *testing.T) {
	hostile := []string{"", " ", "'", `"`, "\n", "$(touch /tmp/x)", "`id`", "a;b", "-n", "*", "~", "\\", "}", "\t", "ä", "\xff", "#", "!", "0"}
	text := rapid.OneOf(rapid.SampledFrom(hostile), rapid.StringOf(rapid.RuneFrom([]rune("ab'\"\\$`;&|<>(){}[]*?~#! \n\t\r=%-ä"))), rapid.String())
	clean := text.Filter(func(s string) bool { return !strings.ContainsRune(s, 0) })
	lib := `show() { for a in "$@"; do printf '[%s]\n' "$a"; done; echo .; }
begin() { show begin "$@"; }
f() { show f "$@"; }
commit() { echo commit; }
`
	rapid.Check(t, func(t *rapid.T) {
		holder := clean.Draw(t, "holder")
		var todo []step
		want := "[begin]\n[" + holder + "]\n.\n"
		for range rapid.IntRange(1, 20).Draw(t, "calls") {
			args := rapid.SliceOfN(clean, 0, 4).Draw(t, "args")
			todo = append(todo, call("f", args...))
			want += "[f]\n"
			for _, a := range args {
				want += "[" + a + "]\n"
			}
			want += ".\n"
		}
		want += "commit\n"
		text, _ := script(holder, todo)
		cmd := exec.Command("sh", "-c", lib+calls(text))
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		got, err := cmd.CombinedOutput()
		if err != nil || string(got) != want {
			t.Fatalf("%v\n got %q\nwant %q\nof %q", err, got, want, calls(text))
		}
	})
}

func TestStagedFilesAreNamedInTheCallThatNeedsThem(t *testing.T) {
	todo := []step{
		call("seal_secret", "0"),
		{files: []fileChange{
			{path: "/etc/a", expect: "absent", content: []byte("A\x00\xff"), mode: 0o755},
			{path: "/etc/b", expect: "any", remove: true},
		}},
		{words: []string{"edit_ipvs", stagedContent, stagedContent}, staged: [][]byte{[]byte("forth"), []byte("back")}},
	}
	text, members := script("me", todo)
	equal(t, "calls", calls(text), "begin me\nseal_secret 0\ncheck_files 1\nkeep_files 1\nplace_files 1\nremove_files 1\nedit_ipvs staged.2 staged.3\ncommit\n")
	got := unpack(bundle(text, members))
	for name, want := range map[string]string{
		"script": text, "new.1/etc/a": "A\x00\xff", "files.1": "put absent /etc/a\nremove any /etc/b\n", "staged.2": "forth", "staged.3": "back",
	} {
		equal(t, name, got[name], want)
	}
	equal(t, "members", len(got), 5)
	equal(t, "mode of a file", members[0].mode, 0o755)
}

func TestNoSecretIsInTheScript(t *testing.T) {
	d := redisDirector()
	text, members := script("me", steps(bareMachine().snapshot(t), d.Artifacts(), nil))
	if strings.Contains(text, d.Password) {
		t.Error("the script shows the password")
	}
	if !slices.ContainsFunc(members, func(m member) bool { return bytes.Contains(m.content, []byte(d.Password)) && m.mode == 0o600 }) {
		t.Error("positive control: no staged file holds the password")
	}
}

func TestBackupsComeBeforeTheMaster(t *testing.T) {
	master := director().hold(redisVIP().Artifacts())
	master.addresses = append(master.addresses, Address{Device: "eth0", Prefix: redisVIP().Address, Label: "eth0"})
	snapshots := map[string]*Snapshot{
		"a": master.snapshot(t),
		"c": director().hold(redisServer().Artifacts()).hold(redisVIP().Artifacts()).snapshot(t), // its VIP is on lo alone
		"b": bareMachine().hold(redisServer().Artifacts()).snapshot(t),
	}
	equal(t, "order", strings.Join(BackupsFirst(snapshots, vip), " "), "b c a")
}

// In the way of the provider: what it wants of whom, of a VIP that is on them or not yet.
func TestMasterComesFirstWhereAVIPComesOrGoes(t *testing.T) {
	other, second, own := redisVIP(), netip.MustParseAddr("192.0.2.230"), redisVIP()
	other.Address = netip.MustParsePrefix("192.0.2.230/24")
	own.Address, own.VRRP = other.Address, &keepalived.VIPInstance{VirtualRouterID: 52}
	both, without := map[string][]Artifact{"a": nil, "b": nil}, map[string][]Artifact{"b": nil}
	for name, c := range map[string]struct {
		there *VIP
		vip   netip.Addr
		want  map[string][]Artifact
		order string
	}{
		"it comes":               {nil, second, both, "a b"},
		"it comes, of IPv6":      {nil, netip.MustParseAddr("2001:db8::1"), both, "b a"},
		"it stays":               {&other, second, both, "b a"},
		"it goes":                {&other, second, nil, "a b"},
		"the master leaves":      {&other, second, without, "b a"},
		"of its own, it goes":    {&own, second, nil, "a b"}, // which a does not hold
		"the one that they have": {&other, vip, both, "b a"},
	} {
		t.Run(name, func(t *testing.T) {
			snapshots := map[string]*Snapshot{}
			for _, host := range []string{"a", "b"} {
				m := director().hold(redisVIP().Artifacts())
				if c.there != nil {
					m = m.hold(c.there.Artifacts())
				}
				if host == "a" {
					m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: redisVIP().Address, Label: "eth0"})
				}
				snapshots[host] = m.snapshot(t)
			}
			equal(t, "order", strings.Join(Order(snapshots, c.vip, c.want), " "), c.order)
		})
	}
}

func TestShellScriptsPassShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed")
	}
	for _, name := range []string{"redis.sh", "probe.sh", "health.sh", "role.sh", "services.sh", "commit.sh", "transaction.sh", "transact.sh"} {
		if out, err := exec.Command("shellcheck", "-s", "sh", name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	check := exec.Command("shellcheck", "-s", "sh", "-")
	check.Stdin = strings.NewReader(swapText)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("swap.sh: %v\n%s", err, out)
	}
}

// TestFilesThatAreWrittenAreAllProbed keeps probe.sh and the paths that the
// resources write in step: a file that the probe does not tell looks missing.
func TestFilesThatAreWrittenAreAllProbed(t *testing.T) {
	probed := []string{"/etc/keepalived/keepalived.conf", "/etc/keepalived/redislb/*", "/etc/redislb/*", "/etc/sysctl.d/*redislb*", "/etc/modules-load.d/*redislb*", "/etc/systemd/system/redislb-*", "/etc/systemd/system/keepalived.service.d/redislb*", roleNote}
	for _, pattern := range probed {
		if !strings.Contains(probe, pattern) {
			t.Errorf("probe.sh does not read %s", pattern)
		}
	}
	for _, a := range slices.Concat(redisDirector().Artifacts(), swapDirector().Artifacts(), servingRedis().Artifacts(), macVIP(t).Artifacts()) {
		if f, ok := a.(Folder); ok && !strings.Contains(probe, " "+f.Path+"/. ") {
			t.Errorf("probe.sh does not look at %s", f.Path)
		}
		f, ok := a.(File)
		if !ok {
			continue
		}
		if !slices.ContainsFunc(probed, func(p string) bool { m, _ := filepath.Match(p, f.Path); return m }) {
			t.Errorf("%s is written and never read", f.Path)
		}
		if f.Mode&^fs.FileMode(0o777) != 0 {
			t.Errorf("%s: mode %v", f.Path, f.Mode)
		}
		if f.Label == "" && !bytes.Contains(f.Content, []byte(keepalived.ManagedMark)) {
			t.Errorf("%s does not bear the mark %q", f.Path, keepalived.ManagedMark)
		}
	}
}

func TestTableRowIsWhatKeepalivedMakesOfAVirtualServer(t *testing.T) {
	equal(t, "row", redisRow().Canonical(), "-A -t 192.0.2.229:6379 -s rr\n-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n")
	equal(t, "weight 0 is said", redisRow(weighing(serverA, 0)).Destinations[0].Weight, 0)
	equal(t, "key", redisRow().Key, ipvs.Key{Protocol: ipvs.TCP, Address: vip, Port: 6379})
}
