package host

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// redis is a server of its own for a test, on the loopback addresses.
type redis struct {
	testing.TB
	dir     string
	at      netip.AddrPort
	process *os.Process
}

// newRedis starts a Redis with lines of redis.conf, in which PORT is its port.
func newRedis(t testing.TB, lines ...string) *redis {
	t.Helper()
	r := &redis{TB: t, dir: t.TempDir()}
	r.start(lines...)
	return r
}

func (r *redis) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *redis) start(lines ...string) {
	r.Helper()
	// One program under two names, of which this is the one that a package without
	// a service has; it goes by argv[0] (main in Redis's server.c).
	program, err := exec.LookPath("redis-check-rdb")
	if err != nil {
		r.Fatalf("there is no Redis to test with, which make unit installs: %v", err)
	}
	_, r.at = reserve(r)
	conf := append([]string{"port PORT", "bind 127.0.0.1 -::1", `save ""`}, lines...)
	text := strings.ReplaceAll(strings.Join(conf, "\n"), "PORT", strconv.Itoa(int(r.at.Port())))
	var said bytes.Buffer
	cmd := exec.Command(program, "-")
	cmd.Args[0] = "redis-server"
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = r.dir, strings.NewReader(text+"\n"), &said, &said
	r.must(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	r.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	r.process = cmd.Process
	eventually(r, func() bool {
		select {
		case <-ended:
			r.Fatalf("Redis does not start:\n%s", said.String())
		default:
		}
		c, err := net.Dial("tcp", r.at.String())
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// reserve returns an address at which nobody listens, nor will, until the end of the
// test: but who sets SO_REUSEADDR, as Redis does, and was told of it, can (socket(7)).
func reserve(t testing.TB) (fd int, at netip.AddrPort) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	local := netip.MustParseAddr("127.0.0.1")
	if err := errors.Join(
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: local.As4()}),
	); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, netip.AddrPortFrom(local, uint16(name.(*syscall.SockaddrInet4).Port))
}

// unused is a reserved address, which refuses connections.
func unused(t testing.TB) netip.AddrPort {
	t.Helper()
	_, at := reserve(t)
	return at
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func addrOf(l net.Listener) netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }

// dial connects to the server, for the rest of the test.
func (r *redis) dial() net.Conn {
	r.Helper()
	c, err := net.Dial("tcp", r.at.String())
	r.must(err)
	r.Cleanup(func() { _ = c.Close() })
	return c
}

// says returns what the server answers to a command over a connection for it alone.
func (r *redis) says(command string) string {
	r.Helper()
	c := r.dial()
	defer c.Close()
	return r.ask(c, command)
}

// ask returns what the server answers to a command: a line, or the text that INFO is.
func (r *redis) ask(c net.Conn, command string) string {
	r.Helper()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	_, err := io.WriteString(c, command+"\r\n")
	r.must(err)
	in := bufio.NewReader(c)
	line, err := in.ReadString('\n')
	r.must(err)
	if size, isText := strings.CutPrefix(line, "$"); isText {
		n, err := strconv.Atoi(strings.TrimSpace(size))
		r.must(err)
		text := make([]byte, n)
		_, err = io.ReadFull(in, text)
		r.must(err)
		return string(text)
	}
	return strings.TrimSpace(line)
}

// awaits waits until the answer to a command has the words.
func (r *redis) awaits(command, words string) *redis {
	r.Helper()
	eventually(r, func() bool { return strings.Contains(r.says(command), words) })
	return r
}

// fake is a server that says a text to who comes, whatever it is asked, and ends
// then: with the connection, or with the test if it is silent.
func fake(t testing.TB, text string) netip.AddrPort {
	l := listen(t)
	serve(t, l, func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		if text != "" {
			_, _ = io.Copy(io.Discard, c)
		}
	})
	return addrOf(l)
}

// serve serves each connection in turn until the end of the test.
func serve(t testing.TB, l net.Listener, each func(net.Conn)) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			each(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
}

