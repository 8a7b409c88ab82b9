package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// ansibleRuns is Ansible with the playbooks in bench/ansible.
type ansibleRuns struct {
	dir   string // of the playbooks
	env   []string
	cp    string // the folder of the sockets of ControlPersist
	log   string // what the last run printed
	limit time.Duration
}

func (b *bench) newAnsible(name string, r reach) (*ansibleRuns, error) {
	// A path of a socket has 107 bytes at most, so this is not below b.dir.
	cp, err := os.MkdirTemp("", "bench-cp-")
	if err != nil {
		return nil, err
	}
	a := &ansibleRuns{dir: filepath.Join(b.root, "bench", "ansible"), cp: cp, log: filepath.Join(b.dir, name+".log"), limit: b.limit}
	a.env = append(os.Environ(),
		"LC_ALL=C.UTF-8",
		"ANSIBLE_HOME="+filepath.Join(b.dir, name),
		"ANSIBLE_LOCAL_TEMP="+filepath.Join(b.dir, name, "tmp"),
		"ANSIBLE_CONFIG="+filepath.Join(a.dir, "ansible.cfg"),
		"ANSIBLE_SSH_CONTROL_PATH_DIR="+cp,
		// Ansible's own default (with compression), and where the hosts are.
		fmt.Sprintf("ANSIBLE_SSH_ARGS=-C -F %q -o ControlMaster=auto -o ControlPersist=60s", r.sshConfig))
	return a, nil
}

// close ends the connections that ControlPersist keeps, and removes their folder.
func (a *ansibleRuns) close(ctx context.Context) error {
	return errors.Join(a.hangUp(ctx), os.RemoveAll(a.cp))
}

// hangUp ends the connections, so that the next run opens its own.
func (a *ansibleRuns) hangUp(ctx context.Context) error {
	sockets, err := filepath.Glob(filepath.Join(a.cp, "*"))
	if err != nil {
		return err
	}
	for _, socket := range sockets {
		// It fails where the connection has ended meanwhile.
		_ = exec.CommandContext(ctx, "ssh", "-o", "ControlPath="+socket, "-O", "exit", "none").Run()
		for range 100 { // the master removes its socket last
			if _, err := os.Stat(socket); errors.Is(err, os.ErrNotExist) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

var changedHosts = regexp.MustCompile(`(?m)^\S+ +: ok=.* changed=[1-9]`)

// run tells how long it took and whether anything was changed.
func (a *ansibleRuns) run(ctx context.Context, args ...string) (took time.Duration, changed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ansible-playbook", args...)
	cmd.Dir, cmd.Env = a.dir, a.env
	// A file, not a pipe: connections that persist may hold it open, and nobody is
	// to wait for them.
	log, err := os.Create(a.log)
	if err != nil {
		return 0, false, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	took, runErr := timed(cmd.Run)
	out, err := os.ReadFile(a.log)
	if err != nil {
		return took, false, err
	}
	if runErr != nil {
		return took, false, fmt.Errorf("ansible-playbook %q: %w:\n%s", args, runErr, out)
	}
	return took, changedHosts.Match(out), nil
}

// cold is a run that opens its own connections. Anything changed where nothing
// should be, or the other way round, is an error: then it is not what was to be
// measured.
func (a *ansibleRuns) cold(ctx context.Context, changes bool, args ...string) (time.Duration, error) {
	if err := a.hangUp(ctx); err != nil {
		return 0, err
	}
	return a.warm(ctx, changes, args...)
}

// warm is a run that may use the connections of the last one.
func (a *ansibleRuns) warm(ctx context.Context, changes bool, args ...string) (time.Duration, error) {
	took, changed, err := a.run(ctx, args...)
	if err == nil && changed != changes {
		err = fmt.Errorf("ansible-playbook %q: something changed: %v, want %v", args, changed, changes)
	}
	return took, err
}
