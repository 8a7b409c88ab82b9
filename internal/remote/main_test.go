package remote_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client makes a client of s, with cfg changed by the functions, that ends with
// the test.
func client(t testing.TB, s *remotetest.Server, change ...func(*remote.Config)) *remote.Client {
	t.Helper()
	cfg := s.Config()
	for _, f := range change {
		f(&cfg)
	}
	c := remote.NewClient(cfg)
	c.SetPatience(300 * time.Millisecond)
	t.Cleanup(func() { c.Close() })
	return c
}

func sh(script string, args ...string) remote.Command {
	return remote.Command{Step: "observe host", Script: script, Args: args}
}

// run runs a script that must succeed.
func run(t testing.TB, c *remote.Client, script string, args ...string) string {
	t.Helper()
	res, err := c.Run(context.Background(), sh(script, args...))
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return string(res.Stdout)
}

// says checks that a message holds all the words.
func says(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the message lacks %q:\n%s", w, err)
		}
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func within(t testing.TB, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if d := time.Since(start); d > limit {
		t.Errorf("took %s, want at most %s", d, limit)
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
