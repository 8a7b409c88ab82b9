package ipvs

// Changes gives the lines of `ipvsadm -R` input that turn have into want, in
// the order in which they must be applied; nil stands for a service that is
// absent. No difference gives no lines.
//
// A row that exists is edited in place, never deleted and added again: the
// kernel keeps the connections of an edited service or destination, whatever
// changes but the key (ip_vs_ctl.c, ip_vs_edit_service and ip_vs_edit_dest).
// Destinations are added and edited before others are deleted, so that the
// service does not stand without any in between.
//
// `ipvsadm -R` goes on after a line that the kernel refuses and returns the
// result of its last line (ipvsadm.c, restore_table): read the table back.
func Changes(have, want *Service) []string {
	switch {
	case have == nil && want == nil:
		return nil
	case want == nil:
		return []string{"-D " + have.option()}
	case have == nil:
		lines := []string{"-A " + want.words()}
		for _, d := range want.sorted() {
			lines = append(lines, "-a "+want.destinationWords(d))
		}
		return lines
	case have.Key != want.Key:
		return append(Changes(nil, want), Changes(have, nil)...)
	}

	var lines []string
	if have.words() != want.words() {
		lines = append(lines, "-E "+want.words())
	}
	for _, d := range want.sorted() {
		words := want.destinationWords(d)
		switch old, ok := have.Destination(d.Endpoint()); {
		case !ok:
			lines = append(lines, "-a "+words)
		case have.destinationWords(old) != words:
			lines = append(lines, "-e "+words)
		}
	}
	for _, d := range have.sorted() {
		if _, ok := want.Destination(d.Endpoint()); !ok {
			lines = append(lines, "-d "+have.option()+" -r "+d.Endpoint().String())
		}
	}
	return lines
}
