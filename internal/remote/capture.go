package remote

import (
	"bytes"
	"sync"
)

// capture keeps what comes out of a command: what precedes the marker (the login
// shell's and sudo's words) apart from what follows it (the script's).
type capture struct {
	started chan struct{} // closed when the marker has come
	prompts chan struct{} // a token for each time sudo asks

	room int
	stop func() // called when there is more than room

	mu    sync.Mutex
	over  bool
	seen  bool
	asked int
	buf   bytes.Buffer // after the marker, or before while it has not come
	noise []byte       // before the marker, once it has come
}

func newCapture(room int, stop func()) *capture {
	return &capture{room: room, stop: stop, started: make(chan struct{}), prompts: make(chan struct{}, 16)}
}

// Write implements io.Writer. What is more than room is dropped rather than left
// on the wire, where it would keep the session from ending.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.buf.Len()+len(p) > c.room {
		if !c.over {
			c.over = true
			c.stop()
		}
		return len(p), nil
	}
	c.buf.Write(p)
	if c.seen {
		return len(p), nil
	}
	for n := bytes.Count(c.buf.Bytes(), []byte(sudoPrompt)); c.asked < n; c.asked++ {
		select {
		case c.prompts <- struct{}{}:
		default:
		}
	}
	if i := bytes.Index(c.buf.Bytes(), []byte(startedMarker)); i >= 0 {
		c.noise = bytes.Clone(c.buf.Next(i))
		c.buf.Next(len(startedMarker))
		c.seen = true
		close(c.started)
	}
	return len(p), nil
}

func (c *capture) overran() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// bytes returns what the script wrote.
func (c *capture) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.seen {
		return nil
	}
	return bytes.Clone(c.buf.Bytes())
}

// before returns what came before the script, without our own prompt.
func (c *capture) before() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := c.noise
	if !c.seen {
		said = c.buf.Bytes()
	}
	return string(bytes.ReplaceAll(said, []byte(sudoPrompt), nil))
}
