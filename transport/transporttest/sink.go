package transporttest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"tradepost/transport"
)

// Seen is one arrival that a Sink accepted, with its bytes read.
type Seen struct {
	transport.Arrival
	ID        string
	Bytes     []byte // of the content
	WireBytes []byte // as they crossed, when they differ
	Duplicate bool
}

// Sink is a transport.Sink in memory with the meaning of the real one: an
// arrival with the key of an accepted one is a duplicate and gets the first
// one's receipt. It can be made to fail and to hold.
type Sink struct {
	mu      sync.Mutex
	seen    []Seen
	first   map[string]int // by key
	names   map[string]bool
	changed chan struct{} // closed and renewed at every change
	fail    int
	failure error
	failed  int
	hold    chan struct{}
	entered chan struct{}
}

// NewSink makes an empty Sink.
func NewSink() *Sink {
	return &Sink{first: map[string]int{}, names: map[string]bool{}, changed: make(chan struct{})}
}

// FailNext makes the next n calls of Accept return err, after they have read
// everything.
func (s *Sink) FailNext(n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail, s.failure = n, err
}

// Failed tells how many calls of Accept have failed.
func (s *Sink) Failed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Hold makes Accept wait, before it records anything, until release is called.
// entered gets a value for every call that waits.
func (s *Sink) Hold() (entered <-chan struct{}, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold, in := make(chan struct{}), make(chan struct{}, 100)
	s.hold, s.entered = hold, in
	return in, sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hold = nil
		close(hold)
	})
}

// Accept implements transport.Sink.
func (s *Sink) Accept(ctx context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	seen := Seen{Arrival: *a}
	var err error
	if seen.Bytes, err = ReadAll(a.Content.Body); err != nil {
		return nil, err
	}
	if seen.WireBytes, err = ReadAll(a.Wire); err != nil {
		return nil, err
	}
	s.mu.Lock()
	hold, in := s.hold, s.entered
	s.mu.Unlock()
	if hold != nil {
		in <- struct{}{}
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	if s.fail > 0 {
		s.fail--
		s.failed++
		return nil, s.failure
	}
	if _, ok := s.first[a.Key]; a.Again && !ok {
		return nil, transport.ErrNeverAccepted
	}
	if err := s.claim(a); err != nil {
		return nil, err
	}
	seen.ID = fmt.Sprintf("T%d", len(s.seen)+1)
	acc := &transport.Acceptance{ID: seen.ID, Receipt: a.Receipt}
	if a.Refused == "" && a.Key != "" {
		if i, ok := s.first[a.Key]; ok {
			seen.Duplicate = true
			acc.Duplicate, acc.Receipt = true, s.seen[i].Receipt
		} else {
			s.first[a.Key] = len(s.seen)
		}
	}
	s.seen = append(s.seen, seen)
	return acc, nil
}

// claim takes the names of an arrival that may have none that was used before.
func (s *Sink) claim(a *transport.Arrival) error {
	if _, again := s.first[a.Key]; !a.UniqueNames || a.Refused != "" || again {
		return nil
	}
	for _, p := range append([]transport.Part{a.Content}, a.Attachments...) {
		if s.names[p.Filename] {
			return &transport.NameUsedError{Name: p.Filename}
		}
	}
	for _, p := range append([]transport.Part{a.Content}, a.Attachments...) {
		if p.Filename != "" {
			s.names[p.Filename] = true
		}
	}
	return nil
}

// wake tells everybody who waits to look again.
func (s *Sink) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Seen lists everything accepted so far: first ones, duplicates and refused.
func (s *Sink) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Take is Seen, and forgets it.
func (s *Sink) Take() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.seen
	s.seen, s.first = nil, map[string]int{}
	return out
}

// Accepted lists what arrived and counts: neither duplicates nor refused.
func (s *Sink) Accepted() []Seen {
	return slices.DeleteFunc(s.Seen(), func(x Seen) bool { return x.Duplicate || x.Refused != "" })
}

// Wait returns when ok is true of the Sink, or with the error of ctx.
func (s *Sink) Wait(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ReadAll reads a Body from its beginning; nil has no bytes.
func ReadAll(b transport.Body) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return data, err
}
