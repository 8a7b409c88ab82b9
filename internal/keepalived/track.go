package keepalived

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Track is what the priority of a VRRP instance follows.
//
// A weight changes the priority while the thing is well (above 0) or while it is
// not (below 0): keepalived adds it, and keeps the sum within 1 to 254. A weight
// of 0 has no part in the priority: the instance goes into FAULT instead, and
// gives up the VIPs even if no other director can take them (keepalived.conf(5)).
type Track struct {
	Interfaces []TrackedInterface
	Processes  []TrackedProcess
	Scripts    []TrackedScript
	Files      []TrackedFile
}

// TrackedInterface is well while it is up.
type TrackedInterface struct {
	Name   string
	Weight int
}

// TrackedProcess is well while enough processes of one name run.
type TrackedProcess struct {
	Name string
	// Process is the name that the kernel keeps (proc(5), /proc/PID/comm).
	Process string
	// Quorum is how many of them must run.
	Quorum int
	// Delay is how long there may be too few, or must be enough, before that counts.
	Delay  time.Duration
	Weight int
}

// TrackedScript is well while a command on the host ends with 0.
type TrackedScript struct {
	Name    string
	Command string // see ValidateCommand
	// Interval is the time between two runs, whole seconds.
	Interval time.Duration
	// Timeout is how long a run may take, whole seconds; 0: as long as Interval.
	Timeout time.Duration
	// Fall is how many runs in a row must fail, and Rise how many must succeed,
	// before that counts.
	Fall, Rise int
	// User runs it; empty: root.
	User   string
	Weight int
}

// TrackedFile holds a whole number, which is multiplied by the weight and added to
// the priority.
type TrackedFile struct {
	Name string
	Path string
	// Initial is the number that keepalived writes when it starts, if there is no
	// such file.
	Initial int
	Weight  int
}

func (t Track) validate(own string) error {
	var errs []error
	check := func(kind, name string, err ...error) {
		errs = append(errs, wrap(fmt.Sprintf("tracked %s %.140q", kind, name), errors.Join(err...)))
	}
	for _, i := range t.Interfaces {
		check("interface", i.Name, ValidateTrackedInterface(i.Name), ValidateTrackWeight(i.Weight))
		if i.Name == own {
			// vrrp.c, vrrp_complete_instance: "Ignoring track_interface %s since own interface"
			errs = append(errs, fmt.Errorf("tracked interface %q: it is the instance's own, which is always tracked: without it, the director is in FAULT", i.Name))
		}
	}
	for _, p := range t.Processes {
		check("process", p.Name, ValidateTrackedName(p.Name), ValidateProcess(p.Process), ValidateProcessQuorum(p.Quorum), ValidateProcessDelay(p.Delay), ValidateTrackWeight(p.Weight))
	}
	for _, s := range t.Scripts {
		timeout := s.Timeout
		if timeout == 0 {
			timeout = s.Interval
		}
		check("script", s.Name, ValidateTrackedName(s.Name), ValidateCommand(s.Command), ValidateScriptTime(s.Interval), ValidateScriptTime(timeout), ValidateScriptCount(s.Fall), ValidateScriptCount(s.Rise), ValidateTrackWeight(s.Weight))
		if s.User != "" {
			errs = append(errs, ValidateUser(s.User))
		}
	}
	for _, f := range t.Files {
		if f.Name == drain.Name {
			errs = append(errs, fmt.Errorf("tracked file %q: redislb itself tracks a file of this name: take another one", f.Name))
		}
		check("file", f.Name, ValidateTrackedName(f.Name), ValidatePath(f.Path), ValidateTrackWeight(f.Weight), ValidateTrackFileValue(f.Initial))
	}
	for kind, names := range map[string][]string{"interface": t.interfaces(), "process": t.processes(), "script": t.scripts(), "file": t.files()} {
		if twice := slices.Sorted(slices.Values(names)); len(slices.Compact(twice)) != len(names) {
			errs = append(errs, fmt.Errorf("two tracked things of the kind %s have one name", kind))
		}
	}
	return errors.Join(errs...)
}

func names[T, N any](things []T, name func(T) N) []N {
	var all []N
	for _, thing := range things {
		all = append(all, name(thing))
	}
	return all
}

func (t Track) interfaces() []string {
	return names(t.Interfaces, func(i TrackedInterface) string { return i.Name })
}

func (t Track) processes() []string {
	return names(t.Processes, func(p TrackedProcess) string { return p.Name })
}

func (t Track) scripts() []string {
	return names(t.Scripts, func(s TrackedScript) string { return s.Name })
}

func (t Track) files() []string { return names(t.Files, func(f TrackedFile) string { return f.Name }) }

// sorted is the same in the order of the names, for a file that does not depend on
// how they were given.
func (t Track) sorted() Track {
	return Track{
		Interfaces: slices.SortedFunc(slices.Values(t.Interfaces), func(a, b TrackedInterface) int { return cmp.Compare(a.Name, b.Name) }),
		Processes:  slices.SortedFunc(slices.Values(t.Processes), func(a, b TrackedProcess) int { return cmp.Compare(a.Name, b.Name) }),
		Scripts:    slices.SortedFunc(slices.Values(t.Scripts), func(a, b TrackedScript) int { return cmp.Compare(a.Name, b.Name) }),
		Files:      slices.SortedFunc(slices.Values(t.Files), func(a, b TrackedFile) int { return cmp.Compare(a.Name, b.Name) }),
	}
}

// definitions are the blocks beside the instance, which stand before it: a name
// that is not known yet when the instance is read is ignored (vrrp_track.c,
// alloc_track_script).
func (t Track) definitions() []Node {
	var nodes []Node
	for _, s := range t.Scripts {
		block := []Node{statement("script", s.Command), statement("interval", seconds(s.Interval))}
		if s.Timeout != 0 {
			block = append(block, statement("timeout", seconds(s.Timeout)))
		}
		block = append(block, number("weight", s.Weight), number("fall", s.Fall), number("rise", s.Rise))
		if s.User != "" {
			block = append(block, statement("user", s.User))
		}
		nodes = append(nodes, blockOf("vrrp_script", []string{s.Name}, block...))
	}
	for _, p := range t.Processes {
		block := []Node{statement("process", p.Process), number("weight", p.Weight), number("quorum", p.Quorum)}
		if p.Delay != 0 {
			block = append(block, statement("delay", seconds(p.Delay)))
		}
		nodes = append(nodes, blockOf("vrrp_track_process", []string{p.Name}, block...))
	}
	for _, f := range t.Files {
		block := []Node{statement("file", f.Path), number("weight", f.Weight)}
		if f != drain {
			block = append(block, number("init_file", f.Initial))
		}
		nodes = append(nodes, blockOf("track_file", []string{f.Name}, block...))
	}
	return nodes
}

// references are the blocks within the instance.
func (t Track) references() []Node {
	var nodes, interfaces []Node
	for _, i := range t.Interfaces {
		interfaces = append(interfaces, statement(i.Name, "weight", strconv.Itoa(i.Weight)))
	}
	if len(interfaces) > 0 {
		nodes = append(nodes, blockOf("track_interface", nil, interfaces...))
	}
	for _, kind := range []struct {
		keyword string
		names   []string
	}{{"track_script", t.scripts()}, {"track_process", t.processes()}, {"track_file", t.files()}} {
		if len(kind.names) > 0 {
			nodes = append(nodes, blockOf(kind.keyword, nil, names(kind.names, func(name string) Node { return statement(name) })...))
		}
	}
	return nodes
}
