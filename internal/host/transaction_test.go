package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// numbered is a VIP of several.
func numbered(n int) VIP {
	v := redisVIP()
	v.Address = netip.MustParsePrefix(fmt.Sprintf("192.0.2.%d/24", 100+n))
	return v
}

// keeping is a director on which keepalived does at once what its files say of
// the numbered VIPs.
func keeping(n int) (*Host, *scripted) {
	c := &scripted{machine: director()}
	c.onCommit = func(string) error {
		for i := range n {
			if _, ok := c.staging["new.0"+keepalived.VIPServicesPath(numbered(i).Address.Addr())]; ok {
				c.hold(numbered(i).Artifacts())
			}
		}
		return nil
	}
	return New("a", c), c
}

func TestChangesAtTheSameMomentAreOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(30)
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				time.Sleep(time.Duration(i%10) * gathering / 20)
				if i >= 10 { // handed out as the first ones end, one after the other
					time.Sleep(time.Second + time.Duration(i)*50*time.Millisecond)
				}
				s, err := h.Apply(t.Context(), numbered(i).Artifacts(), nil)
				if err != nil {
					t.Error(err)
				} else if n := len(deviating(numbered(i).Artifacts(), s)); n > 0 {
					t.Errorf("%d artifacts of VIP %d are missing", n, i)
				}
			})
		}
		all.Wait()
		if n := len(c.commits); n > 4 {
			t.Errorf("%d transactions", n)
		}
		equal(t, "settled", len(c.settled), len(c.commits))
	})
}

func TestKeepalivedThatGetsOnIsGivenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scripted{machine: director()}
		c.booted, c.keepalivedSince = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
		const vips = 150
		var want []Artifact
		for i := range vips {
			want = append(want, numbered(i).Artifacts()...)
		}
		files := func(a Artifact) bool { _, ok := a.(File); return !ok }
		held := -1
		c.onCommit = func(string) error {
			c.hold(slices.DeleteFunc(slices.Clone(want), files))
			held = 0
			return nil
		}
		c.onProbe = func(int) error {
			if held >= 0 && held < vips {
				c.hold(numbered(held).Artifacts())
				held++
			}
			return nil
		}
		started := time.Now()
		if _, err := New("a", c).Apply(t.Context(), want, nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 1)
		if took := time.Since(started); took < settling {
			t.Errorf("it took %v: this proves nothing", took)
		}
	})
}

func TestRequestThatTheHostRefusesDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests, bad = 32, 13
		h, c := keeping(requests)
		hold := c.onCommit
		tried := 0
		c.onCommit = func(calls string) error {
			tried++
			if _, ok := c.staging["new.0"+keepalived.VIPServicesPath(numbered(bad).Address.Addr())]; ok {
				return c.says(1, "keepalived -t: no")
			}
			return hold(calls)
		}
		var all sync.WaitGroup
		for i := range requests {
			all.Go(func() {
				_, err := h.Apply(t.Context(), numbered(i).Artifacts(), nil)
				if (err != nil) != (i == bad) {
					t.Errorf("VIP %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if tried > 11 { // twice the number of halvings, and the first
			t.Errorf("%d transactions were tried", tried)
		}
	})
}

// theirs has somebody else write the services of a numbered VIP.
func (c *scripted) theirs(n int) {
	c.machine.files[keepalived.VIPServicesPath(numbered(n).Address.Addr())] = ours("theirs\n")
}

func TestFileThatSomebodyChangesMeanwhileFailsItsOwnRequestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(3)
		hold, first := c.onCommit, true
		c.onCommit = func(calls string) error {
			if first {
				first = false
				c.theirs(1)
				return c.says(exitStale, "was changed on the host since it was read")
			}
			return hold(calls)
		}
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				_, err := h.Apply(t.Context(), numbered(i).Artifacts(), nil)
				var overtaken *OvertakenError
				if errors.As(err, &overtaken) != (i == 1) || err != nil && i != 1 {
					t.Errorf("VIP %d: %v", i, err)
				}
				if i == 1 {
					says(t, err, `"a"`, "root@192.0.2.11:22", keepalived.VIPServicesPath(numbered(1).Address.Addr()), "+theirs", "terraform plan")
				}
			})
		}
		all.Wait()
		equal(t, "what somebody wrote", string(c.files[keepalived.VIPServicesPath(numbered(1).Address.Addr())].Content), string(ours("theirs\n").Content))
	})
}

