package host

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// scripted is a host that answers probes for a machine, and changes the machine at
// a commit.
type scripted struct {
	*machine
	mu       sync.Mutex
	probes   int
	commits  []string // the calls of each
	staged   int
	settled  []string // ids of transactions
	reverted int
	fresh    int           // commands over a connection of their own
	took     time.Duration // how long a probe takes
	onCommit func(calls string) error
	onProbe  func(n int) error
	counts   int // of connections
	onCount  func(n int) error
	// onTransact, if set, stands between the provider and transact.sh.
	onTransact func(verb string) error

	staging map[string]string // the members of the bundle staged last
	journal string            // keepalived's
}

func (c *scripted) Target() string { return "root@192.0.2.11:22" }

func (c *scripted) Stage(_ context.Context, files []remote.StagedFile, use func(string) error) error {
	c.staged++
	c.staging = unpack(files[0].Content)
	return use("/tmp/staged")
}

// unpack returns the members of a bundle.
func unpack(packed []byte) map[string]string {
	members := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(packed)); ; {
		head, err := r.Next()
		if err != nil {
			return members
		}
		content, _ := io.ReadAll(r)
		members[head.Name] = string(content)
	}
}

func (c *scripted) Run(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch cmd.Script {
	case probe:
		c.probes++
		if c.took > 0 {
			if err := sleep(ctx, c.took); err != nil {
				return remote.Result{}, err
			}
		}
		if c.onProbe != nil {
			if err := c.onProbe(c.probes); err != nil {
				return remote.Result{}, err
			}
		}
	case transact:
		equalOrPanic(cmd.Args[0], "settle")
		c.settled = append(c.settled, cmd.Args[1:]...)
		return remote.Result{}, nil
	case transact + probe:
		if err := c.transact(cmd.Args[0]); err != nil {
			return remote.Result{}, err
		}
	case keepalivedJournal:
		return remote.Result{Stdout: []byte(c.journal)}, nil
	case tableAndAddresses:
		c.counts++
		if c.onCount != nil {
			if err := c.onCount(c.counts); err != nil {
				return remote.Result{}, err
			}
		}
		return remote.Result{Stdout: []byte(procTable(c.table) + "==\n" + c.addressLines())}, nil
	default:
		return remote.Result{}, fmt.Errorf("a script that is neither probe nor transaction: %s", cmd.Script)
	}
	return remote.Result{Stdout: c.probe()}, nil
}

func equalOrPanic(got, want string) {
	if got != want {
		panic(got)
	}
}

// transact is transact.sh; its word is what a commit waits for that may cut the way.
func (c *scripted) transact(verb string) error {
	if c.onTransact != nil {
		if err := c.onTransact(verb); err != nil {
			return err
		}
	}
	text := calls(c.staging["script"])
	switch awaits := strings.Contains(text, "\nawait_confirmation "); {
	case verb == "revert":
		c.reverted++
		return nil
	case verb == "abort":
		return c.says(1, "redislb: everything was put back as it was")
	case verb != "confirm" && awaits:
		return c.says(exitAwaiting, "")
	}
	c.commits = append(c.commits, text)
	if c.onCommit == nil {
		return nil
	}
	return c.onCommit(text)
}

func (c *scripted) says(code int, words string) error {
	return &remote.CommandError{Target: c.Target(), Step: changeStep, ExitCode: code, Stderr: []byte(words)}
}

func (c *scripted) RunFresh(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	c.fresh++
	return c.Run(ctx, cmd)
}

// holding is a host that holds everything, with its way.
func holding() (*Host, *scripted) {
	c := &scripted{machine: bareMachine().hold(redisDirector().Artifacts()).hold(redisServer().Artifacts()).hold(redisVIP().Artifacts())}
	return New("a", c), c
}

// inBubble runs a test by a clock of its own, on which waiting takes no time.
func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestFiftyCallersShareOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.took = time.Second
		seen := make(chan *Snapshot, 50)
		for range 50 {
			go func() {
				s, err := h.Observe(t.Context())
				if err != nil {
					t.Error(err)
				}
				seen <- s
			}()
		}
		first := <-seen
		for range 49 {
			if s := <-seen; s != first {
				t.Error("the callers do not share the snapshot")
			}
		}
		equal(t, "probes", c.probes, 1)
		if _, err := h.Observe(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "probes of a later caller", c.probes, 1)
		h.forget()
		if _, err := h.Observe(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "probes after a change (positive control)", c.probes, 2)
	})
}

func TestFailedProbeIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		refused := errors.New("refused")
		c.onProbe = func(n int) error {
			if n == 1 {
				return refused
			}
			return nil
		}
		if _, err := h.Observe(t.Context()); !errors.Is(err, refused) {
			t.Fatalf("got %v", err)
		}
		if _, err := h.Observe(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOutputThatMakesNoSenseIsAnErrorThatNamesTheHost(t *testing.T) {
	h := New("a", &garbage{})
	_, err := h.Observe(t.Context())
	says(t, err, "root@192.0.2.11:22", "incomplete")
}

type garbage struct{ scripted }

func (*garbage) Target() string { return "root@192.0.2.11:22" }
func (*garbage) Run(context.Context, remote.Command) (remote.Result, error) {
	return remote.Result{Stdout: []byte("This account is not available.\n")}, nil
}

func TestCallerWhoGivesUpDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.took = time.Second
		impatient, giveUp := context.WithCancelCause(t.Context())
		errs := make(chan error, 2)
		go func() {
			_, err := h.Observe(impatient)
			errs <- err
		}()
		synctest.Wait()
		go func() {
			_, err := h.Observe(t.Context())
			errs <- err
		}()
		synctest.Wait()
		cause := errors.New("interrupted by the user")
		giveUp(cause)
		err := <-errs
		says(t, err, "unable to observe", `"a"`, "root@192.0.2.11:22")
		if !errors.Is(err, cause) {
			t.Errorf("the cause is lost: %v", err)
		}
		if err := <-errs; err != nil {
			t.Errorf("the other caller failed: %v", err)
		}
		equal(t, "probes", c.probes, 1)
	})
}

func TestProbeEndsWithTheLastWhoWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.took = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := h.Observe(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		synctest.Wait()
		c.mu.Lock() // which a probe holds as long as it runs
		c.took = 0
		c.mu.Unlock()
		if _, err := h.Observe(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "probes", c.probes, 2)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("took %v: the first probe went on for nobody", took)
		}
	})
}

func TestHostThatIsAsWantedIsNotTouched(t *testing.T) {
	for name, artifacts := range map[string][]Artifact{"director": redisDirector().Artifacts(), "realserver": redisServer().Artifacts(), "vip": redisVIP().Artifacts()} {
		inBubble(t, name, func(t *testing.T) {
			h, c := holding()
			s, err := h.Apply(t.Context(), artifacts, nil)
			if err != nil || s == nil {
				t.Fatal(s, err)
			}
			equal(t, "commits", len(c.commits), 0)
			equal(t, "staged", c.staged, 0)
			equal(t, "probes", c.probes, 1)
		})
	}
}

func TestDriftOfTheKernelsTableIsHealedByOneEditWithoutAReload(t *testing.T) {
	for name, change := range map[string]func(*ipvs.Service){
		"weight":  weighing(serverA, 5),
		"missing": without(serverA),
		"rogue":   with(netip.MustParseAddrPort("192.0.2.66:6379")),
	} {
		inBubble(t, name, func(t *testing.T) {
			h, c := holding()
			c.table = ipvs.Table{redisRow(change)}
			c.onCommit = func(string) error {
				c.table = ipvs.Table{redisRow()}
				return nil
			}
			s, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "commits", len(c.commits), 1)
			equal(t, "calls", withoutHolder(c.commits[0]), "edit_ipvs staged.0 staged.1")
			equal(t, "what is returned is what was read back", len(deviating(redisVIP().Artifacts(), s)), 0)
		})
	}
}

// withoutHolder are the calls between begin and commit.
func withoutHolder(calls string) string {
	_, calls, _ = strings.Cut(calls, "\n")
	return strings.TrimSuffix(calls, "\ncommit\n")
}

