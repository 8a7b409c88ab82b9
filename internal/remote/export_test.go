package remote

import (
	"time"

	"golang.org/x/crypto/ssh"
)

// Tuning for tests that cannot wait.

func (c *Client) SetIdle(d time.Duration)      { c.tune.idle = d }
func (c *Client) SetKeepalive(d time.Duration) { c.tune.keepalive = d }
func (c *Client) SetPatience(d time.Duration)  { c.tune.patience = d }
func (c *Client) SetCrowded(d time.Duration)   { c.tune.crowded = d }
func (c *Client) SetStart(d time.Duration)     { c.tune.start = d }
func (c *Client) SetOutput(bytes int)          { c.tune.output = bytes }

// Bootstrap is the shell code on the exec request's line.
var Bootstrap = bootstrap

// Invocation shows what would go over the wire.
func Invocation(cfg Config, cmd Command) (line string, payload []byte, err error) {
	inv, err := newInvocation(cfg, cmd)
	return inv.line, inv.payload, err
}

// Readers that the fuzzer looks at one by one.
var (
	ParseJumps   = parseJumps
	ExpandTokens = expandTokens
)

func PublicKeys(text string) ([]ssh.PublicKey, error) {
	return publicKeys(Config{Name: "a"}, "host_ca", text)
}

func UserCertificate(content []byte) (*ssh.Certificate, error) {
	return Config{Name: "a", Certificate: content}.certificate()
}

// Trusts says why the host would not be talked to if it showed that key.
func Trusts(cfg Config, key ssh.PublicKey) error {
	t, err := newTrust(cfg)
	if err != nil {
		return err
	}
	return t.check(key)
}
