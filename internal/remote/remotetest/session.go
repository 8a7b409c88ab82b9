package remotetest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

func (s *Server) config() *ssh.ServerConfig {
	refused := errors.New("refused")
	password := func(c ssh.ConnMetadata, given string) (*ssh.Permissions, error) {
		s.passwords.Add(1)
		if c.User() == s.opts.User && given == s.opts.Password {
			return nil, nil
		}
		return nil, refused
	}
	config := &ssh.ServerConfig{
		AuthLogCallback: func(ssh.ConnMetadata, string, error) { s.attempts.Add(1) },
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			keys := s.opts.AuthorizedKeys
			if !s.opts.NoKey {
				keys = append(keys[:len(keys):len(keys)], s.clientKey.PublicKey())
			}
			for _, k := range keys {
				if c.User() == s.opts.User && bytes.Equal(k.Marshal(), key.Marshal()) {
					return nil, nil
				}
			}
			return nil, refused
		},
	}
	if plain := config.PublicKeyCallback; s.opts.UserCA != nil {
		checker := ssh.CertChecker{UserKeyFallback: plain, IsUserAuthority: func(ca ssh.PublicKey) bool {
			return bytes.Equal(ca.Marshal(), s.opts.UserCA.Marshal())
		}}
		config.PublicKeyCallback = checker.Authenticate
	}
	interactive := func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		for range 3 { // like PAM
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			if p, err := password(c, answers[0]); err == nil {
				return p, nil
			}
		}
		return nil, refused
	}
	switch {
	case s.opts.Password != "" && s.opts.Interactive:
		config.KeyboardInteractiveCallback = interactive
	case s.opts.Password != "" && s.opts.Both:
		config.PasswordCallback = func(c ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if _, err := password(c, string(given)); err != nil {
				return nil, err
			}
			return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{KeyboardInteractiveCallback: interactive}}
		}
	case s.opts.Password != "":
		if s.opts.Either {
			config.KeyboardInteractiveCallback = interactive
		}
		config.PasswordCallback = func(c ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			return password(c, string(given))
		}
	}
	for _, k := range s.hostKeys {
		config.AddHostKey(k)
	}
	return config
}

func (s *Server) talk(g *gate) {
	conn, channels, requests, err := ssh.NewServerConn(g, s.config())
	if err != nil {
		return
	}
	s.handshakes.Add(1)
	go func() {
		for r := range requests { // keepalives want an answer, whichever
			_ = r.Reply(false, nil)
		}
	}()
	var running sync.WaitGroup
	var now atomic.Int64
	for c := range channels {
		if c.ChannelType() == "direct-tcpip" {
			running.Go(func() { s.forward(c) })
			continue
		}
		if s.opts.MaxSessions > 0 && int(now.Load()) >= s.opts.MaxSessions {
			_ = c.Reject(ssh.ConnectionFailed, "open failed") // in sshd's words
			continue
		}
		channel, requests, err := c.Accept()
		if err != nil {
			break
		}
		s.sessions.Add(1)
		now.Add(1)
		running.Go(func() {
			defer now.Add(-1)
			s.session(channel, requests)
		})
	}
	conn.Close()
	running.Wait()
}

// session serves one exec or subsystem request. The end of requests is the
// client's close of the session, which kills what runs in it.
func (s *Server) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	var jobs sync.WaitGroup
	var process atomic.Pointer[os.Process]
	gone := make(chan struct{})
	kill := func(sig syscall.Signal) {
		if p := process.Load(); p != nil {
			_ = syscall.Kill(-p.Pid, sig)
		}
	}
	for r := range requests {
		var arg struct{ Text string }
		ok := ssh.Unmarshal(r.Payload, &arg) == nil
		switch {
		case r.Type == "exec" && ok && !s.opts.RefuseExec:
			s.mu.Lock()
			s.commands = append(s.commands, arg.Text)
			s.mu.Unlock()
			_ = r.Reply(true, nil)
			jobs.Go(func() {
				code := s.exec(arg.Text, channel, &process, gone)
				_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
				channel.Close()
			})
		case r.Type == "subsystem" && arg.Text == "sftp" && !s.opts.NoSFTP:
			_ = r.Reply(true, nil)
			jobs.Go(func() {
				s.sftp(channel)
				channel.Close()
			})
		case r.Type == "signal":
			kill(syscall.SIGTERM)
		case r.WantReply:
			_ = r.Reply(false, nil)
		}
	}
	close(gone)
	kill(syscall.SIGKILL)
	jobs.Wait()
}

func (s *Server) exec(command string, channel ssh.Channel, process *atomic.Pointer[os.Process], gone <-chan struct{}) int {
	if s.opts.Exec != nil {
		return s.opts.Exec(command, channel, channel, channel.Stderr())
	}
	cmd := exec.Command(s.opts.Shell, "-c", command)
	cmd.Env = append(os.Environ(), s.opts.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	stdin, err := cmd.StdinPipe() // not cmd.Stdin: Wait would wait for the client's EOF
	if err != nil {
		return 255
	}
	if err := cmd.Start(); err != nil {
		return 255
	}
	go func() {
		_, _ = io.Copy(stdin, channel)
		stdin.Close()
	}()
	process.Store(cmd.Process)
	select {
	case <-gone:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	default:
	}
	_ = cmd.Wait()
	process.Store(nil)
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func (s *Server) sftp(channel ssh.Channel) {
	if s.opts.SFTP != nil {
		server := sftp.NewRequestServer(channel, *s.opts.SFTP)
		_ = server.Serve()
		_ = server.Close()
		return
	}
	server, err := sftp.NewServer(channel)
	if err != nil {
		return
	}
	_ = server.Serve()
	_ = server.Close()
}
