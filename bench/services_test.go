package main

import (
	"slices"
	"testing"
	"time"
)

func TestGoalsOfServicesAreAboutAThousandOfThem(t *testing.T) {
	row := func(plan float64, apply time.Duration, reloads int) servicesRow {
		return servicesRow{plans: series{plan}, apply: apply, reloads: map[string]int{"a": reloads, "b": 1}}
	}
	l := layout{name: "vips", reloads: 10}
	rows := map[int]servicesRow{1: row(2, time.Second, 1), 100: row(3, 10*time.Second, 1)}
	if got := l.goals(rows); len(got) != 0 {
		t.Errorf("goals without the figures: %v", got)
	}
	rows[1000] = row(6, 131*time.Second, 11)
	got := map[string]bool{}
	for _, g := range l.goals(rows) {
		got[g.what] = g.met
	}
	for what, want := range map[string]bool{
		"vips: reloads on a at 1000":         false,
		"vips: reloads on b at 1000":         true,
		"vips: plan at 1000 ÷ plan at 1":     true,
		"vips: plan at 1000 ÷ plan at 100":   true,
		"vips: apply at 1000 ÷ apply at 100": false,
	} {
		if met, ok := got[what]; !ok || met != want {
			t.Errorf("%s: met %v (there: %v), want %v", what, met, ok, want)
		}
	}
}

func TestSizesAreWholeNumbersInOrder(t *testing.T) {
	if got, err := numbers("100,1,10"); err != nil || !slices.Equal(got, []int{1, 10, 100}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "0", "1,,2", "ten"} {
		if _, err := numbers(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
