package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// Terraform applies several resources at the same moment. Their changes to one
// host make one transaction and one reload: requests wait in a queue, and whoever
// finds nobody at work takes all that are there.

const (
	// gathering is for how long a lone request waits for others.
	gathering = 100 * time.Millisecond
	// straggling is for how long a request waits for as many others as came
	// together the last time: Terraform hands out the next resources as the last
	// ones end, but writes its state in between.
	straggling = 750 * time.Millisecond
	// inStep is how long ago the last group may have ended for that.
	inStep = 15 * time.Second
)

// request is one call of Apply.
type request struct {
	ctx        context.Context
	want, gone []Artifact
	done       chan result // buffered
}

type result struct {
	snapshot *Snapshot
	err      error
}

// queue holds the requests of one host.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	arrival time.Time // of the last one
	working bool
	// What the last group was.
	size  int
	ended time.Time
}

// Apply brings the artifacts wanted about, takes away those that must be gone, and
// returns what is on the host afterwards. Calls at the same moment are carried out
// together.
//
// An error means that the host does not hold what was wanted: that it is as it was,
// or, where the message says so, that this could not be learnt.
func (h *Host) Apply(ctx context.Context, want, gone []Artifact) (*Snapshot, error) {
	r := &request{ctx: ctx, want: want, gone: gone, done: make(chan result, 1)}
	q := &h.requests
	q.mu.Lock()
	q.waiting = append(q.waiting, r)
	q.arrival = time.Now()
	if !q.working {
		q.working = true
		go h.work()
	}
	q.mu.Unlock()
	got := <-r.done
	return got.snapshot, got.err
}

// work carries out group after group until nobody waits.
func (h *Host) work() {
	q := &h.requests
	for {
		q.gather()
		q.mu.Lock()
		group := q.take()
		if len(group) == 0 {
			q.working = false
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		h.carryOut(group)
		q.mu.Lock()
		q.size, q.ended = len(group), time.Now()
		q.mu.Unlock()
	}
}

// gather waits for those who are on their way.
func (q *queue) gather() {
	for {
		q.mu.Lock()
		there, quiet := len(q.waiting), time.Since(q.arrival)
		expected := 1
		if time.Since(q.ended) < inStep {
			expected = q.size
		}
		q.mu.Unlock()
		limit := gathering
		if there < expected {
			limit = straggling
		}
		if there == 0 || quiet >= limit {
			return
		}
		time.Sleep(min(limit-quiet, gathering/4))
	}
}

// take takes the requests that fit together out of the queue, in their order: no
// two want one thing in different ways.
func (q *queue) take() []*request {
	wanted, gone := map[string]string{}, map[string]bool{}
	var group, later []*request
	for _, r := range q.waiting {
		if err := context.Cause(r.ctx); err != nil {
			r.done <- result{err: err}
			continue
		}
		if len(later) > 0 || !r.fits(wanted, gone) {
			later = append(later, r)
			continue
		}
		for _, a := range r.want {
			wanted[a.Key()] = a.Want()
		}
		for _, a := range r.gone {
			gone[a.Key()] = true
		}
		group = append(group, r)
	}
	q.waiting = later
	return group
}

func (r *request) fits(wanted map[string]string, gone map[string]bool) bool {
	for _, a := range r.want {
		if text, ok := wanted[a.Key()]; gone[a.Key()] || ok && text != a.Want() {
			return false
		}
	}
	for _, a := range r.gone {
		if _, ok := wanted[a.Key()]; ok {
			return false
		}
	}
	return true
}

// carryOut makes the changes of a group, and tells each request what became of it.
// Where the host refuses them together, each is tried alone: one bad request does
// not fail the others.
func (h *Host) carryOut(group []*request) {
	ctx, cancel := whileAnyWaits(group)
	var want, gone []Artifact
	seen := map[string]bool{}
	for _, r := range group {
		for _, a := range r.want {
			if !seen[a.Key()] {
				seen[a.Key()] = true
				want = append(want, a)
			}
		}
		for _, a := range r.gone {
			if !seen[a.Key()] {
				seen[a.Key()] = true
				gone = append(gone, a)
			}
		}
	}
	s, err := h.bring(ctx, want, gone)
	cancel()
	if err != nil && len(group) > 1 && refused(err) {
		for _, r := range group {
			h.carryOut([]*request{r})
		}
		return
	}
	for _, r := range group {
		r.done <- result{s, err}
	}
}

// refused reports whether the host took a change back for a reason that may lie in
// one part of it.
func refused(err error) bool {
	var said *remote.CommandError
	var differs *differsError
	return errors.As(err, &said) || errors.As(err, &differs)
}

// whileAnyWaits returns a context that ends when the last of the group has given
// up: one that is cancelled does not take the others' change with it.
func whileAnyWaits(group []*request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(group[0].ctx))
	var mu sync.Mutex
	waiting := len(group)
	var stops []func() bool
	for _, r := range group {
		stops = append(stops, context.AfterFunc(r.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if waiting--; waiting == 0 {
				cancel(context.Cause(r.ctx))
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
}
