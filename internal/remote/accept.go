package remote

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// AcceptedKeys remembers the host keys that HostKeyAcceptNew took where there is
// no file to keep them in. It is safe for concurrent use.
type AcceptedKeys struct {
	mu   sync.Mutex
	keys map[string]ssh.PublicKey // by host:port
}

// of returns the key that was accepted for a host, or nil.
func (a *AcceptedKeys) of(hostPort string) ssh.PublicKey {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keys[hostPort]
}

// keep returns the key that counts from now on: the first one that came.
func (a *AcceptedKeys) keep(hostPort string, key ssh.PublicKey) ssh.PublicKey {
	if a == nil {
		return key
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if first, ok := a.keys[hostPort]; ok {
		return first
	}
	if a.keys == nil {
		a.keys = map[string]ssh.PublicKey{}
	}
	a.keys[hostPort] = key
	return key
}

// accept takes the key of a host that nothing is known about, and remembers it:
// in the first of the known_hosts files, or in memory if there is none.
func (t *trust) accept(key ssh.PublicKey) error {
	if len(t.cfg.KnownHostsFiles) == 0 {
		if first := t.cfg.Accepted.keep(t.hostPort, key); !same(first, key) {
			return &HostKeyMismatchError{Target: t.target, Offered: fingerprint(key), Known: []string{knownKey{first, "accepted earlier in this run"}.String()}}
		}
		return nil
	}
	file := t.cfg.KnownHostsFiles[0]
	err := t.append(file, key)
	var refused stepped
	if err != nil && !errors.As(err, &refused) {
		return &ConfigError{Name: t.cfg.Name, Attribute: "known_hosts_file", Err: fmt.Errorf("the new host key of %s cannot be kept in %s, so it was not taken (%w)", t.target, file, err)}
	}
	return err
}

// append adds the host's line to a known_hosts file, unless somebody has done so
// meanwhile. The file is locked, so that of several processes each adds its own.
func (t *trust) append(file string, key ssh.PublicKey) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // which unlocks it, too
	if err := lockWithin(f, lockPatience); err != nil {
		return err
	}
	strict := t.cfg
	strict.HostKeyPolicy = HostKeyStrict
	now, err := newTrust(strict)
	if err != nil {
		return err
	}
	err = now.check(key)
	var unknown *HostKeyUnknownError
	var uncertified *HostCertError
	if !errors.As(err, &unknown) && !errors.As(err, &uncertified) {
		return err
	}
	line := xknownhosts.Line([]string{t.hostPort}, key) + "\n"
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	if _, err := f.WriteString(line); err != nil {
		return err
	}
	return f.Sync()
}

const lockPatience = 10 * time.Second

// lockWithin waits for a lock of the file's own kind, which ends with f.
func lockWithin(f *os.File, patience time.Duration) error {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := tryLock(f)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
