package processes

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tradepost/processes/queue"
	"tradepost/tracking"
)

// mostDead bounds how many dead letters one Retry looks through.
const mostDead = 10_000

// LaneRequest is what somebody asks of the queue.
type LaneRequest struct {
	Actor   string // who asks
	Comment string // why, in their words; may be empty
}

// NoDeadLetterError tells that an id is of no dead letter; it is
// tracking.ErrNotFound.
type NoDeadLetterError struct{ ID tracking.ID }

func (e *NoDeadLetterError) Error() string { return fmt.Sprintf("there is no dead letter %s", e.ID) }

// Unwrap makes it tracking.ErrNotFound.
func (e *NoDeadLetterError) Unwrap() error { return tracking.ErrNotFound }

// PauseLane stops the taking of work from a lane, or lets it go on, and records
// who asked for it. The job in hand is finished.
func (o *Operations) PauseLane(ctx context.Context, lane string, paused bool, r LaneRequest) error {
	if err := o.Store.PauseLane(ctx, lane, paused); err != nil {
		return err
	}
	kind, what := tracking.EventLaneResumed, "resumed"
	if paused {
		kind, what = tracking.EventLanePaused, "paused"
	}
	return o.note(ctx, &tracking.Event{Kind: kind, Text: fmt.Sprintf("lane %s %s", lane, what)}, r)
}

// Retry puts dead letters back as the last of their lanes, in the order given,
// and records who asked for it in the history of what they work on. No ids
// stand for every dead letter, oldest first. It returns how many were put back;
// the error is a *NoDeadLetterError, or the store's.
func (o *Operations) Retry(ctx context.Context, ids []int64, r LaneRequest) (int, error) {
	dead, err := o.Store.DeadJobs(ctx, mostDead)
	if err != nil {
		return 0, err
	}
	known := map[int64]*queue.Job{}
	for _, j := range dead {
		known[j.ID] = j
	}
	if len(ids) == 0 {
		slices.SortFunc(dead, func(a, b *queue.Job) int { return cmp.Compare(a.ID, b.ID) })
		for _, j := range dead {
			ids = append(ids, j.ID)
		}
	}
	for n, id := range ids {
		err := o.Store.ReviveJob(ctx, id)
		if errors.Is(err, tracking.ErrNotFound) {
			return n, &NoDeadLetterError{tracking.ID(id)}
		}
		if err != nil {
			return n, err
		}
		e := &tracking.Event{Kind: tracking.EventJobRetried, Text: "a dead letter is tried again"}
		if j := known[id]; j != nil {
			e.Text = "given up in lane " + j.Lane + ", and to be tried again"
			if err := o.subject(ctx, j, e); err != nil {
				return n + 1, err
			}
		}
		if err := o.note(ctx, e, r); err != nil {
			return n + 1, err
		}
	}
	return len(ids), nil
}

// subject fills in what a job works on.
func (o *Operations) subject(ctx context.Context, j *queue.Job, e *tracking.Event) error {
	var args jobArgs
	if json.Unmarshal(j.Args, &args) != nil || args.Run == 0 {
		return nil // no job of a run: the lane says enough
	}
	return o.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		run, err := tx.Run(ctx, args.Run)
		if errors.Is(err, tracking.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		e.DocumentID, e.TransmissionID, e.Partner = run.DocumentID, run.TransmissionID, run.Partner
		return nil
	})
}

// note records an event of the queue with who asked and why.
func (o *Operations) note(ctx context.Context, e *tracking.Event, r LaneRequest) error {
	e.ID, e.At, e.Actor = o.IDs.Next(), o.Now(), r.Actor
	if r.Comment != "" {
		e.Text += ": " + r.Comment
	}
	return o.Store.Update(ctx, func(ctx context.Context, tx Tx) error { return tx.AppendEvent(ctx, e) })
}
