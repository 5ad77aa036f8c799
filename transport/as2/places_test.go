package as2

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestPlaces: nobody takes more than its share, and what is left is taken by
// whoever waits.
func TestPlaces(t *testing.T) {
	t.Parallel()
	p := newPlaces(4, 50)
	a1, a2 := p.enter("a"), p.enter("a")
	if a1 == nil || a2 == nil || p.enter("a") != nil {
		t.Fatal("a has not just its two places")
	}
	b := p.enter("b")
	if b == nil {
		t.Fatal("no place for b")
	}
	c := p.enter("c")
	if c == nil || p.enter("d") != nil {
		t.Fatal("there are not just four places")
	}
	if leave := p.wait(t.Context(), "d", time.Millisecond); leave != nil {
		t.Error("d was let in")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if leave := p.wait(ended, "d", time.Minute); leave != nil {
		t.Error("d was let in after it had gone")
	}
	in := make(chan func())
	go func() { in <- p.wait(t.Context(), "a", time.Minute) }()
	b()
	b() // only once
	select {
	case <-in:
		t.Error("a was let in beyond its share")
	case <-time.After(20 * time.Millisecond):
	}
	a1()
	(<-in)()
	a2()
	c()
	if p.taken != 0 || len(p.by) != 0 {
		t.Errorf("%d are taken, by %v", p.taken, p.by)
	}
}

func TestPlacesUnderLoad(t *testing.T) {
	t.Parallel()
	p := newPlaces(3, 100)
	var inside, most, done atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			leave := p.wait(t.Context(), "a", time.Minute)
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Millisecond)
			inside.Add(-1)
			leave()
			done.Add(1)
		})
	}
	all.Wait()
	p.await()
	if most.Load() > 3 || done.Load() != 50 || p.taken != 0 {
		t.Errorf("%d at a time, %d done, %d taken", most.Load(), done.Load(), p.taken)
	}
}
