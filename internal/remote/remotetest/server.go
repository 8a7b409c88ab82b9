package remotetest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// Options says how a server behaves. The zero value takes the key that Config
// holds and executes commands.
type Options struct {
	User           string          // who may log in; "root" if empty
	Password       string          // taken if not empty
	Interactive    bool            // take Password by keyboard-interactive instead
	Both           bool            // want Password by the method password and then by keyboard-interactive
	Either         bool            // take Password by whichever of the two methods
	NoKey          bool            // refuse the key that Config holds
	AuthorizedKeys []ssh.PublicKey // taken besides
	UserCA         ssh.PublicKey   // certificates of this authority for User are taken
	HostKeys       []ssh.Signer    // keys or certificates; one Ed25519 key if empty

	Env         []string // added to the environment of commands
	Shell       string   // the login shell; "sh" if empty
	MaxSessions int      // sessions at once per connection; 0 means any number
	Mute        bool     // accept connections and say nothing
	Refuse      int      // so many connections are closed before the SSH version, like MaxStartups
	RefuseWords string   // what they are told
	Forward     bool     // let clients through to other addresses (direct-tcpip)
	// Exec answers instead of a shell, if set. stdin ends when the client says so.
	Exec func(command string, stdin io.Reader, stdout, stderr io.Writer) (exitCode int)
	// RefuseExec denies all exec requests.
	RefuseExec bool
	NoSFTP     bool
	// SFTP serves files instead of the real file system, if set.
	SFTP *sftp.Handlers
}

// Server is a running server. It ends with the test.
type Server struct {
	opts      Options
	listener  net.Listener
	hostKeys  []ssh.Signer
	clientKey ssh.Signer
	clientPEM []byte
	conns     sync.WaitGroup

	connections, handshakes, sessions, forwards, attempts, passwords atomic.Int64

	mu       sync.Mutex
	closed   bool
	commands []string
	open     map[*gate]struct{}
	frozen   chan struct{} // closed by Thaw; nil if not frozen
}

// NewServer starts a server on a free port of 127.0.0.1.
func NewServer(t testing.TB, opts Options) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("remotetest: %v", err)
	}
	return serverOn(t, listener, opts)
}

// Successor ends the server and starts another one at its address, which nobody else can
// take in between.
func (s *Server) Successor(t testing.TB, opts Options) *Server {
	t.Helper()
	file, err := s.listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatalf("remotetest: %v", err)
	}
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		t.Fatalf("remotetest: %v", err)
	}
	s.Close()
	return serverOn(t, listener, opts)
}

func serverOn(t testing.TB, listener net.Listener, opts Options) *Server {
	t.Helper()
	if opts.User == "" {
		opts.User = "root"
	}
	if opts.Shell == "" {
		opts.Shell = "sh"
	}
	s := &Server{opts: opts, listener: listener, hostKeys: opts.HostKeys, open: map[*gate]struct{}{}}
	s.clientKey, s.clientPEM = NewKey(t)
	if len(s.hostKeys) == 0 {
		key, _ := NewKey(t)
		s.hostKeys = []ssh.Signer{key}
	}
	s.conns.Go(s.serve)
	t.Cleanup(s.Close)
	return s
}

// NewKey makes an Ed25519 key, and the file of it.
func NewKey(t testing.TB) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("remotetest: %v", err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatalf("remotetest: %v", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatalf("remotetest: %v", err)
	}
	return signer, pem.EncodeToMemory(block)
}

// Config reaches the server with a key that it takes, its host keys known.
func (s *Server) Config() remote.Config {
	return remote.Config{
		Name: "test", Address: "127.0.0.1", Port: s.Port(), User: s.opts.User,
		PrivateKey: s.clientPEM, KnownHosts: []byte(s.KnownHosts()),
	}
}

// Addr is 127.0.0.1:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the TCP port.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// KnownHosts holds a known_hosts line for each host key.
func (s *Server) KnownHosts() string {
	var lines string
	for _, k := range s.hostKeys {
		key := k.PublicKey()
		if cert, ok := key.(*ssh.Certificate); ok {
			key = cert.Key
		}
		lines += knownhosts.Line([]string{s.Addr()}, key) + "\n"
	}
	return lines
}

// ClientKey is the key in Config.
func (s *Server) ClientKey() ssh.Signer { return s.clientKey }

// Connections counts TCP connections so far.
func (s *Server) Connections() int { return int(s.connections.Load()) }

// Handshakes counts connections that were logged in.
func (s *Server) Handshakes() int { return int(s.handshakes.Load()) }

// Sessions counts the sessions opened so far, of exec and sftp.
func (s *Server) Sessions() int { return int(s.sessions.Load()) }

// Forwards counts the connections that clients made through the server.
func (s *Server) Forwards() int { return int(s.forwards.Load()) }

// AuthAttempts counts requests to log in, the opening "none" among them.
func (s *Server) AuthAttempts() int { return int(s.attempts.Load()) }

// Passwords counts the passwords received so far.
func (s *Server) Passwords() int { return int(s.passwords.Load()) }

// Commands lists the exec requests so far.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Open counts the connections that are open now.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Freeze makes the machine vanish: packets are neither read nor answered, and
// the connections stay.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen == nil && !s.closed { // what still runs must not freeze Close
		s.frozen = make(chan struct{})
	}
}

// Thaw ends Freeze.
func (s *Server) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen != nil {
		close(s.frozen)
		s.frozen = nil
	}
}

// Drop closes all connections, and keeps listening.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.Close()
	}
}

// Close ends the server and what it runs, and waits for that.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.listener.Close()
	s.Thaw()
	s.Drop()
	s.conns.Wait()
}

func (s *Server) serve() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		n := s.connections.Add(1)
		if n <= int64(s.opts.Refuse) {
			_, _ = io.WriteString(c, s.opts.RefuseWords)
			c.Close()
			continue
		}
		g := &gate{Conn: c, server: s}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			c.Close()
			return
		}
		s.open[g] = struct{}{}
		s.mu.Unlock()
		s.conns.Go(func() {
			defer g.leave()
			if s.opts.Mute {
				_, _ = io.Copy(io.Discard, c)
				return
			}
			s.talk(g)
		})
	}
}

// gate is a connection that Freeze stops.
type gate struct {
	net.Conn
	server *Server
}

func (g *gate) wait() {
	g.server.mu.Lock()
	frozen := g.server.frozen
	g.server.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
}

func (g *gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	g.wait()
	return n, err
}

func (g *gate) Write(p []byte) (int, error) {
	g.wait()
	return g.Conn.Write(p)
}

func (g *gate) leave() {
	_ = g.Conn.Close()
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	delete(g.server.open, g)
}
