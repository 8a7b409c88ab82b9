package main

import (
	"fmt"
	"strings"
)

// table is one of Markdown. Cells of numbers are on the right.
type table struct {
	head []string
	rows [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// row of a name and cells, as series give them.
func (t *table) named(name string, cells []string) { t.row(append([]string{name}, cells...)...) }

func (t table) String() string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for i := range t.head {
			cell := ""
			if i < len(cells) {
				cell = strings.NewReplacer("|", `\|`, "\n", " ").Replace(cells[i])
			}
			b.WriteString(" " + cell + " |")
		}
		b.WriteString("\n")
	}
	line(t.head)
	b.WriteString("|---|" + strings.Repeat("---:|", len(t.head)-1) + "\n")
	for _, cells := range t.rows {
		line(cells)
	}
	return b.String()
}

// goal is a target and what became of it.
type goal struct {
	what, target, measured string
	met                    bool
}

// atMost is a goal that a number meets by not exceeding a limit.
func atMost(what string, measured, limit float64, unit string, decimals int) goal {
	number := func(v float64) string { return strings.TrimSpace(fmt.Sprintf("%.*f %s", decimals, v, unit)) }
	return goal{what, "≤ " + number(limit), number(measured), measured <= limit}
}

func (g goal) verdict() string {
	if g.met {
		return met
	}
	return missed
}

const (
	met    = "met"
	missed = "**MISSED**"
)

// section is what a part found out.
type section struct {
	body  strings.Builder
	goals []goal
}

func (s *section) text(format string, args ...any) {
	fmt.Fprintf(&s.body, strings.TrimSpace(format)+"\n\n", args...)
}

func (s *section) table(t table)  { s.body.WriteString(t.String() + "\n") }
func (s *section) goal(g ...goal) { s.goals = append(s.goals, g...) }

// markdown is the section with its goals first.
func (s *section) markdown(title, stamp string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", title)
	if len(s.goals) > 0 {
		t := table{head: []string{"Target", "target", "measured", "verdict"}}
		for _, g := range s.goals {
			t.row(g.what, g.target, g.measured, g.verdict())
		}
		b.WriteString(t.String() + "\n")
	}
	b.WriteString(s.body.String())
	b.WriteString(stamp + "\n")
	return b.String()
}
