package ipvs_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

// list.txt and save.txt are of one table.
func TestListSaysWhatSaveSaysButForTheOptionsOfTunnels(t *testing.T) {
	list, counted, err := ipvs.ParseText(string(read(t, "list.txt")))
	if err != nil || !counted {
		t.Fatal(counted, err)
	}
	save, counted, err := ipvs.ParseText("# by ipvsadm -Sn\n\n" + string(read(t, "save.txt")))
	if err != nil || counted {
		t.Fatal(counted, err)
	}
	expect(t, list.Canonical(), strings.ReplaceAll(save.Canonical(), " --tun-type gue --tun-port 6080 --tun-nocsum", ""))
	redis, _ := list.Service(ipvs.Key{Address: netip.MustParseAddr("192.0.2.229"), Port: 6379})
	d, _ := redis.Destination(netip.MustParseAddrPort("192.0.2.11:6379"))
	if d.ActiveConns != 12 || d.InactConns != 345 {
		t.Errorf("got %d active and %d inactive connections, want 12 and 345", d.ActiveConns, d.InactConns)
	}
}

func TestTextWithoutRowsIsAnEmptyTable(t *testing.T) {
	for _, text := range []string{"", "\n \n# nothing\n", string(read(t, "list.txt"))[:44]} {
		if table, _, err := ipvs.ParseText(text); err != nil || len(table) != 0 {
			t.Errorf("%q: got %v, %v", text, table, err)
		}
	}
}

func TestListThatCannotBeReadIsAnErrorThatNamesTheLine(t *testing.T) {
	for _, line := range []string{
		"TCP  C00002E5:18EB rr",
		"TCP  redis.example:6379 rr",
		"TCP  192.0.2.229:6379",
		"FWM  0 rr",
		"FWM  3 IPv6",
		"ICMP 192.0.2.229:0 rr",
		"UDP  192.0.2.229:53 rr sticky",
		"UDP  192.0.2.229:53 rr sticky 3",
		"UDP  192.0.2.229:53 rr persistent 0",
		"UDP  192.0.2.229:53 rr persistent 3 mask 64",
		"TCP  192.0.2.1:1 rr",
		"  -> 192.0.2.9:1                 Route   1      0",
		"  -> 192.0.2.9:1                 Route   1      0          x",
		"  -> 192.0.2.9:1                 Bounce  1      0          0",
		"  -> host:1                      Route   1      0          0",
		"  -> 192.0.2.8:1                 Route   1      0          0",
		"  -> 192.0.2.9:1                 0       1      0          0          0", // --stats
		"nonsense",
	} {
		table, _, err := ipvs.ParseText("TCP  192.0.2.1:1 rr\n  -> 192.0.2.8:1 Route 1 0 0\n" + line + "\n")
		if err == nil || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%q: got %v, %v", line, table, err)
		}
	}
	if _, _, err := ipvs.ParseText("  -> 192.0.2.8:1 Route 1 0 0"); err == nil {
		t.Error("a real server without a service was read")
	}
}

func FuzzParseText(f *testing.F) {
	f.Add(string(read(f, "list.txt")))
	f.Add(string(read(f, "save.txt")))
	f.Add("TCP")
	f.Fuzz(func(t *testing.T, text string) {
		if table, _, err := ipvs.ParseText(text); err == nil {
			again(t, table)
		}
	})
}

func TestCountersOfAllServicesAreRead(t *testing.T) {
	const text = "   Total Incoming Outgoing         Incoming         Outgoing\n   Conns  Packets  Packets            Bytes            Bytes\n      1F       A0        0             FFFF                0\n\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n       1        2        3                4                5\n"
	got, err := ipvs.ParseStats([]byte(text))
	if want := (ipvs.Stats{Connections: 31, IncomingPackets: 160, IncomingBytes: 65535}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "a\nb", "a\nb\n1 2 3 4", "a\nb\n1 2 3 4 x"} {
		if got, err := ipvs.ParseStats([]byte(bad)); err == nil {
			t.Errorf("%q: got %+v", bad, got)
		}
	}
}
