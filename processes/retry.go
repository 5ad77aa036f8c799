package processes

import (
	"errors"
	"math/rand/v2"
	"time"
)

// RetryPolicy says how long to wait before a step is tried again and when to
// give up.
type RetryPolicy struct {
	First  time.Duration // delay after the first failure; doubled after each further one
	Max    time.Duration // the longest delay
	GiveUp time.Duration // after this long since the run began, the next failure is final
}

// DefaultRetryPolicy waits 2 s, 4 s, 8 s ... up to 20 minutes, for two days.
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{First: 2 * time.Second, Max: 20 * time.Minute, GiveUp: 48 * time.Hour}
}

// next decides about a failed attempt: when to try again, or that it is over.
// The delay carries up to 20 % of jitter so that lanes that failed together do
// not come back together.
func (p RetryPolicy) next(run *Run, attempt int, now time.Time, err error) (at time.Time, again bool) {
	if isPermanent(err) || now.Sub(run.CreatedAt) > p.GiveUp {
		return time.Time{}, false
	}
	var r *retryError
	if errors.As(err, &r) {
		return now.Add(r.after), true
	}
	delay := p.Max
	if attempt < 30 {
		delay = min(p.First<<(attempt-1), p.Max)
	}
	jitter := time.Duration(rand.Int64N(int64(delay)/5 + 1)) //nolint:gosec // spreads load, guards nothing
	return now.Add(delay + jitter), true
}
