package keepalived

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// What stands before the version in the comment of a file with a secret, by the
// attribute that the secret is from.
const (
	authVersion     = "auth_pass_wo_version "
	keptAuthVersion = "auth_pass version "
	hmacVersion     = "auth_hmac_wo_version "
	redisVersion    = "password_wo_version "
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

// RenderHMAC is the text of HMACPath. One key, of id 1, is all there is: keepalived's other
// settings stay what it takes by default, enforce and a window of three advertisement
// intervals, at least 5 s, in which the clocks have to agree (keepalived.conf(5) of 2.4.0,
// auth_hmac; vrrp_parser.c, vrrp_auth_hmac_key_handler). It fails, without saying the key,
// if ValidateHMACKey does.
func RenderHMAC(key string, version int64) ([]byte, error) {
	if err := ValidateHMACKey(key); err != nil {
		return nil, err
	}
	block := blockOf("auth_hmac", nil, statement("key", "1", key), statement("active_key", "1"))
	block.Comments = []string{hmacVersion + strconv.FormatInt(version, 10)}
	return append([]byte(Header("redislb_director")), Print([]Node{block})...), nil
}

// RenderRedisPassword is the text of RedisPasswordPath: comments, the version among
// them, and the password as the last line, which is what RedisCheckScript takes. It
// fails, without saying the password, if ValidateRedisPassword does.
func RenderRedisPassword(pass string, version int64) ([]byte, error) {
	if err := ValidateRedisPassword(pass); err != nil {
		return nil, err
	}
	return []byte(Header("redislb_vip") + "# " + redisVersion + strconv.FormatInt(version, 10) + "\n" + pass + "\n"), nil
}

// ValidateRedisPassword refuses what is no line, and what looks like a comment, since
// comments are shown. The error never contains the password.
func ValidateRedisPassword(value string) error {
	if value == "" || len(value) > 512 || strings.HasPrefix(strings.TrimSpace(value), "#") || strings.ContainsFunc(value, unicode.IsControl) {
		return fmt.Errorf("the password of Redis must have 1 to 512 bytes, without control characters, and must not begin with #")
	}
	return nil
}

// ParseRedisPasswordVersion reads the version from the text of RedisPasswordPath, and
// nothing else of it.
func ParseRedisPasswordVersion(data []byte) (int64, error) { return parseVersion(data, redisVersion) }

// ParseHMACVersion is ParseAuthVersion for the text of HMACPath.
func ParseHMACVersion(data []byte) (int64, error) { return parseVersion(data, hmacVersion) }

// ParseAuthVersion reads the version from the text of AuthPath, and nothing
// else of it. Its error never contains the text.
func ParseAuthVersion(data []byte) (int64, error) { return parseVersion(data, authVersion) }

// ParseKeptAuthVersion is ParseAuthVersion for what RenderKeptAuth wrote.
func ParseKeptAuthVersion(data []byte) (int64, error) { return parseVersion(data, keptAuthVersion) }

func parseVersion(data []byte, keyword string) (int64, error) {
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "# "+keyword); ok {
			version, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("the comment %s has no whole number", strings.TrimSpace(keyword))
			}
			return version, nil
		}
	}
	return 0, fmt.Errorf("no comment %s", strings.TrimSpace(keyword))
}