func TestRowsThatKeepalivedBringsByItselfAreNotEdited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.table = nil
		delete(c.machine.files, keepalived.VIPServicesPath(vip))
		c.onCommit = func(string) error {
			c.machine.hold(redisVIP().Artifacts()[:2])
			go func() {
				time.Sleep(patience - time.Second)
				c.mu.Lock()
				defer c.mu.Unlock()
				c.table = ipvs.Table{redisRow()}
			}()
			return nil
		}
		start := time.Now()
		if _, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 1)
		if strings.Contains(c.commits[0], "edit_ipvs") || !strings.Contains(c.commits[0], "reload_keepalived") {
			t.Errorf("calls: %s", c.commits[0])
		}
		if took := time.Since(start); took > patience {
			t.Errorf("took %v although keepalived was done before", took)
		}
	})
}

// Packages can take minutes to install; the time to settle begins after that.
func TestCommitThatTakesMinutesLeavesKeepalivedItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.table = nil
		delete(c.machine.files, keepalived.VIPServicesPath(vip))
		c.onCommit = func(string) error {
			time.Sleep(3 * settling)
			c.machine.hold(redisVIP().Artifacts()[:2])
			go func() {
				time.Sleep(patience - time.Second)
				c.mu.Lock()
				defer c.mu.Unlock()
				c.table = ipvs.Table{redisRow()}
			}()
			return nil
		}
		if _, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 1)
	})
}

func TestRowsThatKeepalivedDoesNotBringAreEditedAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.table = nil
		delete(c.machine.files, keepalived.VIPServicesPath(vip))
		var second time.Time
		c.onCommit = func(calls string) error {
			if strings.Contains(calls, "edit_ipvs") {
				second = time.Now()
				c.table = ipvs.Table{redisRow()}
			} else {
				c.machine.hold(redisVIP().Artifacts()[:2])
			}
			return nil
		}
		start := time.Now()
		if _, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 2)
		if waited := second.Sub(start); waited < patience || waited > 2*patience {
			t.Errorf("keepalived was given %v", waited)
		}
	})
}

func TestTableIsNotTouchedWhileKeepalivedHasJustStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.table = nil
		c.keepalivedSince = time.Now()
		go func() {
			time.Sleep(patience / 2)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.table = ipvs.Table{redisRow()}
		}()
		if _, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 0)
	})
}

func TestKeepalivedThatDoesNotRunIsNamedWithWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.table = nil
		c.units[keepalivedUnit] = UnitState{Load: "loaded", Active: "failed", File: "enabled"}
		c.journal = "No such interface\n"
		start := time.Now()
		_, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil)
		says(t, err, `host "a"`, "root@192.0.2.11:22", "keepalived does not run there (failed)", "redislb_director", "ipvs tcp 192.0.2.229:6379", "keepalived said last:\nNo such interface\n")
		equal(t, "commits", len(c.commits), 0)
		if took := time.Since(start); took > settling+pollInterval+gathering {
			t.Errorf("took %v", took)
		}
	})
}

func TestHostThatDoesNotBecomeWhatWasWantedIsShownAsADiff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.sysctls["net/ipv4/conf/all/arp_ignore"] = "0" // and the commit changes nothing
		start := time.Now()
		_, err := h.Apply(t.Context(), redisServer().Artifacts(), nil)
		says(t, err, "Everything was put back as it was", `host "a"`, "root@192.0.2.11:22", "--- sysctl net.ipv4.conf.all.arp_ignore (found)", "+++ sysctl net.ipv4.conf.all.arp_ignore (wanted)", "\n-0\n+1\n")
		if strings.Contains(err.Error(), "arp_announce") {
			t.Errorf("what is as wanted is shown too:\n%s", err)
		}
		if strings.Contains(err.Error(), "does not run") {
			t.Errorf("keepalived runs:\n%s", err)
		}
		equal(t, "commits", len(c.commits), 1)
		equal(t, "taken back", c.reverted, 1)
		if took := time.Since(start); took < settling || took > settling+2*pollInterval {
			t.Errorf("took %v", took)
		}
	})
}

func TestPackagesThatStayAreToldOfWhatWasPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{machine: bareMachine()} // and the commit changes nothing
		_, err := New("a", c).Apply(t.Context(), redisDirector().Artifacts(), nil)
		says(t, err, "Everything was put back as it was, but for what the package manager did")
	})
}

func TestWhatShouldBeGoneAndIsNotIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := holding()
		_, err := h.Apply(t.Context(), nil, redisServer().Artifacts())
		says(t, err, "address 192.0.2.229 on lo should be gone and is still there")
	})
}

func TestErrorOfACommitPassesThroughAndTheHostIsLookedAtAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.sysctls["net/ipv4/conf/all/arp_ignore"] = "0"
		refused := &remote.CommandError{Target: "root@192.0.2.11:22", Step: "change the host", ExitCode: 1, Stderr: []byte("no")}
		c.onCommit = func(string) error { return refused }
		_, err := h.Apply(t.Context(), redisServer().Artifacts(), nil)
		var got *remote.CommandError
		if !errors.As(err, &got) || got != refused {
			t.Fatalf("got %v", err)
		}
		equal(t, "commits", len(c.commits), 1)
		if _, err := h.Observe(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "probes", c.probes, 2)
	})
}

func TestChangeWaitsForTheFirstChecksOfWhatCameIn(t *testing.T) {
	const isNew = "[192.0.2.229]:tcp:6379_[192.0.2.11]:tcp:6379 NEW 4000000000"
	for name, c := range map[string]struct {
		notes string        // after the change
		until time.Duration // when the last of them is gone
		want  time.Duration
	}{
		"a server is checked":     {isNew, 4 * time.Second, 4 * time.Second},
		"a server never is":       {isNew, time.Hour, firstChecks},
		"a server is down":        {strings.ReplaceAll(isNew, "NEW 4000000000", "DOWN"), time.Hour, 0},
		"somebody else's is new":  {strings.ReplaceAll(isNew, "192.0.2.11", "192.0.2.99"), time.Hour, 0},
		"of an earlier keepalive": {strings.ReplaceAll(isNew, "4000000000", "1"), time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := holding()
				m.table = ipvs.Table{redisRow(weighing(serverA, 9))}
				var began time.Time
				m.onCommit = func(string) error {
					began, m.health = time.Now(), c.notes
					m.table = ipvs.Table{redisRow(without(serverA))}
					if c.notes != isNew && !strings.HasSuffix(c.notes, "DOWN") {
						m.table = ipvs.Table{redisRow()}
					}
					return nil
				}
				m.onProbe = func(int) error {
					if !began.IsZero() && time.Since(began) >= c.until {
						m.health, m.table = "", ipvs.Table{redisRow()}
					}
					return nil
				}
				if _, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(began); got < c.want || got > c.want+2*pollInterval {
					t.Errorf("the change was done %v after the commit, want %v", got, c.want)
				}
				equal(t, "commits", len(m.commits), 1)
			})
		})
	}
}

func TestChangeIsBasedOnAFreshLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		if _, err := h.Observe(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(freshness - time.Second)
		if _, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "probes of a change soon after", c.probes, 1)
		equal(t, "nothing to do", len(c.commits), 0)
		time.Sleep(time.Second) // what was seen does not tell any more that there is nothing to do
		c.table = ipvs.Table{redisRow(weighing(serverA, 9))}
		c.onCommit = func(string) error {
			c.table = ipvs.Table{redisRow()}
			return nil
		}
		if _, err := h.Apply(t.Context(), redisVIP().Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits of a change long after", len(c.commits), 1)
	})
}

func TestCancelEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.sysctls["net/ipv4/conf/all/arp_ignore"] = "0"
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := h.Apply(ctx, redisServer().Artifacts(), nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// Not in a bubble: its clock stands still while somebody waits for a mutex.
func TestChangesToOneHostComeOneAfterTheOther(t *testing.T) {
	h, c := holding()
	c.sysctls["net/ipv4/conf/all/arp_ignore"] = "0"
	c.table = ipvs.Table{redisRow(weighing(serverA, 9))}
	var running int
	c.onCommit = func(calls string) error {
		running++
		defer func() { running-- }()
		if running > 1 {
			t.Error("two commits at once")
		}
		c.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		c.mu.Lock()
		if strings.Contains(calls, "edit_ipvs") {
			c.table = ipvs.Table{redisRow()}
		} else {
			c.sysctls["net/ipv4/conf/all/arp_ignore"] = "1"
		}
		return nil
	}
	var all sync.WaitGroup
	for _, artifacts := range [][]Artifact{redisServer().Artifacts(), redisVIP().Artifacts()} {
		all.Go(func() {
			if _, err := h.Apply(t.Context(), artifacts, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "commits", len(c.commits), 2)
}

func TestDestroyOfWhatIsGoneAlreadyDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{machine: bareMachine()}
		c.sysctls = nil
		if _, err := New("a", c).Apply(t.Context(), nil, redisServer().Artifacts()); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 0)
	})
}

