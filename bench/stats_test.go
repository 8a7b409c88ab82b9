package main

import (
	"slices"
	"testing"
)

func TestMedianIsTheMiddleOfAnyOrder(t *testing.T) {
	for _, c := range []struct {
		values series
		want   float64
	}{
		{series{7}, 7},
		{series{9, 1, 2}, 2},
		{series{4, 1, 100, 2}, 3},
		{series{5, 5, 1, 5, 9}, 5},
	} {
		before := slices.Clone(c.values)
		if got := c.values.median(); got != c.want {
			t.Errorf("median of %v: %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("the order of measurement was lost: %v, was %v", c.values, before)
		}
	}
}

func TestCellsAreMedianLeastMostAndCount(t *testing.T) {
	if got, want := (series{3, 1, 2, 10}).cells("s"), []string{"2.50 s", "1.00 s", "10.00 s", "4"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := (series{2.4}).format("", 0), []string{"2", "2", "2", "1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := series(nil).cells("s"), []string{"-", "-", "-", "0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRoundsArePairedInOrder(t *testing.T) {
	plan, start := series{5, 8, 9}, series{1, 2, 3}
	if got, want := differences(plan, start), (series{4, 6, 6}); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := ratios(series{4, 6}, series{2, 4, 9}), (series{2, 1.5}); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
