package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"al.essio.dev/pkg/shellescape"
)

// writeEnv leaves what people and programs need to reach the hosts: a
// known_hosts file, an ssh_config for `ssh -F`, and env for shells.
func writeEnv(dir, suite string, hosts []*Host, keys map[string]keyPair) error {
	var known strings.Builder
	for _, h := range hosts {
		known.WriteString(knownHostsLine(h, keys[h.Name].signer.PublicKey()))
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, knownHostsFile), []byte(known.String()), 0o644),
		os.WriteFile(filepath.Join(dir, sshConfigFile), []byte(sshConfig(dir, hosts)), 0o644),
		os.WriteFile(filepath.Join(dir, envFile), []byte(shellEnv(dir, suite, hosts)), 0o644))
}

func knownHostsLine(h *Host, key ssh.PublicKey) string {
	return knownhosts.Line([]string{h.sshAddr()}, key) + "\n"
}

// shellEnv is sourced by shells: LAB_A_ADDR and so on.
func shellEnv(dir, suite string, hosts []*Host) string {
	var b strings.Builder
	set := func(name, value string) { fmt.Fprintf(&b, "export %s=%s\n", name, shellescape.Quote(value)) }
	var names []string
	for _, h := range hosts {
		names = append(names, h.Name)
	}
	set("LAB_DIR", dir)
	set("LAB_SUITE", suite)
	set("LAB_HOSTS", strings.Join(names, " "))
	set("LAB_KEY_FILE", filepath.Join(dir, keyFile))
	set("LAB_KNOWN_HOSTS", filepath.Join(dir, knownHostsFile))
	set("LAB_SSH_CONFIG", filepath.Join(dir, sshConfigFile))
	for _, h := range hosts {
		prefix := "LAB_" + strings.ToUpper(h.Name)
		set(prefix+"_ADDR", h.Addr.String())
		set(prefix+"_MAC", h.MAC)
		set(prefix+"_SSH_HOST", sshHost)
		set(prefix+"_SSH_PORT", fmt.Sprint(h.SSHPort))
	}
	return b.String()
}

// sshConfig makes `ssh -F FILE a` work. OpenSSH reads a double quoted file
// name as one word (ssh_config(5)).
func sshConfig(dir string, hosts []*Host) string {
	var b strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&b, "Host %s\n  HostName %s\n  Port %d\n", h.Name, sshHost, h.SSHPort)
	}
	fmt.Fprintf(&b, "Host *\n  User root\n  IdentityFile %q\n  IdentitiesOnly yes\n"+
		"  UserKnownHostsFile %q\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n",
		filepath.Join(dir, keyFile), filepath.Join(dir, knownHostsFile))
	return b.String()
}
