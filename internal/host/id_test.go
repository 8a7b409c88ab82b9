package host

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestOrphansAreThoseOfDeadProcessesOfThisSystem(t *testing.T) {
	own := newID()
	part := strings.Split(own, "-")
	if len(part) != 4 {
		t.Skipf("no proc(5) here: %s", own)
	}
	with := func(i int, text string) string {
		p := slices.Clone(part)
		p[i] = text
		return strings.Join(p, "-")
	}
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	dead := with(2, strconv.Itoa(cmd.ProcessState.Pid()))
	reused := with(3, "1")
	got := orphans([]string{own, dead, with(1, "0badc0de"), "00000000000000aa", reused, "a-b-c-d"})
	equal(t, "orphans", strings.Join(got, " "), dead+" "+reused)
}

func TestIDsTellTheirProcessEvenWhereThereIsNoProc(t *testing.T) {
	process := func(id string) string {
		_, process, ok := strings.Cut(id, "-") // as take_back_others of transaction.sh
		equal(t, "tells of a process", ok, true)
		return process
	}
	first, second := idOf("", "7", ""), idOf("", "7", "")
	if first == second {
		t.Error("two ids are the same")
	}
	equal(t, "process", process(first), process(second))
	equal(t, "with proc(5)", process(idOf("0badc0de", "7", "9")), "0badc0de-7-9")
	equal(t, "orphans", len(orphans([]string{first})), 0)
}

func TestOutcomesThatNobodyWillFetchAreTidiedUp(t *testing.T) {
	orphan := strings.Join(append(strings.Split(newID(), "-")[:3], "1"), "-")
	c := &scripted{machine: director()}
	c.ended = []string{"00000000000000aa", newID(), orphan}
	c.hold(redisDirector().Artifacts())
	if _, err := New("a", c).Apply(t.Context(), redisDirector().Artifacts(), nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "commits", len(c.commits), 0)
	equal(t, "settled", strings.Join(c.settled, " "), orphan)
}
