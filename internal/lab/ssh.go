package lab

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const (
	// bannerTimeout bounds waiting for sshd's first word. QEMU accepts a
	// connection before the guest does, and a guest that is still booting may
	// never see it.
	bannerTimeout = 5 * time.Second
	// handshakeTimeout bounds the rest; it takes 1 to 3 s when emulated.
	handshakeTimeout = 30 * time.Second
	// sessionTimeout bounds opening a session on an open connection. Longer
	// means that the host has rebooted or hangs.
	sessionTimeout = 20 * time.Second
)

// connection is the one SSH connection to a host that is kept open.
type connection struct {
	mu  sync.Mutex
	ssh *ssh.Client
}

// client returns the open connection, or a fresh one.
func (c *connection) client(ctx context.Context, h *Host) (client *ssh.Client, fresh bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ssh != nil {
		return c.ssh, false, nil
	}
	if c.ssh, err = h.dial(ctx); err != nil {
		return nil, false, fmt.Errorf("ssh %s: %w", h, err)
	}
	return c.ssh, true, nil
}

// drop closes the connection; the next use opens another.
func (c *connection) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ssh != nil {
		c.ssh.Close()
		c.ssh = nil
	}
}

// dropIf drops only the connection that was found to be bad.
func (c *connection) dropIf(bad *ssh.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bad.Close()
	if c.ssh == bad {
		c.ssh = nil
	}
}

func (h *Host) dial(ctx context.Context) (*ssh.Client, error) {
	config, err := h.clientConfig()
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", h.sshAddr())
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(bannerTimeout))
	talking := &bufferedConn{Conn: conn, in: bufio.NewReader(conn)}
	if _, err := talking.in.Peek(1); err != nil {
		conn.Close()
		return nil, fmt.Errorf("wait for sshd to speak: %w", err)
	}
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	transport, channels, requests, err := ssh.NewClientConn(talking, h.sshAddr(), config)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	conn.SetDeadline(time.Time{})
	return ssh.NewClient(transport, channels, requests), nil
}

func (h *Host) clientConfig() (*ssh.ClientConfig, error) {
	private, err := os.ReadFile(h.lab.KeyFile())
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.lab.KeyFile(), err)
	}
	known, err := knownhosts.New(h.lab.KnownHostsFile())
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User:              "root",
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   known,
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}, nil
}

// session opens a session, on a new connection if the one at hand is dead.
func (h *Host) session(ctx context.Context) (*ssh.Client, *ssh.Session, error) {
	for {
		client, fresh, err := h.conn.client(ctx, h)
		if err != nil {
			return nil, nil, err
		}
		session, err := newSession(ctx, client)
		if err == nil {
			return client, session, nil
		}
		h.conn.dropIf(client)
		if fresh || ctx.Err() != nil {
			return nil, nil, fmt.Errorf("ssh %s: open a session: %w", h, err)
		}
	}
}

func newSession(ctx context.Context, client *ssh.Client) (*ssh.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
	defer cancel()
	// Closing the connection is the only way to end the wait.
	defer context.AfterFunc(ctx, func() { client.Close() })()
	session, err := client.NewSession()
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return session, err
}

// bufferedConn is a connection of which some bytes have been read already.
type bufferedConn struct {
	net.Conn
	in *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.in.Read(p) }
