package remote

import (
	"context"
	"fmt"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"
)

// link is an authenticated connection with those of the jump hosts under it, the
// nearest to us first. Each client has its own: a host's trouble is nobody else's,
// and whoever closes a link closes all of it. The nil link is the open network.
type link struct {
	*ssh.Client
	target string
	under  []*ssh.Client
}

// hop is a host on the way, the last of them the one that is wanted.
type hop struct {
	cfg Config
	id  identity
}

// String is user@host:port; empty for the network.
func (l *link) String() string {
	if l == nil {
		return ""
	}
	return l.target
}

// dial opens a connection to an address at the far end.
func (l *link) dial(ctx context.Context, hostPort string) (net.Conn, error) {
	if l == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", hostPort)
	}
	return l.DialContext(ctx, "tcp", hostPort)
}

// Close closes the nearest connection first: that one is a socket of ours, whereas
// the others close by words to a host that may be gone.
func (l *link) Close() error {
	if l == nil {
		return nil
	}
	for _, c := range l.under {
		c.Close()
	}
	return l.Client.Close()
}

// reach dials all hops, one through the other. failed hears of attempts that are
// repeated.
func reach(ctx context.Context, hops []hop, tune tuning, failed func(error)) (*link, error) {
	var way *link
	for i, h := range hops {
		client, err := dial(ctx, h.cfg, h.id, way, tune, failed)
		if err != nil {
			way.Close()
			if i < len(hops)-1 {
				err = &HopError{Hop: h.cfg.Target(), Number: i + 1, Of: len(hops) - 1, Target: hops[len(hops)-1].cfg.Target(), Err: err}
			}
			return nil, err
		}
		next := &link{Client: client, target: h.cfg.Target()}
		if way != nil {
			next.under = append(slices.Clone(way.under), way.Client)
		}
		way = next
	}
	return way, nil
}

// HopError is a jump host that could not be passed; Err says why.
type HopError struct {
	Target     string // where the way leads
	Hop        string // user@host:port of the jump host
	Number, Of int    // which one it is, counted from 1, and how many there are
	Err        error
}

func (e *HopError) at(step string) error { c := *e; c.Err = at(e.Err, step); return &c }
func (e *HopError) Unwrap() error        { return e.Err }
func (e *HopError) Error() string {
	return e.Err.Error() + fmt.Sprintf("\n%s is jump host %d of %d on the way to %s.", e.Hop, e.Number, e.Of, e.Target)
}
