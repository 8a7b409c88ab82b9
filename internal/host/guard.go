package host

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// LoopGuard is what keeps two directors, both also real servers, from sending the
// same packet to each other for ever: both have the virtual service, and each would
// schedule what the other one has just sent to it.
type LoopGuard string

// The guards. An empty one is BackupOnly.
const (
	// BackupOnly lets a director that does not hold the VIP deliver what it receives
	// locally, by the role of the IPVS sync daemon (kernel's ipvs-sysctl, backup_only).
	BackupOnly LoopGuard = "backup_only"
	// Hash lets all directors draw the same real server for the same client address
	// and port, by the scheduler mh, whose keys are constants (ip_vs_mh.c,
	// generate_hash_secret). Nothing has to be told from one to the other.
	Hash LoopGuard = "hash"
	// ConfigSwap lets only the VRRP master have virtual services: keepalived's notify has
	// it load them, or not, whenever the role changes. It asks nothing of the kernel.
	ConfigSwap LoopGuard = "config_swap"
	// SourceMAC lets a director deliver locally what comes from the MAC address of another
	// one: see [keepalived.Peers]. Both sync daemons run on all directors, so that it does
	// not matter which of them holds which VIP.
	SourceMAC LoopGuard = "source_mac"
)

// LoopGuards are all of them.
var LoopGuards = []string{string(BackupOnly), string(Hash), string(SourceMAC), string(ConfigSwap)}

// GuardLeftOut is the guard of a director whose user names none: BackupOnly, and
// ConfigSwap where the host's kernel has IPVS without it. Where nothing is known of the
// kernel (s is nil, or ip_vs is not loaded), it stays as it was before; the problem is a
// warning that it becomes another one than is to be expected.
func GuardLeftOut(s *Snapshot, before LoopGuard) (LoopGuard, []Problem) {
	if s == nil || !s.IPVSLoaded {
		if before == ConfigSwap {
			return ConfigSwap, nil
		}
		return BackupOnly, nil
	}
	const needed = "net.ipv4.vs.backup_only"
	if _, ok := s.Sysctls[needed]; ok {
		return BackupOnly, nil
	}
	if before == ConfigSwap {
		return ConfigSwap, nil
	}
	return ConfigSwap, []Problem{{[]string{"loop_guard"}, "Loop Guard Chosen by the Kernel",
		fmt.Sprintf("loop_guard is left out, and the kernel of the host (%s) has IPVS without %s, by which the usual one goes. The director gets %q: only the one that holds the VIPs has their services, and connections to real servers on other machines break in a failover. To keep them, set loop_guard = %q, which asks for nothing that this kernel lacks. All directors of a group need the same guard: if they run different kernels, write it out.", s.Kernel, needed, ConfigSwap, SourceMAC)}}
}

// sysctls are those that the guard goes by.
//
// The ones of the sync daemon make it tell of idle connections often enough for a
// failover (kernel's ipvs-sysctl): a packet each refresh period, retried once,
// where the default tells of an idle connection about every four hours.
//
// By sloppy_tcp a director takes over a connection in the middle, which it schedules
// as the one before has done; otherwise only a SYN opens one. backup_only does
// nothing without a sync daemon, and is written so that it is not left by the other
// guard.
func (g LoopGuard) sysctls() []Sysctl {
	switch g {
	case Hash:
		return []Sysctl{
			{"net.ipv4.vs.backup_only", "0"},
			{"net.ipv4.vs.sloppy_tcp", "1"},
		}
	case ConfigSwap:
		return []Sysctl{{"net.ipv4.vs.backup_only", "0"}}
	}
	backupOnly := "1"
	if g == SourceMAC {
		backupOnly = "0"
	}
	return []Sysctl{
		{"net.ipv4.vs.backup_only", backupOnly},
		{"net.ipv4.vs.sync_threshold", "1 0"},
		{"net.ipv4.vs.sync_refresh_period", "10"},
		{"net.ipv4.vs.sync_retries", "1"},
	}
}

// lacks are the sysctls of the guard that the host's kernel does not know. Before
// ip_vs is loaded there are none at all, and nothing is known.
func (g LoopGuard) lacks(s *Snapshot) []string {
	var names []string
	for _, y := range g.sysctls() {
		if _, ok := y.Found(s); !ok && s.IPVSLoaded {
			names = append(names, y.Name)
		}
	}
	return names
}

