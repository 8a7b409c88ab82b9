//go:build acceptance

package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/lab"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// driverVariable makes this test binary a driver: a process that does one job on
// one host as a provider does, and can be stopped, killed or cut off.
const driverVariable = "REDISLB_TEST_DRIVER"

// job is what a driver does: bring a resource from one state to another, or only
// observe the host, where there is no resource.
type job struct {
	Host, KeyFile, KnownHosts string
	Port                      int
	Resource, From, To        string
	DialTimeout               time.Duration
}

// driver is the process seen from the test.
type driver struct {
	cmd    *osexec.Cmd
	ended  chan struct{}
	out    bytes.Buffer
	record string // see host.FaultRecord
}

// newJob is a job on a host, reached by its own port or by another one of
// 127.0.0.1.
func newJob(t *testing.T, h *lab.Host, port int) job {
	t.Helper()
	known, err := os.ReadFile(machines.KnownHostsFile())
	if err != nil {
		t.Fatal(err)
	}
	name := func(port int) string { return fmt.Sprintf("[127.0.0.1]:%d ", port) }
	return job{
		Host: h.Name, KeyFile: machines.KeyFile(), Port: port, DialTimeout: 2 * time.Minute,
		KnownHosts: strings.ReplaceAll(string(known), name(h.SSHPort), name(port)),
	}
}

// start runs a driver. Its script on the host stops before the step named as
// COMMIT.INDEX, if any.
func (j job) start(t *testing.T, step string) *driver {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &driver{cmd: osexec.Command(self), ended: make(chan struct{}), record: filepath.Join(t.TempDir(), "steps")}
	d.cmd.Env = append(os.Environ(), driverVariable+"="+string(text), host.FaultRecord+"="+d.record, host.FaultStep+"="+step)
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.ended
	})
	return d
}

// running reports whether the driver has not ended yet.
func (d *driver) running() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// verdict waits for the driver's end and returns its error, if it had one.
func (d *driver) verdict(limit time.Duration) error {
	select {
	case <-d.ended:
	case <-time.After(limit):
	}
	if d.running() {
		_ = d.cmd.Process.Kill()
		<-d.ended
		return fmt.Errorf("the driver did not end within %v", limit)
	}
	if d.cmd.ProcessState.ExitCode() == 0 {
		return nil
	}
	return errors.New(strings.TrimSpace(d.out.String()))
}

// steps returns what the driver sent to the host, as COMMIT.INDEX FUNCTION.
func (d *driver) steps(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(d.record)
	if err != nil {
		t.Fatalf("the driver recorded no step: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}

// drive is the driver's side; its result is the exit code.
func drive(text string) int {
	var j job
	err := json.Unmarshal([]byte(text), &j)
	var key []byte
	if err == nil {
		key, err = os.ReadFile(j.KeyFile)
	}
	if err == nil {
		h := reach(remote.Config{
			Name: j.Host, Address: "127.0.0.1", Port: j.Port, User: "root", PrivateKey: key,
			KnownHosts: []byte(j.KnownHosts), DialTimeout: j.DialTimeout,
		})
		ctx := context.Background()
		if j.Resource == "" {
			_, err = h.Observe(ctx)
		} else {
			want, gone := resourcesOn(j.Host)[j.Resource].change(j.From, j.To)
			_, err = h.Apply(ctx, want, gone)
		}
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
