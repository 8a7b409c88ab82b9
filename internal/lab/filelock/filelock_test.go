package filelock_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab/filelock"
)

func TestLockIsExclusiveAndPassesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := filelock.Lock(t.Context(), path, func() { t.Error("waited for a free lock") })
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	waited := 0
	if _, err := filelock.Lock(short, path, func() { waited++ }); !errors.Is(err, context.DeadlineExceeded) || waited != 1 {
		t.Fatalf("a second lock gave %v after %d calls of waiting; want a deadline after one", err, waited)
	}
	again := make(chan error, 1)
	go func() {
		_, err := filelock.Lock(t.Context(), path, unlock)
		again <- err
	}()
	if err := <-again; err != nil {
		t.Error(err)
	}
}
