package ipvs_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
)

// again is what ipvsadm would be told of the table, and print of it. A service
// whose timeout is not known gets one.
func again(t *testing.T, table ipvs.Table) ipvs.Table {
	t.Helper()
	printed := strings.ReplaceAll(table.Canonical(), " -p ?", " -p 300")
	read, err := ipvs.ParseSave([]byte(printed))
	if err != nil {
		t.Fatalf("%v in\n%s", err, printed)
	}
	if got := read.Canonical(); got != printed {
		t.Fatalf("%sbecame\n%s", printed, got)
	}
	return read
}

func FuzzParseProc(f *testing.F) {
	f.Add(read(f, "proc.txt"))
	f.Add(read(f, "proc-seed.txt"))
	f.Add([]byte("FWM  00000001 rr persistent 1 80000000\n"))
	f.Add([]byte("->"))
	f.Add([]byte("TCP  C00002E5:18EB rr\n  -> C000020B:18EB      Route   -1     0          0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ipvs.ParseProc(data)
		if err != nil {
			return
		}
		if ipvs.Merge(table, table).Canonical() != table.Canonical() {
			t.Errorf("merging %s with itself changes it", table)
		}
		if !distinct(table) {
			return
		}
		again(t, table)
		for i := range table {
			if lines := ipvs.Changes(&table[i], &table[i]); len(lines) != 0 {
				t.Errorf("changes from a service to itself: %q", lines)
			}
		}
	})
}

// distinct tells a table that was read while it changed, and so twice in part.
func distinct(table ipvs.Table) bool {
	services, servers := map[ipvs.Key]bool{}, map[ipvs.Key]map[netip.AddrPort]bool{}
	for _, s := range table {
		if services[s.Key] {
			return false
		}
		services[s.Key], servers[s.Key] = true, map[netip.AddrPort]bool{}
		for _, d := range s.Destinations {
			if servers[s.Key][d.Endpoint()] {
				return false
			}
			servers[s.Key][d.Endpoint()] = true
		}
	}
	return true
}

func FuzzParseSave(f *testing.F) {
	f.Add(read(f, "save.txt"))
	f.Add([]byte("-A -t 192.0.2.1:80 -p"))
	f.Add([]byte("-A -f 1 -6\n-a -f 1 -6 -r [::1]:0 -i"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ipvs.ParseSave(data)
		if err != nil {
			return
		}
		if !distinct(table) {
			t.Errorf("a row is there twice: %s", table)
		}
		if once := again(t, table); !reflect.DeepEqual(again(t, once), once) {
			t.Errorf("%s is not read as it is printed", once)
		}
	})
}

func FuzzMerge(f *testing.F) {
	f.Add(read(f, "proc.txt"), read(f, "save.txt"))
	f.Add([]byte("FWM  00000003 rr persistent 75000 FFFFFFFF"), []byte("-A -f 3 -6 -s rr -p 300 -M 64"))
	f.Add([]byte("FWM  00000001 rr persistent 75000 00000000"), []byte("-A -f 1 -6 -s rr"))
	f.Fuzz(func(t *testing.T, proc, save []byte) {
		have, err := ipvs.ParseProc(proc)
		if err != nil {
			return
		}
		more, err := ipvs.ParseSave(save)
		if err != nil {
			return
		}
		merged := ipvs.Merge(have, more)
		if twice := ipvs.Merge(merged, more); !reflect.DeepEqual(twice, merged) {
			t.Fatalf("merged once:\n%stwice:\n%s", merged, twice)
		}
		if len(merged) != len(have) {
			t.Fatalf("%d services of %d", len(merged), len(have))
		}
		for i, s := range merged {
			was := have[i]
			if s.FWMark != 0 { // whose family /proc may not say
				s.IPv6 = was.IPv6
			}
			if s.Key != was.Key || s.Scheduler != was.Scheduler || s.Persistent != was.Persistent || len(s.Destinations) != len(was.Destinations) {
				t.Errorf("%sbecame\n%s", was, s)
			}
			for j, d := range s.Destinations {
				d.Tunnel = ""
				if d != was.Destinations[j] {
					t.Errorf("%+v became %+v", was.Destinations[j], d)
				}
			}
		}
		if distinct(merged) {
			again(t, merged)
		}
	})
}

func FuzzChanges(f *testing.F) {
	f.Add(read(f, "save.txt"), []byte{})
	f.Add(read(f, "save.txt"), read(f, "save.txt"))
	f.Add([]byte("-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 192.0.2.2:80\n-A -f 3 -6"),
		[]byte("-A -t 192.0.2.1:80 -s mh -b mh-port\n-a -t 192.0.2.1:80 -r 192.0.2.3:80 -i --tun-type gre\n-A -f 3"))
	f.Fuzz(func(t *testing.T, from, to []byte) {
		have, err := ipvs.ParseSave(from)
		if err != nil {
			return
		}
		want, err := ipvs.ParseSave(to)
		if err != nil {
			return
		}
		k := kernel{services: map[string]string{}, rows: map[string]map[string]string{}, made: map[string]int{}}
		apply := func(have, want *ipvs.Service) {
			for _, line := range ipvs.Changes(have, want) {
				if err := k.apply(line); err != nil {
					t.Fatalf("%v on the way from\n%sto\n%s", err, from, to)
				}
			}
		}
		for i := range have {
			apply(nil, &have[i])
		}
		for i, s := range have {
			if _, ok := want.Service(s.Key); !ok {
				apply(&have[i], nil)
			}
		}
		for i, s := range want {
			if old, ok := have.Service(s.Key); ok {
				apply(&old, &want[i])
			} else {
				apply(nil, &want[i])
			}
		}
		after, err := ipvs.ParseSave([]byte(k.save()))
		if err != nil {
			t.Fatal(err)
		}
		if !after.Equal(want) {
			t.Errorf("the table is\n%swant\n%s", after, want)
		}
		for row, times := range k.made {
			if times > 1 {
				t.Errorf("%s was taken down on the way", row)
			}
		}
	})
}
