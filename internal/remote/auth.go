package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/ssh"
)

// maxAgentKeys bounds how many of an agent's keys are shown when a password is
// to follow: sshd cuts the connection after MaxAuthTries (6) failures.
const maxAgentKeys = 3

// credentials logs in once: key, agent, password, in this order. It remembers
// what was tried, for AuthError.
type credentials struct {
	cfg Config
	keyring
	done    []string // methods used up
	tried   []string
	offered []string
	notes   []string
}

// next is an ssh.ClientAuthCallback. It returns (nil, nil) when nothing is left.
func (c *credentials) next(ctx context.Context) ssh.ClientAuthCallback {
	return func(a *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
		c.offered = a.AllowedMethods
		may := func(method string) bool {
			return slices.Contains(a.AllowedMethods, method) && !slices.Contains(c.done, method)
		}
		switch {
		case may("publickey") && (len(c.keys) > 0 || c.cfg.UseAgent):
			c.done = append(c.done, "publickey")
			return ssh.PublicKeys(c.signers(ctx)...), nil
		case may("password") && c.cfg.Password != "":
			c.done = append(c.done, "password")
			c.tried = append(c.tried, "password")
			return ssh.Password(c.cfg.Password), nil
		// Where the password was refused, it would be a second failure on the account's
		// count; where it was taken, both methods are wanted (AuthenticationMethods).
		case may("keyboard-interactive") && c.cfg.Password != "" && !slices.Contains(a.TriedMethods, "password"):
			c.done = append(c.done, "keyboard-interactive")
			c.tried = append(c.tried, "keyboard-interactive")
			return ssh.KeyboardInteractive(c.answer()), nil
		}
		return nil, nil
	}
}

// answer gives the password to every hidden prompt of one round; a second
// round that prompts again means that it was wrong.
func (c *credentials) answer() ssh.KeyboardInteractiveChallenge {
	asked := false
	return func(_, _ string, questions []string, echos []bool) ([]string, error) {
		answers := make([]string, len(questions))
		if len(questions) == 0 {
			return answers, nil
		}
		if asked {
			return nil, errors.New("the server asked again after the password")
		}
		asked = true
		for i := range questions {
			if echos[i] {
				return nil, fmt.Errorf("the server asks %q, which is not a password prompt", questions[i])
			}
			answers[i] = c.cfg.Password
		}
		return answers, nil
	}
}

// signers lists the keys to show, each behind its certificate if it has one: our own
// in their order, be they in the agent, and then the agent's others. (ssh(1) shows all
// of the agent's before those that only a file has, and then runs out of tries.)
func (c *credentials) signers(ctx context.Context) []ssh.Signer {
	var all []ssh.Signer
	add := func(name string, s ssh.Signer) {
		if c.cert != nil && same(s.PublicKey(), c.cert.Key) {
			if certified, err := ssh.NewCertSigner(c.cert, s); err == nil {
				all = append(all, certified)
				c.tried = append(c.tried, fmt.Sprintf("certificate %q of %s", c.cert.KeyId, ssh.FingerprintSHA256(c.cert.Key)))
			}
		}
		all = append(all, s)
		c.tried = append(c.tried, name+" "+ssh.FingerprintSHA256(plain(s.PublicKey())))
	}
	var keys []agentKey
	if c.cfg.UseAgent {
		keys = c.agents(ctx)
	}
	for _, own := range c.keys {
		held := slices.IndexFunc(keys, func(k agentKey) bool { return own.public != nil && same(k.PublicKey(), own.public) })
		switch {
		case own.signer != nil:
			add(own.name, own.signer)
		case held >= 0:
			add("agent key", keys[held].Signer)
		default:
			c.notes = append(c.notes, own.note())
		}
		if held >= 0 {
			keys = slices.Delete(keys, held, held+1)
		}
	}
	if c.cfg.Password != "" && len(keys) > maxAgentKeys {
		c.notes = append(c.notes, fmt.Sprintf("Only %d of the agent's %d keys were shown, to leave tries for the password", maxAgentKeys, len(keys)))
		keys = keys[:maxAgentKeys]
	}
	for _, k := range keys {
		add("agent key", k.Signer)
	}
	return all
}

// agents returns the agent's keys that may be used, and notes why there are none.
func (c *credentials) agents(ctx context.Context) []agentKey {
	keys, err := c.cfg.agentKeys(ctx, c.keyring)
	switch {
	case err != nil:
		c.notes = append(c.notes, "The SSH agent could not be asked: "+err.Error())
		return nil
	case len(keys) == 0 && c.cfg.AgentIdentity != "":
		c.notes = append(c.notes, fmt.Sprintf("The SSH agent holds no key that is agent_identity %q (ssh-add -l)", c.cfg.AgentIdentity))
	case len(keys) == 0 && c.cfg.IdentitiesOnly:
		c.notes = append(c.notes, "The SSH agent holds none of the keys that IdentitiesOnly leaves (ssh-add -l)")
	case len(keys) == 0:
		c.notes = append(c.notes, "The SSH agent holds no keys (ssh-add)")
	}
	return keys
}

// refused makes the error of a login that failed with err.
func (c *credentials) refused(err error) error {
	return &AuthError{Target: c.cfg.Target(), Tried: c.tried, Offered: c.offered, Notes: c.notes, Err: err}
}
