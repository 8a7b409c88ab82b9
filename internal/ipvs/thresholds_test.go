package ipvs_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

const thresholds = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn
  -> RemoteAddress:Port
TCP  192.0.2.229:6379 rr
  -> 192.0.2.11:6379              1000       900        2          7
  -> 192.0.2.12:6379              0          0          0          0
  -> 192.0.2.13:6379              1          0          0          0
UDP  192.0.2.9:53 rr
  -> 192.0.2.11:53                5          0          0          0
TCP  [2001:db8::229]:6379 rr persistent 60
  -> [2001:db8::11]:6379          4294967295 1          0          0
FWM  7 rr
  -> 192.0.2.11:0                 3          2          0          0
`

func TestThresholdsAreAddedToTheRowsThatAreThere(t *testing.T) {
	at := netip.MustParseAddrPort
	service := func(key ipvs.Key, servers ...string) ipvs.Service {
		s := ipvs.Service{Key: key, Scheduler: "rr"}
		for _, r := range servers {
			s.Destinations = append(s.Destinations, ipvs.Destination{Address: at(r).Addr(), Port: at(r).Port(), Weight: 1})
		}
		return s
	}
	table := ipvs.Table{
		service(ipvs.Key{Address: netip.MustParseAddr("192.0.2.229"), Port: 6379}, "192.0.2.11:6379", "192.0.2.12:6379"),
		service(ipvs.Key{Address: netip.MustParseAddr("2001:db8::229"), Port: 6379}, "[2001:db8::11]:6379"),
		service(ipvs.Key{FWMark: 7, IPv6: true}, "192.0.2.11:0"),
	}
	if err := table.AddThresholds([]byte(thresholds)); err != nil {
		t.Fatal(err)
	}
	want := `-A -t 192.0.2.229:6379 -s rr
-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1 -x 1000 -y 900
-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1
-A -t [2001:db8::229]:6379 -s rr
-a -t [2001:db8::229]:6379 -r [2001:db8::11]:6379 -g -w 1 -x 4294967295 -y 1
-A -f 7 -6 -s rr
-a -f 7 -6 -r 192.0.2.11:0 -g -w 1 -x 3 -y 2
`
	if got := table.Canonical(); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestBrokenThresholdsNameTheirLine(t *testing.T) {
	for from, to := range map[string]string{
		"TCP  192.0.2.229":                   "TCX  192.0.2.229",
		"192.0.2.229:6379 rr":                "redis:6379 rr",
		"192.0.2.11:6379":                    "a:6379",
		"1000       900":                     "1000       x",
		"1000       900        2          7": "1000",
	} {
		table := ipvs.Table{{Key: ipvs.Key{Address: netip.MustParseAddr("192.0.2.229"), Port: 6379}}}
		if err := table.AddThresholds([]byte(strings.Replace(thresholds, from, to, 1))); err == nil || !strings.Contains(err.Error(), "--thresholds line ") {
			t.Errorf("%s: error %v", to, err)
		}
	}
}

func FuzzThresholds(f *testing.F) {
	f.Add([]byte(thresholds))
	f.Fuzz(func(t *testing.T, data []byte) {
		table := ipvs.Table{{Key: ipvs.Key{Address: netip.MustParseAddr("192.0.2.229"), Port: 6379},
			Destinations: []ipvs.Destination{{Address: netip.MustParseAddr("192.0.2.11"), Port: 6379}}}}
		_ = table.AddThresholds(data)
		if len(table) != 1 || len(table[0].Destinations) != 1 {
			t.Errorf("%v", table)
		}
	})
}
