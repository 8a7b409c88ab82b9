package host

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Foreign reports whether keepalived on the host is somebody else's: it is configured, and
// has never been a director of ours.
func (s *Snapshot) Foreign() bool {
	_, configured := s.Files[keepalived.ConfigPath]
	_, director := s.Files[keepalived.RoleScript]
	return configured && !director && !s.managed(keepalived.ConfigPath)
}

// survey reads a foreign configuration, which has to have one VRRP instance, as a director
// has, or several that move together: the VIPs of all are then in the first one.
func (s *Snapshot) survey() (keepalived.Survey, []keepalived.SurveyedInstance, error) {
	survey, err := keepalived.SurveyOf(s.Files[keepalived.ConfigPath].Content)
	together := survey.Together()
	if err == nil && (len(together) == 0 || len(together) < len(survey.Instances)) {
		err = fmt.Errorf("%d VRRP instances are read in it, and a director has one, or several of people's that are in one vrrp_sync_group%s", len(survey.Instances), unread(survey))
	}
	if err != nil {
		return survey, nil, fmt.Errorf("%s, which redislb did not write: %w", keepalived.ConfigPath, err)
	}
	return survey, together, nil
}

// unread tells what stands in the way of understanding a configuration.
func unread(survey keepalived.Survey) string {
	var b strings.Builder
	for _, u := range survey.Unread {
		fmt.Fprintf(&b, "\nline %d, %s: %s", u.Line, u.Statement, u.Reason)
	}
	if b.Len() == 0 {
		return ""
	}
	return "; of it these are not read:" + b.String()
}

// foreignDirector is the director that adopts a foreign configuration with the least change:
// the same VRRP instance, with the defaults of redislb where nothing is written.
func foreignDirector(s *Snapshot) (Director, error) {
	survey, together, err := s.survey()
	if err != nil {
		return Director{}, err
	}
	i := together[0]
	if i.State == "MASTER" && i.Priority == nil { // vrrp.c, vrrp_complete_instance
		return Director{}, fmt.Errorf("%s, which redislb did not write: line %d, vrrp_instance %s: with the state MASTER and no priority keepalived takes 255, which a director cannot have: write a priority from 1 to 254", keepalived.ConfigPath, i.Line, i.Name)
	}
	guard, _ := GuardLeftOut(s, BackupOnly)
	c := keepalived.Director{
		RouterID: "adopted", Instance: i.Name, Interface: i.Interface, VirtualRouterID: number(i.VirtualRouterID, 0), Priority: number(i.Priority, 100),
		Version3: version3(i), AdvertInterval: advertInterval(i), NoPreempt: i.NoPreempt && !preemptsAnyway(i),
		Timeouts: survey.Timeouts,
	}
	if !c.NoPreempt {
		c.PreemptDelay = duration(i.PreemptDelay, preemptDelay)
	}
	if len(i.UnicastPeers) > 0 {
		c.Unicast = &keepalived.Unicast{}
		c.Unicast.Source, _ = netip.ParseAddr(i.UnicastSource)
		for _, text := range i.UnicastPeers {
			peer, _ := netip.ParseAddr(text)
			c.Unicast.Peers = append(c.Unicast.Peers, peer)
		}
	}
	if err := c.Validate(); err != nil {
		return Director{}, fmt.Errorf("%s, which redislb did not write: %w%s", keepalived.ConfigPath, err, unread(survey))
	}
	return Director{Install: true, Adopt: true, Guard: guard, VRRP: c}, nil
}

// preemptsAnyway reports whether keepalived passes over a nopreempt, and unauthenticated
// whether it does so over a password (vrrp.c, vrrp_complete_instance). In strict mode the
// state is BACKUP whatever is written.
func preemptsAnyway(i keepalived.SurveyedInstance) bool { return i.State == "MASTER" && !i.Strict() }

func unauthenticated(i keepalived.SurveyedInstance) bool { return version3(i) || i.Strict() }

func version3(i keepalived.SurveyedInstance) bool { return number(i.Version, 2) == 3 }

// advertInterval is rounded in VRRP version 2, as keepalived does it (vrrp.c,
// vrrp_complete_instance).
func advertInterval(i keepalived.SurveyedInstance) time.Duration {
	written := duration(i.AdvertInterval, time.Second)
	if version3(i) {
		return written
	}
	return max(written.Round(time.Second), time.Second)
}

// preemptDelay is a director's default: longer than the refresh of the sync daemon.
const preemptDelay = 15 * time.Second

func number(given *int, otherwise int) int {
	if given != nil {
		return *given
	}
	return otherwise
}

