package as2

import (
	"context"
	"sync"
	"time"
)

// places are a number of places, of which one source may take no more than its
// share: whoever takes them all, and stays, would keep everybody else out.
type places struct {
	all, each int

	mu     sync.Mutex
	taken  int
	by     map[string]int
	change chan struct{} // closed when a place becomes free, and renewed
}

// newPlaces makes places. share is what one source may take, in percent, but
// always at least one place.
func newPlaces(all, share int) *places {
	return &places{all: all, each: max(1, all*min(share, 100)/100), by: map[string]int{}, change: make(chan struct{})}
}

// enter takes a place. It returns how to leave it, nil when there is none.
func (p *places) enter(source string) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.all || p.by[source] >= p.each {
		return nil
	}
	p.taken++
	p.by[source]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken--
		if p.by[source]--; p.by[source] == 0 {
			delete(p.by, source)
		}
		close(p.change)
		p.change = make(chan struct{})
	})
}

// wait takes a place as soon as there is one; nil when patience or ctx end first.
func (p *places) wait(ctx context.Context, source string, patience time.Duration) (leave func()) {
	if leave := p.enter(source); leave != nil {
		return leave
	}
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		changed := p.changed()
		if leave := p.enter(source); leave != nil {
			return leave
		}
		select {
		case <-changed:
		case <-end.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// changed is closed at the next change.
func (p *places) changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.change
}

// await returns when there is a place for somebody.
func (p *places) await() {
	for {
		changed := p.changed()
		p.mu.Lock()
		free := p.taken < p.all
		p.mu.Unlock()
		if free {
			return
		}
		<-changed
	}
}
