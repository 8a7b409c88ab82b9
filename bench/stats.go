package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// series is one thing measured several times.
type series []float64

func (s *series) add(v float64)             { *s = append(*s, v) }
func (s *series) addTime(d time.Duration)   { s.add(d.Seconds()) }
func (s series) min() float64               { return slices.Min(s) }
func (s series) max() float64               { return slices.Max(s) }
func (s series) cells(unit string) []string { return s.format(unit, 2) }

// median is the one in the middle, or half way between the two there. It panics
// if nothing was measured.
func (s series) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// format is the cells median, min, max and n of a table; none is a dash.
func (s series) format(unit string, decimals int) []string {
	if len(s) == 0 {
		return []string{"-", "-", "-", "0"}
	}
	number := func(v float64) string { return strings.TrimSpace(fmt.Sprintf("%.*f %s", decimals, v, unit)) }
	return []string{number(s.median()), number(s.min()), number(s.max()), fmt.Sprint(len(s))}
}

// ratios divides pairwise what was measured in the same round.
func ratios(over, under series) series {
	var all series
	for i := range min(len(over), len(under)) {
		all.add(over[i] / under[i])
	}
	return all
}

// differences subtracts pairwise what was measured in the same round.
func differences(from, what series) series {
	var all series
	for i := range min(len(from), len(what)) {
		all.add(from[i] - what[i])
	}
	return all
}
