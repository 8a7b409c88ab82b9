package remote_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

func TestLineOfKnownHostLetsAClientIn(t *testing.T) {
	s := remotetest.NewServer(t, remotetest.Options{})
	key := strings.Join(strings.Fields(s.KnownHosts())[1:], " ")
	line, err := remote.KnownHost(key+" root@a", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "host", run(t, knowing(t, s, line), "echo in"), "in\n")
	line, err = remote.KnownHost(key, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = knowing(t, s, line).Run(t.Context(), sh(":"))
	says(t, err, "known_hosts") // of another host
}

func TestKnownHostNamesAddressesAsSSHLooksThemUp(t *testing.T) {
	pub := ecdsaKey(t).PublicKey()
	text := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
	for address, want := range map[string]struct{ name, lookUp string }{
		"192.0.2.11":           {"192.0.2.11", "192.0.2.11:22"},
		"192.0.2.11:22":        {"192.0.2.11", "192.0.2.11:22"},
		"192.0.2.11:2222":      {"[192.0.2.11]:2222", "192.0.2.11:2222"},
		"[192.0.2.11]:2222":    {"[192.0.2.11]:2222", "192.0.2.11:2222"},
		"2001:db8::1":          {"2001:db8::1", "[2001:db8::1]:22"},
		"[2001:db8::1]":        {"2001:db8::1", "[2001:db8::1]:22"},
		"[2001:DB8::1]:02222":  {"[2001:db8::1]:2222", "[2001:db8::1]:2222"},
		"[2001:db8::1]:22":     {"2001:db8::1", "[2001:db8::1]:22"},
		"Redis-1.Example.com":  {"redis-1.example.com", "redis-1.example.com:22"},
		"redis_1:1":            {"[redis_1]:1", "redis_1:1"},
		"fe80::1%eth0":         {"fe80::1%eth0", "[fe80::1%eth0]:22"},
		"[fe80::1%eth0]:65535": {"[fe80::1%eth0]:65535", "[fe80::1%eth0]:65535"},
	} {
		line, err := remote.KnownHost(text+" comment of it\n", address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		equal(t, address, line, want.name+" "+text)
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		check, err := knownhosts.New(file)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if err := check(want.lookUp, &net.TCPAddr{IP: net.IPv4zero}, pub); err != nil {
			t.Errorf("%s does not vouch for %s: %v", line, want.lookUp, err)
		}
	}
	line, err := remote.KnownHost(text, "a", "192.0.2.11:2222", "A")
	if err != nil || line != "a,[192.0.2.11]:2222 "+text {
		t.Errorf("several addresses: got %q, %v", line, err)
	}
}

func TestKnownHostRefusesWhatWouldBeAnotherLine(t *testing.T) {
	text := string(ssh.MarshalAuthorizedKey(ecdsaKey(t).PublicKey()))
	for name, c := range map[string]struct {
		key       string
		addresses []string
		attribute string
		words     []string
	}{
		"no key":            {"", []string{"a"}, "public_key", []string{"no public key"}},
		"no address":        {text, nil, "addresses", []string{"none"}},
		"private key":       {"-----BEGIN OPENSSH PRIVATE KEY-----", []string{"a"}, "public_key", []string{"private key"}},
		"known_hosts line":  {"a " + text, []string{"a"}, "public_key", []string{"before the key type"}},
		"broken key":        {text[:60], []string{"a"}, "public_key", []string{"is not a public key"}},
		"two keys":          {text + text, []string{"a"}, "public_key", []string{"here are 2"}},
		"port 0":            {text, []string{"a:0"}, "addresses", []string{`"a:0"`, "65535"}},
		"port too high":     {text, []string{"a:65536"}, "addresses", []string{"65535"}},
		"no port":           {text, []string{"a:"}, "addresses", []string{"65535"}},
		"service for port":  {text, []string{"a:ssh"}, "addresses", []string{`"ssh"`}},
		"bare IPv6 port":    {text, []string{"2001:db8::1:2222:3:4:5:6:7"}, "addresses", []string{"[IPv6 address]:port"}},
		"URL":               {text, []string{"ssh://a"}, "addresses", []string{`"//a"`}},
		"user":              {text, []string{"root@a"}, "addresses", []string{"no user"}},
		"wildcard":          {text, []string{"*"}, "addresses", []string{`"*"`, "pattern"}},
		"negation":          {text, []string{"!a"}, "addresses", []string{"pattern"}},
		"two in one":        {text, []string{"a,b"}, "addresses", []string{`"a,b"`}},
		"blank":             {text, []string{"a b"}, "addresses", []string{`"a b"`}},
		"line break":        {text, []string{"a\nb"}, "addresses", []string{`"a\nb"`}},
		"empty":             {text, []string{"a", ""}, "addresses", []string{`""`}},
		"marker":            {text, []string{"@revoked"}, "addresses", []string{"@revoked"}},
		"hashed":            {text, []string{"|1|a|b"}, "addresses", []string{"|1|a|b"}},
		"prefix of network": {text, []string{"192.0.2.0/24"}, "addresses", []string{"192.0.2.0/24"}},
	} {
		line, err := remote.KnownHost(c.key, c.addresses...)
		var e *remote.ConfigError
		if line != "" || !errors.As(err, &e) || e.Attribute != c.attribute {
			t.Errorf("%s: got %q, %v; want an error of %s", name, line, err, c.attribute)
			continue
		}
		says(t, err, c.words...)
	}
}
