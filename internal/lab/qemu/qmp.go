package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
)

// errGone is the answer to whatever is asked of a process that has ended.
var errGone = errors.New("the QEMU process has ended")

// monitor speaks the QEMU machine protocol (docs/interop/qmp-spec.txt). One
// command runs at a time; events are read and dropped.
type monitor struct {
	conn    net.Conn
	turn    chan struct{}
	replies chan reply
	gone    chan struct{}
	wg      sync.WaitGroup
}

type reply struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
}

// newMonitor greets the process at the other end of conn and owns conn.
func newMonitor(ctx context.Context, conn net.Conn) (*monitor, error) {
	m := &monitor{
		conn:    conn,
		turn:    make(chan struct{}, 1),
		replies: make(chan reply, 1),
		gone:    make(chan struct{}),
	}
	m.wg.Go(m.read)
	if _, err := m.execute(ctx, "qmp_capabilities", nil); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *monitor) close() {
	m.conn.Close()
	m.wg.Wait()
}

// read passes replies on until the connection ends.
func (m *monitor) read() {
	defer close(m.gone)
	in := json.NewDecoder(m.conn)
	for {
		var message struct {
			reply
			Greeting json.RawMessage `json:"QMP"`
			Event    string          `json:"event"`
		}
		if err := in.Decode(&message); err != nil {
			return
		}
		if message.Event == "" && message.Greeting == nil {
			m.replies <- message.reply
		}
	}
}

// execute runs one command and returns what it returned. A command whose
// context ends is not taken back: the connection is closed, because its reply
// could be taken for that of the next one.
func (m *monitor) execute(ctx context.Context, command string, arguments any) (json.RawMessage, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("QMP %s: %w", command, ctx.Err())
	}
	request, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}{command, arguments})
	if err != nil {
		return nil, err
	}
	if _, err := m.conn.Write(request); err != nil {
		return nil, fmt.Errorf("QMP %s: %w", command, errGone)
	}
	select {
	case r := <-m.replies:
		if r.Error != nil {
			return nil, fmt.Errorf("QMP %s: %s: %s", command, r.Error.Class, r.Error.Desc)
		}
		return r.Return, nil
	case <-m.gone:
		return nil, fmt.Errorf("QMP %s: %w", command, errGone)
	case <-ctx.Done():
		m.conn.Close()
		return nil, fmt.Errorf("QMP %s: %w", command, ctx.Err())
	}
}

// human runs a command of the human monitor, whose only sign of failure is
// that it says something.
func (m *monitor) human(ctx context.Context, line string) error {
	result, err := m.execute(ctx, "human-monitor-command", map[string]string{"command-line": line})
	if err != nil {
		return err
	}
	var said string
	if err := json.Unmarshal(result, &said); err != nil {
		return fmt.Errorf("monitor command %q: %w", line, err)
	}
	if said = strings.TrimSpace(said); said != "" {
		return fmt.Errorf("monitor command %q: %s", line, said)
	}
	return nil
}