func duration(given *time.Duration, otherwise time.Duration) time.Duration {
	if given != nil {
		return *given
	}
	return otherwise
}

// adoptable is what foreignVIPs tells, read when it is asked for.
type adoptable struct {
	once sync.Once
	vips []VIP
	lost []string
}

// foreignVIPs are the VIPs of a foreign configuration with their services, and what of it
// has no counterpart in a VIP of ours.
func (s *Snapshot) foreignVIPs() (vips []VIP, lost []string) {
	s.adoptable.once.Do(func() {
		if s.Foreign() {
			s.adoptable.vips, s.adoptable.lost = s.readForeignVIPs()
		}
	})
	return s.adoptable.vips, slices.Clip(s.adoptable.lost)
}

func (s *Snapshot) readForeignVIPs() (vips []VIP, lost []string) {
	survey, together, err := s.survey()
	if err != nil {
		return nil, []string{err.Error()}
	}
	used := map[int]bool{}
	for _, i := range together {
		more, without := foreignVIPsOf(survey, i, together[0].Interface, used)
		lost = append(lost, without...)
		for _, v := range more {
			if slices.ContainsFunc(vips, func(other VIP) bool { return other.Address.Addr() == v.Address.Addr() }) {
				lost = append(lost, fmt.Sprintf("line %d, vrrp_instance %s: the VIP %s is there a second time", i.Line, i.Name, v.Address))
				continue
			}
			vips = append(vips, v)
		}
	}
	for _, i := range together[1:] {
		lost = append(lost, fmt.Sprintf("line %d, vrrp_instance %s: its VIPs are in %s, with which they moved before. It is not advertised any more; its interface is tracked as that of a VIP", i.Line, i.Name, together[0].Name))
	}
	for n, vs := range survey.VirtualServers {
		if !used[n] {
			lost = append(lost, fmt.Sprintf("line %d, virtual_server %s: it is on no VIP of the VRRP instance", vs.Line, cmp.Or(vs.Address, vs.Group, "fwmark")))
		}
	}
	for _, u := range survey.Unread {
		lost = append(lost, fmt.Sprintf("line %d, %s: %s", u.Line, u.Statement, u.Reason))
	}
	if survey.RouterID != "" {
		lost = append(lost, "global_defs, router_id "+survey.RouterID+": it is the host's name, by which keepalived signs its log")
	}
	if d, vrid := survey.SyncDaemon, number(together[0].VirtualRouterID, 0); d != nil && (d.Interface != together[0].Interface || number(d.ID, vrid) != vrid) {
		lost = append(lost, fmt.Sprintf("lvs_sync_daemon on %s: that of redislb is on the VRRP instance's interface, %s, with its virtual router id, %d, so that directors tell each other of no connections until all are applied", d.Interface, together[0].Interface, vrid))
	}
	lost = append(lost, estranged(together[0], vips)...)
	for _, i := range together {
		if is := advertInterval(i); is != duration(i.AdvertInterval, time.Second) {
			lost = append(lost, fmt.Sprintf("line %d, vrrp_instance %s: advert_int: keepalived rounds it to %s in VRRP version 2", i.Line, i.Name, is))
		}
		if i.NoPreempt && preemptsAnyway(i) {
			lost = append(lost, fmt.Sprintf("line %d, vrrp_instance %s: nopreempt: keepalived passes over it in the state MASTER", i.Line, i.Name))
		}
		for _, keyword := range []string{"notify", "notify_master", "notify_backup", "notify_fault", "notify_stop"} {
			if program, ok := i.Notify[keyword]; ok {
				lost = append(lost, fmt.Sprintf("line %d, %s %s: redislb does its part by scripts of its own; what else it does, write as vrrp.notify", i.Line, keyword, program))
			}
		}
	}
	return vips, lost
}

// speaksIPv6 reports whether the instance advertises itself by IPv6.
func speaksIPv6(i keepalived.SurveyedInstance) bool {
	return len(i.VIPs) > 0 && strings.Contains(i.VIPs[0], ":")
}

