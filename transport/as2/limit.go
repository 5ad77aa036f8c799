package as2

import (
	"container/list"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// limiter slows down sources whose requests are refused again and again:
// guessing keys, or feeding hostile input, costs us public key operations.
// Each source has a bucket that every refusal takes from and time fills. It
// remembers a fixed number of sources and forgets the one longest quiet.
type limiter struct {
	perMinute int
	most      int
	now       func() time.Time

	mu      sync.Mutex
	buckets map[string]*list.Element
	recent  *list.List // of *bucket, latest first
}

type bucket struct {
	source string
	left   float64
	at     time.Time
}

func newLimiter(perMinute, most int, now func() time.Time) *limiter {
	return &limiter{perMinute: perMinute, most: most, now: now, buckets: map[string]*list.Element{}, recent: list.New()}
}

// wait tells how long a source has to wait; 0 when it may go on.
func (l *limiter) wait(source string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.buckets[source]
	if e == nil {
		return 0
	}
	b := l.fill(e)
	if b.left >= 1 {
		return 0
	}
	return time.Duration((1 - b.left) / float64(l.perMinute) * float64(time.Minute))
}

// refused takes from the bucket of a source.
func (l *limiter) refused(source string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.buckets[source]
	if e == nil {
		if l.recent.Len() >= l.most {
			oldest := l.recent.Back()
			delete(l.buckets, l.recent.Remove(oldest).(*bucket).source)
		}
		e = l.recent.PushFront(&bucket{source: source, left: float64(l.perMinute), at: l.now()})
		l.buckets[source] = e
	}
	b := l.fill(e)
	b.left = max(0, b.left-1)
	l.recent.MoveToFront(e)
}

// fill adds what time has brought.
func (l *limiter) fill(e *list.Element) *bucket {
	b := e.Value.(*bucket)
	now := l.now()
	if d := now.Sub(b.at); d > 0 {
		b.left = min(float64(l.perMinute), b.left+d.Minutes()*float64(l.perMinute))
	}
	b.at = now
	return b
}

// address4or6 reads an address with or without a port.
func address4or6(s string) (netip.Addr, error) {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	return netip.ParseAddr(strings.Trim(s, "[]"))
}

// source is whom an address belongs to: the address itself, or the /64 network
// of IPv6, which one customer has to himself.
func source(address string) string {
	a, err := address4or6(address)
	if err != nil {
		if host, _, err := net.SplitHostPort(address); err == nil {
			return host
		}
		return address
	}
	a = a.Unmap()
	if a.Is4() {
		return a.String()
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}
