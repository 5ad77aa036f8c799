package auth

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Limits on failed sign-ins.
const (
	failWindow = 10 * time.Minute
	failMax    = 10    // failures of one address in the window before it must wait
	failPeers  = 10000 // addresses remembered; beyond that they share one count
)

// limiter counts failed sign-ins by address in windows of fixed length.
type limiter struct {
	now func() time.Time

	mu    sync.Mutex
	peers map[netip.Prefix]*failures
}

type failures struct {
	from  time.Time
	count int
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, peers: map[netip.Prefix]*failures{}}
}

// wait tells how long the address must wait before it may try again.
func (l *limiter) wait(remote string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.peers[l.key(remote)]
	if f == nil || f.count < failMax {
		return 0
	}
	return max(0, f.from.Add(failWindow).Sub(l.now()))
}

// fail counts one failure of the address.
func (l *limiter) fail(remote string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, now := l.key(remote), l.now()
	f := l.peers[key]
	if f == nil || now.Sub(f.from) >= failWindow {
		f = &failures{from: now}
		l.peers[key] = f
	}
	f.count++
}

// key is the address, or the /64 of an IPv6 one because a host owns all of
// that. When too many are remembered the old ones are dropped, and while all
// are young every new address falls on one shared key.
func (l *limiter) key(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	key, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	if _, known := l.peers[key]; known || len(l.peers) < failPeers {
		return key
	}
	now := l.now()
	for k, f := range l.peers {
		if now.Sub(f.from) >= failWindow {
			delete(l.peers, k)
		}
	}
	if len(l.peers) < failPeers {
		return key
	}
	return netip.Prefix{}
}