// check looks for what the host's kernel lacks for the guard.
func (g LoopGuard) check(s *Snapshot) []Problem {
	if lacks := g.lacks(s); len(lacks) > 0 {
		what := fmt.Sprintf("The kernel of the host (%s) has IPVS without %s, by which this guard goes. ", s.Kernel, strings.Join(lacks, ", "))
		switch {
		case g != Hash && g != SourceMAC && len(SourceMAC.lacks(s)) == 0:
			what += fmt.Sprintf("Set loop_guard = %q, on all directors of the group.", SourceMAC)
		case g != Hash && len(Hash.lacks(s)) == 0:
			what += fmt.Sprintf("Set loop_guard = %q, on all directors of the group, with %s for each service of their VIPs; or %q, which takes any scheduler and keeps no connection in a failover.", Hash, hashing, ConfigSwap)
		case g != Hash:
			what += fmt.Sprintf("Set loop_guard = %q, on all directors of the group, which asks nothing of the kernel and keeps no connection in a failover; or let the host run a kernel that has it (Debian's do; one hides it from a container with users of its own).", ConfigSwap)
		default:
			what += "Let the host run a kernel that has it (Debian's do; one hides it from a container with users of its own)."
		}
		return []Problem{{[]string{"loop_guard"}, "Loop Guard Unknown to the Kernel", what}}
	}
	if g == Hash && len(s.Schedulers) > 0 && !slices.Contains(s.Schedulers, "mh") {
		return []Problem{{[]string{"loop_guard"}, "Scheduler Missing from the Kernel",
			fmt.Sprintf("The kernel of the host (%s) has no module ip_vs_mh, by which this guard goes (Linux has it since 4.18). Leave loop_guard out: backup_only needs no scheduler of its own.", s.Kernel)}}
	}
	return nil
}

// severalRoles reports whether a host can be master of one VRRP instance and a backup of
// another. BackupOnly goes by the one sync daemon, ConfigSwap by the director's own instance,
// for all services.
func (g LoopGuard) severalRoles() bool {
	switch g {
	case "", BackupOnly, ConfigSwap:
		return false
	}
	return true
}

// forSeveralRoles is those that do, for messages.
func forSeveralRoles() string {
	var guards []string
	for _, g := range LoopGuards {
		if LoopGuard(g).severalRoles() {
			guards = append(guards, fmt.Sprintf("loop_guard = %q", g))
		}
	}
	return strings.Join(guards, " or ")
}

// hashing is what a user writes for a service that Hash guards.
const hashing = `scheduler = "mh" and scheduler_flags = ["mh-port"]`

// guards reports whether the guard holds for a service. Without mh-port Hash would
// hold too, but send all of a client to one real server.
func (g LoopGuard) guards(s keepalived.VirtualServer) bool {
	switch g {
	case Hash:
		return s.Scheduler == "mh" && slices.Contains(s.SchedulerFlags, "mh-port")
	case SourceMAC:
		return s.Forwarding != keepalived.TUN
	}
	return true
}

// LoopGuard is the guard of the director on the host; empty where there is no
// director of redislb's, or it cannot be read.
func (s *Snapshot) LoopGuard() LoopGuard {
	if !s.managed(keepalived.ConfigPath) {
		return ""
	}
	c, err := keepalived.ParseDirector(s.Files[keepalived.ConfigPath].Content)
	if err != nil {
		return ""
	}
	return guardOf(c)
}

// guardOf tells the guard by what is included, and by the sync daemon.
func guardOf(c keepalived.Director) LoopGuard {
	switch {
	case c.SwapServices:
		return ConfigSwap
	case c.SyncInterface == "":
		return Hash
	case c.SyncBoth:
		return SourceMAC
	}
	return BackupOnly
}

