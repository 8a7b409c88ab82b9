package host

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// A run of health.sh is one life of a keepalived with its reloads: each starts the
// script again, with what it says until the next.
func healthNotes(t *testing.T, root string, lives ...[]string) string {
	t.Helper()
	text := strings.NewReplacer("/run/", root+"/run/", "/etc/", root+"/etc/", "/proc/", root+"/proc/").Replace(string(healthScript))
	for _, path := range []string{"health.sh", "proc/uptime"} {
		content := map[string]string{"health.sh": text, "proc/uptime": "100.42 7.00\n"}[path]
		if err := errors.Join(os.MkdirAll(filepath.Join(root, "proc"), 0o755), os.WriteFile(filepath.Join(root, path), []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	pids := map[string]string{}
	for i, life := range lives {
		parent := "echo $$\n"
		for j, words := range life {
			before, says, _ := strings.Cut(words, "\n") // a command before the (re)start
			fifo := filepath.Join(root, fmt.Sprintf("fifo.%d.%d", i, j))
			if err := os.WriteFile(fifo, []byte(says), 0o600); err != nil {
				t.Fatal(err)
			}
			parent += before + "\nsh " + root + "/health.sh " + fifo + "\n"
		}
		cmd := exec.Command("sh", "-c", parent+"exit")
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		pids[strings.TrimSpace(string(out))] = fmt.Sprintf("PID%d", i)
	}
	notes, err := filepath.Glob(root + "/run/redislb/health/*")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, note := range notes {
		content, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		pid, verdict, _ := strings.Cut(string(content), " ")
		got += filepath.Base(note) + " " + pids[pid] + " " + verdict
	}
	return got
}

func TestVerdictsAreNotedBesideTheProcessThatSaidThem(t *testing.T) {
	lines := "\nVS [192.0.2.229]:tcp:6379 UP\n" +
		"RS [192.0.2.11]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\n" +
		"RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\n" +
		"RS [2001:db8::2]:udp:53 [2001:db8::1]:udp:53 DOWN\n" +
		"RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 UP\n" +
		"VS [192.0.2.229]:tcp:6379 DOWN\n"
	equal(t, "notes", healthNotes(t, t.TempDir(), []string{lines}), "[192.0.2.229]:tcp:6379 PID0 DOWN\n"+
		"[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 PID0 DOWN\n"+
		"[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 PID0 UP\n"+
		"[2001:db8::1]:udp:53_[2001:db8::2]:udp:53 PID0 DOWN\n")
}

// Whoever reads a note takes its time for since when it is so.
func TestNoteThatSaysTheSameIsNotWrittenAgain(t *testing.T) {
	root := t.TempDir()
	const server, down = "RS [192.0.2.11]:tcp:6379 [192.0.2.229]:tcp:6379 ", "/run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379"
	age := "\ntouch -d @1795701787 " + root + "/run/redislb/health/*\n"
	noted := func() int64 {
		info, err := os.Stat(root + down)
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime().Unix()
	}
	const quorum = "VS [192.0.2.229]:tcp:6379 DOWN\n"
	healthNotes(t, root, []string{"\n" + server + "DOWN\n" + quorum, strings.TrimSpace(age) + "\n" + server + "DOWN\n" + quorum})
	equal(t, "the same again", noted(), 1795701787)
	healthNotes(t, root, []string{"\n" + server + "DOWN\n", strings.TrimSpace(age) + "\n" + server + "UP\n" + server + "DOWN\n"})
	if noted() == 1795701787 {
		t.Error("one that was up in between is down as long as before")
	}
	healthNotes(t, root, []string{"\n" + server + "DOWN\n" + quorum}, []string{strings.TrimSpace(age) + "\n" + server + "DOWN\n" + quorum})
	if noted() == 1795701787 {
		t.Error("another keepalived says it and its note is not written")
	}
}

// Each case has the VIP of two real servers, a and b, before and after a reload.
func TestServersThatComeInAreNotedUntilTheyAreChecked(t *testing.T) {
	both := redisVIP()
	both.Services[0].DelayLoop = 6 * time.Second
	alone := func(of VIP) VIP {
		of.Services = slices.Clone(of.Services)
		of.Services[0].RealServers = of.Services[0].RealServers[1:]
		return of
	}
	unchecked := redisVIP()
	unchecked.Services[0].Check = keepalived.Check{Kind: keepalived.CheckNone}
	web := redisVIP()
	web.Services[0].DelayLoop = 6 * time.Second
	web.Services[0].Check = keepalived.Check{Kind: keepalived.CheckHTTP, HTTP: keepalived.HTTPCheck{Path: "/", Status: "200"}, Timeout: time.Second}
	const a, b = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 ", "[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 "
	const isUp, isDown = "RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 UP\n", "RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\n"
	const aIsUp, aIsDown = "RS [192.0.2.11]:tcp:6379 [192.0.2.229]:tcp:6379 UP\n", "RS [192.0.2.11]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\n"
	for name, c := range map[string]struct {
		vips  []VIP // at the start and at each reload
		said  []string
		again bool // keepalived is started again, and not reloaded
		want  string
	}{
		"a start":                     {[]VIP{both}, []string{""}, false, a + "PID0 NEW 166\n" + b + "PID0 NEW 166\n"},
		"a start, and a check":        {[]VIP{both}, []string{isUp}, false, a + "PID0 NEW 166\n" + b + "PID0 UP\n"},
		"a reload changes nothing":    {[]VIP{both, both}, []string{isUp + aIsDown, ""}, false, a + "PID0 DOWN\n" + b + "PID0 UP\n"},
		"another keepalived":          {[]VIP{both, both}, []string{isUp + aIsDown, isDown}, true, a + "PID1 NEW 166\n" + b + "PID1 DOWN\n"},
		"one comes":                   {[]VIP{alone(both), both}, []string{isUp, ""}, false, a + "PID0 NEW 166\n" + b + "PID0 UP\n"},
		"one leaves":                  {[]VIP{both, alone(both)}, []string{isUp + aIsUp, aIsDown}, false, a + "PID0 DOWN\n" + b + "PID0 UP\n"},
		"one comes back":              {[]VIP{both, alone(both), both}, []string{isUp + aIsUp, aIsDown, ""}, false, a + "PID0 NEW 166\n" + b + "PID0 UP\n"},
		"by HTTP":                     {[]VIP{web}, []string{isUp}, false, a + "PID0 LATE 166\n" + b + "PID0 UP\n"},
		"by HTTP, a reload":           {[]VIP{web, web}, []string{isUp, ""}, false, a + "PID0 LATE 166\n" + b + "PID0 UP\n"},
		"nothing is checked":          {[]VIP{unchecked}, []string{""}, false, a + "PID0 UP\n" + b + "PID0 UP\n"},
		"one comes back, not checked": {[]VIP{unchecked, alone(unchecked), unchecked}, []string{"", aIsDown, ""}, false, a + "PID0 UP\n" + b + "PID0 UP\n"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.MkdirAll(filepath.Join(root, keepalived.Dir), 0o755); err != nil {
				t.Fatal(err)
			}
			var life []string
			for i, v := range c.vips {
				_, services := v.Render()
				if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("services.%d", i)), services, 0o644); err != nil {
					t.Fatal(err)
				}
				life = append(life, fmt.Sprintf("cp services.%d .%s", i, keepalived.VIPServicesPath(vip))+"\n"+c.said[i])
			}
			lives := [][]string{life}
			if c.again {
				lives = [][]string{life[:1], life[1:]}
			}
			equal(t, "notes", healthNotes(t, root, lives...), c.want)
		})
	}
}

// keepalived does not tell the family of a firewall mark, nor a protocol.
func TestVerdictsOnServicesByFirewallMarkAreNoted(t *testing.T) {
	marked := redisVIP()
	marked.Services[0].FWMark, marked.Services[0].DelayLoop = 7, 6*time.Second
	root := t.TempDir()
	file := filepath.Join(root, keepalived.VIPServicesPath(vip))
	_, services := marked.Render()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, services, 0o644)); err != nil {
		t.Fatal(err)
	}
	says := "VS FWM 7 UP\nRS [192.0.2.11]:none:0 FWM 7 DOWN\nRS [192.0.2.12]:none:0 FWM 7 UP\n"
	notes := healthNotes(t, root, []string{"\n"})
	equal(t, "notes of those that are new", notes, "FWM:7_[192.0.2.11]:none:0 PID0 NEW 166\nFWM:7_[192.0.2.12]:none:0 PID0 NEW 166\n")
	notes = healthNotes(t, root, []string{"\n" + says})
	equal(t, "notes", notes, "FWM:7 PID0 UP\nFWM:7_[192.0.2.11]:none:0 PID0 DOWN\nFWM:7_[192.0.2.12]:none:0 PID0 UP\n")

	m := director().hold(marked.Artifacts())
	m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: marked.Address, Label: "eth0"})
	m.table[0].Destinations = m.table[0].Destinations[1:]
	m.health = "FWM:7_[192.0.2.11]:none:0 DOWN\n"
	equal(t, "drift where one is down", len(deviating(marked.Artifacts(), m.snapshot(t))), 0)
	m.health = ""
	equal(t, "drift where none is", len(deviating(marked.Artifacts(), m.snapshot(t))), 1)
	equal(t, "warnings", len(marked.Live(map[string]*Snapshot{"a": m.snapshot(t)})), 0)
	m.health = "FWM:7_[192.0.2.11]:none:0 DOWN\nFWM:7 DOWN\n"
	equal(t, "warnings of a server and the quorum", len(marked.Live(map[string]*Snapshot{"a": m.snapshot(t)})), 2)
}