// blackhole is an address that answers nobody who wants to connect: its queue is full.
func blackhole(t testing.TB) netip.AddrPort {
	t.Helper()
	fd, at := reserve(t)
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := net.DialTimeout("tcp", at.String(), time.Second)
		if err != nil {
			return at
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

// checkRedis is a check, in a process group of its own.
func checkRedis(mode string, at netip.AddrPort, timeout string, options ...string) *exec.Cmd {
	args := append([]string{mode, at.Addr().String(), strconv.Itoa(int(at.Port())), timeout}, options...)
	cmd := exec.Command("./check-redis.sh", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// verdict runs a check to its end, and wants it to be healthy where want is empty and
// else a reason with these words, in one line, soon, and nothing to be left of it.
func verdict(t testing.TB, want string, cmd *exec.Cmd) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	began := time.Now()
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	mode, line, code := cmd.Args[1], out.String(), cmd.ProcessState.ExitCode()
	switch {
	case want == "" && (code != 0 || !strings.HasPrefix(line, "healthy: ")):
		t.Errorf("%s: want healthy, got %d: %s", mode, code, line)
	case want != "" && (code != 1 || !strings.HasPrefix(line, "unhealthy: ") || !strings.Contains(line, want)):
		t.Errorf("%s: want unhealthy with %q, got %d: %s", mode, want, code, line)
	case strings.Count(line, "\n") != 1 || complaints.Len() > 0:
		t.Errorf("%s: want one line, got %q and on standard error %q", mode, line, complaints.String())
	}
	// The machine may have much else to do.
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("%s: it took %s", mode, took)
	}
	if err := syscall.Kill(-cmd.Process.Pid, 0); err != syscall.ESRCH {
		t.Errorf("%s: a process of it is left: %v", mode, err)
	}
}

// members are the processes of a group.
func members(t testing.TB, group int) (found []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		content, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		// After the name: state, parent, group (proc(5)).
		rest := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
		if rest[2] == strconv.Itoa(group) {
			found = append(found, filepath.Dir(stat))
		}
	}
	return found
}

func passwordFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// certificate makes one for redis.test that signs itself, and returns it with its key
// in one file.
func certificate(t testing.TB) (path string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"redis.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if pair, err = tls.X509KeyPair(text, text); err != nil {
		t.Fatal(err)
	}
	return passwordFile(t, string(text)), pair
}

// slowRDB is a database that is loaded for long: with a key-load-delay for each key,
// and an ear for clients after loading-process-events-interval-bytes, less than one.
func slowRDB() []byte {
	b := []byte("REDIS0009\xfe\x00")
	for i := range 1000 {
		b = fmt.Appendf(b, "\x00\x04%04d\x44\x00%01024d", i, i) // string, length and key, length and value
	}
	return append(b, "\xff\x00\x00\x00\x00\x00\x00\x00\x00"...) // no checksum
}

