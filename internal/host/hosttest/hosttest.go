// Package hosttest makes up what a host answers to the probe, from the capture of
// a real one, for those who need more hosts than there are machines.
package hosttest

import (
	"net/netip"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

// RealServer returns what a bare host answers once it has all on it that a real
// server for the VIP has, with servers of Redis. bare is the answer of a bare host.
func RealServer(bare []byte, vip netip.Addr, redis ...host.Redis) ([]byte, error) {
	return Holding(bare, host.Backup, host.RealServer{VIPs: []netip.Addr{vip}, Redis: redis}.Artifacts())
}
