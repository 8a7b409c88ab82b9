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

// readServerGroup reads a virtual_server_group: its members by its name.
func (s *Survey) readServerGroup(w *surveyor, n Node) error {
	if len(n.Args) != 1 || !n.HasBlock {
		return fmt.Errorf("expected a block with one name")
	}
	w.path = append(w.path, n.Keyword+" "+n.Args[0])
	defer func() { w.path = w.path[:len(w.path)-1] }()
	if s.serverGroups == nil {
		s.serverGroups = map[string][]SurveyedVirtualServer{}
	}
	for _, child := range n.Block {
		v := SurveyedVirtualServer{Group: n.Args[0]}
		words := append([]string{child.Keyword}, child.Args...)
		if err := v.readKey(words); err != nil || child.HasBlock {
			w.leave(child, "is neither an address with a port nor a firewall mark")
			continue
		}
		s.serverGroups[v.Group] = append(s.serverGroups[v.Group], v)
	}
	return nil
}

// unfold has a virtual_server of a group become one for each of its members, as it is for
// the kernel.
func (s *Survey) unfold() {
	var all []SurveyedVirtualServer
	for _, v := range s.VirtualServers {
		members := s.serverGroups[v.Group]
		if v.Group == "" || len(members) == 0 {
			all = append(all, v)
			continue
		}
		for _, m := range members {
			v.Address, v.Port, v.FWMark = m.Address, m.Port, m.FWMark
			all = append(all, v)
		}
	}
	s.VirtualServers = all
}
