package keepalived

import "errors"

// Notify holds commands of the user's own that keepalived runs, as root, when the
// instance changes its state, beside RoleScript; see ValidateCommand. Empty: none.
type Notify struct {
	Master, Backup, Fault, Stop string
}

// Commands are those that are there.
func (n Notify) Commands() []string {
	return names(n.nodes(), func(node Node) string { return node.Args[0] })
}

func (n Notify) validate() error {
	var errs []error
	for _, node := range n.nodes() {
		errs = append(errs, wrap(node.Keyword, ValidateCommand(node.Args[0])))
	}
	return errors.Join(errs...)
}

func (n Notify) nodes() []Node {
	var nodes []Node
	for _, hook := range []struct{ keyword, command string }{
		{"notify_master", n.Master}, {"notify_backup", n.Backup}, {"notify_fault", n.Fault}, {"notify_stop", n.Stop},
	} {
		if hook.command != "" {
			nodes = append(nodes, statement(hook.keyword, hook.command))
		}
	}
	return nodes
}

func (n *Notify) fields() fields {
	return fields{
		"notify_master": into(&n.Master), "notify_backup": into(&n.Backup),
		"notify_fault": into(&n.Fault), "notify_stop": into(&n.Stop),
	}
}
