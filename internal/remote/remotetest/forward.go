package remotetest

import (
	"io"
	"net"
	"strconv"

	"golang.org/x/crypto/ssh"
)

// forward serves a direct-tcpip channel (RFC 4254, 7.2), which is what a jump
// host does.
func (s *Server) forward(c ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		FromHost string
		FromPort uint32
	}
	if !s.opts.Forward || ssh.Unmarshal(c.ExtraData(), &to) != nil {
		_ = c.Reject(ssh.Prohibited, "open failed") // in sshd's words
		return
	}
	out, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = c.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	defer out.Close()
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	s.forwards.Add(1)
	go ssh.DiscardRequests(requests)
	s.conns.Go(func() {
		_, _ = io.Copy(out, channel)
		out.Close()
	})
	_, _ = io.Copy(channel, out)
	channel.Close()
}