// A service that somebody deleted comes back as keepalived would have it: it does not take
// out once more who is down already.
func TestServiceComesBackWithoutThoseThatAreDown(t *testing.T) {
	const down = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 "
	plain, inhibiting, standing := redisVIP(), redisVIP(), redisVIP()
	inhibiting.Services[0].InhibitOnFailure = true
	standing.Services[0].SorryServer = netip.MustParseAddrPort("192.0.2.13:6379")
	for name, c := range map[string]struct {
		vip          VIP
		health, want string
	}{
		"all are well":           {plain, "", "-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 1\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"},
		"one is down":            {plain, down + "DOWN", "-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"},
		"one is not checked yet": {plain, down + "LATE 4000000000", "-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"},
		"one never passed":       {plain, down + "LATE 0", "-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"},
		"one keeps its row":      {inhibiting, down + "DOWN", "-a -t 192.0.2.229:6379 -r 192.0.2.11:6379 -g -w 0\n-a -t 192.0.2.229:6379 -r 192.0.2.12:6379 -g -w 1\n"},
		"another stands in":      {standing, "[192.0.2.229]:tcp:6379 DOWN\n" + down + "DOWN", "-a -t 192.0.2.229:6379 -r 192.0.2.13:6379 -g -w 1\n"},
	} {
		m := director().hold(c.vip.Artifacts())
		m.table, m.health = nil, c.health+"\n"
		wrong := deviating(c.vip.Artifacts(), m.snapshot(t))
		equal(t, name+": drift", len(wrong), 1)
		equal(t, name, string(wrong[0].establish(m.snapshot(t))[0].staged[0]), "-A -t 192.0.2.229:6379 -s rr\n"+c.want)
		if table, err := ipvs.ParseSave([]byte("-A -t 192.0.2.229:6379 -s rr\n" + c.want)); err != nil {
			t.Error(err)
		} else {
			m.table = table
		}
		equal(t, name+": drift afterwards", len(deviating(c.vip.Artifacts(), m.snapshot(t))), 0)
	}
	m := director().hold(plain.Artifacts())
	m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: plain.Address, Label: "eth0"})
	for health, warnings := range map[string]int{down + "LATE 4000000000\n": 0, down + "LATE 0\n": 1} {
		m.health = health
		equal(t, health+"warnings", len(plain.Live(map[string]*Snapshot{"a": m.snapshot(t)})), warnings)
	}
}

