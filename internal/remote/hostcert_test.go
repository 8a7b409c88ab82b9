package remote_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// hostCert makes a host key with a certificate for 127.0.0.1, changed by change.
func hostCert(t *testing.T, ca, key ssh.Signer, change func(*ssh.Certificate)) ssh.Signer {
	t.Helper()
	cert := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.HostCert, KeyId: "lb1", ValidPrincipals: []string{"lb1", "127.0.0.1"},
		ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix())}
	if change != nil {
		change(cert)
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// vouched are the ways to trust an authority; each client has a password that must
// not get out.
func vouched(ca ssh.Signer) map[string]func(*remote.Config) {
	return map[string]func(*remote.Config){
		"host_ca": func(c *remote.Config) { c.KnownHosts, c.HostCA, c.Password = nil, authorized(ca)+" the CA\n", secret },
		"@cert-authority": func(c *remote.Config) {
			c.KnownHosts, c.Password = []byte("@cert-authority * "+authorized(ca)+"\n"), secret
		},
	}
}

func TestHostCertificateOfATrustedAuthorityIsTaken(t *testing.T) {
	t.Parallel()
	ca := mustKey(t)
	for kind, key := range map[string]ssh.Signer{"ed25519": mustKey(t), "rsa": rsaKey(t), "ecdsa": ecdsaKey(t)} {
		for how, trust := range vouched(ca) {
			t.Run(kind+" "+how, func(t *testing.T) {
				t.Parallel()
				// The plain keys come first, so that the certificate must be asked for.
				s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{mustKey(t), key, hostCert(t, ca, key, nil)}})
				run(t, client(t, s, trust), ":")
			})
		}
	}
	for name, change := range map[string]func(*ssh.Certificate){
		"for all names":   func(c *ssh.Certificate) { c.ValidPrincipals = nil },
		"with a wildcard": func(c *ssh.Certificate) { c.ValidPrincipals = []string{"127.0.?.*"} },
		"for ever":        func(c *ssh.Certificate) { c.ValidBefore = ssh.CertTimeInfinity },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{hostCert(t, ca, mustKey(t), change)}})
			run(t, client(t, s, vouched(ca)["host_ca"]), ":")
		})
	}
}

func TestHostCertificateThatDoesNotHoldIsRefusedWithItsFault(t *testing.T) {
	t.Parallel()
	ca, other := mustKey(t), mustKey(t)
	hour := uint64(time.Hour.Seconds())
	for name, c := range map[string]struct {
		signer ssh.Signer
		change func(*ssh.Certificate)
		fault  remote.CertFault
		words  []string
	}{
		"expired":          {ca, func(c *ssh.Certificate) { c.ValidBefore -= hour + 60 }, remote.CertExpired, []string{"expired on 20", "Sign the host's key anew"}},
		"not yet valid":    {ca, func(c *ssh.Certificate) { c.ValidAfter += hour + 60 }, remote.CertEarly, []string{"not valid before 20", "clock"}},
		"other principals": {ca, func(c *ssh.Certificate) { c.ValidPrincipals = []string{"lb1", "lb2"} }, remote.CertPrincipal, []string{"made out to lb1, lb2, not to 127.0.0.1"}},
		"a user's":         {ca, func(c *ssh.Certificate) { c.CertType = ssh.UserCert }, remote.CertInvalid, []string{"user's certificate"}},
		"unknown option": {ca, func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"x": "y"} }, remote.CertInvalid,
			[]string{"does not hold"}},
		"another authority": {other, nil, remote.CertForeign, []string{ssh.FingerprintSHA256(other.PublicKey()), "add its public key to host_ca"}},
	} {
		for how, trust := range vouched(ca) {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{hostCert(t, c.signer, mustKey(t), c.change)}, Password: secret})
				err := distrusted(t, s, client(t, s, trust))
				var e *remote.HostCertError
				if !errors.As(err, &e) || e.Fault != c.fault {
					t.Fatalf("got %v, want a HostCertError of %s", err, c.fault)
				}
				says(t, err, append(c.words, ssh.FingerprintSHA256(ca.PublicKey()))...)
			})
		}
	}
}

func TestHostWithoutTheCertificateThatItShouldHaveIsRefused(t *testing.T) {
	t.Parallel()
	ca := mustKey(t)
	for how, trust := range vouched(ca) {
		s := remotetest.NewServer(t, remotetest.Options{Password: secret})
		err := distrusted(t, s, client(t, s, trust))
		var e *remote.HostCertError
		if !errors.As(err, &e) || e.Fault != remote.CertMissing {
			t.Errorf("%s: got %v", how, err)
		}
	}
	// Not even on the first meeting: who is in between would only have to leave it out.
	s := remotetest.NewServer(t, remotetest.Options{Password: secret})
	_ = distrusted(t, s, client(t, s, vouched(ca)["host_ca"], func(c *remote.Config) { c.HostKeyPolicy = remote.HostKeyAcceptNew }))
	// The authority's own key is no host's.
	s = remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{ca}})
	_ = distrusted(t, s, client(t, s, vouched(ca)["@cert-authority"]))
}

func TestRevokedAuthorityVouchesForNobody(t *testing.T) {
	t.Parallel()
	ca := mustKey(t)
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{hostCert(t, ca, mustKey(t), nil)}})
	err := distrusted(t, s, client(t, s, vouched(ca)["host_ca"], func(c *remote.Config) { c.KnownHosts = []byte("@revoked * " + authorized(ca)) }))
	var e *remote.HostKeyRevokedError
	if !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

func TestKeyInAForeignCertificateIsAsGoodAsTheKey(t *testing.T) {
	t.Parallel()
	key := mustKey(t)
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{hostCert(t, mustKey(t), key, nil)}})
	// Some authority is known, so the certificate is asked for; the key is known, too.
	run(t, client(t, s, func(c *remote.Config) {
		c.KnownHosts = append(c.KnownHosts, "@cert-authority * "+authorized(mustKey(t))...)
	}), ":")
}
