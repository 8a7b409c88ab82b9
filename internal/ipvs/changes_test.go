package ipvs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"pgregory.net/rapid"
)

func TestChangesAreTheFewestLines(t *testing.T) {
	const service = "-A -t 192.0.2.229:6379 -s rr\n"
	const a = "-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n"
	const b = "-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"
	for name, c := range map[string]struct{ have, want, lines string }{
		"nothing at all":      {"", "", ""},
		"nothing to do":       {service + a + b, service + b + a, ""},
		"new service":         {"", service + a, service + a},
		"deleted service":     {service + a, "", "-D -t 192.0.2.229:6379\n"},
		"scheduler in place":  {service + a, strings.Replace(service, "rr", "wlc", 1) + a, "-E -t 192.0.2.229:6379 -s wlc\n"},
		"flags in place":      {service, strings.Replace(service, "rr", "mh -b mh-port", 1), "-E -t 192.0.2.229:6379 -s mh -b mh-port\n"},
		"weight in place":     {service + a + b, service + a + strings.Replace(b, "-w 1", "-w 0", 1), "-e -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 0\n"},
		"forwarding in place": {service + a, service + strings.Replace(a, "-g", "-m", 1), "-e -t 192.0.2.229:6379 -r 192.0.2.11:6379 -m -w 1\n"},
		"missing real server": {service + a, service + a + b, b},
		"rogue real server":   {service + a + b, service + a, "-d -t 192.0.2.229:6379 -r 192.0.2.12:6379\n"},
		"swap adds first":     {service + a, service + b, b + "-d -t 192.0.2.229:6379 -r 192.0.2.11:6379\n"},
		"another key":         {service, strings.Replace(service, "-t", "-u", 1), "-A -u 192.0.2.229:6379 -s rr\n-D -t 192.0.2.229:6379\n"},
		"mark of IPv6":        {"-A -f 3 -6 -s rr", "-A -f 3 -6 -s rr\n-a -f 3 -6 -r [2001:db8::1]:0", "-a -f 3 -6 -r [2001:db8::1]:0 -g -w 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := ipvs.Changes(only(parseSave(t, c.have)), only(parseSave(t, c.want)))
			got := ""
			if len(lines) > 0 {
				got = strings.Join(lines, "\n") + "\n"
			}
			expect(t, got, c.lines)
		})
	}
}

func only(table ipvs.Table) *ipvs.Service {
	if len(table) == 0 {
		return nil
	}
	return &table[0]
}

// kernel is a model of ipvsadm -R and the kernel behind it: rows by service and
// real server, with their words, and for each row how often it was made, so
// that a row deleted and added again shows.
type kernel struct {
	services map[string]string
	rows     map[string]map[string]string
	made     map[string]int
}

func (k *kernel) apply(line string) error {
	words := strings.Fields(line)
	n := 3
	if words[1] == "-f" && len(words) > 3 && words[3] == "-6" {
		n = 4
	}
	service, rest := strings.Join(words[1:n], " "), words[n:]
	_, exists := k.services[service]
	if exists == (words[0] == "-A") {
		return fmt.Errorf("%s: service exists: %t", line, exists)
	}
	if strings.Contains("-A -E -D", words[0]) {
		switch words[0] {
		case "-D":
			delete(k.services, service)
			delete(k.rows, service)
			return nil
		case "-A":
			k.rows[service] = map[string]string{}
			k.made[service]++
		}
		k.services[service] = strings.Join(rest, " ")
		return nil
	}
	if rest[0] != "-r" {
		return fmt.Errorf("%s: no real server", line)
	}
	server := rest[1]
	_, exists = k.rows[service][server]
	if exists == (words[0] == "-a") {
		return fmt.Errorf("%s: real server exists: %t", line, exists)
	}
	switch words[0] {
	case "-d":
		delete(k.rows[service], server)
		return nil
	case "-a":
		k.made[service+" "+server]++
	}
	k.rows[service][server] = strings.Join(rest[2:], " ")
	return nil
}

func (k *kernel) save() string {
	var b strings.Builder
	for service, words := range k.services {
		fmt.Fprintf(&b, "-A %s %s\n", service, words)
		for server, words := range k.rows[service] {
			fmt.Fprintf(&b, "-a %s -r %s %s\n", service, server, words)
		}
	}
	return b.String()
}

func TestChangesTurnAnyServiceIntoAnyOtherInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have, want := drawService(t, "have"), drawService(t, "want")
		if rapid.Bool().Draw(t, "same key") {
			want.Key, want.PersistenceMask = have.Key, have.PersistenceMask
			want.Persistent = want.Persistent || want.PersistenceMask != ""
			want.PersistenceTimeout = max(want.PersistenceTimeout, time.Second)
		}
		from, to := &have, &want
		switch rapid.IntRange(0, 9).Draw(t, "absent") {
		case 0:
			from = nil
		case 1:
			to = nil
		case 2:
			to = from
		}

		k := kernel{services: map[string]string{}, rows: map[string]map[string]string{}, made: map[string]int{}}
		for _, line := range ipvs.Changes(nil, from) {
			if err := k.apply(line); err != nil {
				t.Fatal(err)
			}
		}
		lines := ipvs.Changes(from, to)
		for _, line := range lines {
			if err := k.apply(line); err != nil {
				t.Fatalf("%v in %q", err, lines)
			}
		}
		after, err := ipvs.ParseSave([]byte(k.save()))
		if err != nil {
			t.Fatal(err)
		}
		wanted := ipvs.Table{}
		if to != nil {
			wanted = append(wanted, *to)
		}
		if !after.Equal(wanted) {
			t.Fatalf("after %q:\n%s\nwant:\n%s", lines, after, wanted)
		}
		for row, times := range k.made {
			if times > 1 {
				t.Fatalf("%s was made %d times by %q", row, times, lines)
			}
		}
		if from != nil && to != nil && from.Equal(*to) != (len(lines) == 0) {
			t.Fatalf("equal %t, but changes %q", from.Equal(*to), lines)
		}
		if slices.Contains(lines, "") {
			t.Fatalf("empty line in %q", lines)
		}
	})
}
