package remote_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// pin makes a client that knows the host by this one key, and has a password that
// must not get out.
func pin(t *testing.T, s *remotetest.Server, key string) *remote.Client {
	return client(t, s, func(c *remote.Config) { c.KnownHosts, c.HostKey, c.Password = nil, key, secret })
}

func authorized(k ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.PublicKey())))
}

func TestPinnedKeyOfEachTypeIsAskedForAndTaken(t *testing.T) {
	t.Parallel()
	keys := map[string]ssh.Signer{"ed25519": mustKey(t), "ecdsa": ecdsaKey(t), "rsa": rsaKey(t)}
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{keys["ed25519"], keys["ecdsa"], keys["rsa"]}})
	for name, k := range keys {
		t.Run(name, func(t *testing.T) { run(t, pin(t, s, authorized(k)+" root@lb1\n"), ":") })
	}
}

func TestHostWithAnotherKeyThanThePinnedOneGetsNoCredential(t *testing.T) {
	t.Parallel()
	pinned := mustKey(t)
	for name, shown := range map[string]ssh.Signer{"same type": mustKey(t), "another type": rsaKey(t)} {
		t.Run(name, func(t *testing.T) {
			s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{shown}, Password: secret})
			err := distrusted(t, s, pin(t, s, authorized(pinned)))
			var e *remote.HostKeyMismatchError
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a HostKeyMismatchError", err)
			}
			says(t, err, ssh.FingerprintSHA256(shown.PublicKey()), ssh.FingerprintSHA256(pinned.PublicKey()), "(host_key)")
		})
	}
}

// A pinned key wins over what would be taken without it.
func TestPinnedKeyHoldsUnderAcceptNew(t *testing.T) {
	t.Parallel()
	s := remotetest.NewServer(t, remotetest.Options{})
	c := client(t, s, func(c *remote.Config) {
		c.KnownHosts, c.HostKey, c.HostKeyPolicy = nil, authorized(mustKey(t)), remote.HostKeyAcceptNew
	})
	_ = distrusted(t, s, c)
}

func TestTrustThatCannotWorkIsFoundWithoutTheNetwork(t *testing.T) {
	t.Parallel()
	_, private := remotetest.NewKey(t)
	one, two := mustKey(t), mustKey(t)
	ca := mustKey(t)
	cert := hostCert(t, ca, one, nil)
	s := remotetest.NewServer(t, remotetest.Options{HostKeys: []ssh.Signer{one}})
	for name, c := range map[string]struct {
		change    func(*remote.Config)
		attribute string
		words     string
	}{
		"not a key":           {func(c *remote.Config) { c.HostKey = "ssh-ed25519 !!!" }, "host_key", "not a public key"},
		"a private key":       {func(c *remote.Config) { c.HostKey = string(private) }, "host_key", "private key"},
		"a known_hosts line":  {func(c *remote.Config) { c.HostKey = "192.0.2.1 " + authorized(one) }, "host_key", "belongs into known_hosts"},
		"a certificate":       {func(c *remote.Config) { c.HostKey = authorized(cert) }, "host_key", "certificate"},
		"two keys":            {func(c *remote.Config) { c.HostKey = authorized(one) + "\n" + authorized(two) }, "host_key", "here are 2"},
		"nothing in it":       {func(c *remote.Config) { c.HostKey = "# nothing\n" }, "host_key", "no public key"},
		"known_hosts differs": {func(c *remote.Config) { c.HostKey = authorized(two) }, "host_key", "known_hosts (inline), line 1"},
		"revoked": {func(c *remote.Config) {
			c.HostKey = authorized(one)
			c.KnownHosts = []byte("@revoked * " + authorized(one))
		}, "host_key", "revoked"},
		"bad authority":       {func(c *remote.Config) { c.HostCA = authorized(ca) + "\nrubbish" }, "host_ca", "rubbish"},
		"key and authority":   {func(c *remote.Config) { c.HostKey, c.HostCA = authorized(one), authorized(ca) }, "host_key", "one of them"},
		"key and insecure":    {func(c *remote.Config) { c.HostKey, c.HostKeyPolicy = authorized(one), remote.HostKeyInsecure }, "host_key_policy", "strict"},
		"key that fits":       {func(c *remote.Config) { c.HostKey = authorized(one) }, "", ""},
		"key of another type": {func(c *remote.Config) { c.HostKey = authorized(ecdsaKey(t)) }, "", ""}, // known_hosts need not have all
	} {
		t.Run(name, func(t *testing.T) {
			cfg := s.Config()
			c.change(&cfg)
			err := cfg.Validate()
			if c.attribute == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			var e *remote.ConfigError
			if !errors.As(err, &e) || e.Attribute != c.attribute {
				t.Fatalf("got %v, want a ConfigError of %s", err, c.attribute)
			}
			says(t, err, c.words)
			if strings.Contains(err.Error(), string(private[40:80])) {
				t.Errorf("the private key is in the message: %s", err)
			}
		})
	}
}