// TestRedisCheck has each state that a check must tell, made real, and what each of
// the modes says of it; nothing where it is healthy.
func TestRedisCheck(t *testing.T) {
	type words struct{ ping, master, writable string }
	same := func(w string) words { return words{w, w, w} }
	bindTo := func(at netip.AddrPort) string { return fmt.Sprintf("replicaof %s %d", at.Addr(), at.Port()) }
	for name, c := range map[string]struct {
		server  func(t *testing.T) netip.AddrPort
		options []string
		want    words
	}{
		"healthy master": {
			server: func(t *testing.T) netip.AddrPort { return newRedis(t).at },
		},
		"IPv6": {
			server: func(t *testing.T) netip.AddrPort {
				return netip.AddrPortFrom(netip.IPv6Loopback(), newRedis(t).at.Port())
			},
		},
		"password": {
			server:  func(t *testing.T) netip.AddrPort { return newRedis(t, "requirepass hUsh~7").at },
			options: []string{"password=" + passwordFile(t, "# Managed\n# password_wo_version 1\nhUsh~7\n")},
		},
		"wrong password": {
			server:  func(t *testing.T) netip.AddrPort { return newRedis(t, "requirepass hUsh~7").at },
			options: []string{"password=" + passwordFile(t, "hUsh~8\n")},
			want:    same("-WRONGPASS invalid username-password pair"),
		},
		"no password": {
			server: func(t *testing.T) netip.AddrPort { return newRedis(t, "requirepass hUsh~7").at },
			want:   same("-NOAUTH Authentication required"),
		},
		"password where none is wanted": {
			server:  func(t *testing.T) netip.AddrPort { return newRedis(t).at },
			options: []string{"password=" + passwordFile(t, "hUsh~7")},
			want:    same("-ERR AUTH <password> called without any password configured"),
		},
		"no AUTH": {
			server:  func(t *testing.T) netip.AddrPort { return newRedis(t, `rename-command AUTH ""`).at },
			options: []string{"password=" + passwordFile(t, "hUsh~7")},
			want:    same("it does not know the command AUTH\n"),
		},
		"hung": {
			server: func(t *testing.T) netip.AddrPort {
				r := newRedis(t)
				r.must(r.process.Signal(syscall.SIGSTOP))
				return r.at
			},
			want: same("PING took longer than 0.5 s"),
		},
		"loading": {
			server: func(t *testing.T) netip.AddrPort {
				r := &redis{TB: t, dir: t.TempDir()}
				r.must(os.WriteFile(filepath.Join(r.dir, "dump.rdb"), slowRDB(), 0o600))
				r.start("key-load-delay 50000", "loading-process-events-interval-bytes 1024")
				return r.awaits("PING", "-LOADING").at
			},
			want: same("-LOADING Redis is loading the dataset in memory"),
		},
		"full of clients": {
			server: func(t *testing.T) netip.AddrPort {
				r := newRedis(t, "maxclients 1")
				eventually(t, func() bool { return r.ask(r.dial(), "PING") == "+PONG" })
				return r.at
			},
			want: same("-ERR max number of clients reached"),
		},
		"busy": {
			server: func(t *testing.T) netip.AddrPort {
				r := newRedis(t, "lua-time-limit 1")
				_, err := io.WriteString(r.dial(), "EVAL \"while true do end\" 0\r\n")
				r.must(err)
				return r.awaits("PING", "-BUSY").at
			},
			want: same("-BUSY Redis is busy running a script"),
		},
		"replica": {
			server: func(t *testing.T) netip.AddrPort {
				return newRedis(t, bindTo(newRedis(t, "repl-diskless-sync-delay 0").at)).awaits("INFO replication", "master_link_status:up").at
			},
			want: words{"", "it is no master but a slave", "-READONLY You can't write against a read only replica"},
		},
		"replica that takes writes": {
			server: func(t *testing.T) netip.AddrPort {
				return newRedis(t, "replica-read-only no", bindTo(unused(t))).at
			},
			want: words{"", "it is no master but a slave", "it is no master but a slave"},
		},
		"replica cut off from its master": {
			server: func(t *testing.T) netip.AddrPort { return newRedis(t, bindTo(unused(t))).at },
			want:   words{"", "it is no master but a slave", "-READONLY"},
		},
		"replica cut off that does not serve stale data": {
			server: func(t *testing.T) netip.AddrPort {
				return newRedis(t, "replica-serve-stale-data no", bindTo(unused(t))).at
			},
			want: same("-MASTERDOWN Link with MASTER is down"),
		},
		"too few replicas": {
			server: func(t *testing.T) netip.AddrPort { return newRedis(t, "min-replicas-to-write 1").at },
			want:   words{"", "", "-NOREPLICAS Not enough good replicas to write"},
		},
		"memory full": {
			server: func(t *testing.T) netip.AddrPort {
				return newRedis(t, "maxmemory 1", "maxmemory-policy noeviction").at
			},
			want: words{"", "", "-OOM command not allowed when used memory > 'maxmemory'"},
		},
		"cannot save": {
			server: func(t *testing.T) netip.AddrPort {
				r := newRedis(t, "save 3600 1")
				r.must(os.Remove(r.dir))
				r.says("BGSAVE")
				return r.awaits("INFO persistence", "rdb_last_bgsave_status:err").at
			},
			want: same("-MISCONF Redis is configured to save RDB snapshots"),
		},
		"somebody else's key": {
			server: func(t *testing.T) netip.AddrPort {
				r := newRedis(t)
				equal(t, "LPUSH", r.says("LPUSH redislb:check x"), ":1")
				return r.at
			},
		},
		"refused": {
			server: func(t *testing.T) netip.AddrPort { return unused(t) },
			want:   same("Connection refused"),
		},
		"blackhole": {
			server: func(t *testing.T) netip.AddrPort { return blackhole(t) },
			want:   same("connect took longer than 0.5 s"),
		},
		"hangs up": {
			server: func(t *testing.T) netip.AddrPort { return fake(t, "") },
			want:   same("it closed the connection before it answered PING"),
		},
		"half an answer": {
			server: func(t *testing.T) netip.AddrPort { return fake(t, "+PONG\r\n*3\r\n$6") },
			want:   words{"", "ROLE took longer than 0.5 s", "no answer of a Redis to SETRANGE: *3"},
		},
		"not Redis": {
			server: func(t *testing.T) netip.AddrPort { return fake(t, "SSH-2.0-\x1b[2J\r\n") },
			want:   same("no answer of a Redis to PING: SSH-2.0-?[2J\n"),
		},
		"a line without an end": {
			server: func(t *testing.T) netip.AddrPort { return fake(t, strings.Repeat("x", 1<<20)) },
			want:   same("no answer of a Redis to PING: xxx"),
		},
		"protected mode": {
			server: func(t *testing.T) netip.AddrPort { return fake(t, "-DENIED Redis is running in protected mode\r\n") },
			want:   same("-DENIED Redis is running in protected mode"),
		},
		"node of a cluster": {
			server: func(t *testing.T) netip.AddrPort { return fake(t, "+PONG\r\n-MOVED 866 192.0.2.3:6379\r\n") },
			want:   words{"", "-MOVED", "-MOVED 866 192.0.2.3:6379: a node of a Redis Cluster"},
		},
		"sentinel": {
			server: func(t *testing.T) netip.AddrPort { return fake(t, "+PONG\r\n*2\r\n$8\r\nsentinel\r\n*0\r\n") },
			want:   words{"", "it is no master but a sentinel", "no answer of a Redis to SETRANGE: *2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := c.server(t)
			timeout := "30"
			if strings.Contains(c.want.master, "took longer") {
				timeout = "0.5"
			}
			for mode, want := range map[string]string{"ping": c.want.ping, "master": c.want.master, "writable": c.want.writable} {
				verdict(t, want, checkRedis(mode, at, timeout, c.options...))
			}
		})
	}
}

