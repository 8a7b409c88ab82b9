package remote

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"unicode"

	"github.com/kevinburke/ssh_config"
)

// SSHConfig is a file in the format of ssh_config(5).
type SSHConfig struct {
	path   string
	parsed *ssh_config.Config
}

// SSHHost is what an SSHConfig says of one host; what it does not say is zero.
// StrictHostKeyChecking is never looked at: it could only weaken what is checked.
type SSHHost struct {
	HostName        string
	User            string
	Port            int
	IdentityFiles   []string // those that exist; with IdentitiesOnly and none named, ssh's own
	IdentitiesOnly  bool
	KnownHostsFiles []string // UserKnownHostsFile, those that exist, or the first
	ProxyJump       []Jump
}

// Jump is one element of ProxyJump.
type Jump struct {
	Host string
	User string // empty: whatever holds for Host
	Port int    // 0: whatever holds for Host
}

// ReadSSHConfig reads a file and what it includes. Match is understood for host
// patterns and all.
func ReadSSHConfig(path string) (*SSHConfig, error) {
	bad := func(format string, args ...any) error {
		return &ConfigError{Attribute: "ssh_config_file", Err: fmt.Errorf(format, args...)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, bad("cannot be read: %w", err)
	}
	parsed, err := ssh_config.DecodeBytes(text)
	if err != nil {
		return nil, bad("%s is not understood: %w; Match knows the criteria host and all only", path, err)
	}
	return &SSHConfig{path, parsed}, nil
}

// Host returns what holds for the name that one would give to ssh(1). The error is
// a *ConfigError.
func (s *SSHConfig) Host(name string) (SSHHost, error) {
	var h SSHHost
	bad := func(format string, args ...any) (SSHHost, error) {
		return SSHHost{}, &ConfigError{Name: name, Attribute: "ssh_config_file", Err: fmt.Errorf("%s: "+format, append([]any{s.path}, args...)...)}
	}
	values := map[string]string{}
	for _, key := range []string{"HostName", "User", "Port", "IdentitiesOnly", "UserKnownHostsFile", "ProxyJump", "ProxyCommand"} {
		value, err := s.parsed.Get(name, key)
		if err != nil {
			return bad("%w", err)
		}
		values[key] = unquote(value)
	}
	h.HostName, h.User = strings.ReplaceAll(values["HostName"], "%h", name), values["User"]
	if text := values["Port"]; text != "" {
		port, err := strconv.Atoi(text)
		if err != nil {
			return bad("Port %q is not a number", text)
		}
		h.Port = port
	}
	h.IdentitiesOnly = strings.EqualFold(values["IdentitiesOnly"], "yes")
	if c := values["ProxyCommand"]; c != "" && !strings.EqualFold(c, "none") && values["ProxyJump"] == "" {
		return bad("ProxyCommand is not supported, and without it the host might not be the right one; use ProxyJump")
	}
	expand := func(file string) (string, error) { return expandTokens(file, name, h) }
	files, err := s.parsed.GetAll(name, "IdentityFile")
	if err != nil {
		return bad("%w", err)
	}
	if len(files) == 0 && h.IdentitiesOnly {
		files = usualIdentities
	}
	for _, file := range files {
		if strings.EqualFold(file, "none") {
			continue
		}
		if file, err = expand(unquote(file)); err != nil {
			return bad("IdentityFile: %w", err)
		}
		if _, err := os.Stat(file); err == nil {
			h.IdentityFiles = append(h.IdentityFiles, file)
		}
	}
	for _, file := range strings.Fields(values["UserKnownHostsFile"]) {
		if file, err = expand(file); err != nil {
			return bad("UserKnownHostsFile: %w", err)
		}
		if _, err := os.Stat(file); err == nil || len(h.KnownHostsFiles) == 0 {
			h.KnownHostsFiles = append(h.KnownHostsFiles, file)
		}
	}
	if len(h.KnownHostsFiles) > 1 {
		if _, err := os.Stat(h.KnownHostsFiles[0]); err != nil {
			h.KnownHostsFiles = h.KnownHostsFiles[1:]
		}
	}
	if h.ProxyJump, err = parseJumps(values["ProxyJump"]); err != nil {
		return bad("ProxyJump: %w", err)
	}
	return h, nil
}

// usualIdentities are IdentityFile's default; see ssh_config(5).
var usualIdentities = []string{"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk"}

func unquote(text string) string { return strings.Trim(strings.TrimSpace(text), `"`) }

// parseJumps reads [user@]host[:port],… or none.
func parseJumps(text string) ([]Jump, error) {
	if text = strings.TrimSpace(text); text == "" || strings.EqualFold(text, "none") {
		return nil, nil
	}
	var jumps []Jump
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "ssh://")
		var j Jump
		if i := strings.LastIndex(part, "@"); i >= 0 {
			j.User, part = part[:i], part[i+1:]
		}
		j.Host = strings.Trim(part, "[]")
		if host, port, err := net.SplitHostPort(part); err == nil {
			if j.Port, err = strconv.Atoi(port); err != nil || j.Port < 1 || j.Port > 65535 {
				return nil, fmt.Errorf("%q: the port is not a number from 1 to 65535", part)
			}
			j.Host = host
		}
		if err := j.check(); err != nil {
			return nil, fmt.Errorf("%q is not [user@]host[:port]: %w", part, err)
		}
		jumps = append(jumps, j)
	}
	return jumps, nil
}

// check finds what Config.Validate would not take later, without naming the file.
func (j Jump) check() error {
	odd := func(text, not string) bool {
		return strings.ContainsAny(text, not) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	}
	switch {
	case j.Host == "" || odd(j.Host, "%[]@/"):
		return errors.New("the host is not a name or an address")
	case odd(j.User, "@:"):
		return errors.New("the user is not a name")
	}
	return nil
}

// expandTokens expands ~ and the tokens of ssh_config(5) that name a file per host.
func expandTokens(file, name string, h SSHHost) (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	local := ""
	if u, err := user.Current(); err == nil {
		local = u.Username
	}
	var out strings.Builder
	rest := file
	if below, ok := strings.CutPrefix(file, "~/"); ok {
		out.WriteString(home + "/")
		rest = below
	}
	values := map[string]string{"%": "%", "d": home, "h": cmp.Or(h.HostName, name), "n": name, "r": h.User, "u": local}
	for {
		before, after, found := strings.Cut(rest, "%")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		value, ok := values[after[:min(1, len(after))]]
		if !ok {
			return "", fmt.Errorf("%q has a token that is not supported; %%%% %%d %%h %%n %%r %%u are", file)
		}
		out.WriteString(value)
		rest = after[1:]
	}
}
