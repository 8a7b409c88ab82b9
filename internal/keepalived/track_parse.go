package keepalived

import (
	"fmt"
	"slices"
	"strconv"
)

// trackReader reads what definitions and references wrote.
type trackReader struct {
	Track
	// referred are the names that the instance refers to, by the keyword of the block.
	referred map[string][]string
	ours     []TrackedFile // which redislb tracks by itself
}

// define reads a block beside the instance; false: it is another one.
func (t *trackReader) define(n Node) (bool, error) {
	var err error
	name := ""
	if len(n.Args) == 1 && n.HasBlock {
		name = n.Args[0]
	}
	switch n.Keyword {
	case "vrrp_script":
		s := TrackedScript{Name: name}
		err = fields{
			"script": into(&s.Command), "interval": intoDuration(&s.Interval), "timeout": intoDuration(&s.Timeout),
			"weight": intoInt(&s.Weight), "fall": intoInt(&s.Fall), "rise": intoInt(&s.Rise), "user": into(&s.User),
		}.read(n.Block, "script", "interval", "weight", "fall", "rise")
		t.Scripts = append(t.Scripts, s)
	case "vrrp_track_process":
		p := TrackedProcess{Name: name}
		err = fields{
			"process": into(&p.Process), "weight": intoInt(&p.Weight), "quorum": intoInt(&p.Quorum), "delay": intoDuration(&p.Delay),
		}.read(n.Block, "process", "weight", "quorum")
		t.Processes = append(t.Processes, p)
	case "track_file":
		f, to, required := TrackedFile{Name: name}, &t.Files, []string{"file", "weight", "init_file"}
		if name == drain.Name {
			to, required = &t.ours, []string{"file", "weight"}
		}
		err = fields{
			"file": into(&f.Path), "weight": intoInt(&f.Weight), "init_file": intoInt(&f.Initial),
		}.read(n.Block, required...)
		if *to = append(*to, f); err == nil && name == drain.Name && f != drain {
			err = fmt.Errorf("expected the file %s with the weight %d", drain.Path, drain.Weight)
		}
	default:
		return false, nil
	}
	if name == "" {
		err = fmt.Errorf("expected a block with one name")
	}
	if err != nil {
		err = at(n, err)
	}
	return true, err
}

// readInterfaces reads track_interface.
func (t *trackReader) readInterfaces(n Node) error {
	for _, i := range n.Block {
		if len(i.Args) != 2 || i.Args[0] != "weight" || i.HasBlock {
			return at(i, fmt.Errorf("expected weight and its number"))
		}
		weight, err := strconv.Atoi(i.Args[1])
		if err != nil {
			return at(i, fmt.Errorf("%q is no whole number", i.Args[1]))
		}
		t.Interfaces = append(t.Interfaces, TrackedInterface{i.Keyword, weight})
	}
	return nil
}

// refer reads track_script, track_process or track_file.
func (t *trackReader) refer(n Node) error {
	if t.referred == nil {
		t.referred = map[string][]string{}
	}
	for _, name := range n.Block {
		if err := flag(name); err != nil {
			return at(name, err)
		}
		t.referred[n.Keyword] = append(t.referred[n.Keyword], name.Keyword)
	}
	return nil
}

// complete wants each name defined and referred to.
func (t *trackReader) complete() error {
	all := Track{Files: slices.Concat(t.Files, t.ours)}
	for keyword, defined := range map[string][]string{"track_script": t.scripts(), "track_process": t.processes(), "track_file": all.files()} {
		referred := slices.Sorted(slices.Values(t.referred[keyword]))
		if defined = slices.Sorted(slices.Values(defined)); !slices.Equal(referred, defined) {
			return fmt.Errorf("%s has %q, but %q are defined", keyword, referred, defined)
		}
	}
	return nil
}
