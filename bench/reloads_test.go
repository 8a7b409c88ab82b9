package main

import "testing"

func TestReloadsAreCountedHoweverTheJournalIsCutIntoPieces(t *testing.T) {
	const journal = "following\n" +
		"Starting keepalived.service - Keepalive Daemon...\n" +
		"Reloading keepalived.service - Keepalive Daemon (LVS and VRRP)...\n" +
		"Reloaded keepalived.service - Keepalive Daemon (LVS and VRRP).\n" +
		"Reloading keepalived.service - Keepalive Daemon (LVS and VRRP)...\n" +
		"Reloaded keepalived.service - Keepalive Daemon (LVS and VRRP).\n"
	for _, size := range []int{1, 7, len(journal)} {
		var r reloads
		for rest := journal; rest != ""; {
			n := min(size, len(rest))
			if _, err := r.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if !r.hasBegun() || r.lines != 2 {
			t.Errorf("pieces of %d: begun %v, %d reloads, want 2", size, r.hasBegun(), r.lines)
		}
	}
}