func TestRedisCheckWritesNothing(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	changes := func() string {
		_, rest, _ := strings.Cut(r.says("INFO persistence"), "rdb_changes_since_last_save:")
		n, _, _ := strings.Cut(rest, "\r\n")
		return n
	}
	verdict(t, "", checkRedis("writable", r.at, "30"))
	equal(t, "changes", changes(), "0")
	equal(t, "keys", r.says("DBSIZE"), ":0")
	r.says("SET redislb:check theirs")
	verdict(t, "", checkRedis("writable", r.at, "30"))
	equal(t, "changes, of which one was not its own", changes(), "1")
	equal(t, "key that was there", r.says("GET redislb:check"), "theirs")
}

func TestRedisCheckNeedsNoMoreOfTheACLThanItSays(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("check-redis.sh")
	if err != nil {
		t.Fatal(err)
	}
	rules := "-@all +ping +role +setrange ~redislb:check"
	if !strings.Contains(string(script), rules) {
		t.Errorf("the script does not say that it needs %s", rules)
	}
	// Anything that a line can hold.
	var secret []byte
	for b := byte(1); b != 0; b++ {
		if b != '\n' {
			secret = append(secret, b)
		}
	}
	secret = append(secret, "ü€\r"...)
	user := func(name, rules string) string {
		return fmt.Sprintf("user %s on #%x %s", name, sha256.Sum256(secret), rules)
	}
	r := newRedis(t, user("pings", "-@all +ping"), user("reads", "-@all +ping +role"), user("writes", rules))
	password := "password=" + passwordFile(t, string(secret)+"\n")
	for _, c := range []struct{ user, mode, want string }{
		{"pings", "ping", ""}, {"reads", "master", ""}, {"writes", "writable", ""},
		{"pings", "master", "-NOPERM"}, {"reads", "writable", "-NOPERM"}, {"nobody", "ping", "-WRONGPASS"},
	} {
		verdict(t, c.want, checkRedis(c.mode, r.at, "30", "user="+c.user, password))
	}
}

func TestRedisCheckRefusesWhatIsNoPassword(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	for content, want := range map[string]string{
		"": "does not hold a password in one line", "\n": "does not hold a password in one line",
		"# c\na\nb\n": "does not hold a password in one line", "a\x00b\n": "holds a NUL byte",
	} {
		verdict(t, want, checkRedis("ping", r.at, "30", "password="+passwordFile(t, content)))
	}
	verdict(t, "cannot read /nowhere", checkRedis("ping", r.at, "30", "password=/nowhere"))
}

func TestRedisCheckSpeaksTLS(t *testing.T) {
	t.Parallel()
	mine, _ := certificate(t)
	others, _ := certificate(t)
	// It asks for the client's certificate by default.
	r := newRedis(t, "port 0", "tls-port PORT", "tls-cert-file "+mine, "tls-key-file "+mine, "tls-ca-cert-file "+mine, "requirepass Quit")
	password := "password=" + passwordFile(t, "Quit")
	for _, c := range []struct {
		want    string
		at      netip.AddrPort
		options []string
	}{
		{"", r.at, []string{"tls", "ca=" + mine, "cert=" + mine, "name=redis.test", password}},
		{"", netip.AddrPortFrom(netip.IPv6Loopback(), r.at.Port()), []string{"tls", "ca=" + mine, "cert=" + mine, password}},
		{"self-signed certificate", r.at, []string{"tls", "cert=" + mine, password}},
		{"self-signed certificate", r.at, []string{"tls", "ca=" + others, "cert=" + mine, password}},
		{"ostname mismatch", r.at, []string{"tls", "ca=" + mine, "cert=" + mine, "name=other.test", password}},
		{"certificate required", r.at, []string{"tls", "ca=" + mine, password}},
		{"it closed the connection before it answered PING", r.at, nil},
		{"Connection refused", unused(t), []string{"tls", "ca=" + mine}},
	} {
		verdict(t, c.want, checkRedis("writable", c.at, "30", c.options...))
	}
	// A Redis without TLS waits for the rest of what it takes for a command.
	for _, at := range []netip.AddrPort{blackhole(t), newRedis(t).at} {
		verdict(t, "took longer than 0.5 s", checkRedis("ping", at, "0.5", "tls", "ca="+mine))
	}
	without := checkRedis("ping", r.at, "30", "tls")
	without.Env = []string{"PATH=/nowhere"}
	verdict(t, "openssl is not installed", without)
}

