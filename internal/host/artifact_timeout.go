package host

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// IPVSTimeout is one of the kernel's timeouts of IPVS connections. It is set by
// keepalived, where that has a virtual server, from its configuration; when it is to go
// back to what it was, keepalived has its own word on that too ([keepalived.IPVSTimeouts]),
// and what was before the director is the last one.
type IPVSTimeout keepalived.IPVSTimeout

// Key implements [Artifact].
func (i IPVSTimeout) Key() string { return "ipvs timeout " + i.Name }

func (i IPVSTimeout) phase() phase { return phaseTimeout }

func (i IPVSTimeout) seconds() string { return strconv.FormatInt(int64(i.Value/time.Second), 10) }

// Want implements [Artifact].
func (i IPVSTimeout) Want() string { return i.seconds() + " s" }

// Found implements [Artifact]. One that was not set by us is nobody's.
func (i IPVSTimeout) Found(s *Snapshot) (string, bool) {
	value, ok := s.IPVSTimeouts[i.Name]
	if !ok {
		return "", false
	}
	return IPVSTimeout{Value: value}.Want(), true
}

func (i IPVSTimeout) establish(*Snapshot) []step {
	return []step{call("set_ipvs_timeout", i.Name, i.seconds())}
}

func (i IPVSTimeout) remove(*Snapshot) []step { return []step{call("restore_ipvs_timeout", i.Name)} }

// note has what it was before noted before keepalived sets it.
func (i IPVSTimeout) note() step { return call("note_ipvs_timeout", i.Name) }

// parseTimeouts reads the paths of the notes of what timeouts were before, and what
// ipvsadm -L --timeout says: "Timeout (tcp tcpfin udp): 900 120 300". Those without a note
// are not ours.
func (s *Snapshot) parseTimeouts(text string) error {
	notes, said, _ := strings.Cut(text, "\n")
	if said == "" {
		return nil // nobody could tell
	}
	var values [3]int64
	if _, err := fmt.Sscanf(said, "Timeout (tcp tcpfin udp): %d %d %d", &values[0], &values[1], &values[2]); err != nil {
		return fmt.Errorf("%q: %w", said, err)
	}
	s.IPVSTimeouts = map[string]time.Duration{}
	for i, name := range []string{"tcp", "tcpfin", "udp"} {
		if slices.ContainsFunc(strings.Fields(notes), func(path string) bool { return strings.HasSuffix(path, ".timeout."+name) }) {
			s.IPVSTimeouts[name] = time.Duration(values[i]) * time.Second
		}
	}
	return nil
}
