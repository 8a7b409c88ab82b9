package remote

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/crypto/ssh"
)

// keyring is what there is to log in with beside the agent and the password.
type keyring struct {
	keys []ownKey         // in the order in which they are shown
	cert *ssh.Certificate // nil if there is none
}

// ownKey is PrivateKey or one of IdentityFiles.
type ownKey struct {
	name   string        // for messages
	public ssh.PublicKey // nil if it cannot be learnt
	signer ssh.Signer    // nil if at most the agent has it
	fault  error         // why signer is nil
}

// identity opens a host's keyring once: a passphrase takes long to check.
type identity func() (keyring, error)

// keyring opens the keys. An IdentityFile that cannot be used is passed over, as by
// ssh(1); what is wrong with the others is an error (*ConfigError).
func (c Config) keyring() (keyring, error) {
	var r keyring
	signer, err := c.signer()
	if signer != nil {
		r.keys = append(r.keys, ownKey{name: "private key", public: signer.PublicKey(), signer: signer})
	}
	for _, file := range c.IdentityFiles {
		r.keys = append(r.keys, readIdentity(file, c.PrivateKeyPassphrase))
	}
	var certErr error
	r.cert, certErr = c.certificate()
	return r, errors.Join(err, certErr)
}

// opens reports whether one of the keys needs no agent.
func (r keyring) opens() bool {
	return slices.ContainsFunc(r.keys, func(k ownKey) bool { return k.signer != nil })
}

// names reports whether a key is one of these, or the certificate's.
func (r keyring) names(key ssh.PublicKey) bool {
	return r.cert != nil && same(plain(key), r.cert.Key) ||
		slices.ContainsFunc(r.keys, func(k ownKey) bool { return k.public != nil && same(plain(key), k.public) })
}

// faults says of the keys that need an agent why.
func (r keyring) faults() (notes []string) {
	for _, k := range r.keys {
		if k.signer == nil {
			notes = append(notes, k.note())
		}
	}
	return notes
}

func (k ownKey) note() string { return "The " + k.name + " could not be used: " + k.fault.Error() }

// readIdentity opens a file that IdentityFile names: a private key, or the public
// key of one that the agent has.
func readIdentity(file, passphrase string) ownKey {
	k := ownKey{name: "IdentityFile " + file}
	text, err := os.ReadFile(file)
	if err != nil {
		k.fault = err
		return k
	}
	if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		k.public, k.fault = plain(public), errors.New("it is a public key, and the SSH agent does not hold the private one")
		return k
	}
	signer, err := Config{PrivateKey: text, PrivateKeyPassphrase: passphrase}.signer()
	if err == nil {
		k.signer, k.public = signer, signer.PublicKey()
		return k
	}
	k.fault = errors.Unwrap(err) // without the attribute, which it is not
	var missing *ssh.PassphraseMissingError
	if _, err := ssh.ParseRawPrivateKey(text); errors.As(err, &missing) {
		k.public = missing.PublicKey
	}
	if text, err := os.ReadFile(file + ".pub"); err == nil && k.public == nil {
		if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
			k.public = plain(public)
		}
	}
	return k
}

// AgentOnly reports whether an IdentityFile can be used only where the agent holds
// its key: it is a public key, or encrypted and there is no passphrase.
func AgentOnly(file string) bool {
	k := readIdentity(file, "")
	return k.signer == nil && k.public != nil
}
