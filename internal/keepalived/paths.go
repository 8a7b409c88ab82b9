package keepalived

import (
	"net/netip"
	"strconv"
	"strings"
)

// Where the files are on a host.
const (
	// ConfigPath is the file that keepalived reads by default; a [Director].
	ConfigPath = "/etc/keepalived/keepalived.conf"
	// Dir holds the files that ConfigPath includes. It must exist before
	// keepalived reads ConfigPath: 2.2 complains of a glob in a missing folder.
	Dir = "/etc/keepalived/redislb"
	// AuthPath holds the VRRP secret; mode 0600. A Director with Auth must not
	// be loaded before it exists: `keepalived -t` of 2.2.7 returns 0 for an
	// include that is missing, and the instance runs without authentication.
	AuthPath = Dir + "/auth.conf"
	// HMACPath holds the key of auth_hmac, likewise; a Director with HMAC includes it.
	HMACPath = Dir + "/hmac.password"
	// InstancePath has what all VRRP instances of the director have in common; see
	// [Director.RenderInstance]. The instance of a VIP includes it.
	InstancePath = Dir + "/instance.conf"
	// DrainPath holds 1 while the director is to give its VIPs to another one, else 0.
	// keepalived notices a file that is renamed to it (track_file.c, init_track_files:
	// IN_CLOSE_WRITE | IN_DELETE | IN_MOVE), and reads it whenever it loads ConfigPath.
	DrainPath = Dir + "/drain"
	// HealthScript is started with keepalived, which writes a line to HealthFIFO,
	// its argument, at each verdict on a real server, and when the quorum of a virtual
	// server is gained (at start too) or lost:
	//	RS [REAL_SERVER]:PROTOCOL:PORT [VIP]:PROTOCOL:PORT UP|DOWN
	//	VS [VIP]:PROTOCOL:PORT UP|DOWN
	// keepalived 2.1 to 2.3 do so when the state changes: down after the retries are
	// used up, also for the first check after start (check_tcp.c, tcp_epilog); up when
	// a server comes back. At start a real server counts as up and nothing is written of it
	// (ipwrapper.c, init_service_rs; rs_init_notifies would fill the FIFO where there
	// are many), nor when keepalived stops. One that leaves with a reload is said to be
	// down (clear_service_rs). The script must exist, belong to root and
	// be executable before keepalived loads ConfigPath: `keepalived -t` of 2.2.7
	// returns 0 without it.
	HealthScript = Dir + "/health.sh"
	// HealthFIFO is made by keepalived, in a folder that there is at boot.
	HealthFIFO = "/run/redislb.health"
	// RoleScript is run when a VRRP instance changes its state, as
	// keepalived.conf(5) says of notify: INSTANCE, its name, the state, the
	// priority. The same holds for it.
	RoleScript = Dir + "/role.sh"

	// ServicesPath is what a Director with SwapServices includes: a file that includes
	// the virtual servers of all VIPs while the instance is master, and else none.
	// SwapScript makes it so. It is of no use after a restart of the machine, so it is
	// where it goes by itself.
	ServicesPath = "/run/redislb/services.conf"
	SwapScript   = Dir + "/swap.sh"

	// RedisCheckScript finds out for keepalived whether a Redis is well. The same
	// holds for it; it says itself what its arguments are.
	RedisCheckScript = Dir + "/check-redis.sh"

	// An instance has VIPs of one family; those of the other are not told in its
	// advertisements (keepalived.conf(5), virtual_ipaddress_excluded), and are files
	// of another name.
	addressGlob  = Dir + "/vip-*.address.conf"
	address6Glob = Dir + "/vip6-*.address.conf"
	servicesGlob = Dir + "/vip-*.services.conf"
	instanceGlob = Dir + "/vip-*.vrrp.conf"
)

// VIPAddressPath is the file with the address of a VIP.
func VIPAddressPath(vip netip.Addr) string {
	if vip.Is6() {
		return Dir + "/vip6-" + vip.String() + ".address.conf"
	}
	return Dir + "/vip-" + vip.String() + ".address.conf"
}

// VIPPeersPath is the file with the virtual server, by a firewall mark, of what other
// directors send to the VIP, and VIPMarksPath the nftables rule that marks it.
// servicesGlob matches the first.
func VIPPeersPath(vip netip.Addr) string {
	return Dir + "/vip-" + vip.String() + ".peers.services.conf"
}

// VIPMarksPath is beside [VIPPeersPath], which says what it is.
func VIPMarksPath(vip netip.Addr) string { return Dir + "/vip-" + vip.String() + ".peers.nft" }

// VIPInstancePath is the file with the VRRP instance of a VIP, which has its address.
func VIPInstancePath(vip netip.Addr) string { return Dir + "/vip-" + vip.String() + ".vrrp.conf" }

// VIPServicesPath is the file with the virtual servers of a VIP.
func VIPServicesPath(vip netip.Addr) string { return Dir + "/vip-" + vip.String() + ".services.conf" }

// RedisPasswordPath is the file with the password of a service's check; mode 0600.
func RedisPasswordPath(vip netip.Addr, protocol Protocol, port int) string {
	return Dir + "/vip-" + vip.String() + "." + strings.ToLower(string(protocol)) + "-" + strconv.Itoa(port) + ".password"
}

// ManagedMark stands in the head of every file that redislb writes on a host. A
// file without it is somebody else's.
const ManagedMark = "Managed by Terraform (redislb_"

// Header is the comment that a file of a resource ("redislb_vip") begins with.
func Header(resource string) string {
	return "# Managed by Terraform (" + resource + "). Changes made here are undone by the next apply.\n"
}