func TestPlannedChangeIsRefusedWhereAFileIsNotWhatThePlanShowed(t *testing.T) {
	old, wanted := redisVIP(), redisVIP()
	old.Services[0].Scheduler = "lc"
	path := keepalived.VIPServicesPath(vip)
	content := func(v VIP) FileState {
		_, services := v.Render()
		return file(string(services))
	}
	for name, c := range map[string]struct {
		there FileState
		fails bool
	}{
		"what the plan showed":     {content(old), false},
		"what is wanted":           {content(wanted), false},
		"something else":           {ours("theirs\n"), true},
		"nothing":                  {FileState{}, false},
		"its mode is another than": {FileState{Mode: 0o666, Owner: "root:root", Content: content(old).Content}, true},
	} {
		inBubble(t, name, func(t *testing.T) {
			h, way := holding()
			seen := Found(old.Artifacts(), way.hold(old.Artifacts()).snapshot(t))
			way.files[path] = c.there
			if c.there.Content == nil {
				delete(way.files, path)
			}
			way.table = ipvs.Table{redisRow()}
			way.onCommit = func(string) error {
				way.hold(wanted.Artifacts())
				way.table = ipvs.Table{redisRow()}
				return nil
			}
			_, err := h.ApplyPlanned(t.Context(), wanted.Artifacts(), nil, seen)
			var overtaken *OvertakenError
			if errors.As(err, &overtaken) != c.fails || err != nil && !c.fails {
				t.Fatalf("got %v", err)
			}
			if c.fails {
				equal(t, "staged", way.staged, 0)
			}
		})
	}
}

// The change of its director has put it back, as keepalived ran by it.
func TestFileThatAnotherChangePutBackIsChangedAsPlanned(t *testing.T) {
	old, wanted := redisVIP(), redisVIP()
	old.Services[0].Scheduler, wanted.Services[0].Scheduler = "lc", "sh"
	path := keepalived.VIPServicesPath(vip)
	for name, loaded := range map[string]bool{"it ran by that": true, "it ran by the edited one": false} {
		inBubble(t, name, func(t *testing.T) {
			m := bareMachine().hold(redisDirector().Artifacts()).hold(old.Artifacts())
			s := m.snapshot(t)
			was := s.Files[path]
			s.Files[path] = ours("edited\n")
			s.Loaded = map[string]string{path: File{}.expectation(was)}
			if !loaded {
				s.Loaded[path] = File{}.expectation(s.Files[path])
			}
			h := New("a", &scripted{machine: m})
			r := &request{want: wanted.Artifacts(), seen: Found(wanted.Artifacts(), s), done: make(chan result, 1)}
			h.noteKept(s)
			equal(t, "goes on", len(h.notOvertaken([]*request{r}, m.snapshot(t))) == 1, loaded)
		})
	}
}

func TestFileThatIsEditedWhileThereIsNothingToDoIsNotOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := holding()
		path := keepalived.VIPServicesPath(vip)
		seen := Found(redisVIP().Artifacts(), c.snapshot(t))
		if _, err := h.Observe(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(freshness + time.Second) // other hosts come first
		c.files[path] = ours("theirs\n")
		_, err := h.ApplyPlanned(t.Context(), redisVIP().Artifacts(), nil, seen)
		var overtaken *OvertakenError
		if !errors.As(err, &overtaken) {
			t.Fatalf("got %v", err)
		}
		equal(t, "staged", c.staged, 0)
	})
}

func TestPasswordOfAForeignConfigurationIsNotTold(t *testing.T) {
	inline := "vrrp_instance X {\n  auth_hmac {\n    key 1 hex:hunter2\n  }\n  authentication {\n    auth_type PASS\n    auth_pass hunter2\n  }\n}\n"
	synctest.Test(t, func(t *testing.T) {
		m := bareMachine()
		m.files[keepalived.ConfigPath] = file(inline)
		c := &scripted{machine: m}
		adopting := redisDirector()
		adopting.Adopt = true
		c.onCommit = func(string) error {
			m.files[keepalived.ConfigPath] = file(inline + "# edited\n")
			return c.says(exitStale, "was changed on the host since it was read")
		}
		_, err := New("a", c).Apply(t.Context(), adopting.Artifacts(), nil)
		says(t, err, "+# edited", "auth_pass (not shown)")
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is told:\n%v", err)
		}
	})
	found, _ := File{Path: keepalived.ConfigPath, Mode: 0o644}.Found(&Snapshot{Files: map[string]FileState{keepalived.ConfigPath: file(inline)}})
	equal(t, "found", found, strings.NewReplacer("hex:hunter2", "(not shown)", "hunter2", "(not shown)").Replace(inline))
}

func TestOneWhoGivesUpInTheQueueIsToldWhereAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(2)
		hold := c.onCommit
		c.onCommit = func(calls string) error {
			c.mu.Unlock()
			time.Sleep(time.Minute)
			c.mu.Lock()
			return hold(calls)
		}
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(10 * time.Second)
		impatient, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := h.Apply(impatient, numbered(1).Artifacts(), nil)
		says(t, err, `"a"`, "root@192.0.2.11:22", "context deadline exceeded", "nothing was changed", "apply again")
		all.Wait()
		equal(t, "transactions", len(c.commits), 1)
	})
}

