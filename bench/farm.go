package main

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/redislb/terraform-provider-redislb/bench/proxy"
	"github.com/redislb/terraform-provider-redislb/internal/host/hosttest"
	"github.com/redislb/terraform-provider-redislb/internal/remote/remotetest"
)

// farmVIP is on all hosts of a farm.
const farmVIP = "192.0.2.229"

// farm is many hosts that answer the probe as a real server does, each behind a
// long wire. They run in this process; the provider has its own.
type farm struct {
	servers []*remotetest.Server
	wires   []*proxy.Proxy
	key     []byte // to log in with, anywhere
	ends    []func()
}

// newFarm starts n hosts, oneWay away.
func newFarm(root string, n int, oneWay time.Duration) (f *farm, err error) {
	f = &farm{}
	defer func() {
		if problem := recover(); problem != nil {
			f.close()
			err = fmt.Errorf("start %d hosts: %v", n, problem)
		}
	}()
	bare, err := os.ReadFile(filepath.Join(root, "internal", "host", "testdata", "probe-bare.out"))
	if err != nil {
		return f, err
	}
	answer, err := hosttest.RealServer(bare, netip.MustParseAddr(farmVIP))
	if err != nil {
		return f, err
	}
	hostKey, _ := remotetest.NewKey(owner{f: f})
	userKey, pem := remotetest.NewKey(owner{f: f})
	f.key = pem
	for range n {
		s := remotetest.NewServer(owner{f: f}, remotetest.Options{
			NoKey: true, AuthorizedKeys: []ssh.PublicKey{userKey.PublicKey()}, HostKeys: []ssh.Signer{hostKey},
			NoSFTP: true, Exec: probeOnly(answer),
		})
		w, err := proxy.New(s.Addr(), oneWay)
		if err != nil {
			return f, err
		}
		f.servers, f.wires = append(f.servers, s), append(f.wires, w)
	}
	return f, nil
}

// probeOnly answers the probe and refuses everything else: a plan must not ask
// for more.
func probeOnly(answer []byte) func(string, io.Reader, io.Writer, io.Writer) int {
	return func(_ string, stdin io.Reader, stdout, stderr io.Writer) int {
		fmt.Fprintln(stderr, "redislb-started")
		fmt.Fprintln(stdout, "redislb-started")
		script, err := io.ReadAll(stdin)
		if err != nil || !bytes.Contains(script, []byte("echo '== probe 1'")) {
			return 1
		}
		_, _ = stdout.Write(answer)
		return 0
	}
}

// knownHosts has the hosts by the addresses of their wires.
func (f *farm) knownHosts() string {
	var b strings.Builder
	for i, s := range f.servers {
		_, key, _ := strings.Cut(s.KnownHosts(), " ")
		fmt.Fprintf(&b, "[127.0.0.1]:%d %s", f.wires[i].Port(), key)
	}
	return b.String()
}

// count is the connections, commands and sessions so far, on all hosts.
func (f *farm) count() (n struct{ connections, commands, sessions int }) {
	for _, s := range f.servers {
		n.connections += s.Connections()
		n.commands += len(s.Commands())
		n.sessions += s.Sessions()
	}
	return n
}

func (f *farm) close() {
	for _, w := range f.wires {
		w.Close()
	}
	for _, end := range f.ends {
		end()
	}
}

// owner is what remotetest's servers, made for tests, need of one.
type owner struct {
	testing.TB
	f *farm
}

func (owner) Helper()                      {}
func (o owner) Cleanup(end func())         { o.f.ends = append(o.f.ends, end) }
func (owner) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
