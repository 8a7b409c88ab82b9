package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names of the files in a lab's folder that others use.
const (
	keyFile        = "id_ed25519"
	knownHostsFile = "known_hosts"
	sshConfigFile  = "ssh_config"
	envFile        = "env"
	recordFile     = "lab.json"
	upLockFile     = "up.lock"
	hostsDir       = "hosts"
)

// record is what Attach needs to know of a lab that runs.
type record struct {
	Suite string  `json:"suite"`
	Accel string  `json:"accel"`
	Hosts []*Host `json:"hosts"`
}

func (r record) write(dir string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, recordFile), content, 0o644)
}

func readRecord(dir string) (record, error) {
	content, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(content, &r); err != nil {
		return record{}, fmt.Errorf("%s: %w", filepath.Join(dir, recordFile), err)
	}
	return r, nil
}

// removeState takes away what belongs to one run of the lab; images and the
// client key stay.
func removeState(dir string) error {
	var err error
	for _, name := range []string{recordFile, envFile, sshConfigFile, knownHostsFile} {
		if e := os.Remove(filepath.Join(dir, name)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(dir, hostsDir)))
}
