package host

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestListenersAreReadAsTheHostShowsThem(t *testing.T) {
	m := bareMachine()
	m.listeners = `LISTEN 0      511      127.0.0.1:6379 0.0.0.0:*
LISTEN 0      128 127.0.0.53%lo:53   0.0.0.0:*
LISTEN 0      128             *:22         *:*
LISTEN 0      128          [::]:80      [::]:*
LISTEN 0      0  [::ffff:192.0.2.11]:81    *:*
LISTEN 0      0  [fe80::1%eth0]:82       *:*
LISTEN 0 odd`
	var want []netip.AddrPort
	for _, text := range []string{"127.0.0.1:6379", "127.0.0.53:53", "[::]:22", "[::]:80", "192.0.2.11:81", "[fe80::1]:82"} {
		want = append(want, netip.MustParseAddrPort(text))
	}
	if got := m.snapshot(t).Listeners; !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestServerThatDoesNotAnswerForTheVIPIsFound(t *testing.T) {
	const ssh = "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n"
	on := func(at string) string { return ssh + "LISTEN 0 511 " + at + " 0.0.0.0:*\n" }
	nat := func(v *VIP) { v.Services[0].Forwarding = keepalived.NAT }
	six := func(v *VIP) {
		v.Address = netip.MustParsePrefix("2001:db8::229/64")
		v.Services[0].RealServers[0].Address = netip.MustParseAddr("2001:db8::11")
	}
	const refused, none, protected = "Real Server Does Not Listen on the VIP", "Nothing Listens", "Redis Is in Protected Mode"
	for name, c := range map[string]struct {
		listeners, greeting string
		change              func(*VIP)
		machine             func(*machine)
		want                string
	}{
		"at any address":           {listeners: on("0.0.0.0:6379")},
		"at any, IPv6 too":         {listeners: on("*:6379")},
		"at the VIP":               {listeners: on("127.0.0.1:6379") + on("192.0.2.229:6379")},
		"at loopback":              {listeners: on("127.0.0.1:6379"), want: refused},
		"at its own":               {listeners: on("192.0.2.11:6379"), want: refused},
		"at its own, NAT":          {listeners: on("192.0.2.11:6379"), change: nat},
		"at loopback, NAT":         {listeners: on("127.0.0.1:6379"), change: nat, want: refused},
		"nowhere":                  {listeners: ssh, want: none},
		"not known":                {listeners: ""},
		"another port":             {listeners: on("0.0.0.0:6380"), want: none},
		"UDP":                      {listeners: ssh, change: func(v *VIP) { v.Services[0].Protocol = keepalived.UDP }},
		"drained":                  {listeners: ssh, change: func(v *VIP) { v.Services[0].RealServers[0].Weight = 0 }},
		"on another machine":       {listeners: ssh, change: func(v *VIP) { v.Services[0].RealServers = v.Services[0].RealServers[1:] }},
		"nowhere, and found well":  {listeners: ssh, machine: func(m *machine) { m.hold(redisVIP().Artifacts()) }},
		"nowhere, and not checked": {listeners: ssh, machine: func(m *machine) { m.hold(redisVIP().Artifacts()) }, change: func(v *VIP) { v.Services[0].Check = keepalived.Check{Kind: keepalived.CheckNone} }, want: none},
		"nowhere, and checked out": {listeners: ssh, machine: func(m *machine) {
			m.hold(redisVIP().Artifacts())
			m.health = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 DOWN"
		}, want: none},
		"protected":       {listeners: on("0.0.0.0:6379"), greeting: "-DENIED", want: protected},
		"not protected":   {listeners: on("0.0.0.0:6379"), greeting: "+PONG"},
		"with a password": {listeners: on("0.0.0.0:6379"), greeting: "-NOAUTH"},
		"protected, another port": {listeners: on("0.0.0.0:6379") + on("0.0.0.0:6380"), greeting: "-DENIED", change: func(v *VIP) {
			v.Services[0].Port, v.Services[0].RealServers[0].Port = 6380, 6380
		}},
		"IPv6, at any IPv4": {listeners: on("0.0.0.0:6379"), change: six, want: refused},
		"IPv6, at any":      {listeners: on("[::]:6379"), change: six},
	} {
		t.Run(name, func(t *testing.T) {
			m := director()
			m.addresses = append(m.addresses, Address{Device: "eth0", Prefix: netip.MustParsePrefix("2001:db8::11/64")})
			m.listeners, m.greeting = c.listeners, c.greeting
			v := redisVIP()
			if c.change != nil {
				c.change(&v)
			}
			if c.machine != nil {
				c.machine(m)
			}
			problems := v.CheckListeners(map[string]*Snapshot{"a": m.snapshot(t)})
			if c.want == "" {
				equal(t, "problems", len(problems), 0)
				return
			}
			equal(t, "problems", len(problems), 1)
			equal(t, "summary", problems[0].Summary, c.want)
			if !strings.Contains(problems[0].Detail, `Service "redis", real server "a" on host "a": `) {
				t.Error(problems[0].Detail)
			}
		})
	}
}

// The part of probe.sh that looks at listeners, on a machine whose own address is
// 127.0.0.2 and where something listens on Redis's port.
func TestProbeAsksRedisWhetherItIsInProtectedMode(t *testing.T) {
	_, part, _ := strings.Cut(probe, "echo '== listeners'\n")
	part, _, _ = strings.Cut(part, "# Once more")
	script := "addresses='1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet6 fe80::2/64 scope link\n2: eth0    inet 127.0.0.2/8 scope global eth0'\n" + part
	run := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		// In a network of its own, where nobody else has the port.
		out, err := exec.CommandContext(ctx, "unshare", "-rn", "sh", "-c", `ip link set lo up
"$0" -test.run '^TestListensForTheProbe$' &
until PROC_ROOT=/proc ss -Hltn | grep -q :6379; do sleep 0.1; done
sh -c "$1"
kill $!
wait`, os.Args[0], script).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for answer, want := range map[string]string{
		"-DENIED Redis is running in protected mode because": "127.0.0.2:6379 0.0.0.0:*\n== redis greeting\n-DENIED\n",
		"+PONG": "127.0.0.2:6379 0.0.0.0:*\n== redis greeting\n+PONG\n",
		"hang":  "127.0.0.2:6379 0.0.0.0:*\n== redis greeting\n",
	} {
		t.Setenv("PROBED_REDIS", answer)
		if got := strings.Join(strings.Fields(run()), " "); !strings.HasSuffix(strings.TrimSpace(got), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%s: got %q", answer, got)
		}
	}
}

// TestListensForTheProbe is the other end of the test above, in a process of its own.
func TestListensForTheProbe(t *testing.T) {
	answer := os.Getenv("PROBED_REDIS")
	if answer == "" {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.2:6379")
	if err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if answer != "hang" {
			_, _ = conn.Write([]byte(answer + "\r\n"))
		}
	}
}
