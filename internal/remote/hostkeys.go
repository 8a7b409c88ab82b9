package remote

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// algorithms lists host key algorithms, those of the keys we know first, since a
// server shows only one of its keys (golang/go#29286). The others follow so that
// a changed key of another type is reported with its fingerprint instead of as
// "no common algorithm"; check refuses it. Certificates are asked for only where
// an authority may vouch for the host.
func (t *trust) algorithms() []string {
	if t.cfg.HostKeyPolicy == HostKeyInsecure {
		return nil
	}
	var list []string
	add := func(names ...string) {
		for _, n := range names {
			if !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
	}
	all := ssh.SupportedAlgorithms().HostKeys
	if t.pinned != nil {
		add(algorithmsOf(t.pinned)...)
	} else if len(t.cas) > 0 {
		add(slices.DeleteFunc(slices.Clone(all), func(a string) bool { return !isCertificate(a) })...)
	}
	for _, k := range t.known {
		add(algorithmsOf(k.key)...)
	}
	add(slices.DeleteFunc(slices.Clone(all), isCertificate)...)
	return list
}

func isCertificate(algorithm string) bool { return strings.Contains(algorithm, "-cert-v") }

// algorithmsOf lists how a key may sign: an RSA key by SHA-2 only (RFC 8332).
func algorithmsOf(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

// check decides on the key that a server shows and has proved to hold; its errors
// are the HostKey…Errors and HostCertError.
func (t *trust) check(key ssh.PublicKey) error {
	if t.cfg.HostKeyPolicy == HostKeyInsecure {
		return nil
	}
	offered := fingerprint(key)
	if where := t.revoked(key); where != "" {
		return &HostKeyRevokedError{Target: t.target, Offered: offered, Source: where}
	}
	cert, certified := key.(*ssh.Certificate)
	if certified && t.pinned == nil && holds(t.cas, cert.SignatureKey) {
		return t.checkCert(cert)
	}
	key = plain(key) // as in ssh(1): a certificate of nobody we know is as good as its key
	known := t.known
	if t.pinned != nil {
		known = []knownKey{{t.pinned, "host_key"}}
	}
	switch {
	case holds(known, key):
		return nil
	case len(known) > 0:
		e := &HostKeyMismatchError{Target: t.target, Offered: offered}
		for _, k := range known {
			e.Known = append(e.Known, k.String())
		}
		return e
	case certified && len(t.cas) > 0:
		return t.certError(CertForeign, offered, "the host's certificate is signed by "+fingerprint(cert.SignatureKey)+", which is not trusted.")
	case t.cfg.HostKeyPolicy == HostKeyAcceptNew && t.cfg.HostCA == "":
		return t.accept(key)
	case len(t.cas) > 0:
		return t.certError(CertMissing, offered, "the host shows no certificate, and its plain key is not known.")
	}
	return &HostKeyUnknownError{Target: t.target, Offered: offered, Sources: t.sources,
		Line: xknownhosts.Line([]string{t.hostPort}, key), keyType: key.Type()}
}

// checkCert checks a host certificate of an authority that is trusted.
func (t *trust) checkCert(cert *ssh.Certificate) error {
	name := t.cfg.hostName()
	principal, made := "", len(cert.ValidPrincipals) == 0 // for nobody in particular is for all
	for _, p := range cert.ValidPrincipals {
		if !made && matches(strings.ToLower(p), name) {
			principal, made = p, true
		}
	}
	now := t.now()
	fail := func(fault CertFault, format string, args ...any) error {
		return t.certError(fault, fingerprint(cert), fmt.Sprintf("the host's certificate "+format, args...))
	}
	err := (&ssh.CertChecker{Clock: func() time.Time { return now }}).CheckCert(principal, cert)
	if cert.CertType != ssh.HostCert {
		err = errors.New("it is a user's certificate")
	}
	switch {
	case err == nil:
		return nil
	case cert.CertType == ssh.HostCert && !made:
		return fail(CertPrincipal, "is made out to %s, not to %s.", strings.Join(cert.ValidPrincipals, ", "), name)
	case uint64(now.Unix()) < cert.ValidAfter:
		return fail(CertEarly, "is not valid before %s (it is %s here).", certTime(cert.ValidAfter), now.UTC().Format(time.RFC3339))
	case uint64(now.Unix()) >= cert.ValidBefore:
		return fail(CertExpired, "expired on %s.", certTime(cert.ValidBefore))
	}
	return fail(CertInvalid, "does not hold: %s.", err)
}

func (t *trust) certError(fault CertFault, offered, detail string) error {
	e := &HostCertError{Target: t.target, Fault: fault, Offered: offered, Detail: detail}
	for _, k := range t.cas {
		e.Trusted = append(e.Trusted, k.String())
	}
	return e
}

func certTime(seconds uint64) string { return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) }

// matches compares a name with a pattern of ssh_config(5), where * and ? stand for
// any characters and any one.
func matches(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return matches(pattern[1:], name) || name != "" && matches(pattern, name[1:])
	}
	return name != "" && (pattern[0] == '?' || pattern[0] == name[0]) && matches(pattern[1:], name[1:])
}

// callback makes an ssh.HostKeyCallback that also tells verdict what it found.
func (t *trust) callback(verdict func(error)) ssh.HostKeyCallback {
	return func(_ string, _ net.Addr, key ssh.PublicKey) error {
		err := t.check(key)
		verdict(err)
		return err
	}
}
