package processes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradepost/tracking"
)

// Step is one kind of work a process can name. A step does its reading and
// computing in Run, outside of any database transaction, and hands back the
// effects as Result.Commit, which the engine stores together with the run's
// new checkpoint: either both are durable or neither, so a step whose process
// dies is simply run again.
//
// Errors steer the run: one made with Permanent gives the run up at once, one
// made with RetryAfter names the delay, every other is tried again with
// growing delays.
type Step interface {
	Name() string
	Run(ctx context.Context, x *Execution) (Result, error)
}

// Failer is a Step that has something to record when its run is given up, in
// the same database transaction: a document that becomes failed, an event.
type Failer interface {
	Failed(ctx context.Context, tx Tx, x *Execution, reason error) error
}

// Retrier is a Step that has something to record when an attempt failed and
// will be made again at the time given, in the same database transaction.
type Retrier interface {
	Retried(ctx context.Context, tx Tx, x *Execution, reason error, at time.Time) error
}

// Result of a step that succeeded.
type Result struct {
	// Commit stores the effects; nil when there are none. It may be called more
	// than once (see Store.Update).
	Commit func(ctx context.Context, tx Tx) error
	// Detail is one sentence for the step's record.
	Detail string
}

// Execution is what a step sees of the run it works for.
type Execution struct {
	Run *Run
	// Memo passes values between steps while the run stays in one worker's
	// hands; it is empty again after a restart, so a step must be able to make
	// anew what it looks up here.
	Memo map[string]any
}

// Subject returns the id the run is over.
func (x *Execution) Subject() tracking.ID {
	if x.Run.DocumentID != 0 {
		return x.Run.DocumentID
	}
	return x.Run.TransmissionID
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error that trying again cannot cure: the run is given up
// and waits for a person.
func Permanent(err error) error { return &permanentError{err} }

type retryError struct {
	err   error
	after time.Duration
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// RetryAfter asks for the step to be tried again after d.
func RetryAfter(err error, d time.Duration) error { return &retryError{err, d} }

// isPermanent tells whether err was marked by Permanent.
func isPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// Steps finds a step by its name.
type Steps map[string]Step

// NewSteps makes the table of the steps given, which need different names.
func NewSteps(steps ...Step) (Steps, error) {
	t := make(Steps, len(steps))
	for _, s := range steps {
		if _, taken := t[s.Name()]; taken {
			return nil, fmt.Errorf("two steps are named %q", s.Name())
		}
		t[s.Name()] = s
	}
	return t, nil
}

// Check makes sure that every step a definition names is there.
func (t Steps) Check(defs Definitions) error {
	for _, versions := range defs {
		for _, d := range versions {
			for i, ref := range d.Steps {
				if _, ok := t[ref.Step]; !ok {
					return fmt.Errorf("process %s, version %d, step %d: there is no step %q", d.Name, d.Version, i+1, ref.Step)
				}
			}
		}
	}
	return nil
}
