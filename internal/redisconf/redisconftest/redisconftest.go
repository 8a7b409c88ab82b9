// Package redisconftest makes up what a Redis server answers, for those who need more
// servers than they can start.
package redisconftest

import (
	"fmt"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

// Section is the section of the probe's output for a running instance that is as it is
// configured, with its data directory.
func Section(i redisconf.Instance) string {
	said := []string{"OK", "# Replication\r", "role:master\r"}
	if of := i.ReplicaOf; of != nil {
		said[2] = "role:slave\r"
		said = append(said, fmt.Sprintf("master_host:%s\r", of.Master.Addr()), fmt.Sprintf("master_port:%d\r", of.Master.Port()), "master_link_status:down\r")
	}
	for _, line := range strings.Split(strings.TrimSpace(i.Live()), "\n")[1:] {
		key, value, _ := strings.Cut(line, " ")
		said = append(said, key, value)
	}
	return fmt.Sprintf("%d active\ndata redis:redis 750\n %s\n", i.Port, strings.Join(said, "\n "))
}
