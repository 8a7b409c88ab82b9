package remote_test

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// userCert makes a certificate file for root.
func userCert(t *testing.T, ca ssh.Signer, key ssh.PublicKey, change func(*ssh.Certificate)) []byte {
	t.Helper()
	cert := &ssh.Certificate{Key: key, CertType: ssh.UserCert, KeyId: "ops", ValidPrincipals: []string{"root"},
		ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix())}
	if change != nil {
		change(cert)
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return ssh.MarshalAuthorizedKey(cert)
}

// serveCommented is an agent that holds keys by their comments.
func serveCommented(t *testing.T, pems map[string][]byte) {
	ring := agent.NewKeyring()
	for comment, p := range pems {
		key, err := ssh.ParseRawPrivateKey(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := ring.Add(agent.AddedKey{PrivateKey: key, Comment: comment}); err != nil {
			t.Fatal(err)
		}
	}
	listen(t, agentAt(t), func(c net.Conn) { _ = agent.ServeAgent(ring, c) })
}

func TestCertificateLogsInBesideThePrivateKeyAndBesideTheAgents(t *testing.T) {
	ca := mustKey(t)
	key, file := remotetest.NewKey(t)
	serveAgent(t, file)
	cert := userCert(t, ca, key.PublicKey(), nil)
	for name, login := range map[string]func(*remote.Config){
		"private key": func(c *remote.Config) { c.PrivateKey, c.Certificate = file, cert },
		"agent":       func(c *remote.Config) { c.PrivateKey, c.Certificate, c.UseAgent = nil, cert, true },
	} {
		s := remotetest.NewServer(t, remotetest.Options{NoKey: true, UserCA: ca.PublicKey()})
		run(t, client(t, s, login), ":")
		_, err := client(t, s, login, func(c *remote.Config) { c.Certificate = nil }).Run(context.Background(), sh(":"))
		var e *remote.AuthError
		if !errors.As(err, &e) {
			t.Errorf("%s: positive control: got %v", name, err)
		}
	}
	other := remotetest.NewServer(t, remotetest.Options{NoKey: true, UserCA: mustKey(t).PublicKey()})
	_, err := client(t, other, func(c *remote.Config) { c.PrivateKey, c.Certificate = file, cert }).Run(context.Background(), sh(":"))
	says(t, err, `certificate "ops" of SHA256:`)
}

func TestCertificateThatCannotWorkIsFoundWithoutTheNetwork(t *testing.T) {
	t.Parallel()
	ca, s := mustKey(t), remotetest.NewServer(t, remotetest.Options{})
	mine := s.ClientKey().PublicKey()
	for name, c := range map[string]struct {
		cert  []byte
		words string
	}{
		"expired":         {userCert(t, ca, mine, func(c *ssh.Certificate) { c.ValidBefore = 1000 }), "expired on 1970"},
		"not yet valid":   {userCert(t, ca, mine, func(c *ssh.Certificate) { c.ValidAfter = c.ValidBefore }), "not valid before"},
		"a host's":        {userCert(t, ca, mine, func(c *ssh.Certificate) { c.CertType = ssh.HostCert }), "host's certificate"},
		"another key's":   {userCert(t, ca, mustKey(t).PublicKey(), nil), "neither private_key nor in the agent"},
		"a public key":    {ssh.MarshalAuthorizedKey(mine), "-cert.pub"},
		"rubbish":         {[]byte("rubbish"), "not a certificate"},
		"the private key": {s.Config().PrivateKey, "private key"},
	} {
		cfg := s.Config()
		cfg.Certificate = c.cert
		err := cfg.Validate()
		var e *remote.ConfigError
		if !errors.As(err, &e) || e.Attribute != "certificate" {
			t.Errorf("%s: got %v, want a ConfigError of certificate", name, err)
			continue
		}
		says(t, err, c.words)
	}
}

func TestAgentIdentityChoosesTheOnlyKeyThatIsShown(t *testing.T) {
	pems := map[string][]byte{}
	for _, comment := range []string{"one", "two", "three", "four", "five", "six", "seven", "eight"} {
		_, pems[comment] = remotetest.NewKey(t)
	}
	_, pems["mine"] = remotetest.NewKey(t)
	mine, err := ssh.ParsePrivateKey(pems["mine"])
	if err != nil {
		t.Fatal(err)
	}
	serveCommented(t, pems)
	s := remotetest.NewServer(t, remotetest.Options{NoKey: true, AuthorizedKeys: []ssh.PublicKey{mine.PublicKey()}})
	for _, identity := range []string{ssh.FingerprintSHA256(mine.PublicKey()), "mine", authorized(mine) + " comment"} {
		before := s.AuthAttempts()
		use := func(c *remote.Config) { c.PrivateKey, c.UseAgent, c.AgentIdentity = nil, true, identity }
		run(t, client(t, s, use), ":")
		if n := s.AuthAttempts() - before; n > 3 { // none, the query, the signature
			t.Errorf("%d attempts for one key", n)
		}
		cfg := s.Config()
		use(&cfg)
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", identity, err)
		}
	}
	cfg := s.Config()
	cfg.PrivateKey, cfg.UseAgent, cfg.AgentIdentity = nil, true, "nobody's"
	err = cfg.Validate()
	var e *remote.ConfigError
	if !errors.As(err, &e) || e.Attribute != "agent_identity" {
		t.Fatalf("got %v, want a ConfigError", err)
	}
	says(t, err, "nobody's", `"seven"`, ssh.FingerprintSHA256(mine.PublicKey()), "ssh-add")
}

func TestRSAKeyOfTheAgentLogsIn(t *testing.T) {
	signer, file := rsaFile(t)
	serveAgent(t, file)
	s := remotetest.NewServer(t, remotetest.Options{NoKey: true, AuthorizedKeys: []ssh.PublicKey{signer.PublicKey()}})
	run(t, client(t, s, func(c *remote.Config) { c.PrivateKey, c.UseAgent = nil, true }), ":")
}

func rsaFile(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	key := rsaPrivate(t)
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}
