package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTableHasACellForEachHeadAndBreaksAtNoBar(t *testing.T) {
	got := table{head: []string{"a", "b", "c"}, rows: [][]string{{"x|y", "1"}, {"z\nz", "2", "3"}}}.String()
	want := "| a | b | c |\n|---|---:|---:|\n| x\\|y | 1 |  |\n| z z | 2 | 3 |\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestGoalIsMetUpToItsLimitAndMissedBeyond(t *testing.T) {
	for measured, want := range map[float64]string{1.29: met, 1.3: met, 1.301: missed} {
		if g := atMost("", measured, 1.3, "", 2); g.verdict() != want {
			t.Errorf("%v: %s, want %s", measured, g.verdict(), want)
		}
	}
	if g := atMost("memory", 12, 300, "MB", 0); g.target != "≤ 300 MB" || g.measured != "12 MB" {
		t.Errorf("%q %q", g.target, g.measured)
	}
}

func TestPartThatIsNotMeasuredKeepsItsSection(t *testing.T) {
	var plan, hosts section
	plan.goal(goal{"ratio", "≤ 1", "2", false}, goal{"other", "≤ 1", "1", true})
	plan.text("Words of %s.", "plan")
	hosts.goal(goal{"memory", "≤ 1", "1", true})
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	first := document{head: "# Old\n", sections: map[string]string{
		"plan": plan.markdown("Plan", "Measured then."), "hosts": hosts.markdown("Hosts", "Measured then."),
	}}
	names := []string{"plan", "hosts", "wire"}
	text := first.render(names)
	if !strings.Contains(text, "2 met, 1 missed") {
		t.Errorf("the counts are wrong:\n%s", text)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := readDocument(file)
	if err != nil {
		t.Fatal(err)
	}
	second.head = first.head
	if again := second.render(names); again != text {
		t.Errorf("reading and writing changed it:\n%s\nwas\n%s", again, text)
	}
	second.sections["hosts"] = "## New\n"
	if again := second.render(names); !strings.Contains(again, "Words of plan.") || !strings.Contains(again, "## New") || strings.Contains(again, "## Hosts") {
		t.Errorf("the wrong section was replaced:\n%s", again)
	}
}

func TestThereIsNoDocumentAtFirst(t *testing.T) {
	d, err := readDocument(filepath.Join(t.TempDir(), "none.md"))
	if err != nil || len(d.sections) != 0 {
		t.Errorf("%v, %v", d, err)
	}
}
