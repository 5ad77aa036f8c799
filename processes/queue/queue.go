// Package queue is the durable queue: jobs in lanes, kept in the same
// database as the documents and enqueued in the same database transaction.
//
// A lane is worked strictly first in, first out, one job at a time; different
// lanes run beside each other. A job that is to be tried again later holds its
// lane, because what is behind it must not overtake it; a job that is given up
// becomes a dead letter with a reason and lets the lane go on. A worker holds a
// claimed job by a lease that it extends while it works; when it dies, the
// lease runs out and the job is claimed again, with a higher fence, so that a
// worker that was only slow can no longer finish it.
//
// The package owns its store interface and imports nothing of ours.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// JobState is where a job stands. A finished job is removed.
type JobState string

// States of a job.
const (
	Ready   JobState = "ready"   // waits for its turn and for RunAt
	Claimed JobState = "claimed" // a worker holds it until LeaseUntil
	Dead    JobState = "dead"    // given up; waits for a person
)

// Job is one piece of work.
type Job struct {
	ID         int64           `json:"id"`   // made by the application; its String form is of no concern here
	Lane       string          `json:"lane"` // "process/PARTNER", "deliver/CONNECTION"
	Seq        int64           `json:"seq"`  // order in the lane, given by the store at Enqueue under the lane's lock
	Kind       string          `json:"kind"` // "run"
	Args       json.RawMessage `json:"args"`
	State      JobState        `json:"state"`
	Attempt    int             `json:"attempt"` // claims so far; after Claim it counts the present one
	RunAt      time.Time       `json:"runAt"`   // not before
	LeaseUntil time.Time       `json:"leaseUntil,omitzero"`
	Owner      string          `json:"owner,omitempty"` // the worker that holds it
	Fence      int64           `json:"-"`               // grows with every claim of the job
	LastError  string          `json:"lastError,omitempty"`
	CreatedAt  time.Time       `json:"createdAt"`
}

// ErrLeaseLost is returned (wrapped) when a worker finishes or extends a job
// that it no longer holds. Its database transaction must be given up.
var ErrLeaseLost = errors.New("the lease of the job was lost to another worker")

// Tx is what the queue does inside somebody's database transaction.
type Tx interface {
	// Enqueue adds the job as the last of its lane and fills Seq.
	Enqueue(ctx context.Context, j *Job) error
	// HoldJob makes sure, and keeps sure until the database transaction ends,
	// that the caller still holds the job, or returns ErrLeaseLost. It goes with
	// every checkpoint that does not finish the job.
	HoldJob(ctx context.Context, j *Job) error
	// FinishJob removes a job that the caller holds, or returns ErrLeaseLost.
	FinishJob(ctx context.Context, j *Job) error
	// RetryJob gives a held job back: it stays first of its lane and is not
	// claimed before at.
	RetryJob(ctx context.Context, j *Job, at time.Time, reason string) error
	// BuryJob makes a held job a dead letter and lets its lane go on.
	BuryJob(ctx context.Context, j *Job, reason string) error
}

// Store is the queue's side of the database.
type Store interface {
	// Claim takes up to n jobs that are first of their lane, due, and held by
	// nobody (or whose lease ran out), from lanes that are not paused.
	Claim(ctx context.Context, owner string, n int, lease time.Duration) ([]*Job, error)
	// Extend prolongs the lease of a held job, or returns ErrLeaseLost.
	Extend(ctx context.Context, j *Job, lease time.Duration) error
	// Release gives back every job the owner holds, at once; for a clean stop.
	Release(ctx context.Context, owner string) error
	// Lanes lists the lanes that have jobs or are paused.
	Lanes(ctx context.Context) ([]Lane, error)
	// PauseLane stops or resumes claims from a lane.
	PauseLane(ctx context.Context, lane string, paused bool) error
	// DeadJobs lists dead letters, newest first.
	DeadJobs(ctx context.Context, limit int) ([]*Job, error)
	// ReviveJob puts a dead letter back as the last of its lane, due at once.
	ReviveJob(ctx context.Context, id int64) error
	// Wake returns a channel that gets a value when new work may be there; a
	// hint only: the truth is the next Claim.
	Wake() <-chan struct{}
}

// Lane is the state of one lane.
type Lane struct {
	Name    string `json:"name"`
	Waiting int    `json:"waiting"` // ready and claimed jobs
	Dead    int    `json:"dead"`
	Paused  bool   `json:"paused"`
	Head    *Job   `json:"head,omitempty"` // the job that holds the lane
}
