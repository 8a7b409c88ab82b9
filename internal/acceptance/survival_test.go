//go:build acceptance

package acceptance

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

// The machines are on their own: a loop that the guard prevents, a reboot.
func systemSurvivesWithoutTerraform(t *testing.T) []resource.TestStep {
	return []resource.TestStep{
		noDrift(t, func() { aIsMaster(t); guardKeepsPacketsFromLooping(t) }),
		noDrift(t, func() { rebootBringsAllBack(t) }),
	}
}

// guardKeepsPacketsFromLooping has its own proof that it can see a loop: with
// the guard taken off by hand, packets are sent to and fro until their time to
// live is over, which the kernel counts.
func guardKeepsPacketsFromLooping(t *testing.T) {
	_, backup := masterAndBackup(t)
	const connections = 60
	before := expired(t)
	guarded := connect(t, connections)
	if failed := guarded[""]; failed > 0 {
		t.Errorf("with the loop guard, %d of %d connections failed", failed, connections)
	}
	if n := expired(t) - before; n != 0 {
		t.Errorf("with the loop guard, %d packets died of old age", n)
	}

	backup.MustExec(t, "sysctl -qw net.ipv4.vs.backup_only=0")
	before = expired(t)
	unguarded := connect(t, connections)
	looped := expired(t) - before
	backup.MustExec(t, "sysctl -qw net.ipv4.vs.backup_only=1")
	if looped == 0 {
		t.Errorf("without the loop guard no packet died of old age (%v): the check above proves nothing", unguarded)
	}
	t.Logf("%d connections: none failed with the guard; without it %d failed and %d packets died of old age", connections, unguarded[""], looped)
}

func rebootBringsAllBack(t *testing.T) {
	master, backup := masterAndBackup(t)
	for _, h := range []*lab.Host{backup, master} {
		if err := h.Reboot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, 60*time.Second, "the master of higher priority is back", func() bool {
		return holdsVIP(master) && !holdsVIP(backup)
	})
	oneMachineAnswersARP(t)
	bothRedisAnswerThroughVIP(t)
}