func TestDestroyIsOneCommit(t *testing.T) {
	for name, c := range map[string]struct{ gone, stay []Artifact }{
		"realserver": {redisServer().Artifacts(), redisDirector().Artifacts()},
		"director":   {redisDirector().Artifacts(), redisServer().Artifacts()},
		"hash":       {hashDirector().Artifacts(), redisServer().Artifacts()},
		"vip":        {redisVIP().Artifacts(), redisDirector().Artifacts()},
		"timeouts":   {patientDirector().Artifacts(), redisServer().Artifacts()},
	} {
		inBubble(t, name, func(t *testing.T) {
			way := &scripted{machine: bareMachine().hold(c.gone).hold(c.stay)}
			way.onCommit = func(string) error {
				way.machine = bareMachine().hold(c.stay)
				way.keepalivedVersion, way.ipvsadm = "Keepalived v2.2.7", true // packages stay
				return nil
			}
			if _, err := New("a", way).Apply(t.Context(), nil, c.gone); err != nil {
				t.Fatal(err)
			}
			equal(t, "commits", len(way.commits), 1)
		})
	}
}

// A package stays when its resource goes, so there is nothing to do and nothing to
// wait for.
func TestDestroyWhereOnlyPackagesAreLeftEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{machine: bareMachine()}
		c.ipvsadm = true
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for _, d := range []Director{redisDirector(), hashDirector()} {
			if _, err := New("a", c).Apply(ctx, nil, d.Artifacts()); err != nil {
				t.Fatalf("%s: after %d probes: %v", d.Guard, c.probes, err)
			}
		}
	})
}

// Where keepalived ran before the director came, it goes on, and so may a sync
// daemon of its own.
func TestDestroyEndsWhereSomebodyElsesSyncDaemonRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{machine: director()}
		c.onCommit = func(string) error {
			left := bareMachine().hold([]Artifact{Package{"keepalived"}, Package{"ipvsadm"}, Module{"ip_vs"}, Unit{keepalivedUnit}})
			left.files[keepalived.ConfigPath] = file("somebody else's\n")
			left.daemons = "master sync daemon (mcast=eth0, syncid=7)\n"
			c.machine = left
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if _, err := New("a", c).Apply(ctx, nil, redisDirector().Artifacts()); err != nil {
			t.Fatalf("after %d probes: %v", c.probes, err)
		}
	})
}

// A table that outlives keepalived must not keep its VIP from being destroyed.
func TestDestroyOfAVIPEndsWhereKeepalivedDiedAndLeftTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.units[keepalivedUnit] = UnitState{Load: "loaded", Active: "failed", File: "enabled"}
		c.onCommit = func(calls string) error {
			for _, a := range redisVIP().Artifacts()[:2] {
				delete(c.machine.files, a.(File).Path)
			}
			if strings.Contains(calls, "edit_ipvs") {
				c.table = nil
			}
			return nil
		}
		if _, err := h.Apply(t.Context(), nil, redisVIP().Artifacts()); err != nil {
			t.Fatal(err)
		}
	})
}

// A foreign file that took the place of ours is not ours to remove.
func TestDestroyLeavesAForeignFileAtOurPathAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		c.machine.files[keepalived.ConfigPath] = file("somebody else's\n")
		c.onCommit = func(calls string) error {
			for name, content := range c.staging {
				if strings.HasPrefix(name, "files.") && strings.Contains(content, " "+keepalived.ConfigPath+"\n") {
					t.Errorf("it is removed:\n%s\n%s", calls, content)
				}
			}
			return errors.New("enough seen")
		}
		_, _ = h.Apply(t.Context(), nil, redisDirector().Artifacts())
		equal(t, "commits", len(c.commits), 1)
	})
}
