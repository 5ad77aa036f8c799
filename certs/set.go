package certs

import (
	"crypto/x509"
	"sort"
	"time"
)

// Purpose is what a certificate is used for. The two sides of AS2 content and
// the transport are kept apart (draft rfc4130bis).
type Purpose string

// The purposes. An Entry without purposes serves Sign and Encrypt.
const (
	Sign    Purpose = "sign"
	Encrypt Purpose = "encrypt"
	TLS     Purpose = "tls"
)

// Entry is one certificate of a Set.
type Entry struct {
	Certificate *x509.Certificate
	// Purposes lists what it is used for; empty is Sign and Encrypt.
	Purposes []Purpose
	// GoLive is when sending switches to it; the zero time is NotBefore.
	GoLive time.Time
	// Retire is when it is no longer accepted, even if still valid; the zero
	// time is NotAfter.
	Retire time.Time
	// Source says where it came from, for people: the name of a file. Nothing
	// is decided by it.
	Source string
}

// Live is when the entry begins to be chosen for sending.
func (e Entry) Live() time.Time {
	if e.GoLive.After(e.Certificate.NotBefore) {
		return e.GoLive
	}
	return e.Certificate.NotBefore
}

// End is when the entry ceases to be used at all.
func (e Entry) End() time.Time {
	if !e.Retire.IsZero() && e.Retire.Before(e.Certificate.NotAfter) {
		return e.Retire
	}
	return e.Certificate.NotAfter
}

// Serves reports whether the entry is for purpose p.
func (e Entry) Serves(p Purpose) bool {
	if len(e.Purposes) == 0 {
		return p == Sign || p == Encrypt
	}
	for _, q := range e.Purposes {
		if q == p {
			return true
		}
	}
	return false
}

// Set is the certificates of one party, in any order.
type Set []Entry

// ForSending chooses the certificate to sign with or encrypt to at time t: of
// those live and not ended the one that went live last, and of equals the one
// that lasts longest. ErrNoneValid when there is none.
func (s Set) ForSending(p Purpose, t time.Time) (Entry, error) {
	var best *Entry
	for i := range s {
		e := &s[i]
		if !e.Serves(p) || t.Before(e.Live()) || !t.Before(e.End()) {
			continue
		}
		if best == nil || e.Live().After(best.Live()) ||
			e.Live().Equal(best.Live()) && e.End().After(best.End()) {
			best = e
		}
	}
	if best == nil {
		return Entry{}, ErrNoneValid
	}
	return *best, nil
}

// ForVerifying lists all that are acceptable at time t: within their validity
// and not retired, whether they are live yet or not, since the other side may
// switch first. The order is the newest go-live first.
func (s Set) ForVerifying(p Purpose, t time.Time) []Entry {
	var out []Entry
	for _, e := range s {
		if e.Serves(p) && !t.Before(e.Certificate.NotBefore) && t.Before(e.End()) {
			out = append(out, e)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Live().After(out[j].Live()) })
	return out
}

// ForReading lists all that something made for this party may need: those for
// purpose p that are not retired, also when their validity is over or has not
// begun, since refusing what the other side encrypted helps nobody. The one live
// at t comes first, then the newest go-live.
func (s Set) ForReading(p Purpose, t time.Time) []Entry {
	var out []Entry
	for _, e := range s {
		if e.Serves(p) && (e.Retire.IsZero() || t.Before(e.Retire)) {
			out = append(out, e)
		}
	}
	live, err := s.ForSending(p, t)
	sort.SliceStable(out, func(i, j int) bool {
		if err == nil {
			if first := out[i].same(live); first != out[j].same(live) {
				return first
			}
		}
		return out[i].Live().After(out[j].Live())
	})
	return out
}

// same reports whether two entries are about one certificate.
func (e Entry) same(o Entry) bool { return e.Certificate.Equal(o.Certificate) }

// Standing says what an entry is to its Set at a moment.
type Standing string

// The standings.
const (
	Live  Standing = "live"  // chosen for sending
	Next  Standing = "next"  // accepted as soon as it is valid; sending switches to it later
	Old   Standing = "old"   // still accepted; sending uses another
	Ended Standing = "ended" // past its validity or retired
)

// Standing tells what e, an entry of s, is at t.
func (s Set) Standing(e Entry, t time.Time) Standing {
	if !t.Before(e.End()) {
		return Ended
	}
	if t.Before(e.Live()) {
		return Next
	}
	for _, p := range []Purpose{Sign, Encrypt, TLS} {
		if live, err := s.ForSending(p, t); err == nil && e.Serves(p) && live.same(e) {
			return Live
		}
	}
	return Old
}

// Switch is a change of the certificate that sending uses.
type Switch struct {
	At      time.Time
	Purpose Purpose
	To      Entry
}

// Switches lists when sending changes to another certificate between after
// (left out) and until (included), in the order of time.
func (s Set) Switches(after, until time.Time) []Switch {
	var out []Switch
	for _, p := range []Purpose{Sign, Encrypt, TLS} {
		var at []time.Time // moments at which the choice can change
		for _, e := range s {
			if e.Serves(p) {
				at = append(at, e.Live(), e.End())
			}
		}
		sort.Slice(at, func(i, j int) bool { return at[i].Before(at[j]) })
		last, err := s.ForSending(p, after)
		known := err == nil
		for _, t := range at {
			if !t.After(after) || t.After(until) {
				continue
			}
			now, err := s.ForSending(p, t)
			if err == nil && (!known || !now.same(last)) {
				out = append(out, Switch{At: t, Purpose: p, To: now})
				last, known = now, true
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.Before(out[j].At) })
	return out
}

// Warning tells that a certificate ends soon.
type Warning struct {
	Entry Entry
	// Left is the time until the end; not positive when it has ended.
	Left time.Duration
	// Days is the warning threshold reached: the smallest of the thresholds
	// that is not below the days left, 0 when ended.
	Days int
	// Covered is true when another entry for the same purposes goes live
	// before this one ends and outlasts it.
	Covered bool
}

// DefaultThresholds are the days before the end at which to warn.
func DefaultThresholds() []int { return []int{60, 30, 14, 7, 1} }

// Expiring lists the certificates that end within the largest of the
// thresholds (days), those that have ended included, soonest first. No
// thresholds means DefaultThresholds.
func (s Set) Expiring(t time.Time, thresholds ...int) []Warning {
	if len(thresholds) == 0 {
		thresholds = DefaultThresholds()
	}
	days := append([]int(nil), thresholds...)
	sort.Ints(days)
	var out []Warning
	for i, e := range s {
		left := e.End().Sub(t)
		w := Warning{Entry: e, Left: left, Covered: s.covered(i)}
		if left > 0 {
			reached := false
			for _, d := range days {
				if left <= time.Duration(d)*24*time.Hour {
					w.Days, reached = d, true
					break
				}
			}
			if !reached {
				continue
			}
		}
		out = append(out, w)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Left < out[j].Left })
	return out
}

// covered reports whether another entry takes over from s[i] without a gap.
func (s Set) covered(i int) bool {
	for _, p := range []Purpose{Sign, Encrypt, TLS} {
		if !s[i].Serves(p) {
			continue
		}
		found := false
		for j, e := range s {
			if j != i && e.Serves(p) && !e.Live().After(s[i].End()) && e.End().After(s[i].End()) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
