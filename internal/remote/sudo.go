package remote

import (
	"errors"
	"strings"
)

// unstarted explains a command that ended before the bootstrap spoke. fault is
// what feed found out about it, if anything.
func (c *Client) unstarted(res Result, stdout, stderr *capture, fault error) error {
	said := strings.TrimSpace(stderr.before() + "\n" + stdout.before())
	if fault != nil && !errors.Is(fault, errWrongPassword) {
		said = strings.TrimSpace(said + "\n" + fault.Error())
	}
	said = c.cfg.scrub(said)
	if !c.cfg.sudo() {
		return &StartError{Target: c.Target(), ExitCode: res.ExitCode, Said: said}
	}
	return &SudoError{Target: c.Target(), ExitCode: res.ExitCode, Said: said, Hint: c.sudoHint(said, fault)}
}

// sudoHint says what to do about sudo's words. It only chooses advice by them;
// sudo runs with LC_ALL=C, and words it does not know get general advice.
func (c *Client) sudoHint(said string, fault error) string {
	user, has := c.cfg.User, func(s string) bool { return strings.Contains(said, s) }
	switch {
	case has("not found"), has("No such file"):
		return "Install sudo on the host, or log in as root (user = \"root\")."
	case errors.Is(fault, errWrongPassword), has("incorrect password"):
		return "The password in become_password is not the one sudo wants for " + user + ". Correct it; it was tried once only."
	case has("password is required"), has("no password was provided"):
		return "sudo wants a password. Set become_password, or give " + user + " a rule without one (in /etc/sudoers.d: " + user + " ALL=(ALL) NOPASSWD: ALL), or log in as root."
	case has("not in the sudoers"), has("not allowed"), has("may not run"):
		return "Give " + user + " a rule (in /etc/sudoers.d: " + user + " ALL=(ALL) NOPASSWD: ALL), or log in as root (user = \"root\")."
	case has("must have a tty"):
		return "sudoers asks for a terminal; exempt the user (Defaults:" + user + " !requiretty), or log in as root."
	}
	return "Check become and become_password, and what sudo -l says for " + user + " on the host; or log in as root (user = \"root\")."
}