func TestRequestsThatContradictEachOtherAreNotMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(1)
		var all sync.WaitGroup
		for _, gone := range []bool{false, true} {
			all.Go(func() {
				var err error
				if gone {
					time.Sleep(time.Millisecond)
					c.mu.Lock()
					hold := c.onCommit
					c.onCommit = func(calls string) error {
						if strings.Contains(calls, "remove_files") {
							c.machine = director()
							return nil
						}
						return hold(calls)
					}
					c.mu.Unlock()
					_, err = h.Apply(t.Context(), nil, numbered(0).Artifacts())
				} else {
					_, err = h.Apply(t.Context(), numbered(0).Artifacts(), nil)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		equal(t, "transactions", len(c.commits), 2)
	})
}

func TestOneWhoGivesUpDoesNotEndTheOthersChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(2)
		hold := c.onCommit
		c.onCommit = func(calls string) error {
			c.mu.Unlock()
			time.Sleep(10 * time.Second)
			c.mu.Lock()
			return hold(calls)
		}
		impatient, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for i, ctx := range []context.Context{impatient, t.Context()} {
			all.Go(func() {
				if _, err := h.Apply(ctx, numbered(i).Artifacts(), nil); err != nil {
					t.Errorf("VIP %d: %v", i, err)
				}
			})
		}
		all.Wait()
	})
}

// lost is what a connection says that broke.
func lost() error {
	return &remote.LostError{Target: "root@192.0.2.11:22", Step: changeStep, Started: true, Err: errors.New("EOF")}
}

func TestLostConnectionIsMadeAgainAndTheOutcomeFetched(t *testing.T) {
	inBubble(t, "committed", func(t *testing.T) {
		h, c := keeping(1)
		var verbs []string
		c.onTransact = func(verb string) error {
			if verbs = append(verbs, verb); len(verbs) < 4 {
				return lost()
			}
			return nil
		}
		if _, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "verbs", strings.Join(verbs, " "), "start attach attach attach")
		equal(t, "commits", len(c.commits), 1)
	})
	inBubble(t, "taken back", func(t *testing.T) {
		h, c := keeping(1)
		c.onTransact = func(verb string) error {
			if verb == "start" {
				return lost()
			}
			return c.says(1, "redislb: everything was put back as it was")
		}
		_, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil)
		says(t, err, "everything was put back as it was")
		equal(t, "settled", len(c.settled), 1)
	})
	inBubble(t, "no trace", func(t *testing.T) {
		h, c := keeping(1)
		c.onTransact = func(verb string) error {
			if verb == "start" {
				return lost()
			}
			return c.says(exitNoTrace, "")
		}
		_, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil)
		var none *LostTransactionError
		if !errors.As(err, &none) {
			t.Fatalf("got %v", err)
		}
		says(t, err, "root@192.0.2.11:22", `"a"`, "no trace", "apply again", none.ID)
	})
	inBubble(t, "never back", func(t *testing.T) {
		h, c := keeping(1)
		c.onTransact = func(string) error { return lost() }
		start := time.Now()
		_, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil)
		says(t, err, "root@192.0.2.11:22", "connection was lost", "tried again for", "apply again")
		if took := time.Since(start); took < reconnecting || took > reconnecting+time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// After a connection was lost, or while a confirmation is given, no error means that
// nothing was started.
func TestRefusalAfterTheChangeMayHaveBegunSaysWhatBecomesOfIt(t *testing.T) {
	refusal := &remote.SessionError{Target: "root@192.0.2.11:22", Step: changeStep, What: "a session", Err: errors.New("administratively prohibited")}
	for verb, first := range map[string]func(c *scripted) error{
		"start":   func(*scripted) error { return refusal },
		"attach":  func(*scripted) error { return lost() },
		"confirm": func(c *scripted) error { return c.says(exitAwaiting, "") },
	} {
		inBubble(t, verb, func(t *testing.T) {
			h, c := keeping(1)
			c.onTransact = func(called string) error {
				if called == "start" {
					return first(c)
				}
				equal(t, "verb", called, verb)
				return refusal
			}
			_, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil)
			says(t, err, "administratively prohibited")
			equal(t, "tells of a transaction", strings.Contains(err.Error(), "is taken back by itself (transaction "), verb != "start")
		})
	}
}

func TestCommittedChangeThatCannotBeTakenBackIsSaidToBeThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(0) // keepalived does nothing
		c.onTransact = func(verb string) error {
			if verb == "revert" {
				return c.says(exitNoTrace, "")
			}
			return nil
		}
		_, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil)
		says(t, err, "could not be taken back", "another change came after it, and then this one is still there")
		if strings.Contains(err.Error(), "before it had begun") {
			t.Errorf("it was committed: %v", err)
		}
	})
}

