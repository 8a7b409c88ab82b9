package lab

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/redislb/terraform-provider-redislb/internal/lab/cpio"
)

// accounts are the users of the image with their ids (image/recipe).
var accounts = []struct {
	home string
	uid  int
}{{"root", 0}, {"home/ops", 1001}, {"home/opspw", 1002}, {"home/nosudo", 1003}}

// writeInitrd makes a host's own initrd: the image's, followed by an archive
// of what makes the host itself, which the image's /init copies to the disk
// when the disk is new.
func writeInitrd(path, base string, h *Host, hosts []*Host, hostKey, client keyPair) error {
	shared, err := os.ReadFile(base)
	if err != nil {
		return err
	}
	own, err := seed(h, hosts, hostKey, client)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(shared, own...), 0o600)
}

func seed(h *Host, hosts []*Host, hostKey, client keyPair) ([]byte, error) {
	machineID := make([]byte, 16)
	if _, err := rand.Read(machineID); err != nil {
		return nil, err
	}
	names := "127.0.0.1 localhost\n::1 localhost\n"
	for _, other := range hosts {
		names += fmt.Sprintf("%s %s\n", other.Addr, other.Name)
	}

	var archive bytes.Buffer
	w := cpio.NewWriter(&archive)
	err := errors.Join(
		w.File("seed/lan_addr", 0o644, 0, fmt.Appendf(nil, "%s/%d\n", h.Addr, lanPrefix)),
		w.File("seed/files/etc/hostname", 0o644, 0, []byte(h.Name+"\n")),
		w.File("seed/files/etc/hosts", 0o644, 0, []byte(names)),
		w.File("seed/files/etc/machine-id", 0o444, 0, []byte(hex.EncodeToString(machineID)+"\n")),
		w.File("seed/files/etc/ssh/ssh_host_ed25519_key", 0o600, 0, hostKey.private),
		w.File("seed/files/etc/ssh/ssh_host_ed25519_key.pub", 0o644, 0, []byte(hostKey.public+"\n")),
	)
	for _, account := range accounts {
		home := "seed/files/" + account.home
		err = errors.Join(err,
			w.Dir(home, 0o700, account.uid),
			w.Dir(home+"/.ssh", 0o700, account.uid),
			w.File(home+"/.ssh/authorized_keys", 0o600, account.uid, []byte(client.public+"\n")))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
