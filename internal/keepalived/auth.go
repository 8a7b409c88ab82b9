package keepalived

import (
	"fmt"
	"strconv"
	"strings"
)

// What stands before the version in the comment of AuthPath, by the attribute that
// the secret is from.
const (
	authVersion     = "auth_pass_wo_version "
	keptAuthVersion = "auth_pass version "
)

// RenderAuth is the text of AuthPath: the authentication block, and the version
// that tells when the secret was changed, as a comment. It fails, without
// saying the secret, if ValidateAuthPass does.
func RenderAuth(pass string, version int64) ([]byte, error) {
	return renderAuth(pass, authVersion, version)
}

// RenderKeptAuth is RenderAuth for a secret that Terraform's state keeps, where the
// version is the provider's own count.
func RenderKeptAuth(pass string, version int64) ([]byte, error) {
	return renderAuth(pass, keptAuthVersion, version)
}

func renderAuth(pass, what string, version int64) ([]byte, error) {
	if err := ValidateAuthPass(pass); err != nil {
		return nil, err
	}
	block := blockOf("authentication", nil, statement("auth_type", "PASS"), statement("auth_pass", pass))
	block.Comments = []string{what + strconv.FormatInt(version, 10)}
	return append([]byte(Header("redislb_director")), Print([]Node{block})...), nil
}

// ParseAuthVersion reads the version from the text of AuthPath, and nothing
// else of it. Its error never contains the text.
func ParseAuthVersion(data []byte) (int64, error) { return parseAuthVersion(data, authVersion) }

// ParseKeptAuthVersion is ParseAuthVersion for what RenderKeptAuth wrote.
func ParseKeptAuthVersion(data []byte) (int64, error) {
	return parseAuthVersion(data, keptAuthVersion)
}

func parseAuthVersion(data []byte, what string) (int64, error) {
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "# "+what); ok {
			version, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("the comment %s has no whole number", strings.TrimSpace(what))
			}
			return version, nil
		}
	}
	return 0, fmt.Errorf("no comment %s", strings.TrimSpace(what))
}
