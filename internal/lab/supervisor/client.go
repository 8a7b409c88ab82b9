package supervisor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab/vswitch"
)

// Client asks the supervisor of one folder. It keeps no connection open.
type Client struct {
	dir  string
	http http.Client
}

// NewClient does not connect yet.
func NewClient(dir string) *Client {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, dir)
		},
	}
	return &Client{dir: dir, http: http.Client{Transport: transport}}
}

// Status lists the machines in the order they were given.
func (c *Client) Status(ctx context.Context) ([]MachineStatus, error) {
	var all []MachineStatus
	return all, c.get(ctx, "/status", &all)
}

// ARPAnswers asks for the replies that claimed ip since the given time.
func (c *Client) ARPAnswers(ctx context.Context, ip netip.Addr, since time.Time) ([]vswitch.ARPAnswer, error) {
	query := url.Values{"ip": {ip.String()}, "since": {since.Format(time.RFC3339Nano)}}
	var answers []vswitch.ARPAnswer
	return answers, c.get(ctx, "/arp?"+query.Encode(), &answers)
}

// Pcap returns a capture that has begun and goes on until it is closed.
func (c *Client) Pcap(ctx context.Context) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodGet, "/pcap")
}

// Down tells the supervisor to end. It has not ended yet on return.
func (c *Client) Down(ctx context.Context) error {
	return c.post(ctx, "/down")
}

// Do carries out one of a machine's actions: cut, heal, off, on, freeze, thaw,
// hard-reset, and save/STATE and restore/STATE.
func (c *Client) Do(ctx context.Context, machine, action string) error {
	return c.post(ctx, "/machines/"+url.PathEscape(machine)+"/"+action)
}

func (c *Client) post(ctx context.Context, path string) error {
	body, err := c.do(ctx, http.MethodPost, path)
	if err != nil {
		return err
	}
	return body.Close()
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	body, err := c.do(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(body).Decode(into)
}

func (c *Client) do(ctx context.Context, method, path string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://lab"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("lab supervisor of %s does not answer: %w", c.dir, err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		said, _ := io.ReadAll(response.Body) // as much as there is
		return nil, fmt.Errorf("lab supervisor: %s %s: %s", method, path, strings.TrimSpace(string(said)))
	}
	return response.Body, nil
}