// CheckGuard looks for services of the VIP that the guard of a director does not hold
// for, and for an instance of its own that it does not take; name is the host's. An empty
// guard is not known, and not judged.
func (v VIP) CheckGuard(name string, guard LoopGuard) []Problem {
	var problems []Problem
	if v.VRRP != nil {
		problems = append(problems, guard.CheckRoles(name)...)
	}
	for _, service := range v.Services {
		switch {
		case guard.guards(service):
		case guard == SourceMAC:
			problems = append(problems, Problem{[]string{"services"}, "Forwarding Does Not Fit the Loop Guard",
				fmt.Sprintf("Service %q has forwarding = \"TUN\", and the director on host %q has loop_guard = %q: what comes out of a tunnel has no MAC address by which a director would know another one, so that packets would go to and fro between them. Write another forwarding, or give the directors another loop_guard, such as %q.", service.Name, name, guard, BackupOnly)})
		default:
			problems = append(problems, Problem{[]string{"services"}, "Scheduler Does Not Fit the Loop Guard",
				fmt.Sprintf("Service %q: its scheduler is %s, and the director on host %q has loop_guard = %q, by which all directors have to draw the same real server for a client. Packets would go to and fro between them. Write %s, or give the directors another loop_guard, and let the directors of the VIP refer to their host attributes, so that they come first.", service.Name, schedulerText(service), name, guard, hashing)})
		}
	}
	return problems
}

// CheckRoles is the problem of a VIP with a VRRP instance of its own.
func (g LoopGuard) CheckRoles(name string) []Problem {
	if g == "" || g.severalRoles() {
		return nil
	}
	return []Problem{{[]string{"vrrp"}, "Loop Guard Knows One Role",
		fmt.Sprintf("With vrrp the VIP has a VRRP instance of its own, so that a director may be the master of one VIP and a backup of another. The director on host %q has loop_guard = %q, which goes by one role for the whole host: packets would go to and fro between the directors. Give all directors of the VIP %s, or leave vrrp out: then the VIP is where the other VIPs of its directors are.", name, g, forSeveralRoles())}}
}

func schedulerText(s keepalived.VirtualServer) string {
	if len(s.SchedulerFlags) == 0 {
		return s.Scheduler
	}
	return fmt.Sprintf("%s (%s)", s.Scheduler, strings.Join(s.SchedulerFlags, ", "))
}

// unguarded tells of VIPs whose services the director's guard does not hold for, which is
// no error here: the same apply may change them, after the director. If not, that is an
// error of the VIP.
func (d Director) unguarded(s *Snapshot) []Problem {
	var services, own []string
	for _, address := range s.ManagedVIPs() {
		if s.OwnInstance(address) && d.Guard.CheckRoles(d.Name) != nil {
			own = append(own, address.String())
		}
		if _, marked := s.Files[keepalived.VIPMarksPath(address)]; d.Guard == SourceMAC && !marked {
			services = append(services, address.String()+": nothing marks what other directors send to it")
		}
		vip, err := s.VIP(address)
		if err != nil { // changed by hand: its own resource shows it
			continue
		}
		for _, service := range vip.Services {
			if !d.Guard.guards(service) {
				services = append(services, fmt.Sprintf("%s: service %q with the scheduler %s and forwarding %s", address, service.Name, schedulerText(service), service.Forwarding))
			}
		}
	}
	var problems []Problem
	if len(own) > 0 {
		problems = append(problems, Problem{[]string{"loop_guard"}, "VIPs on the Host Do Not Fit the Loop Guard",
			fmt.Sprintf("From the moment that the director has loop_guard = %q until these VIPs have no VRRP instance of their own (vrrp), packets go to and fro between the directors, and connections fail:\n\n%s\n\nTake vrrp from them in an apply before this one.", d.Guard, strings.Join(own, "\n"))})
	}
	if len(services) == 0 {
		return problems
	}
	until, instead := "have "+hashing, "To change both without that, apply the scheduler first, which every loop_guard takes, and this then."
	if d.Guard == SourceMAC {
		until, instead = "are changed too, which the same apply does for VIPs that it manages", "Apply it when that is no harm."
	}
	return append(problems, Problem{[]string{"loop_guard"}, "Services on the Host Do Not Fit the Loop Guard",
		fmt.Sprintf("From the moment that the director has loop_guard = %q until these %s, packets go to and fro between the directors, and connections fail:\n\n%s\n\n%s", d.Guard, until, strings.Join(services, "\n"), instead)})
}