func TestRevertWhoseOutcomeIsNotLearntPromisesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(0)
		c.onTransact = func(verb string) error {
			if verb != "start" {
				return lost()
			}
			return nil
		}
		_, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil)
		says(t, err, "could not be taken back", "The committed change is still there, or is taken back by the host itself (transaction ")
		if strings.Contains(err.Error(), "as was wanted") || strings.Contains(err.Error(), "had begun") {
			t.Error(err)
		}
	})
}

func TestUploadThatBreaksIsDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := keeping(1)
		breaking := &breakingStage{scripted: c, times: 2}
		if _, err := New("a", breaking).Apply(t.Context(), numbered(0).Artifacts(), nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "commits", len(c.commits), 1)
	})
}

type breakingStage struct {
	*scripted
	times int
}

func (b *breakingStage) Stage(ctx context.Context, files []remote.StagedFile, use func(string) error) error {
	if b.times--; b.times >= 0 {
		return lost()
	}
	return b.scripted.Stage(ctx, files, use)
}

func TestInterruptedChangeIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(1)
		ctx, cancel := context.WithCancelCause(t.Context())
		var verbs []string
		c.onTransact = func(verb string) error {
			verbs = append(verbs, verb)
			if verb == "start" {
				cancel(errors.New("interrupted by the user"))
				return &remote.CanceledError{Target: c.Target(), Step: changeStep, Err: context.Canceled}
			}
			return nil
		}
		_, err := h.Apply(ctx, numbered(0).Artifacts(), nil)
		says(t, err, "The change was taken back", "everything was put back as it was")
		equal(t, "verbs", strings.Join(verbs, " "), "start abort")
	})
}

func TestInterruptedChangeOfWhichTheHostTellsNothingIsNotCalledUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := keeping(1)
		ctx, cancel := context.WithCancelCause(t.Context())
		c.onTransact = func(verb string) error {
			if verb == "start" {
				cancel(errors.New("interrupted by the user"))
				return &remote.CanceledError{Target: c.Target(), Step: changeStep, Err: context.Canceled}
			}
			return c.says(exitNoTrace, "")
		}
		_, err := h.Apply(ctx, numbered(0).Artifacts(), nil)
		says(t, err, "either it had not begun, or its process was killed", "by the next apply (transaction ")
	})
}

func TestChangeThatSomebodyElseMadeMeanwhileIsNoError(t *testing.T) {
	for name, same := range map[string]bool{"the same": true, "another": false} {
		inBubble(t, name, func(t *testing.T) {
			h, c := keeping(1)
			c.onCommit = func(string) error {
				if same {
					c.hold(numbered(0).Artifacts())
				} else {
					c.machine.files[keepalived.VIPServicesPath(numbered(0).Address.Addr())] = file("theirs\n")
				}
				return c.says(exitStale, "was changed on the host since it was read")
			}
			_, err := h.Apply(t.Context(), numbered(0).Artifacts(), nil)
			if same && err != nil || !same && err == nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOnlyWhatMayCutTheWayIsConfirmedOverANewConnection(t *testing.T) {
	other := redisDirector()
	other.VRRP.Interface = "eth1"
	for name, c := range map[string]struct {
		machine *machine
		want    []Artifact
		fresh   int
	}{
		"ARP on every interface":                     {bareMachine(), redisServer().Artifacts(), 1},
		"VRRP on another interface than SSH's":       {bareMachine(), redisDirector().Artifacts(), 0},
		"VRRP on SSH's interface":                    {bareMachine(), other.Artifacts(), 1},
		"a VIP on another interface than SSH's":      {director(), redisVIP().Artifacts(), 0},
		"a VIP on SSH's interface":                   {bareMachine().hold(other.Artifacts()), redisVIP().Artifacts(), 1},
		"rows of the table, wherever they are":       {bareMachine().hold(other.Artifacts()).hold(redisVIP().Artifacts()), redisVIP().Artifacts(), 0},
		"services without an address, wherever they": {bareMachine().hold(other.Artifacts()).hold(redisVIP().Artifacts()), redisVIP().Artifacts(), 0},
	} {
		inBubble(t, name, func(t *testing.T) {
			way := &scripted{machine: c.machine}
			way.booted, way.keepalivedSince = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
			switch name {
			case "rows of the table, wherever they are":
				way.table = ipvs.Table{redisRow(weighing(serverA, 9))}
			case "services without an address, wherever they":
				delete(way.machine.files, keepalived.VIPServicesPath(vip))
			}
			way.onCommit = func(string) error {
				way.table = nil
				way.hold(c.want)
				return nil
			}
			if _, err := New("a", way).Apply(t.Context(), c.want, nil); err != nil {
				t.Fatal(err)
			}
			equal(t, "commits", len(way.commits), 1)
			equal(t, "new connections", way.fresh, c.fresh)
		})
	}
}
