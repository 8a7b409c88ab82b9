package keepalived

import (
	"net/netip"
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
	// HealthScript is run at each verdict of a check; see [HealthCommand]. It
	// must exist, belong to root and be executable before keepalived loads a
	// file that names it: `keepalived -t` of 2.2.7 returns 0 without it, too.
	HealthScript = Dir + "/health.sh"
	// RoleScript is run when the VRRP instance changes its state, as
	// keepalived.conf(5) says of notify: INSTANCE, its name, the state, the
	// priority. The same holds for it.
	RoleScript = Dir + "/role.sh"

	addressGlob  = Dir + "/vip-*.address.conf"
	servicesGlob = Dir + "/vip-*.services.conf"
)

// VIPAddressPath is the file with the address of a VIP.
func VIPAddressPath(vip netip.Addr) string { return Dir + "/vip-" + vip.String() + ".address.conf" }

// VIPServicesPath is the file with the virtual servers of a VIP.
func VIPServicesPath(vip netip.Addr) string { return Dir + "/vip-" + vip.String() + ".services.conf" }

// ManagedMark stands in the head of every file that redislb writes on a host. A
// file without it is somebody else's.
const ManagedMark = "Managed by Terraform (redislb_"

// Header is the comment that a file of a resource ("redislb_vip") begins with.
func Header(resource string) string {
	return "# Managed by Terraform (" + resource + "). Changes made here are undone by the next apply.\n"
}

// HealthCommand is what keepalived runs at a verdict on a real server: state is
// "up" or "down". The script's arguments are state, protocol in lower case, the
// VIP's and the real server's address:port (IPv6 in brackets).
//
// keepalived 2.1 to 2.3 run it when the state changes: down after the retries
// are used up, also for the first check after start (check_tcp.c, tcp_epilog);
// up when a server comes back. At start a server counts as up and nothing runs,
// unless rs_init_notifies is set, which [Director] does (ipwrapper.c,
// init_service_rs). Nothing runs when keepalived stops (clear_service_rs).
func HealthCommand(state string, protocol Protocol, vip, realServer netip.AddrPort) string {
	return strings.Join([]string{HealthScript, state, strings.ToLower(string(protocol)), vip.String(), realServer.String()}, " ")
}
