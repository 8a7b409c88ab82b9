package host

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// MissingPackages are those that a director would have installed.
func (s *Snapshot) MissingPackages() []string {
	var missing []string
	for _, p := range []Package{{"keepalived"}, {"ipvsadm"}, {"nftables"}} {
		if _, ok := p.Found(s); !ok {
			missing = append(missing, p.Name)
		}
	}
	return missing
}

// Preflight looks for what of the host itself would keep it from becoming a director, or
// being one, whatever its VRRP instance; and whether its kernel makes it one that keeps no
// connections.
func Preflight(s *Snapshot) []Problem {
	guard, problems := GuardLeftOut(s, "")
	problems = append(problems, Director{Install: true, Guard: guard}.checkSystem(s, true)...)
	if missing := s.MissingPackages(); len(missing) > 0 && s.PackageManager == "" {
		problems = append(problems, Problem{nil, "No Package Manager",
			fmt.Sprintf("%s would have to be installed, and the host has neither apt-get nor dnf: install it by hand.", strings.Join(missing, ", "))})
	}
	return problems
}

// Configuration is whose a host's keepalived.conf is.
type Configuration string

// The configurations.
const (
	NoConfiguration      Configuration = "none"
	OwnConfiguration     Configuration = "redislb"
	ForeignConfiguration Configuration = "foreign"
)

// Configuration tells whose keepalived.conf there is.
func (s *Snapshot) Configuration() Configuration {
	_, there := s.Files[keepalived.ConfigPath]
	switch {
	case !there:
		return NoConfiguration
	case s.managed(keepalived.ConfigPath):
		return OwnConfiguration
	}
	return ForeignConfiguration
}

// HasSystemd reports whether the host runs systemd.
func (s *Snapshot) HasSystemd() bool { return len(s.Units) > 0 }

// KeepalivedState is what systemctl says of its unit: active, inactive, failed; empty
// where there is none.
func (s *Snapshot) KeepalivedState() string {
	u, ok := s.Units[keepalivedUnit]
	if !ok || u.Load == "not-found" {
		return ""
	}
	return u.Active
}

// Instance is the director's own VRRP instance on a host, as it is now.
type Instance struct {
	// Configured is what its keepalived.conf says, edited by hand or not.
	Configured keepalived.SurveyedInstance
	// State is master, backup or fault, stopped where keepalived does not run, and empty
	// where it cannot be told: there is no VIP to tell by, or one on its way.
	State string
	// Since is when keepalived last said so, by the host's clock; the zero Time where it
	// has not.
	Since time.Time
	Drain bool
	Guard LoopGuard // empty where it cannot be told
}

// The states that are no role.
const (
	faultState   = "fault"
	stoppedState = "stopped"
)

// Instance returns the VRRP instance; nil where the host is no director of redislb's. An
// error is a keepalived.conf that cannot be read.
func (s *Snapshot) Instance() (*Instance, error) {
	if s.Configuration() != OwnConfiguration {
		return nil, nil
	}
	survey, err := keepalived.SurveyOf(s.Files[keepalived.ConfigPath].Content)
	if err == nil && len(survey.Instances) == 0 {
		err = fmt.Errorf("there is no vrrp_instance in it that can be read")
	}
	if err != nil {
		return nil, fmt.Errorf("%s, which redislb wrote, was edited: %w. The next apply of its redislb_director puts it right", keepalived.ConfigPath, err)
	}
	i := Instance{Configured: survey.Instances[0], Drain: s.drains(), Guard: s.LoopGuard()}
	role := s.Role()
	if role == "" {
		role = s.noted
	}
	i.State = s.stateAs(role, s.state)
	// What keepalived said may be overtaken by what is seen.
	if i.State != "" && i.State == strings.ToLower(s.state) {
		i.Since = s.stateNoted
	}
	return &i, nil
}

// stateAs is the state of an instance in that role, of which keepalived last said that.
func (s *Snapshot) stateAs(role Role, said string) string {
	switch {
	case s.Units[keepalivedUnit].Active != "active":
		return stoppedState
	case said == "FAULT":
		return faultState
	}
	return string(role)
}

// VIPInstance is the VRRP instance that a VIP has to itself on a host, as it is now.
type VIPInstance struct {
	VIP netip.Addr
	keepalived.VIPInstance
	State string // see Instance
}

// VIPInstances are those of the host's VIPs that have one, in order. One whose file was edited
// by hand so that it cannot be read is left out: its own resource shows it.
func (s *Snapshot) VIPInstances() []VIPInstance {
	var instances []VIPInstance
	for _, vip := range s.ManagedVIPs() {
		if v, err := s.VIP(vip); err == nil && v.VRRP != nil {
			instances = append(instances, VIPInstance{vip, *v.VRRP, s.stateAs(s.RoleOf(vip), s.stateOf[vip])})
		}
	}
	return instances
}
