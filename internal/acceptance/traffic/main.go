// Command traffic is the Redis client of the acceptance tests, one process without
// dependencies on a small emulated machine.
//
//	traffic connect N ADDRESS:PORT       opens N connections one after the other, and
//	                                     prints the run id of the Redis behind each, or
//	                                     "failed" and why
//	traffic hold N ADDRESS:PORT FOLDER   holds N connections in use, tries new ones
//	                                     too, and writes FOLDER/state until FOLDER
//	                                     is gone; SIGHUP begins its maxima anew
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	pingInterval = 700 * time.Millisecond
	// patience is longer than TCP's retransmissions take to get through once the VIP
	// has moved: a stall is no loss.
	patience     = 2 * time.Minute
	openInterval = 200 * time.Millisecond
	openTimeout  = time.Second
)

// State is what hold writes. Times are microseconds since the epoch.
type State struct {
	At   int64
	Held []Held
	Open Open
}

// Held is one connection that is held: who answers, when last, how late at worst, and
// why it was lost.
type Held struct {
	Port    int // of the client
	Server  string
	Last    int64
	WorstUS int64
	Lost    string
}

// Open is how it goes with new connections.
type Open struct {
	Succeeded, Failed int
	Refused           int   // of those that failed
	Last              int64 // when one succeeded last
	GapUS             int64 // the longest time in which none did
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "traffic:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("arguments %q", args)
	}
	n, err := strconv.Atoi(args[1])
	switch {
	case err != nil:
		return err
	case args[0] == "connect" && len(args) == 3:
		for range n {
			c, server, err := dial(args[2], 5*time.Second)
			if err != nil {
				fmt.Println("failed", err)
				continue
			}
			fmt.Println(server)
			c.Close()
		}
		return nil
	case args[0] == "hold" && len(args) == 4:
		return hold(n, args[2], args[3])
	}
	return fmt.Errorf("arguments %q", args)
}

// conn is a connection to Redis.
type conn struct {
	net.Conn
	lines *bufio.Reader
}

// dial connects and asks for the server's run id.
func dial(address string, limit time.Duration) (conn, string, error) {
	deadline := time.Now().Add(limit)
	raw, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return conn{}, "", err
	}
	c := conn{raw, bufio.NewReader(raw)}
	_ = c.SetDeadline(deadline)
	text, err := c.info()
	if err != nil {
		c.Close()
		return conn{}, "", err
	}
	for line := range strings.Lines(text) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "run_id:"); ok {
			return c, id, nil
		}
	}
	c.Close()
	return conn{}, "", fmt.Errorf("%s tells no run id", address)
}

// info asks what Redis says in a bulk string.
func (c conn) info() (string, error) {
	if _, err := c.Write([]byte("INFO server\r\n")); err != nil {
		return "", err
	}
	head, err := c.lines.ReadString('\n')
	if err != nil {
		return "", err
	}
	size, err := strconv.Atoi(strings.Trim(head, "$\r\n"))
	if err != nil {
		return "", fmt.Errorf("answered %q", head)
	}
	var text strings.Builder
	for text.Len() < size+len("\r\n") {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			return "", err
		}
		text.WriteString(line)
	}
	return text.String(), nil
}

func (c conn) ping(limit time.Duration) error {
	_ = c.SetDeadline(time.Now().Add(limit))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	_, err := c.lines.ReadString('\n')
	return err
}

// holder is what hold's goroutines share.
type holder struct {
	mu    sync.Mutex
	state State
}

func (h *holder) note(change func(s *State)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.state)
}

func hold(n int, address, folder string) error {
	h := &holder{state: State{Held: make([]Held, n)}}
	for i := range n {
		c, server, err := dial(address, 30*time.Second)
		if err != nil {
			return err
		}
		h.state.Held[i] = Held{Port: c.LocalAddr().(*net.TCPAddr).Port, Server: server}
		go h.use(i, c)
	}
	h.note(func(s *State) { s.Open.Last = time.Now().UnixMicro() })
	go h.open(address)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	for {
		if err := h.write(folder); os.IsNotExist(err) {
			return nil
		} else if err != nil {
			return err
		}
		select {
		case <-again:
			h.note(func(s *State) {
				for i := range s.Held {
					s.Held[i].WorstUS = 0
				}
				s.Open = Open{Last: time.Now().UnixMicro()}
			})
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// use sends PING after PING over the connection i.
func (h *holder) use(i int, c conn) {
	for {
		asked := time.Now()
		err := c.ping(patience)
		h.note(func(s *State) {
			held := &s.Held[i]
			held.WorstUS = max(held.WorstUS, time.Since(asked).Microseconds())
			if err != nil {
				held.Lost = err.Error()
			} else {
				held.Last = time.Now().UnixMicro()
			}
		})
		if err != nil {
			return
		}
		time.Sleep(pingInterval)
	}
}

// open tries new connections, each beside the last.
func (h *holder) open(address string) {
	for range time.Tick(openInterval) {
		go func() {
			c, _, err := dial(address, openTimeout)
			if err == nil {
				c.Close()
			}
			h.note(func(s *State) {
				if err != nil {
					s.Open.Failed++
					if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) {
						s.Open.Refused++
					}
					return
				}
				s.Open.Succeeded++
				now := time.Now().UnixMicro()
				s.Open.GapUS = max(s.Open.GapUS, now-s.Open.Last)
				s.Open.Last = now
			})
		}()
	}
}

// write replaces the file whole.
func (h *holder) write(folder string) error {
	var text []byte
	h.note(func(s *State) {
		s.At = time.Now().UnixMicro()
		s.Open.GapUS = max(s.Open.GapUS, s.At-s.Open.Last)
		text, _ = json.Marshal(s)
	})
	path := filepath.Join(folder, "state")
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
