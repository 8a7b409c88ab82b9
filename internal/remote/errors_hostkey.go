package remote

import (
	"net"
	"strings"
)

// HostKeyUnknownError is a host that known_hosts says nothing about. No
// credential was sent.
type HostKeyUnknownError struct {
	Target, Step string
	Offered      string   // key type and SHA256 fingerprint
	Line         string   // the known_hosts line for this key
	Sources      []string // where was looked
	keyType      string
}

func (e *HostKeyUnknownError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *HostKeyUnknownError) Error() string {
	host := e.Target[strings.LastIndex(e.Target, "@")+1:]
	host, port, _ := net.SplitHostPort(host)
	file := strings.TrimPrefix(e.keyType, "ssh-")
	if strings.HasPrefix(file, "ecdsa") {
		file = "ecdsa"
	}
	return unable(e.Step, e.Target) + "the host key is not known: the server shows " + e.Offered +
		", and there is no entry for it in " + strings.Join(e.Sources, ", ") + ". Nothing secret was sent.\n" +
		"Compare the fingerprint with the host's own, over another way than this network (on its console: ssh-keygen -lf /etc/ssh/ssh_host_" + file + "_key.pub). If it is the same, add this line to known_hosts:\n" +
		e.Line + "\n(ssh-keyscan -p " + port + " " + host + " prints such lines too, but it believes whoever answers: verify before use.)"
}

// HostKeyMismatchError is a host that shows another key than the known ones:
// reinstalled, or somebody in between. No credential was sent.
type HostKeyMismatchError struct {
	Target, Step string
	Offered      string   // key type and SHA256 fingerprint
	Known        []string // the same of the known keys, with where they come from
}

func (e *HostKeyMismatchError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *HostKeyMismatchError) Error() string {
	return unable(e.Step, e.Target) + "THE HOST KEY IS NOT THE KNOWN ONE, somebody may be in between. The server shows " + e.Offered + ". Nothing secret was sent.\n" +
		"Known: " + strings.Join(e.Known, "; ") + ".\n" +
		"If the host was reinstalled, verify its new fingerprint on its console and replace the line; if not, do not go on."
}

// HostKeyRevokedError is a key that known_hosts marks @revoked. No credential
// was sent.
type HostKeyRevokedError struct {
	Target, Step string
	Offered      string
	Source       string // the line that revokes it
}

func (e *HostKeyRevokedError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *HostKeyRevokedError) Error() string {
	return unable(e.Step, e.Target) + "the server shows a key that is revoked: " + e.Offered + " (" + e.Source + "). Nothing secret was sent.\n" +
		"Whoever holds that key may not be the host. Give the host a new host key and put it into known_hosts."
}

// CertFault says what is wrong with a host certificate.
type CertFault string

// What can be wrong with a host certificate.
const (
	CertMissing   CertFault = "missing"   // the host shows a plain key
	CertForeign   CertFault = "foreign"   // signed by an authority that is not trusted for the host
	CertPrincipal CertFault = "principal" // made out to other names
	CertExpired   CertFault = "expired"
	CertEarly     CertFault = "early" // not valid yet
	CertInvalid   CertFault = "invalid"
)

// HostCertError is a host that an authority is to vouch for (host_ca, or an
// @cert-authority line) and whose certificate does not. No credential was sent.
type HostCertError struct {
	Target, Step string
	Fault        CertFault
	Offered      string // key type and SHA256 fingerprint
	Detail       string // the fault, in words
	Trusted      []string
}

func (e *HostCertError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *HostCertError) Error() string {
	return unable(e.Step, e.Target) + e.Detail + " The server shows " + e.Offered + ". Nothing secret was sent.\n" +
		"Trusted authorities: " + strings.Join(e.Trusted, "; ") + ".\n" + e.hint()
}

func (e *HostCertError) hint() string {
	switch e.Fault {
	case CertMissing:
		return "Give the host a certificate (ssh-keygen -s CA -h -n NAMES, and HostCertificate in its sshd_config), or pin its key with host_key or known_hosts."
	case CertForeign:
		return "Somebody may be in between. If the authority is yours, add its public key to host_ca."
	case CertPrincipal:
		return "Sign the host's key for the name that is used here (ssh-keygen -s CA -h -n NAMES), or use one of the certificate's names as address."
	case CertExpired:
		return "Sign the host's key anew (ssh-keygen -s CA -h -n NAMES -V +52w) and reload its sshd."
	case CertEarly:
		return "Compare this machine's clock with the authority's."
	}
	return "Sign the host's key anew (ssh-keygen -s CA -h -n NAMES)."
}
