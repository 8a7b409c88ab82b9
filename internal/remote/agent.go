package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentPatience is how long an agent may take to say which keys it holds.
const agentPatience = 5 * time.Second

// agentKey is a key that the agent signs with, and its comment.
type agentKey struct {
	ssh.Signer
	comment string
}

// agentKeys asks the agent for the keys that may be used: AgentIdentity alone, or
// with IdentitiesOnly those of own. Its socket lives as long as ctx, for the signers
// need it.
func (c Config) agentKeys(ctx context.Context, own keyring) ([]agentKey, error) {
	all, err := allAgentKeys(ctx)
	return slices.DeleteFunc(all, func(k agentKey) bool {
		if c.AgentIdentity != "" {
			return !k.is(c.AgentIdentity)
		}
		return c.IdentitiesOnly && !own.names(k.PublicKey())
	}), err
}

func allAgentKeys(ctx context.Context) ([]agentKey, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", os.Getenv("SSH_AUTH_SOCK"))
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	client := agent.NewClient(conn)
	signers, err := client.Signers()
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	listed, err := client.List()
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	comments := map[string]string{}
	for _, k := range listed {
		comments[string(k.Blob)] = k.Comment
	}
	var keys []agentKey
	for _, s := range signers {
		keys = append(keys, agentKey{s, comments[string(s.PublicKey().Marshal())]})
	}
	return keys, nil
}

// is reports whether identity means the key: by the fingerprint that ssh-add -l
// shows, by the public key, or by the comment.
func (k agentKey) is(identity string) bool {
	if strings.HasPrefix(identity, "SHA256:") {
		return ssh.FingerprintSHA256(plain(k.PublicKey())) == identity
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(identity)); err == nil {
		return same(k.PublicKey(), key) || same(plain(k.PublicKey()), key)
	}
	return k.comment == identity
}

// noIdentity makes the error of an AgentIdentity that the agent does not hold.
func (c Config) noIdentity(ctx context.Context) error {
	all, err := allAgentKeys(ctx)
	var has []string
	for _, k := range all {
		has = append(has, fmt.Sprintf("%s %q", ssh.FingerprintSHA256(plain(k.PublicKey())), k.comment))
	}
	list := "it holds no keys"
	if len(has) > 0 {
		list = "it holds " + strings.Join(has, ", ")
	}
	return errors.Join(err, &ConfigError{Name: c.Name, Attribute: "agent_identity",
		Err: fmt.Errorf("the SSH agent has no key %q; %s; add it with ssh-add, or name one of these", shorten(c.AgentIdentity), list)})
}