// One mark cannot lead to two services, of whatever VIPs of a host.
func TestFirewallMarkOfAnotherVIPIsRefused(t *testing.T) {
	one, other := redisVIP(), redisVIP()
	one.Services[0].FWMark = 7
	other.Address = netip.MustParsePrefix("192.0.2.230/24")
	for mark, want := range map[uint32]int{0: 0, 7: 1, 8: 0} {
		other.Services = slices.Clone(other.Services)
		other.Services[0].FWMark = mark
		equal(t, fmt.Sprint("problems with ", mark), len(other.Check("a", director().hold(one.Artifacts()).snapshot(t))), want)
	}
	equal(t, "of its own", len(one.Check("a", director().hold(one.Artifacts()).snapshot(t))), 0)
}

// By the guard config_swap keepalived says of each server that it is down when it lets the
// services go, and nothing when they come back.
func TestServersThatAreSwappedOutAreNotTakenForDown(t *testing.T) {
	root := t.TempDir()
	put := func(path string, content []byte) {
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	_, services := redisVIP().Render()
	put(keepalived.VIPServicesPath(vip), services)
	put(keepalived.ServicesPath, nil)
	put(keepalived.ConfigPath, []byte("include "+root+keepalived.ServicesPath+"\n"))
	const a, b = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 ", "[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 "
	const isUp, areDown = "RS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 UP\n", "RS [192.0.2.11]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\nRS [192.0.2.12]:tcp:6379 [192.0.2.229]:tcp:6379 DOWN\nVS [192.0.2.229]:tcp:6379 DOWN\n"
	in := "echo 'include all' >" + root + keepalived.ServicesPath + "\n"
	out := "echo '# none' >" + root + keepalived.ServicesPath + "\n"
	equal(t, "a master", healthNotes(t, root, []string{in + isUp}), a+"PID0 NEW 166\n"+b+"PID0 UP\n")
	equal(t, "a backup", healthNotes(t, root, []string{in + isUp, out + areDown}), "")
	equal(t, "a master again", healthNotes(t, root, []string{in + isUp, out + areDown, in}), a+"PID0 NEW 166\n"+b+"PID0 NEW 166\n")
}

func TestProbeTellsTheServersThatALivingKeepalivedTookOut(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644), os.Chtimes(path, time.Time{}, time.Unix(1795701787, 0))); err != nil {
			t.Fatal(err)
		}
	}
	_, section, _ := strings.Cut(probe, "health() {\n")
	section, _, _ = strings.Cut(section, "\n}\n")
	text := strings.NewReplacer("/run/", root+"/run/", "/proc/", root+"/proc/").Replace(section)
	told := func() string {
		out, err := exec.Command("sh", "-c", "health() {\n"+text+"\n}\nhealth\n:").Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(string(out), "== health\n")), "\n")
		if lines[0] != "" {
			seconds, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "now "), 10, 64)
			if age := time.Since(time.Unix(seconds, 0)); err != nil || age < 0 || age > time.Minute {
				t.Errorf("the time is told as %q", lines[0])
			}
			lines = lines[1:]
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	equal(t, "without notes", told(), "")
	write("proc/41/comm", "keepalived\n")
	write("proc/43/comm", "bash\n")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379", "41 UP\n")
	equal(t, "of one that is up", told(), "")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379", "41 DOWN\n")
	write("run/redislb/health/[2001:db8::1]:udp:53_[2001:db8::2]:udp:53", "41 DOWN\n")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.13]:tcp:6379", "42 DOWN\n") // there is no such process
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.14]:tcp:6379", "43 DOWN\n") // it is another program's
	write("run/redislb/health/[192.0.2.9]:tcp:80", "41 DOWN\n")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.15]:tcp:6379", "41 NEW 166\n")
	write("run/redislb/health/[192.0.2.229]:tcp:6379_[192.0.2.16]:tcp:6379", "42 NEW 166\n")
	equal(t, "of some that are down", told(), "[192.0.2.229]:tcp:6379_[192.0.2.12]:tcp:6379 DOWN 1795701787\n[192.0.2.229]:tcp:6379_[192.0.2.15]:tcp:6379 NEW 166\n[192.0.2.9]:tcp:80 DOWN 1795701787\n[2001:db8::1]:udp:53_[2001:db8::2]:udp:53 DOWN 1795701787")
}

// What a check does between the two looks at the notes, whatever the table shows of it.
func TestServerCountsAsTakenOutWhereEitherLookSaysSo(t *testing.T) {
	equal(t, "looks at the notes, before the table and behind it", len(regexp.MustCompile(`(?m)^health$`).FindAllString(probe, -1)), 2)
	first, table := strings.Index(probe, "\nhealth\n"), strings.Index(probe, "echo '== ipvs proc'")
	last := strings.LastIndex(probe, "\nhealth\n")
	if first > table || last < table {
		t.Errorf("the notes are looked at by lines %d and %d, the table by %d", first, last, table)
	}
	m := director().hold(redisVIP().Artifacts())
	m.health = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 DOWN"
	s, err := parseSnapshot(bytes.Replace(m.probe(), []byte("== role\n"), []byte("== health\n\n== role\n"), 1))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "taken out", len(s.CheckedOut), 1)
}
