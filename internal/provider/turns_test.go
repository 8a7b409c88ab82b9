package provider

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
)

// a holds the VIP; what b does meanwhile decides when it is a's turn.
func TestDirectorThatHoldsTheVIPsIsChangedLast(t *testing.T) {
	for name, c := range map[string]struct {
		b     func(o *turns, b *host.Snapshot)
		limit time.Duration // of a's change
		want  time.Duration // until it is a's turn
		says  string
	}{
		"b is changed": {func(o *turns, b *host.Snapshot) {
			_ = o.await(context.Background(), "b", b)
			time.Sleep(30 * time.Second)
			o.end("b", true)
		}, time.Minute, 30 * time.Second, ""},
		"b begins later": {func(o *turns, b *host.Snapshot) {
			time.Sleep(5 * time.Second)
			_ = o.await(context.Background(), "b", b)
			time.Sleep(30 * time.Second)
			o.end("b", true)
		}, time.Minute, 35 * time.Second, ""},
		"b refuses": {func(o *turns, b *host.Snapshot) {
			_ = o.await(context.Background(), "b", b)
			time.Sleep(3 * time.Second)
			o.end("b", false)
		}, time.Minute, 3 * time.Second, `the change of "b" has failed`},
		"b takes too long": {func(o *turns, b *host.Snapshot) {
			_ = o.await(context.Background(), "b", b)
		}, 20 * time.Second, 20 * time.Second, `the change of "b" comes first`},
		"b comes to no change":      {func(o *turns, _ *host.Snapshot) { time.Sleep(2 * time.Second); o.withdraw("b") }, time.Minute, 2 * time.Second, ""},
		"b is planned, and no more": {func(*turns, *host.Snapshot) {}, time.Minute, plannedTogether, ""},
		"b cannot be looked at":     {func(o *turns, _ *host.Snapshot) { o.end("b", false) }, time.Minute, 0, ""},
		"b holds the VIP as well": {func(o *turns, b *host.Snapshot) {
			own := *o.changes["b"]
			own.stage, own.holds, own.vips = begun, true, b.ManagedVIPs()
			o.changes["b"] = &own
		}, time.Minute, 0, ""},
		"b is director of another VIP":      {func(o *turns, _ *host.Snapshot) { _ = o.await(context.Background(), "b", &host.Snapshot{}) }, time.Minute, 0, ""},
		"b was changed before this apply's": {func(o *turns, b *host.Snapshot) { _ = o.await(context.Background(), "b", b); o.end("b", true) }, time.Minute, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, vips := newPair(t, "a")
				seen, err := vips.observeAll(t.Context(), map[string]bool{"a": true, "b": true})
				if err != nil || !seen["a"].HoldsVIP() || seen["b"].HoldsVIP() {
					t.Fatal(err, "or another one holds the VIP")
				}
				var o turns
				o.announce("a")
				o.announce("b")
				done := make(chan struct{})
				go func() { c.b(&o, seen["b"]); close(done) }()
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				began := time.Now()
				err = o.await(ctx, "a", seen["a"])
				if took := time.Since(began); took < c.want || took > c.want+2*turnInterval {
					t.Errorf("it is a's turn after %v, want %v", took, c.want)
				}
				switch {
				case c.says == "" && err != nil:
					t.Error(err)
				case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), `"a"`)):
					t.Errorf("got %v, want %q", err, c.says)
				}
				<-done
			})
		})
	}
}

func TestBackupNeverWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, vips := newPair(t, "a")
		seen, err := vips.observeAll(t.Context(), map[string]bool{"b": true})
		if err != nil {
			t.Fatal(err)
		}
		var o turns
		o.announce("a")
		o.announce("b")
		began := time.Now()
		if err := o.await(t.Context(), "b", seen["b"]); err != nil || time.Since(began) > 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// As with a VIP of each one's own (active/active).
func TestOfTwoThatHoldVIPsTheFirstIsChangedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both := map[string]*host.Snapshot{}
		for _, name := range []string{"a", "b"} {
			_, vips := newPair(t, name)
			seen, err := vips.observeAll(t.Context(), map[string]bool{name: true})
			if err != nil || !seen[name].HoldsVIP() {
				t.Fatal(err, "or it holds no VIP")
			}
			both[name] = seen[name]
		}
		var o turns
		o.announce("a")
		o.announce("b")
		began := time.Now()
		took := make(chan time.Duration)
		go func() {
			if err := o.await(t.Context(), "b", both["b"]); err != nil {
				t.Error(err)
			}
			took <- time.Since(began)
		}()
		synctest.Wait()
		if err := o.await(t.Context(), "a", both["a"]); err != nil || time.Since(began) > turnInterval {
			t.Errorf("a's turn: %v after %v", err, time.Since(began))
		}
		time.Sleep(30 * time.Second)
		o.end("a", true)
		if after := <-took; after < 30*time.Second || after > 30*time.Second+2*turnInterval {
			t.Errorf("it is b's turn after %v", after)
		}
	})
}
