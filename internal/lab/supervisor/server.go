package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redislb/terraform-provider-redislb/internal/lab/qemu"
	"github.com/redislb/terraform-provider-redislb/internal/lab/vswitch"
)

// LifelineFD is the descriptor of the pipe whose end ends a tied supervisor.
const LifelineFD = 3

const (
	// headerTimeout bounds reading a request, all of which are short.
	headerTimeout = 10 * time.Second
	// actionTimeout bounds one action on a machine; saving its memory to a
	// busy disk takes longest.
	actionTimeout = 2 * time.Minute
)

// MachineStatus is a machine as seen at one moment.
type MachineStatus struct {
	Name  string             `json:"name"`
	Power Power              `json:"power"`
	PID   int                `json:"pid,omitempty"`
	Said  string             `json:"said,omitempty"` // by QEMU, when it ended by itself
	Port  vswitch.PortStatus `json:"port"`
}

type server struct {
	lan      *vswitch.Switch
	order    []string
	machines map[string]*machine
	down     context.CancelFunc
}

// Run is the supervisor's life in dir: it ends when it is told to through the
// control socket, by SIGTERM, or, if tied, when the other end of the lifeline
// is closed. Every machine has ended when it returns.
func Run(dir string, tied bool) error {
	ctx, down := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer down()
	lock, err := own(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if tied {
		unix.CloseOnExec(LifelineFD)
		go func() {
			_, _ = io.Copy(io.Discard, os.NewFile(LifelineFD, "lifeline")) // until it ends, however
			down()
		}()
	}
	config, err := readConfig(dir)
	if err != nil {
		return err
	}
	listener, err := listen(dir)
	if err != nil {
		return fmt.Errorf("control socket in %s: %w", dir, err)
	}
	s := newServer(config.Machines, down)
	defer s.lan.Close()
	defer s.powerOff()
	for _, name := range s.order {
		if err := s.machines[name].on(ctx); err != nil {
			listener.Close()
			return err
		}
	}

	web := &http.Server{Handler: s.routes(), ReadHeaderTimeout: headerTimeout}
	// Captures are requests that last, so a shutdown must not wait for them.
	context.AfterFunc(ctx, func() { web.Close() })
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newServer(configs []qemu.Config, down context.CancelFunc) *server {
	s := &server{lan: vswitch.New(), machines: map[string]*machine{}, down: down}
	for _, c := range configs {
		s.lan.AddPort(c.Name)
		s.order = append(s.order, c.Name)
		s.machines[c.Name] = &machine{config: c, lan: s.lan}
	}
	return s
}

func (s *server) powerOff() {
	var wg sync.WaitGroup
	for _, m := range s.machines {
		wg.Go(m.off)
	}
	wg.Wait()
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /arp", s.arpAnswers)
	mux.HandleFunc("GET /pcap", s.pcap)
	mux.HandleFunc("POST /down", func(http.ResponseWriter, *http.Request) { s.down() })
	for action, do := range map[string]func(*machine, context.Context) error{
		"cut":        func(m *machine, _ context.Context) error { return s.lan.SetCut(m.config.Name, true) },
		"heal":       func(m *machine, _ context.Context) error { return s.lan.SetCut(m.config.Name, false) },
		"off":        func(m *machine, _ context.Context) error { m.off(); return nil },
		"on":         (*machine).on,
		"freeze":     (*machine).freeze,
		"thaw":       (*machine).thaw,
		"hard-reset": (*machine).hardReset,
	} {
		mux.HandleFunc("POST /machines/{name}/"+action, s.on(func(m *machine, r *http.Request) error { return do(m, r.Context()) }))
	}
	for action, do := range map[string]func(*machine, context.Context, string) error{
		"save":    (*machine).save,
		"restore": (*machine).restore,
	} {
		mux.HandleFunc("POST /machines/{name}/"+action+"/{state}", s.on(func(m *machine, r *http.Request) error { return do(m, r.Context(), r.PathValue("state")) }))
	}
	return mux
}

// on handles the requests that are of one machine.
func (s *server) on(do func(*machine, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m := s.machines[r.PathValue("name")]
		if m == nil {
			http.Error(w, fmt.Sprintf("no machine %q; there are %v", r.PathValue("name"), s.order), http.StatusNotFound)
			return
		}
		// Half a power switch helps nobody: a client that hangs up does
		// not stop what it asked for.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actionTimeout)
		defer cancel()
		if err := do(m, r.WithContext(ctx)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

func (s *server) status(w http.ResponseWriter, _ *http.Request) {
	ports := map[string]vswitch.PortStatus{}
	for _, p := range s.lan.Ports() {
		ports[p.Name] = p
	}
	var all []MachineStatus
	for _, name := range s.order {
		status := s.machines[name].status()
		status.Port = ports[name]
		all = append(all, status)
	}
	writeJSON(w, all)
}

func (s *server) arpAnswers(w http.ResponseWriter, r *http.Request) {
	ip, ipErr := netip.ParseAddr(r.FormValue("ip"))
	since, timeErr := time.Parse(time.RFC3339Nano, r.FormValue("since"))
	if err := errors.Join(ipErr, timeErr); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, s.lan.ARPAnswers(ip, since))
}

// pcap streams until the client hangs up.
func (s *server) pcap(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.tcpdump.pcap")
	lost, err := s.lan.Capture(r.Context(), flushWriter{w, http.NewResponseController(w)})
	if lost > 0 {
		fmt.Fprintf(os.Stderr, "pcap: %d frames lost to a slow reader\n", lost)
	}
	if err != nil && r.Context().Err() == nil {
		fmt.Fprintf(os.Stderr, "pcap: %v\n", err)
	}
}

// flushWriter hands every frame on at once, so that a capture can be watched.
type flushWriter struct {
	io.Writer
	control *http.ResponseController
}

func (f flushWriter) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	if err != nil {
		return n, err
	}
	return n, f.control.Flush()
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has hung up
}
