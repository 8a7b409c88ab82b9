//go:build acceptance

package acceptance

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

//go:embed testdata/fingerprint.sh
var fingerprintScript string

// settling is how long keepalived gets to do its part after a change.
const settling = 30 * time.Second

// fingerprint is what of a host redislb may change, as text to compare.
type fingerprint struct {
	host string
	left string // what must not be there when all is over
}

func takeFingerprint(ctx context.Context, h *lab.Host) (fingerprint, error) {
	r, err := h.Exec(ctx, fingerprintScript)
	if err == nil && r.ExitCode != 0 {
		err = errors.New(r.Stderr)
	}
	if err != nil {
		return fingerprint{}, fmt.Errorf("take the fingerprint of %s: %w", h, err)
	}
	text, left, ok := strings.Cut(r.Stdout, "== left\n")
	if !ok {
		return fingerprint{}, fmt.Errorf("take the fingerprint of %s: %s %s", h, r.Stdout, r.Stderr)
	}
	return fingerprint{host: text, left: left}, nil
}

func fingerprintOf(t *testing.T, h *lab.Host) fingerprint {
	t.Helper()
	f, err := takeFingerprint(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// settled waits until nothing changes on the host any more: two fingerprints a
// second apart are the same. keepalived takes some seconds to take its VIPs.
func settled(t *testing.T, h *lab.Host) fingerprint {
	t.Helper()
	var last fingerprint
	eventually(t, time.Minute, h.Name+" settles", func() bool {
		now := fingerprintOf(t, h)
		same := now == last
		last = now
		if !same {
			time.Sleep(time.Second)
		}
		return same
	})
	return last
}

// difference is the lines in which two fingerprints differ.
func difference(before, after fingerprint) string {
	return udiff.Unified("before", "after", before.host, after.host)
}

// isAsBefore fails the test where the host does not become what it was, or where
// something is left behind on it.
func isAsBefore(t *testing.T, h *lab.Host, before fingerprint) {
	t.Helper()
	var now fingerprint
	deadline := time.Now().Add(settling)
	for {
		if now = fingerprintOf(t, h); now.host == before.host && now.left == "" {
			return
		}
		if time.Now().After(deadline) {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if now.host != before.host {
		t.Errorf("host %s is not as it was:\n%s", h.Name, difference(before, now))
	}
	if now.left != "" {
		t.Errorf("left behind on host %s:\n%s", h.Name, now.left)
	}
}
