package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aymanbagabas/go-udiff"

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
	seen       map[string]string // see ApplyPlanned
	done       chan result       // buffered
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
	return h.ApplyPlanned(ctx, want, gone, nil)
}

// ApplyPlanned is Apply on the strength of a plan. Seen is what [Found] told of the
// artifacts when it was made; nil is what it tells when the change begins. A file
// that is neither that any more nor what is wanted is somebody's: it is not
// overwritten, and the error is an [OvertakenError].
func (h *Host) ApplyPlanned(ctx context.Context, want, gone []Artifact, seen map[string]string) (*Snapshot, error) {
	r := &request{ctx: ctx, want: want, gone: gone, seen: seen, done: make(chan result, 1)}
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
		group := q.take(h)
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
func (q *queue) take(h *Host) []*request {
	wanted, gone := map[string]string{}, map[string]bool{}
	var group, later []*request
	for _, r := range q.waiting {
		if err := context.Cause(r.ctx); err != nil {
			r.done <- result{err: fmt.Errorf("unable to change host %q (%s): %w while changes before this one were under way; nothing was changed: apply again, with a longer timeout if it was this one's", h.Name, h.Target(), err)}
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

// retries is how often a group is begun anew because a file was changed on the host
// in the moment between the look at it and the change.
const retries = 3

// carryOut makes the changes of a group, and tells each request what became of it.
// Where the host refuses them together, and the fault may lie in one of them, the
// halves are tried apart: one bad request does not fail the others, nor make as many
// transactions as there are requests.
func (h *Host) carryOut(group []*request) {
	ctx, cancel := whileAnyWaits(group)
	defer cancel()
	for tries := 1; ; {
		want, gone := together(group)
		s, err := h.lookAt(ctx, basis(slices.Concat(want, gone)))
		if err == nil {
			if group = h.notOvertaken(group, s); len(group) == 0 {
				return
			}
			want, gone = together(group)
			s, err = h.bring(ctx, s, want, gone)
		}
		switch {
		case errors.Is(err, errOutdated):
			continue
		case isStale(err) && tries < retries:
			tries++
			continue
		case len(group) > 1 && refused(err):
			h.carryOut(group[:len(group)/2])
			h.carryOut(group[len(group)/2:])
			return
		}
		for _, r := range group {
			r.done <- result{s, err}
		}
		return
	}
}

// together returns what the requests of a group want and what must be gone, each
// thing once.
func together(group []*request) (want, gone []Artifact) {
	seen := map[string]bool{}
	add := func(to *[]Artifact, artifacts []Artifact) {
		for _, a := range artifacts {
			if !seen[a.Key()] {
				seen[a.Key()] = true
				*to = append(*to, a)
			}
		}
	}
	for _, r := range group {
		add(&want, r.want)
		add(&gone, r.gone)
	}
	return want, gone
}

// notOvertaken tells the requests of whose files somebody else has made something
// else than was seen, and returns the others.
func (h *Host) notOvertaken(group []*request, s *Snapshot) []*request {
	for _, f := range s.carried() {
		if h.brought == nil {
			h.brought = map[string]string{}
		}
		h.brought[f.Path] = string(f.Content)
	}
	return slices.DeleteFunc(group, func(r *request) bool {
		all := slices.Concat(r.want, r.gone)
		if r.seen == nil {
			r.seen = Found(all, s)
		}
		for i, a := range all {
			text, found := a.Found(s)
			was, before := r.seen[a.Key()]
			f, ok := a.(File)
			if !ok || found == before && text == was {
				continue
			}
			if !found || i < len(r.want) && text == a.Want() { // there is nothing to overwrite
				continue
			}
			if !before && text == h.brought[f.Path] || f.expectation(s.Files[f.Path]) == h.kept[f.Path] {
				continue
			}
			r.done <- result{err: &OvertakenError{Host: h.Name, Target: h.Target(), Key: a.Key(), Difference: udiff.Unified(a.Key()+" (as it was read)", a.Key()+" (now)", line(was), line(text))}}
			return true
		}
		return false
	})
}

// noteKept notes what a change that was made on s may have put back.
func (h *Host) noteKept(s *Snapshot) {
	for path, sum := range s.Loaded {
		if state, there := s.Files[path]; !there || (File{}).expectation(state) != sum {
			if h.kept == nil {
				h.kept = map[string]string{}
			}
			h.kept[path] = sum
		}
	}
}

// OvertakenError is a file that was changed on the host by somebody else since the
// plan was made.
type OvertakenError struct{ Host, Target, Key, Difference string }

func (e *OvertakenError) Error() string {
	return fmt.Sprintf("unable to change host %q (%s): %s was changed on the host since it was read; nothing was overwritten: run terraform plan again, and look at this difference in it.\n%s", e.Host, e.Target, e.Key, e.Difference)
}

// refused reports whether the host took a change back for a reason that may lie in
// one part of it.
func refused(err error) bool {
	var said *remote.CommandError
	var differs *differsError
	return errors.As(err, &said) && !isStale(err) && !hostWide(err) || errors.As(err, &differs)
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
