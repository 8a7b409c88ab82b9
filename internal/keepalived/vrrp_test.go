package keepalived_test

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestVRRPOptionsThatDoNotGoTogetherAreRefused(t *testing.T) {
	ip := netip.MustParseAddr
	for want, change := range map[string]func(*keepalived.Director){
		"write whole seconds, or version = 3":            func(d *keepalived.Director) { d.AdvertInterval = 300 * time.Millisecond },
		"to 4m15s":                                       func(d *keepalived.Director) { d.AdvertInterval = 256 * time.Second },
		"to 40.95s":                                      func(d *keepalived.Director) { d.Version3, d.Auth, d.AdvertInterval = true, false, 41*time.Second },
		"in steps of 10ms":                               func(d *keepalived.Director) { d.Version3, d.Auth, d.AdvertInterval = true, false, 15*time.Millisecond },
		"VRRP version 3 has no authentication":           func(d *keepalived.Director) { d.Version3 = true },
		"either a password or auth_hmac":                 func(d *keepalived.Director) { d.HMAC = true },
		"a preemption delay of 15s without preemption":   func(d *keepalived.Director) { d.PreemptDelay = 15 * time.Second },
		"unicast has at least one peer":                  func(d *keepalived.Director) { d.Unicast.Peers = nil },
		"one peer is there twice":                        func(d *keepalived.Director) { d.Unicast.Peers[1] = d.Unicast.Peers[0] },
		"a peer without an address":                      func(d *keepalived.Director) { d.Unicast.Peers[0] = netip.Addr{} },
		"2001:db8::1 is no IPv4 address":                 func(d *keepalived.Director) { d.Unicast.Peers[0] = ip("2001:db8::1") },
		"224.0.0.18 is no IPv4 address":                  func(d *keepalived.Director) { d.Unicast.Source = ip("224.0.0.18") },
		"127.0.0.1 is no IPv4 address":                   func(d *keepalived.Director) { d.Unicast.Peers[0] = ip("127.0.0.1") },
		"both the source and a peer":                     func(d *keepalived.Director) { d.Unicast.Source = d.Unicast.Peers[0] },
		"garp master_delay: 500ms":                       func(d *keepalived.Director) { d.GARP.MasterDelay = 500 * time.Millisecond },
		"garp master_repeat: 0":                          func(d *keepalived.Director) { d.GARP.MasterRepeat = 0 },
		"garp master_refresh: -1s":                       func(d *keepalived.Director) { d.GARP.MasterRefresh = -time.Second },
		"garp master_refresh_repeat: 101":                func(d *keepalived.Director) { d.GARP.MasterRefreshRepeat = 101 },
		"garp lower_prio_delay: 2h0m0s":                  func(d *keepalived.Director) { d.GARP.LowerPrioDelay = 2 * time.Hour },
		"garp lower_prio_repeat: -1":                     func(d *keepalived.Director) { d.GARP.LowerPrioRepeat = -1 },
		`tracked interface "eth0": it is the instance's`: func(d *keepalived.Director) { d.Track.Interfaces[0].Name = "eth0" },
		`"include": keepalived takes`:                    func(d *keepalived.Director) { d.Track.Interfaces[0].Name = "include" },
		`tracked interface "eth1": -254: the weight`:     func(d *keepalived.Director) { d.Track.Interfaces[0].Weight = -254 },
		"of the kind interface have one name":            func(d *keepalived.Director) { d.Track.Interfaces[0].Name = "eth2" },
		`tracked process "a b"`:                          func(d *keepalived.Director) { d.Track.Processes[0].Name = "a b" },
		"has 1 to 15 of the characters":                  func(d *keepalived.Director) { d.Track.Processes[0].Process = "a-process-of-20-chars" },
		"0: the quorum":                                  func(d *keepalived.Director) { d.Track.Processes[0].Quorum = 0 },
		"1h0m1s: the delay":                              func(d *keepalived.Director) { d.Track.Processes[0].Delay = time.Hour + time.Second },
		"of the kind process have one name":              func(d *keepalived.Director) { d.Track.Processes[0].Name = "sshd" },
		`"includer": keepalived takes`:                   func(d *keepalived.Director) { d.Track.Scripts[0].Name = "includer" },
		"a command begins with the path":                 func(d *keepalived.Director) { d.Track.Scripts[0].Command = "check" },
		"with one blank between two":                     func(d *keepalived.Director) { d.Track.Scripts[0].Command = "/bin/sh -c 'exit 0'" },
		"0s: the interval or timeout of a script":        func(d *keepalived.Director) { d.Track.Scripts[0].Interval = 0 },
		"1.5s: the interval or timeout of a script":      func(d *keepalived.Director) { d.Track.Scripts[0].Timeout = 1500 * time.Millisecond },
		"0: the number of runs":                          func(d *keepalived.Director) { d.Track.Scripts[0].Fall = 0 },
		"1001: the number of runs":                       func(d *keepalived.Director) { d.Track.Scripts[0].Rise = 1001 },
		"a user has 1 to 32":                             func(d *keepalived.Director) { d.Track.Scripts[0].User = "no body" },
		"a path is absolute":                             func(d *keepalived.Director) { d.Track.Files[0].Path = "/run/../etc/passwd" },
		"255: the initial value":                         func(d *keepalived.Director) { d.Track.Files[0].Initial = 255 },
		"redislb itself tracks a file of this name":      func(d *keepalived.Director) { d.Track.Files[0].Name = "redislb_drain" },
		"notify_master: ":                                func(d *keepalived.Director) { d.Notify.Master = "/bin/sh;reboot" },
		"notify_stop: ":                                  func(d *keepalived.Director) { d.Notify.Stop = "/bin/" },
	} {
		d := everything(false)
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&d)
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestWhatRenderNeverWritesOfTheVRRPOptionsIsRefusedByLine(t *testing.T) {
	second, third := string(everything(false).Render()), string(everything(true).Render())
	quiet := everything(false)
	quiet.GARP = nil
	silent := string(quiet.Render())
	for want, change := range map[string][3]string{
		"version 3 has no authentication":                     {third, "notify_stop", "include " + keepalived.AuthPath + "\n    notify_stop"},
		`version: "2", expected "3"`:                          {third, "version 3", "version 2"},
		"127.112.0.51/32 is missing":                          {third, "        127.112.0.51/32 dev lo scope host no_track\n", ""},
		"expected [\"dev\" \"lo\"":                            {third, "dev lo", "dev eth0"},
		"127.112.0.52/32: does not belong":                    {third, "127.112.0.51/32", "127.112.0.52/32"},
		"in steps of 10ms":                                    {third, "advert_int 0.3", "advert_int 0.001"},
		"preempt_delay is missing":                            {second, "    nopreempt\n", ""},
		"nopreempt: expected nothing":                         {second, "nopreempt", "nopreempt 1"},
		"a preemption delay of 15s":                           {second, "nopreempt", "nopreempt\n    preempt_delay 15"},
		"unicast_peer is missing":                             {second, "unicast_peer {\n        192.0.2.12\n        192.0.2.13\n    }", ""},
		"unable to parse IP":                                  {second, "        192.0.2.12\n", "        peer\n"},
		"192.0.2.12: expected nothing":                        {second, "        192.0.2.12\n", "        192.0.2.12 min_ttl 255\n"},
		"garp_lower_prio_repeat is missing":                   {second, "    garp_lower_prio_repeat 0\n", ""},
		"garp_master_delay is missing":                        {silent, "garp_master_refresh 5", "garp_master_refresh 7"},
		"expected weight and its number":                      {second, "eth1 weight -50", "eth1"},
		`"x" is no whole number`:                              {second, "eth1 weight -50", "eth1 weight x"},
		"expected a block with one name":                      {second, "vrrp_script ping {", "vrrp_script ping pong {"},
		"interval is missing":                                 {second, "    interval 5\n", ""},
		"quorum is missing":                                   {second, "    quorum 2\n", ""},
		"init_file is missing":                                {second, "    init_file 0\n", ""},
		`track_script has ["ping"], but`:                      {second, "        ready\n", ""},
		`track_file has ["drain" "lean" "redislb_drain" "x"]`: {second, "        lean\n", "        lean\n        x\n"},
		`track_process has ["redis" "redis"]`:                 {second, "        sshd\n", "        redis\n"},
		"ping: expected nothing":                              {second, "        ping\n", "        ping weight 3\n"},
		"notify_master: expected one value":                   {second, `notify_master "/usr/local/bin/notify --state=master"`, "notify_master /usr/local/bin/notify root"},
		"line 75: track_interface: is there twice":            {second, "    track_script {", "    track_interface {\n    }\n    track_script {"},
	} {
		text := strings.Replace(change[0], change[1], change[2], 1)
		if text == change[0] {
			t.Fatalf("%q is not there", change[1])
		}
		if d, err := keepalived.ParseDirector([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, error %v, want %q in it", d, err, want)
		}
	}
}

// A configuration without any statement of gratuitous ARP is one that an older redislb wrote.
func TestOfGratuitousARPOnlyWhatKeepalivedWouldNotDoIsWritten(t *testing.T) {
	unrefreshed := keepalived.DefaultGARP
	unrefreshed.MasterRefresh = 0
	other := keepalived.DefaultGARP
	other.MasterRepeat = 3
	for name, c := range map[string]struct {
		garp *keepalived.GARP
		want []string
	}{
		"silent":      {nil, []string{"garp_master_refresh 5"}},
		"unrefreshed": {&unrefreshed, nil},
		"other": {&other, []string{
			"garp_master_delay 5", "garp_master_repeat 3", "garp_master_refresh 5", "garp_master_refresh_repeat 1",
			"garp_lower_prio_delay 5", "garp_lower_prio_repeat 5",
		}},
	} {
		d := everything(false)
		d.GARP = c.garp
		text := d.Render()
		var written []string
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "garp_") {
				written = append(written, line)
			}
		}
		if !slices.Equal(written, c.want) {
			t.Errorf("%s: %q is written, want %q", name, written, c.want)
		}
		back, err := keepalived.ParseDirector(text)
		if err != nil || !reflect.DeepEqual(back.GARP, c.garp) {
			t.Errorf("%s: %+v comes back, error %v", name, back.GARP, err)
		}
	}
}

func TestOrderOfTrackedThingsDoesNotMatter(t *testing.T) {
	one, two := everything(false), everything(false)
	swap(two.Track.Interfaces)
	swap(two.Track.Processes)
	swap(two.Track.Scripts)
	swap(two.Track.Files)
	swap(two.Unicast.Peers)
	if a, b := string(one.Render()), string(two.Render()); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}

func swap[T any](pair []T) { pair[0], pair[1] = pair[1], pair[0] }
