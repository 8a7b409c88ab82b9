package remote

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// publicKeys reads public keys in the format of a .pub file, one a line; empty
// lines and lines with # are passed over. The error is a *ConfigError.
func publicKeys(c Config, attribute, text string) ([]ssh.PublicKey, error) {
	bad := func(format string, args ...any) error {
		return &ConfigError{Name: c.Name, Attribute: attribute, Err: fmt.Errorf(format, args...)}
	}
	if strings.Contains(text, "PRIVATE KEY") {
		return nil, bad("this is a private key, which has no place here; give the public one (the file with .pub)")
	}
	var keys []ssh.PublicKey
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
		switch {
		case err != nil:
			return nil, bad("%q is not a public key (%w); it looks like ssh-ed25519 AAAA… and may be followed by a comment", shorten(line), err)
		case len(options) > 0:
			return nil, bad("%q has something before the key type; give the type and the key alone (a line with a host name belongs into known_hosts)", shorten(line))
		case isCertificate(key.Type()):
			return nil, bad("this is a certificate (%s); give the public key", key.Type())
		case !slices.Contains(ssh.SupportedAlgorithms().HostKeys, algorithmsOf(key)[0]):
			return nil, bad("keys of type %s cannot vouch for a host; use ssh-ed25519, ecdsa or rsa", key.Type())
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, bad("there is no public key in it; it looks like ssh-ed25519 AAAA…")
	}
	return keys, nil
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}

// certificate opens the user's certificate; nil without an error if there is none.
// The error is a *ConfigError.
func (c Config) certificate() (*ssh.Certificate, error) {
	if len(bytes.TrimSpace(c.Certificate)) == 0 {
		return nil, nil
	}
	bad := func(format string, args ...any) error {
		return &ConfigError{Name: c.Name, Attribute: "certificate", Err: fmt.Errorf(format, args...)}
	}
	if bytes.Contains(c.Certificate, []byte("PRIVATE KEY")) {
		return nil, bad("this is a private key; give the certificate that ssh-keygen -s wrote (the file with -cert.pub)")
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(c.Certificate)
	cert, ok := key.(*ssh.Certificate)
	switch {
	case err != nil:
		return nil, bad("this is not a certificate that can be read (%w); give what ssh-keygen -s wrote (the file with -cert.pub)", err)
	case !ok:
		return nil, bad("this is a plain public key (%s); give the certificate that ssh-keygen -s made of it (the file with -cert.pub)", key.Type())
	case cert.CertType != ssh.UserCert:
		return nil, bad("this is a host's certificate; a login needs a user's (ssh-keygen -s without -h)")
	}
	return cert, nil
}
