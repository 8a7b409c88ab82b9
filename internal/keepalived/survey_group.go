package keepalived

import (
	"fmt"
	"slices"
)

// SurveyedGroup is a vrrp_sync_group: who holds the VIPs of one of its instances holds those
// of all.
type SurveyedGroup struct {
	Line      int
	Name      string
	Instances []string
}

func (s *Survey) readGroup(w *surveyor, n Node) error {
	if len(n.Args) != 1 || !n.HasBlock {
		return fmt.Errorf("expected a block with one name")
	}
	g := SurveyedGroup{Line: n.Line, Name: n.Args[0]}
	w.block(n, fields{
		"group": func(n Node) error {
			for _, child := range n.Block {
				g.Instances = append(append(g.Instances, child.Keyword), child.Args...)
			}
			return nil
		},
	})
	s.Groups = append(s.Groups, g)
	return nil
}

// Together are the instances of which the first one is, which move together: those of its
// sync group, or itself alone.
func (s Survey) Together() []SurveyedInstance {
	if len(s.Instances) == 0 {
		return nil
	}
	first := s.Instances[0]
	together := []SurveyedInstance{first}
	for _, g := range s.Groups {
		for _, i := range s.Instances[1:] {
			if slices.Contains(g.Instances, first.Name) && slices.Contains(g.Instances, i.Name) {
				together = append(together, i)
			}
		}
	}
	return together
}
