package remote

import (
	"errors"
	"fmt"
	"strings"
)

// A stepped error can be told the step in which it met the caller. A dial is
// shared by callers with different steps, so each gets a copy of its own.
type stepped interface {
	error
	at(step string) error
}

// at gives err the step, if it is one of ours and has none yet.
func at(err error, step string) error {
	var s stepped
	if errors.As(err, &s) {
		return s.at(step)
	}
	return err
}

// unable opens every message: what was tried, where.
func unable(step, target string) string {
	if step == "" {
		step = "reach the host"
	}
	return "unable to " + step + ": " + target + ": "
}

// Unreachable reports whether err means that no SSH server answered: the name
// does not resolve, the port refused, no route, or silence before
// authentication. It is false for a host that answered and refused (host key,
// credentials, sudo) and for a connection that broke later.
func Unreachable(err error) bool {
	var e *ConnectError
	return errors.As(err, &e) && e.Phase != PhaseAuthentication && !e.protocol
}

// ConfigError is a setting that cannot work, found without touching the network.
type ConfigError struct {
	Name      string // the host's name, as the user gave it
	Attribute string // the provider's attribute to change
	Err       error
}

func (e *ConfigError) Error() string {
	host := ""
	if e.Name != "" {
		host = fmt.Sprintf("host %q: ", e.Name)
	}
	return host + e.Attribute + ": " + e.Err.Error()
}
func (e *ConfigError) Unwrap() error { return e.Err }

// Phases of a connect, in their order.
const (
	PhaseDial           = "dial"           // name lookup and TCP
	PhaseHandshake      = "handshake"      // SSH versions and keys, up to the host key
	PhaseAuthentication = "authentication" // after the host key was found good
)

// ConnectError is a connection that could not be made for a reason other than
// the host key (HostKey…Error) or the credentials (AuthError).
type ConnectError struct {
	Target, Step string
	Phase        string
	Via          string // the jump host that it was tried from; empty for none
	Said         string // what the server said in place of SSH
	Attempts     int    // how often it was tried; the others failed like this one
	Err          error
	protocol     bool // a server answered, but we do not understand each other, or it does not want us
}

func (e *ConnectError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *ConnectError) Unwrap() error        { return e.Err }
func (e *ConnectError) Error() string {
	msg := unable(e.Step, e.Target) + e.Phase
	if e.Via != "" {
		msg += " from " + e.Via
	}
	msg += ": " + e.Err.Error()
	if e.Attempts > 1 {
		msg += fmt.Sprintf(" (%d attempts)", e.Attempts)
	}
	if e.Said != "" {
		msg += "; the server said: " + e.Said
	}
	return msg + ".\n" + e.hint()
}

func (e *ConnectError) hint() string {
	switch {
	case e.protocol && e.Phase == PhaseDial:
		return "The jump host does not let connections through: check AllowTcpForwarding and PermitOpen in its sshd_config, and the options of the key in authorized_keys there."
	case e.protocol:
		return "Check that this port is sshd's and what it logs."
	case e.Phase == PhaseHandshake && (e.Said != "" || e.Attempts > 1):
		return "The port accepts connections, and closes them before the host key. sshd does so where too many log in at once (MaxStartups), or to an address that it punishes (PerSourcePenalties); a host that is booting may need time. Raise MaxStartups, or lower Terraform's -parallelism."
	case e.Phase == PhaseHandshake:
		return "The port accepts connections, but no SSH server answered. Check that sshd runs behind it; a host that is booting may need time."
	case e.Phase == PhaseAuthentication:
		return "The host key was verified; check sshd's log on the host (PAM, DNS lookups) or raise dial_timeout."
	case e.Via != "":
		return "Check from the jump host that the host is up, that sshd listens on this port, and that no firewall is in between."
	}
	return "Check that the host is up, that sshd listens on this port, and that no firewall is in between."
}

// AuthError is a login that the host refused.
type AuthError struct {
	Target, Step string
	Tried        []string // what was offered to the server, in order
	Offered      []string // the methods that the server would take (RFC 4252 names)
	Notes        []string // what kept a credential from being tried
	Err          error
}

func (e *AuthError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *AuthError) Unwrap() error        { return e.Err }
func (e *AuthError) Error() string {
	list := func(s []string) string {
		if len(s) == 0 {
			return "nothing"
		}
		return strings.Join(s, ", ")
	}
	msg := unable(e.Step, e.Target) + "the host refused the login. Tried: " + list(e.Tried) + "; the server takes: " + list(e.Offered) + "."
	for _, n := range e.Notes {
		msg += " " + n + "."
	}
	var words string
	if e.Err != nil && strings.Contains(e.Err.Error(), "disconnect") {
		words = " The server said: " + e.Err.Error() + "."
	}
	return msg + words + "\nCheck user, private_key, agent and password, and that the key is in the user's authorized_keys on the host (root may need PermitRootLogin)."
}

// CanceledError is a step that the caller's context ended.
type CanceledError struct {
	Target, Step string
	Err          error // context.Canceled, context.DeadlineExceeded or the cause given
	Last         error // what had kept the connection from being made until then; nil if nothing had
}

func (e *CanceledError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *CanceledError) Unwrap() error        { return e.Err }
func (e *CanceledError) Error() string {
	msg := unable(e.Step, e.Target) + "given up: " + e.Err.Error() + "."
	if e.Last != nil {
		msg += "\nUntil then: " + at(e.Last, e.Step).Error()
	}
	return msg
}

// LostError is a connection that broke.
type LostError struct {
	Target, Step string
	Started      bool // a command had been handed over, so it may have run
	Err          error
}

func (e *LostError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *LostError) Unwrap() error        { return e.Err }
func (e *LostError) Error() string {
	fate := "Nothing had been started on the host."
	if e.Started {
		fate = "Whether what was under way came to its end is not known, so it was not repeated."
	}
	return unable(e.Step, e.Target) + "the connection was lost: " + e.Err.Error() + ".\n" + fate + " Check the host and the network, then run again."
}

// SessionError is a server that keeps the connection but refuses what was asked
// on it: a further session, a command, the sftp subsystem.
type SessionError struct {
	Target, Step string
	What         string // "a session", "the command"
	Err          error
}

func (e *SessionError) at(step string) error { c := *e; c.Step = step; return &c }
func (e *SessionError) Unwrap() error        { return e.Err }
func (e *SessionError) Error() string {
	return unable(e.Step, e.Target) + "the server refused to open " + e.What + ": " + e.Err.Error() + ".\nCheck MaxSessions, ForceCommand and Subsystem in the host's sshd_config and the options of the key in authorized_keys."
}