// hearsSecret starts a check with a password that waits for an answer to it, and
// returns when the password has arrived. What it says is in said when it has ended.
func hearsSecret(t *testing.T, wrap func(net.Listener) net.Listener, timeout string, options ...string) (cmd *exec.Cmd, said *bytes.Buffer) {
	t.Helper()
	l := listen(t)
	read, over := make(chan struct{}), make(chan struct{})
	serve(t, wrap(l), func(c net.Conn) {
		in := bufio.NewReader(c)
		for line := ""; line != "hUsh~7\r\n"; {
			var err error
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		close(read)
		<-over
	})
	t.Cleanup(func() { close(over) })
	said = &bytes.Buffer{}
	cmd = checkRedis("ping", addrOf(l), timeout, append(options, "password="+passwordFile(t, "hUsh~7"))...)
	// Variables of the environment stay in it, whatever the shell puts in them.
	cmd.Env = append(os.Environ(), "secret=x", "request=x", "reply=x", "word=x", "SHELLOPTS=allexport:xtrace")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	select {
	case <-read:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the password does not arrive: %s", said)
	}
	return cmd, said
}

func plain(l net.Listener) net.Listener { return l }

// TestRedisCheckTellsNoProcessItsPassword looks at each process of a check that has
// sent its password and waits, and ends it by force then: the rest ends too.
func TestRedisCheckTellsNoProcessItsPassword(t *testing.T) {
	path, pair := certificate(t)
	for name, c := range map[string]struct {
		wrap      func(net.Listener) net.Listener
		timeout   string
		options   []string
		processes int
	}{
		"plain": {plain, "60", nil, 2},
		"TLS": {func(l net.Listener) net.Listener {
			return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
		}, "5", []string{"tls", "ca=" + path}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, said := hearsSecret(t, c.wrap, c.timeout, c.options...)
			found := members(t, cmd.Process.Pid)
			equal(t, "processes", len(found), c.processes)
			for _, process := range found {
				for _, file := range []string{"cmdline", "environ"} {
					content, err := os.ReadFile(filepath.Join(process, file))
					if err != nil || len(content) == 0 {
						t.Errorf("%s of %s cannot be read: %v", file, process, err)
					}
					if bytes.Contains(content, []byte("hUsh~7")) {
						t.Errorf("%s holds the password: %q", file, content)
					}
				}
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			equal(t, "what it said", said.String(), "")
			// TLS: at its timeout.
			eventually(t, func() bool { return len(members(t, cmd.Process.Pid)) == 0 })
		})
	}
}

func TestRedisCheckEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	cmd, said := hearsSecret(t, plain, "60")
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	if !strings.Contains(said.String(), "AUTH took longer than 60 s\n") || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%s: %s", cmd.ProcessState, said)
	}
	equal(t, "processes that are left", len(members(t, cmd.Process.Pid)), 0)
}

func TestRedisCheckSaysHowItIsUsed(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"", "ping", "ping 127.0.0.1 6379", "ping 127.0.0.1 redis 1", "ping 127.0.0.1 6379 0", "ping 127.0.0.1 6379 0.0",
		"ping 127.0.0.1 6379 -1", "ping 127.0.0.1 6379 1000000", "ping 127.0.0.1 6379 1s", "pong 127.0.0.1 6379 1", "ping 127.0.0.1 6379 1 ssl",
		"ping 127.0.0.1 6379 1 user=x", "ping 127.0.0.1 6379 1 ca=x", "ping 127.0.0.1 6379 1 password=",
	} {
		cmd := exec.Command("./check-redis.sh", slices.Collect(strings.FieldsSeq(args))...)
		out, _ := cmd.Output()
		if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.HasPrefix(string(out), "usage: ") {
			t.Errorf("%s: exit %d: %s", args, code, out)
		}
	}
}
