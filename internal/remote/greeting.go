package remote

import (
	"bytes"
	"net"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// greeting is a connection that keeps what a server says before its SSH version,
// which is why it will not talk ("Exceeded MaxStartups").
type greeting struct {
	net.Conn
	said []byte // the beginning only; written by the one who reads
}

const greetingRoom = 256

func (g *greeting) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if room := greetingRoom - len(g.said); room > 0 {
		g.said = append(g.said, p[:min(n, room)]...)
	}
	return n, err
}

// words returns what was said; empty if it is SSH.
func (g *greeting) words() string {
	before, _, _ := bytes.Cut(g.said, []byte("SSH-"))
	return shellescape.StripUnsafe(strings.TrimSpace(string(before)))
}
