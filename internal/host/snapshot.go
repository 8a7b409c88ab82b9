package host

import (
	"bytes"
	"io/fs"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/ipvs"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// Snapshot is what one run of the probe saw of a host. It is never changed
// after it was parsed, so that it can be shared.
type Snapshot struct {
	Kernel     string   // release, as uname -r
	OS         string   // PRETTY_NAME of os-release(5)
	Interfaces []string // names, as in /sys/class/net
	// MACs are the Ethernet addresses of interfaces, by name.
	MACs map[string]string
	// Management is the host's address by which SSH reaches it; the zero Addr where
	// that is not known.
	Management netip.Addr
	// Schedulers are the IPVS schedulers that the running kernel has as modules.
	// Empty where the modules' folder could not be read (a kernel with IPVS built
	// in): then nothing is known.
	Schedulers []string

	KeepalivedVersion string        // first line of keepalived -v; empty: not installed
	KeepalivedAge     time.Duration // since its unit was started
	HasIpvsadm        bool
	IpvsadmVersion    string // "1.31"; empty: not told
	PackageManager    string // apt-get or dnf; empty: none that is known
	HasNft            bool
	HasRedis          bool // a redis-server, whoever put it there

	Files     map[string]FileState // and folders, by path; only paths that the probe asks for
	Sysctls   map[string]string    // by dotted name
	Addresses []Address
	Units     map[string]UnitState // by full unit name; absent: unknown to systemd
	// ResetGuard is the chain of the reset guard in nft's words, empty where there is
	// none; nil: nobody could tell.
	ResetGuard *string
	// Marks is the chain of the loop guard source_mac in nft's words; empty: there is none.
	Marks string
	// Strangers are who advertised, in the last minute and on the interface of the VRRP
	// instances, the virtual router id of one of them, by that id, for other addresses than
	// its VIPs.
	Strangers map[int][]netip.Addr
	// Loaded are the SHA-256 sums of the files that the keepalived which runs has read,
	// by path; nil: not known.
	Loaded map[string]string
	// Overrides are the files of others that say how keepalived is started.
	Overrides []string
	// Listeners are where TCP connections are accepted; an unspecified address is any of
	// its family, :: also any of IPv4. Empty: nothing is known.
	Listeners []netip.AddrPort
	// RedisProtected says that a Redis on port 6379 turns everyone away but the host
	// itself (protected-mode, and no password).
	RedisProtected bool

	// Redis are the servers of ours, by their port.
	Redis map[int]RedisState

	uptime time.Duration
	ended  []string // ids of transactions that have ended or not begun, and are kept for their makers

	IPVSLoaded  bool
	IPVS        ipvs.Table
	IPVSStats   *ipvs.Stats // nil: not told
	SyncDaemons []SyncDaemon
	// IPVSTimeouts are those of the kernel's timeouts that we have set, by keepalived's
	// names; see [keepalived.IPVSTimeouts].
	IPVSTimeouts map[string]time.Duration
	// Moving says that addresses or the role changed while the host was looked at, or
	// that virtual services were being swapped: a VIP was on its way, and what belongs
	// to the role need not fit it yet.
	Moving bool
	noted  Role // what the running keepalived last said it is, in the director's own instance
	// stateOf is what it said in the instances of VIPs, in its own words.
	stateOf map[netip.Addr]string
	// state is the same in its own words, stateNoted when it said so.
	state      string
	stateNoted time.Time
	// CheckedOut holds the real servers that the running keepalived took out
	// because their health check fails, or has not let in yet.
	CheckedOut map[RealServerKey]bool
	// Unchecked are those of CheckedOut that came in just now, and that it has not
	// checked yet.
	Unchecked map[RealServerKey]bool
	// DownSince is when keepalived found the real server down, of those of CheckedOut that
	// it has checked, by the host's clock, which says clock.
	DownSince map[RealServerKey]time.Time
	clock     time.Time
	// QuorumLost holds the virtual servers of which it finds too few real servers well.
	QuorumLost map[ipvs.Key]bool

	derived    derived
	configured configured
	adoptable  adoptable
}

// derived is what many artifacts want to know of a snapshot, found out once.
type derived struct {
	once     sync.Once
	vips     []netip.Addr
	own      map[netip.Addr]bool // those with a VRRP instance of their own
	holdsVIP bool                // one of them
	// holdsShared is whether the host holds one of those in the director's own instance.
	holdsShared bool
	services    map[ipvs.Key]*ipvs.Service
}

// configured is the virtual services that the files of the VIPs have, read when they are
// asked for.
type configured struct {
	once     sync.Once
	services map[ipvs.Key]bool
}

// configures reports whether the files of redislb's VIPs have the virtual service,
// wherever keepalived has it in the kernel. Of a VIP whose files were changed by hand it
// knows none.
func (s *Snapshot) configures(key ipvs.Key) bool {
	s.configured.once.Do(func() {
		s.configured.services = map[ipvs.Key]bool{}
		for _, address := range s.ManagedVIPs() {
			vip, err := s.VIP(address)
			for _, service := range vip.Services {
				if err == nil {
					s.configured.services[ServiceKey(address, service)] = true
				}
			}
		}
	})
	return s.configured.services[key]
}

func (s *Snapshot) derive() *derived {
	s.derived.once.Do(func() {
		d := &s.derived
		d.vips, d.own = managedVIPs(s.Files)
		for _, a := range s.Addresses {
			if _, ours := slices.BinarySearchFunc(d.vips, a.Prefix.Addr(), netip.Addr.Compare); ours && a.Device != "lo" {
				d.holdsVIP = true
				d.holdsShared = d.holdsShared || !d.own[a.Prefix.Addr()]
			}
		}
		d.services = make(map[ipvs.Key]*ipvs.Service, len(s.IPVS))
		for i, row := range s.IPVS {
			d.services[row.Key] = &s.IPVS[i]
		}
	})
	return &s.derived
}

// FileState is a file as found. Content is nil for anything but a regular file;
// for a secret file it is what the host is ready to tell of it.
type FileState struct {
	Mode    fs.FileMode
	Owner   string // user:group
	Content []byte
}

// Address is an IP address on an interface, as ip-address(8) shows it.
type Address struct {
	Device string
	Prefix netip.Prefix
	Label  string // IPv4 only; the device's name where none was given
	// Secondary marks the further addresses of one subnet on one device, and those
	// that are not (any more) for use.
	Secondary bool
}

// UnitState is the state of a systemd unit in systemctl's words.
type UnitState struct {
	Load   string // loaded, not-found, masked…
	Active string // active, inactive, failed, activating…
	File   string // enabled, disabled, masked…
}

// SyncDaemon is a running IPVS connection synchronisation daemon (ipvsadm(8),
// --start-daemon).
type SyncDaemon struct {
	Role      Role
	Interface string
	ID        int
}

// RealServerKey names a real server of a virtual server.
type RealServerKey struct {
	Service ipvs.Key
	Server  netip.AddrPort
}

// managed reports whether the file is one that redislb wrote.
func (s *Snapshot) managed(path string) bool {
	return bytes.Contains(s.Files[path].Content, []byte(keepalived.ManagedMark))
}

// Service returns the row of the IPVS table with that key, or nil. It is not to be
// changed.
func (s *Snapshot) Service(key ipvs.Key) *ipvs.Service { return s.derive().services[key] }
