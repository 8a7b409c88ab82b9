package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Validate finds what is wrong without touching the network: it reads the
// known_hosts files and opens the private key. Each finding is a *ConfigError;
// several are joined. An agent is asked only for AgentIdentity and Certificate.
func (c Config) Validate() error {
	var errs []error
	bad := func(attribute, format string, args ...any) {
		errs = append(errs, &ConfigError{Name: c.Name, Attribute: attribute, Err: fmt.Errorf(format, args...)})
	}
	if c.host() == "" || strings.ContainsAny(c.Address, " \t\r\n@/,") {
		bad("address", "%q is not a host name or an IP address; the user and the port have attributes of their own", c.Address)
	}
	if c.Port < 0 || c.Port > 65535 {
		bad("port", "%d is not a TCP port; ports go from 1 to 65535", c.Port)
	}
	if c.User == "" || strings.ContainsAny(c.User, " \t\r\n@:") {
		bad("user", "%q is not a user name; the script needs root, or a user with become", c.User)
	}
	if c.DialTimeout < 0 || c.CommandTimeout < 0 || c.MaxSessions < 0 {
		bad("timeouts", "a timeout or number of sessions is negative")
	}
	if strings.ContainsAny(c.BecomePassword, "\r\n\x00") {
		bad("become_password", "sudo reads one line, and this password holds a line break or a NUL")
	}
	errs = append(errs, c.validateLogin(), c.validateJumps())
	if _, err := newTrust(c); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// validateLogin looks at the credentials.
func (c Config) validateLogin() error {
	var errs []error
	bad := func(attribute, format string, args ...any) {
		errs = append(errs, &ConfigError{Name: c.Name, Attribute: attribute, Err: fmt.Errorf(format, args...)})
	}
	own, err := c.keyring()
	errs = append(errs, err)
	noAgent := c.UseAgent && os.Getenv("SSH_AUTH_SOCK") == ""
	if noAgent {
		bad("agent", "the SSH agent is asked for, but SSH_AUTH_SOCK is not set; start an agent (eval $(ssh-agent); ssh-add) or give private_key")
	}
	switch {
	case len(c.PrivateKey) > 0 || c.Password != "" || own.opens():
	case !c.UseAgent && len(own.keys) > 0:
		bad("private_key", "there is nothing to log in with. %s", strings.Join(own.faults(), ". "))
	case !c.UseAgent:
		bad("private_key", "there is nothing to log in with; set private_key, private_key_file, agent or password")
	case c.IdentitiesOnly && c.AgentIdentity == "" && len(own.keys) == 0 && len(c.Certificate) == 0:
		bad("ssh_config_file", "IdentitiesOnly lets the agent's keys be used only where IdentityFile names them, and no IdentityFile is there; add one, or set agent_identity, private_key or password")
	}
	if c.AgentIdentity != "" && !c.UseAgent {
		bad("agent_identity", "it names a key of the SSH agent, but agent is false")
	}
	cert := own.cert
	var keys []agentKey
	if c.UseAgent && !noAgent && (c.AgentIdentity != "" || cert != nil) {
		ctx, cancel := context.WithTimeout(context.Background(), agentPatience)
		defer cancel()
		if keys, err = c.agentKeys(ctx, own); err != nil {
			bad("agent", "the SSH agent could not be asked: %w", err)
			return errors.Join(errs...)
		}
		if c.AgentIdentity != "" && len(keys) == 0 {
			errs = append(errs, c.noIdentity(ctx))
		}
	}
	switch now := time.Now(); {
	case cert == nil || err != nil:
	case slices.ContainsFunc(own.keys, func(k ownKey) bool { return k.public != nil && same(k.public, cert.Key) }), slices.ContainsFunc(keys, func(k agentKey) bool { return same(plain(k.PublicKey()), cert.Key) }):
		if uint64(now.Unix()) >= cert.ValidBefore {
			bad("certificate", "it expired on %s; have the key signed anew", certTime(cert.ValidBefore))
		} else if uint64(now.Unix()) < cert.ValidAfter {
			bad("certificate", "it is not valid before %s; check the clock of this machine", certTime(cert.ValidAfter))
		}
	default:
		bad("certificate", "it is for the key %s, which is neither private_key nor in the agent; give the key that belongs to it", fingerprint(cert.Key))
	}
	return errors.Join(errs...)
}

// validateJumps looks at the hosts on the way.
func (c Config) validateJumps() error {
	var errs []error
	way := []string{c.hostPort()}
	for _, j := range slices.Backward(c.Jumps) {
		if slices.Contains(way, j.hostPort()) {
			errs = append(errs, &ConfigError{Name: c.Name, Attribute: "jump_hosts", Err: fmt.Errorf("the way to %s comes by %s twice; take it out once", c.Target(), j.hostPort())})
		}
		way = append(way, j.hostPort())
	}
	for _, j := range c.Jumps {
		j.Jumps = nil
		errs = append(errs, j.Validate())
	}
	return errors.Join(errs...)
}

// signer opens the private key; nil without an error if there is none. The error
// is a *ConfigError and holds nothing of the key.
func (c Config) signer() (ssh.Signer, error) {
	if len(c.PrivateKey) == 0 {
		return nil, nil
	}
	bad := func(attribute, format string, args ...any) error {
		return &ConfigError{Name: c.Name, Attribute: attribute, Err: fmt.Errorf(format, args...)}
	}
	key := slices.Concat(bytes.TrimSpace(c.PrivateKey), []byte("\n")) // a copy: clients share the original
	signer, err := ssh.ParsePrivateKey(key)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, bad("private_key", "this is not a private key that can be read (%w); it must be the file that ssh-keygen wrote without .pub, in PEM or OpenSSH format", err)
		}
		return signer, nil
	}
	if c.PrivateKeyPassphrase == "" {
		return nil, bad("private_key_passphrase", "the private key is encrypted; set private_key_passphrase, or load the key into an agent and set agent")
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase(key, []byte(c.PrivateKeyPassphrase))
	if err != nil {
		return nil, bad("private_key_passphrase", "the passphrase does not open the private key (%w)", err)
	}
	return signer, nil
}
