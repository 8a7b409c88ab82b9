package keepalived

import "net/netip"

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
	// HealthScript is started with keepalived, which writes a line to HealthFIFO,
	// its argument, at each verdict on a real server:
	//	RS [REAL_SERVER]:PROTOCOL:PORT [VIP]:PROTOCOL:PORT UP|DOWN
	// keepalived 2.1 to 2.3 do so when the state changes: down after the retries are
	// used up, also for the first check after start (check_tcp.c, tcp_epilog); up when
	// a server comes back. At start a server counts as up and nothing is written
	// (ipwrapper.c, init_service_rs; rs_init_notifies would fill the FIFO where there
	// are many), nor when keepalived stops. One that leaves with a reload is said to be
	// down (clear_service_rs). The script must exist, belong to root and
	// be executable before keepalived loads ConfigPath: `keepalived -t` of 2.2.7
	// returns 0 without it.
	HealthScript = Dir + "/health.sh"
	// HealthFIFO is made by keepalived, in a folder that there is at boot.
	HealthFIFO = "/run/redislb.health"
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
