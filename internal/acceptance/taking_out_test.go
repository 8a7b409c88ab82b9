//go:build acceptance

package acceptance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// Six connections through the VIP that end when the file is gone, in the way of clients
// that have done: with an answer, and by a FIN.
const guests = `rm -f /tmp/guests.*; touch /tmp/guests.stay
for i in 1 2 3 4 5 6; do
	setsid bash -c 'exec 3<>/dev/tcp/192.0.2.229/6379
		while [ -e /tmp/guests.stay ]; do sleep 0.5; done
		printf "PING\r\n" >&3; read -r -t 30 line <&3 && echo "$line" >/tmp/guests.said.'$i >/dev/null 2>&1 </dev/null &
done`

// A real server is taken out as the provider does it: weight 0 on the backup and on the
// master, the wait, and the change. And it is brought in again.
func realServerTakenOut(t *testing.T) {
	a, b := directly(t, hostA()), directly(t, hostB())
	change := func(want, gone []host.Artifact) {
		t.Helper()
		b.must(t, want, gone)
		a.must(t, want, gone)
	}
	weighs := func(want string) {
		t.Helper()
		for _, h := range hosts() {
			if got := h.MustExec(t, "ipvsadm -Sn | sed -n 's/.* -r 192.0.2.12:6379 .* -w //p'"); strings.TrimSpace(got) != want {
				t.Errorf("b's weight in the table of %s is %q, want %q", h.Name, got, want)
			}
		}
	}
	before := goldenVIP(t, "redis")
	with := func(change func([]keepalived.RealServer) []keepalived.RealServer) host.VIP {
		v := before
		v.Services = slices.Clone(before.Services)
		v.Services[0].RealServers = change(slices.Clone(before.Services[0].RealServers))
		return v
	}
	onB := func(rs keepalived.RealServer) bool { return rs.Address.String() == "192.0.2.12" }
	next := with(func(all []keepalived.RealServer) []keepalived.RealServer { return slices.DeleteFunc(all, onB) })
	quiet := with(func(all []keepalived.RealServer) []keepalived.RealServer {
		all[slices.IndexFunc(all, onB)].Weight = 0
		return all
	})

	// The held connections are a's, of which none may be lost; the guests are of both.
	change(quiet.Artifacts(), nil)
	held := hold(t, 6)
	defer held.close()
	established := held.alive()
	change(before.Artifacts(), nil)
	client().MustExec(t, guests)
	t.Cleanup(func() { exec(client(), "rm -f /tmp/guests.*") })
	onBackend := func(h *lab.Host) bool {
		return strings.TrimSpace(exec(h, "ss -Htn state established 'sport = :6379' | wc -l")) != "0"
	}
	eventually(t, 20*time.Second, "guests are on b", func() bool { return onBackend(hostB()) })

	departure, directors := before.Departure(next), []*host.Host{b.Host, a.Host}
	if busy, err := departure.Busy(t.Context(), directors); err != nil || !busy {
		t.Fatalf("busy: %v, %v", busy, err)
	}
	change(departure.Artifacts(host.BackupOnly), nil)
	weighs("0")

	tells, began := 0, time.Now()
	left, err := departure.Await(t.Context(), directors, 6*time.Second, func(left []host.Left, remaining time.Duration) {
		tells++
		t.Logf("%s: %s", remaining.Round(time.Second), host.Listed(left))
	})
	if err != nil || len(left) != 1 || left[0].Active < 1 || left[0].Active > 6 || left[0].Director != "a" {
		t.Errorf("connections that do not end: %v, %v", left, err)
	}
	if took := time.Since(began); took < 6*time.Second || took > 12*time.Second || tells == 0 {
		t.Errorf("the wait for them took %v, and told of them %d times", took, tells)
	}

	type waited struct {
		left []host.Left
		err  error
		took time.Duration
	}
	began = time.Now()
	result := make(chan waited, 1)
	go func() {
		left, err := departure.Await(t.Context(), directors, 60*time.Second, func([]host.Left, time.Duration) {})
		result <- waited{left, err, time.Since(began)}
	}()
	time.Sleep(3 * time.Second)
	select {
	case w := <-result:
		t.Errorf("the wait ended before the connections did: %v", w)
		result <- w
	default:
	}
	client().MustExec(t, "rm /tmp/guests.stay")
	if w := <-result; w.err != nil || len(w.left) > 0 || w.took > 30*time.Second {
		t.Errorf("the wait for connections that end took %v and left %v, %v", w.took, w.left, w.err)
	} else {
		t.Logf("the wait took %.1f s, of which the connections took 3", w.took.Seconds())
	}
	change(next.Artifacts(), host.Obsolete(before.Artifacts(), next.Artifacts()))
	weighs("")
	if said := exec(client(), "cat /tmp/guests.said.*"); strings.Count(said, "PONG") != 6 {
		t.Errorf("of six guests these got an answer in the end:\n%s", said)
	}
	held.survive("a real server that is taken out: those on the other", established)

	// It comes in again, and its Redis is down: nobody is sent there, which would be
	// refused every second time for some seconds. A slow machine may miss a time-out of 1 s.
	hostB().MustExec(t, "systemctl stop redis-server")
	held.again()
	change(before.Artifacts(), nil)
	if s, ok := held.state(); !ok || s.Open.Refused > 0 || s.Open.Failed > s.Open.Succeeded/20 || s.Open.Succeeded < 10 {
		t.Errorf("new connections while a real server came in that is down: %+v", s.Open)
	} else {
		t.Logf("new connections while a real server came in that is down: %+v", s.Open)
	}
	weighs("")
	a.hasNothingToDo(t, before.Artifacts())
	hostB().MustExec(t, "systemctl start redis-server")
	for _, h := range hosts() {
		took := eventually(t, 30*time.Second, "b is in the table of "+h.Name, func() bool { return strings.Contains(exec(h, "ipvsadm -Sn"), "-r 192.0.2.12:6379 ") })
		t.Logf("the real server is in the table of %s %.1f s after it came up", h.Name, took.Seconds())
	}
}
