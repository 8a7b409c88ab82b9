package ipvs_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parseProc(t testing.TB, text string) ipvs.Table {
	t.Helper()
	table, err := ipvs.ParseProc([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func parseSave(t testing.TB, text string) ipvs.Table {
	t.Helper()
	table, err := ipvs.ParseSave([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func expect(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestProcIsPrintedInTheWordsOfIpvsadm(t *testing.T) {
	expect(t, parseProc(t, string(read(t, "proc.txt"))).Canonical(), `-A -u 192.0.2.229:53 -s rr -o
-a -u 192.0.2.229:53 -r 192.0.2.12:53 -m -w 1
-A -t 192.0.2.229:6379 -s mh
-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 0
-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1
-A -t 192.0.2.230:443 -s wlc -p ? -M 255.255.255.0
-A -t 192.0.2.231:80 -s sh -p ?
-A -t [2001:db8::229]:6379 -s rr -p ? -M 64
-a -t [2001:db8::229]:6379 -r [2001:db8::11]:6379 -g -w 5
-A -f 3 -s rr
-a -f 3 -r 192.0.2.11:0 -g -w 1
-A -f 2147483649 -6 -s wrr -p ?
-a -f 2147483649 -6 -r [2001:db8::12]:0 -i -w 2
`)
}

func TestProcAndSaveOfOneMachineMergeToTheSave(t *testing.T) {
	proc, save := parseProc(t, string(read(t, "proc.txt"))), parseSave(t, string(read(t, "save.txt")))
	expect(t, ipvs.Merge(proc, save).Canonical(), save.Canonical())
}

func TestMergeKeepsTheRowsAndCountersOfProc(t *testing.T) {
	proc := parseProc(t, string(read(t, "proc.txt")))
	merged := ipvs.Merge(proc, nil)
	expect(t, merged.Canonical(), proc.Canonical())

	save := parseSave(t, string(read(t, "save.txt"))+"-A -t 203.0.113.1:80 -s rr\n")
	merged = ipvs.Merge(proc, save)
	if len(merged) != len(proc) {
		t.Errorf("%d services, want the %d of /proc", len(merged), len(proc))
	}
	service, _ := merged.Service(ipvs.Key{Address: netip.MustParseAddr("192.0.2.229"), Port: 6379})
	local, ok := service.Destination(netip.MustParseAddrPort("192.0.2.11:6379"))
	if !ok || local.ActiveConns != 12 || local.InactConns != 345 {
		t.Errorf("counters of %+v, want 12 and 345", local)
	}
}

func TestLocalOfTheSeedsKernelIsDirectRouting(t *testing.T) {
	expect(t, parseProc(t, string(read(t, "proc-seed.txt"))).Canonical(), `-A -t 192.168.81.229:6379 -s rr
-a -t 192.168.81.229:6379 -r 192.168.81.51:6379 -g -w 1
-a -t 192.168.81.229:6379 -r 192.168.81.234:6379 -g -w 1
`)
}

func TestOrderCaseLocalHexAndCountersMakeNoDifference(t *testing.T) {
	one := parseProc(t, "TCP  C00002E5:18EB sh \n"+
		"  -> C000020C:18EB      Route   1      3          0         \n"+
		"  -> C000020B:18EB      Local   1      12         345       \n"+
		"FWM  00000003 rr \n")
	two := parseSave(t, "-A -f 3 -s rr\n-A -t 192.0.2.229:6379 -s sh\n"+
		"-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -w 1\n-a -t 192.0.2.229:6379 -w 1 -g -r 192.0.2.12:6379\n")
	if !one.Equal(two) {
		t.Errorf("not equal:\n%s\n%s", one, two)
	}
	if lower := parseProc(t, "TCP  c00002e5:18eb sh\n"); !lower.Equal(parseProc(t, "TCP  C00002E5:18EB sh \n")) {
		t.Errorf("lower case differs: %s", lower)
	}
	three := parseSave(t, "-A -t 192.0.2.229:6379 -s sh -b sh-port,sh-fallback")
	if !three.Equal(parseSave(t, "-A -t 192.0.2.229:6379 -b sh-fallback,sh-port -s sh")) {
		t.Error("the order of flags makes a difference")
	}
}

func TestEachRealDifferenceIsOne(t *testing.T) {
	base := "-A -t 192.0.2.229:6379 -s rr\n-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n"
	for name, other := range map[string]string{
		"weight":         strings.Replace(base, "-w 1", "-w 0", 1),
		"scheduler":      strings.Replace(base, "-s rr", "-s wrr", 1),
		"forwarding":     strings.Replace(base, "-g", "-m", 1),
		"protocol":       strings.ReplaceAll(base, "-t", "-u"),
		"persistence":    strings.Replace(base, "-s rr", "-s rr -p 300", 1),
		"flags":          strings.Replace(base, "-s rr", "-s rr -b flag-1", 1),
		"threshold":      strings.Replace(base, "-w 1", "-w 1 -x 10", 1),
		"no service":     "",
		"no real server": "-A -t 192.0.2.229:6379 -s rr\n",
	} {
		if parseSave(t, base).Equal(parseSave(t, other)) {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func TestSaveIsReadAsIpvsadmReadsIt(t *testing.T) {
	for input, want := range map[string]string{
		"":                            "",
		"# a\n \n":                    "",
		"-A -t 192.0.2.1:80":          "-A -t 192.0.2.1:80 -s wlc\n",
		"-A -t 192.0.2.1:80 -s rr -p": "-A -t 192.0.2.1:80 -s rr -p 360\n",
		"-A -t 192.0.2.1:80 -s rr -p -M 255.255.0.0":                    "-A -t 192.0.2.1:80 -s rr -p 360 -M 255.255.0.0\n",
		"-A --sctp-service 192.0.2.1:80 -s rr":                          "-A --sctp-service 192.0.2.1:80 -s rr\n",
		"-A -f 7 -s rr\n-a -f 7 -r 192.0.2.2:0 -i -w 3 --tun-type ipip": "-A -f 7 -s rr\n-a -f 7 -r 192.0.2.2:0 -i -w 3\n",
		"-A -t [2001:DB8:0:0::1]:80 -s rr -p 5 -M 128":                  "-A -t [2001:db8::1]:80 -s rr -p 5\n",
	} {
		expect(t, parseSave(t, input).Canonical(), want)
	}
}

func TestErrorsSayLineAndText(t *testing.T) {
	proc := func(s string) error { _, err := ipvs.ParseProc([]byte(s)); return err }
	save := func(s string) error { _, err := ipvs.ParseSave([]byte(s)); return err }
	for _, c := range []struct {
		parse       func(string) error
		input, want string
	}{
		{proc, "\nTCP  C00002E5 rr", `line 2: "TCP  C00002E5 rr": "C00002E5" has no port`},
		{proc, "TCP  C00002E5:1 rr", "four hex digits"},
		{proc, "TCP  C00002:18EB rr", "eight hex digits"},
		{proc, "TCP  [192.0.2.1]:18EB rr", "no IPv6 address"},
		{proc, "TCP  [fe80::1%eth0]:18EB rr", "no IPv6 address"},
		{proc, "TCP  C00002E5:18EB", "a service has"},
		{proc, "ICMP C00002E5:18EB rr", "unknown protocol"},
		{proc, "TCP  C00002E5:18EB rr wat", `unknown flag "wat"`},
		{proc, "TCP  C00002E5:18EB rr persistent 1", "unknown flag"},
		{proc, "TCP  C00002E5:18EB rr persistent x FFFFFFFF", "jiffies"},
		{proc, "TCP  [2001:db8::1]:18EB rr persistent 1 12345678", "no IPv6 persistence mask"},
		{proc, "FWM  00000000 rr", "no firewall mark"},
		{proc, "  -> C000020C:18EB Route 1 0 0", "before any service"},
		{proc, "TCP  C00002E5:18EB rr\n  -> C000020C:18EB Wat 1 0 0", "unknown forwarding"},
		{proc, "TCP  C00002E5:18EB rr\n  -> C000020C:18EB Route 1 0", "two counters"},
		{proc, "TCP  C00002E5:18EB rr\n  -> C000020C:18EB Route one 0 0", `"one" is no number`},
		{save, "\n-X", `line 2: "-X": expected -A or -a`},
		{save, "-A", "no service"},
		{save, "-A -z 192.0.2.1:80", "unknown service option"},
		{save, "-A -t localhost:80 -s rr", "no numeric address"},
		{save, "-A -t 192.0.2.1:redis -s rr", "no numeric address"},
		{save, "-A -t [fe80::1%eth0]:80 -s rr", "no numeric address"},
		{save, "-A -t 192.0.2.1:80 -s", "-s has no value"},
		{save, "-A -t 192.0.2.1:80 -p 0", "no timeout"},
		{save, "-A -t 192.0.2.1:80 -p -M 8", "no netmask"},
		{save, "-A -t 192.0.2.1:80 -M 255.0.0.0", "-M without -p"},
		{save, "-A -t 192.0.2.1:80 --wat 1", "unknown option"},
		{save, "-A -f 0 -s rr", "no firewall mark"},
		{save, "-A -f 9999999999 -s rr", "no firewall mark"},
		{save, "-A -t 192.0.2.1:80\n-A -t 192.0.2.1:80", "there twice"},
		{save, "-a -t 192.0.2.1:80 -r 192.0.2.2:80", "no -A line"},
		{save, "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -g", "no -r"},
		{save, "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.2:80 -w -1", "no number"},
		{save, "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.2:80\n-a -t 192.0.2.1:80 -r 192.0.2.2:80", "line 3"},
	} {
		if err := c.parse(c.input); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q in it", c.input, err, c.want)
		}
	}
}

func TestFamilyOfAFirewallMarkIsReadFromWhatItHas(t *testing.T) {
	for input, want := range map[string]string{
		"FWM  00000003 rr \n": "-A -f 3 -s rr\n",
		"FWM  00000003 rr \n  -> C000020B:0000      Route   1      0          0\n":                                  "-A -f 3 -s rr\n-a -f 3 -r 192.0.2.11:0 -g -w 1\n",
		"FWM  00000003 rr \n  -> [2001:0db8:0000:0000:0000:0000:0000:0011]:0000      Route   1      0          0\n": "-A -f 3 -6 -s rr\n-a -f 3 -6 -r [2001:db8::11]:0 -g -w 1\n",
		"FWM  00000003 rr persistent 90000 80000000\n":                                                              "-A -f 3 -6 -s rr -p ?\n",       // little-endian
		"FWM  00000003 rr persistent 90000 00000040\n":                                                              "-A -f 3 -6 -s rr -p ? -M 64\n", // big-endian
		"FWM  00000003 rr persistent 90000 FFFFFFFF\n":                                                              "-A -f 3 -s rr -p ?\n",
	} {
		expect(t, parseProc(t, input).Canonical(), want)
	}
}

func TestKeysReadAsPeopleSayThem(t *testing.T) {
	for want, key := range map[string]ipvs.Key{
		"tcp 192.0.2.229:6379": {Address: netip.MustParseAddr("192.0.2.229"), Port: 6379},
		"udp [2001:db8::1]:53": {Protocol: ipvs.UDP, Address: netip.MustParseAddr("2001:db8::1"), Port: 53},
		"fwmark 3":             {FWMark: 3},
		"fwmark 3 ipv6":        {FWMark: 3, IPv6: true},
	} {
		expect(t, key.String(), want)
	}
}