// estranged tells why a director that is adopted, and has the VIPs, and one that has the
// instance still do not take each other's advertisements: keepalived wants the addresses in
// them to be its own (vrrp.c, vrrp_check_packet).
func estranged(i keepalived.SurveyedInstance, vips []VIP) []string {
	if speaksIPv6(i) {
		return []string{fmt.Sprintf("line %d, vrrp_instance %s: its first VIP makes it speak VRRP by IPv6; directors speak it by IPv4, and do not hear each other until all are applied", i.Line, i.Name)}
	}
	before, after := map[string]bool{}, map[string]bool{}
	for _, text := range i.VIPs {
		if address, _, _ := strings.Cut(text, "/"); !strings.Contains(address, ":") {
			before[address] = true
		}
	}
	for _, v := range vips {
		if v.Address.Addr().Is4() {
			after[v.Address.Addr().String()] = true
		}
	}
	if maps.Equal(before, after) && !version3(i) { // whose instance has an address besides
		return nil
	}
	return []string{fmt.Sprintf("line %d, vrrp_instance %s: directors advertise other addresses than it does, and do not take each other for such until all are applied: meanwhile more than one may hold the VIPs", i.Line, i.Name)}
}

// foreignVIPsOf are those of one instance; used are the virtual servers that are on them.
func foreignVIPsOf(survey keepalived.Survey, i keepalived.SurveyedInstance, otherwise string, used map[int]bool) (vips []VIP, lost []string) {
	for n, text := range slices.Concat(i.VIPs, i.ExcludedVIPs) {
		if n < len(i.VIPs) && speaksIPv6(i) != strings.Contains(text, ":") { // vrrp_data.c, alloc_vrrp_vip
			lost = append(lost, fmt.Sprintf("line %d, vrrp_instance %s: the VIP %s: keepalived passes over it, since the first VIP is of the other family", i.Line, i.Name, text))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, _ := netip.ParseAddr(text)
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		v := VIP{VIP: keepalived.VIP{Address: prefix}}
		if device := cmp.Or(i.Devices[text], i.Interface); device != otherwise {
			v.Interface = device
		}
		if err := v.Validate(); err != nil {
			lost = append(lost, fmt.Sprintf("VIP %s: %v", text, err))
			continue
		}
		for n, vs := range survey.VirtualServers {
			if addr, _ := netip.ParseAddr(vs.Address); addr != prefix.Addr() {
				continue
			}
			used[n] = true
			service, left, err := foreignService(survey, vs)
			for _, what := range left {
				lost = append(lost, fmt.Sprintf("line %d, virtual_server %s: %s", vs.Line, text, what))
			}
			with := v
			if err == nil {
				with.Services = append(slices.Clip(v.Services), service)
				err = with.Validate()
			}
			if err != nil { // the VIP itself stays, with its other services
				lost = append(lost, fmt.Sprintf("line %d, virtual_server %s: it ends with the adoption: %v", vs.Line, text, err))
				continue
			}
			v = with
		}
		vips = append(vips, v)
	}
	return vips, lost
}

// foreignPersistence is that of a service that has a mask and no time (check_parser.c,
// pgr_handler; ip_vs.h, IP_VS_TEMPLATE_TIMEOUT).
const foreignPersistence = 6 * time.Minute

// foreignService is a virtual server of people's with keepalived's own defaults filled in,
// but for those of its check: see foreignCheck. What keepalived corrects, and goes on, is
// corrected in the same way (check_data.c, validate_check_config).
func foreignService(survey keepalived.Survey, vs keepalived.SurveyedVirtualServer) (s keepalived.VirtualServer, lost []string, err error) {
	if vs.Port == nil || *vs.Port == 0 {
		return s, nil, errors.New("a service needs a port")
	}
	known := func(keyword, word string, values []string, otherwise string) string {
		if word != "" && !slices.Contains(values, word) {
			lost = append(lost, fmt.Sprintf("%s %q: keepalived does not know it, and takes %s", keyword, word, otherwise))
			return otherwise
		}
		return cmp.Or(word, otherwise)
	}
	s = keepalived.VirtualServer{
		Port: *vs.Port, Protocol: keepalived.Protocol(known("protocol", strings.ToUpper(vs.Protocol), []string{"TCP", "UDP", "SCTP"}, "UDP")),
		Scheduler:  known("lvs_sched", vs.Scheduler, append([]string{"twos"}, keepalived.Schedulers...), "wlc"), // twos is new
		Forwarding: keepalived.Forwarding(known("lvs_method", vs.Forwarding, []string{"NAT", "DR", "TUN"}, "NAT")),
		DelayLoop:  duration(vs.DelayLoop, foreignDelayLoop), InhibitOnFailure: vs.InhibitOnFailure,
		Quorum:      keepalived.Quorum{Weight: number(vs.Quorum, 1), Hysteresis: number(vs.Hysteresis, 0)},
		Persistence: keepalived.Persistence{Timeout: duration(vs.PersistenceTimeout, 0)},
	}
	s.Name = strings.ToLower(string(s.Protocol)) + "-" + fmt.Sprint(*vs.Port)
	for _, flag := range slices.Sorted(slices.Values(vs.SchedulerFlags)) {
		if slices.Contains(keepalived.SchedulerFlags(s.Scheduler), flag) {
			s.SchedulerFlags = append(s.SchedulerFlags, flag)
		} else {
			lost = append(lost, fmt.Sprintf("%s: it is of another scheduler than %s", flag, s.Scheduler))
		}
	}
	if s.OnePacket = vs.OnePacket && s.Protocol == keepalived.UDP; vs.OnePacket && !s.OnePacket {
		lost = append(lost, "ops: keepalived has it for UDP alone")
	}
	if vs.PersistenceMask != "" {
		s.Persistence.Timeout = cmp.Or(s.Persistence.Timeout, foreignPersistence)
	}
	if !slices.Contains([]string{"255.255.255.255", "128"}, vs.PersistenceMask) { // of one address: as without
		s.Persistence.Mask = vs.PersistenceMask
	}
	if addr, err := netip.ParseAddr(vs.SorryServer); err == nil {
		s.SorryServer = netip.AddrPortFrom(addr, uint16(number(vs.SorryPort, *vs.Port)))
	}
	kept := func(line int, endpoint netip.AddrPort) netip.AddrPort {
		if s.Forwarding == keepalived.NAT || int(endpoint.Port()) == s.Port {
			return endpoint
		}
		lost = append(lost, fmt.Sprintf("line %d, the port of %s: %s does not change that of a packet, so it goes to %d", line, endpoint, s.Forwarding, s.Port))
		return netip.AddrPortFrom(endpoint.Addr(), uint16(s.Port))
	}
	if s.SorryServer.IsValid() {
		s.SorryServer = kept(vs.Line, s.SorryServer)
	}
	s.Check = keepalived.Check{Kind: keepalived.CheckNone}
	addresses, endpoints := map[netip.Addr]bool{}, map[netip.AddrPort]bool{}
	drained := false
	for n, rs := range vs.RealServers {
		addr, _ := netip.ParseAddr(rs.Address)
		port := number(rs.Port, *vs.Port) // which is checked, wherever packets go
		endpoint := kept(rs.Line, netip.AddrPortFrom(addr, uint16(port)))
		r := keepalived.RealServer{
			Name: rs.Address, Address: addr, Port: int(endpoint.Port()), Weight: number(rs.Weight, 1),
			UpperThreshold: number(rs.UpperThreshold, 0), LowerThreshold: number(rs.LowerThreshold, 0),
		}
		if endpoints[endpoint] {
			lost = append(lost, fmt.Sprintf("line %d, real server %s: it is there already, and the first one counts", rs.Line, endpoint))
			continue
		}
		if addresses[addr] { // NAT, to several ports of one machine
			r.Name = endpoint.String()
		}
		addresses[addr], endpoints[endpoint], drained = true, true, drained || r.Weight == 0
		s.RealServers = append(s.RealServers, r)
		if rs.InhibitOnFailure && !vs.InhibitOnFailure {
			lost = append(lost, fmt.Sprintf("line %d, inhibit_on_failure of real server %s: a service has it for all or for none", rs.Line, rs.Address))
		}
		check, err := foreignCheck(survey, vs, rs)
		if err != nil {
			lost = append(lost, fmt.Sprintf("line %d, %s of real server %s: a check of type tcp stands in for it until you write another one: %v", rs.Line, rs.Check.Keyword, rs.Address, err))
		}
		if r.Port != port && check.Kind != keepalived.CheckNone {
			if check.Port = cmp.Or(check.Port, port); check.Port == r.Port {
				check.Port = 0
			}
		}
		if n == 0 {
			s.Check = check
		} else if check != s.Check {
			lost = append(lost, fmt.Sprintf("line %d, the check of real server %s: a service has one check for all, which is that of the first", rs.Line, rs.Address))
		}
	}
	if total := s.TotalWeight(); s.Quorum.Weight > total && total > 0 && !drained {
		lost = append(lost, fmt.Sprintf("quorum %d: keepalived lowers it to the total weight of the real servers, %d", s.Quorum.Weight, total))
		s.Quorum.Weight = total
	}
	if s.Quorum.Hysteresis >= s.Quorum.Weight && s.Quorum.Hysteresis > 0 {
		lost = append(lost, fmt.Sprintf("hysteresis %d: keepalived lowers it to less than the quorum, %d", s.Quorum.Hysteresis, s.Quorum.Weight))
		s.Quorum.Hysteresis = max(s.Quorum.Weight-1, 0)
	}
	if endpoints[s.SorryServer] {
		lost = append(lost, fmt.Sprintf("sorry_server %s: it is a real server of the service too", s.SorryServer))
		s.SorryServer = netip.AddrPort{}
	}
	return s, lost, nil
}

// ServedVIPs are the VIPs that keepalived on the host holds, or may hold, by its
// configuration, whoever wrote that.
func (s *Snapshot) ServedVIPs() []netip.Addr {
	served := slices.Clone(s.ManagedVIPs())
	vips, _ := s.foreignVIPs()
	for _, v := range vips {
		served = append(served, v.Address.Addr())
	}
	return served
}

// serves reports whether the VIP is one of these, or of what the keepalived that runs has
// read: somebody may have deleted its file since.
func (s *Snapshot) serves(vip netip.Addr) bool {
	vips, _ := s.foreignVIPs()
	_, shared := s.Loaded[keepalived.VIPAddressPath(vip)]
	_, own := s.Loaded[keepalived.VIPInstancePath(vip)]
	return shared || own || slices.Contains(s.ManagedVIPs(), vip) || slices.ContainsFunc(vips, func(v VIP) bool { return v.Address.Addr() == vip })
}

// carried are the files of the VIPs of a foreign configuration that is adopted: they are
// there before redislb_vip comes to them, so that no VIP goes meanwhile. The programs that
// they name are looked at then, too.
func (s *Snapshot) carried() []File {
	var files []File
	vips, _ := s.foreignVIPs()
	for _, v := range vips {
		for _, a := range v.Artifacts() {
			if f, ok := a.(File); ok {
				files = append(files, f)
			}
		}
	}
	return files
}

// foreignVIP is a VIP of foreign configurations: of directors that share it in the way of
// notify scripts, which swap files, only one has its services.
func foreignVIP(snapshots map[string]*Snapshot, names []string, address netip.Addr) (VIP, error) {
	var found *VIP
	teller := ""
	for _, name := range names {
		vips, lost := snapshots[name].foreignVIPs()
		i := slices.IndexFunc(vips, func(v VIP) bool { return v.Address.Addr() == address })
		if i < 0 {
			return VIP{}, fmt.Errorf("host %q has no such VIP in %s, or none that can be taken over:\n%s", name, keepalived.ConfigPath, strings.Join(lost, "\n"))
		}
		v := vips[i]
		switch {
		case found == nil || len(found.Services) == 0:
			found, teller = &v, name
		case len(v.Services) > 0 && v.virtualServices() != found.virtualServices():
			return VIP{}, fmt.Errorf("%s has other services on host %q than on %q: make them the same, or import the VIP from one of them alone", address, name, teller)
		}
	}
	return *found, nil
}

func (v VIP) virtualServices() string {
	_, services := v.Render()
	return string(services)
}

// adoption tells what becomes of a foreign configuration.
func (d Director) adoption(s *Snapshot) []Problem {
	if !d.Adopt || !s.Foreign() {
		return nil
	}
	vips, lost := s.foreignVIPs()
	if _, together, err := s.survey(); err == nil {
		i := together[0]
		write := map[string]string{"PASS": "write auth_pass_wo, its first 8 characters, which are all that counts, and auth_pass_wo_version", "HMAC": "write auth_hmac_wo and auth_hmac_wo_version"}[i.Authentication]
		if write == "" {
			write = "redislb has no counterpart for " + i.Authentication
		}
		if slices.Contains([]string{"PASS", "AH"}, i.Authentication) && unauthenticated(i) {
			lost = append(lost, fmt.Sprintf("line %d, authentication: keepalived passes over it, in VRRP version 3 as in strict mode", i.Line))
		} else if i.Authentication != "" && d.PasswordVersion == nil && d.HMACVersion == nil {
			lost = append(lost, fmt.Sprintf("line %d, authentication: a secret is not read, and directors without the same one do not take each other for such: %s", i.Line, write))
		}
	}
	text := fmt.Sprintf("%s is replaced; a copy is kept on the host, and put back when the director is destroyed.", keepalived.ConfigPath)
	for _, v := range vips {
		text += fmt.Sprintf("\n\nThe VIP %s goes on with its services; import it as redislb_vip with the id %s@%s and the other directors, to see and to change them.", v.Address, v.Address.Addr(), d.Name)
	}
	if len(lost) > 0 {
		text += "\n\nNot taken over:\n" + strings.Join(lost, "\n")
	}
	return []Problem{{[]string{"adopt"}, "Foreign Configuration Is Adopted", text}}
}
