package processes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"tradepost/processes/queue"
	"tradepost/tracking"
)

// Engine works the queue: it claims jobs, runs the steps of their runs and
// stores a checkpoint after each. It knows no EDI.
type Engine struct {
	c     EngineConfig
	slots chan struct{}
}

// EngineConfig is what an Engine needs. Zero Workers, Lease, Poll and Retry
// get the defaults named below; everything else is required.
type EngineConfig struct {
	Store       Store
	Steps       Steps
	Definitions Definitions
	IDs         *tracking.IDs
	Now         func() time.Time
	Owner       string        // names this worker in leases; unique per process start
	Workers     int           // runs worked side by side; default 8
	Lease       time.Duration // how long a dead worker's jobs stay unclaimed; default 4 s
	Poll        time.Duration // how often the queue is asked when no hint comes; default 1 s
	Retry       RetryPolicy
	Observe     Observer
}

// Observer is told what the engine does, for logs and metrics. Methods are
// called from many goroutines.
type Observer interface {
	// StepDone tells of one attempt at a step; err is nil when it succeeded.
	StepDone(run *Run, step string, took time.Duration, err error)
	// Trouble tells of a failure of the engine's own surroundings (store gone,
	// lease lost); it goes on by itself.
	Trouble(doing string, err error)
}

// NewEngine checks the definitions against the steps and returns an engine
// that waits for Run.
func NewEngine(c EngineConfig) (*Engine, error) {
	if err := c.Steps.Check(c.Definitions); err != nil {
		return nil, err
	}
	if c.Workers == 0 {
		c.Workers = 8
	}
	if c.Lease == 0 {
		c.Lease = 4 * time.Second
	}
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	if c.Retry == (RetryPolicy{}) {
		c.Retry = DefaultRetryPolicy()
	}
	return &Engine{c: c, slots: make(chan struct{}, c.Workers)}, nil
}

// Run works the queue until ctx ends, then lets every step in hand finish,
// gives back what is left and returns.
func (e *Engine) Run(ctx context.Context) error {
	var inHand sync.WaitGroup
	for ctx.Err() == nil {
		if n := e.claim(ctx, &inHand); n > 0 {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-e.c.Store.Wake():
		case <-time.After(e.c.Poll):
		}
	}
	inHand.Wait()
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := e.c.Store.Release(release, e.c.Owner); err != nil {
		return fmt.Errorf("give back unfinished jobs: %w", err)
	}
	return nil
}

// claim takes as many jobs as there are free workers and starts them. It
// returns how many it started.
func (e *Engine) claim(ctx context.Context, inHand *sync.WaitGroup) int {
	select { // wait for one free worker
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	free := 1
	for free < e.c.Workers {
		select {
		case e.slots <- struct{}{}:
			free++
			continue
		default:
		}
		break
	}
	jobs, err := e.c.Store.Claim(ctx, e.c.Owner, free, e.c.Lease)
	if err != nil {
		if ctx.Err() == nil {
			e.c.Observe.Trouble("claim jobs", err)
		}
		jobs = nil
	}
	for range free - len(jobs) {
		<-e.slots
	}
	for _, job := range jobs {
		inHand.Go(func() {
			defer func() { <-e.slots }()
			e.work(ctx, job)
		})
	}
	return len(jobs)
}

// work carries one job on until its run is done, must wait, or is given up, or
// the engine is to stop.
func (e *Engine) work(ctx context.Context, job *queue.Job) {
	stopHeartbeat := e.heartbeat(ctx, job)
	defer stopHeartbeat()
	// A step in hand is finished even when the engine is to stop.
	work := context.WithoutCancel(ctx)
	x, def, err := e.load(work, job)
	if err != nil {
		e.c.Observe.Trouble(fmt.Sprintf("load the run of job %d", job.ID), err)
		e.giveBack(work, job, err)
		return
	}
	for x.Run.Cursor < len(def.Steps) {
		if ctx.Err() != nil {
			return // Release gives the job back; the checkpoint is stored
		}
		if !e.step(work, job, x, def) {
			return
		}
	}
}

// load reads the run of a job and its definition.
func (e *Engine) load(ctx context.Context, job *queue.Job) (*Execution, *Definition, error) {
	var args jobArgs
	if job.Kind != jobKindRun {
		return nil, nil, Permanent(fmt.Errorf("jobs of kind %q are unknown to this version", job.Kind))
	}
	if err := json.Unmarshal(job.Args, &args); err != nil {
		return nil, nil, Permanent(fmt.Errorf("job arguments: %w", err))
	}
	var run *Run
	err := e.c.Store.Update(ctx, func(ctx context.Context, tx Tx) (err error) {
		run, err = tx.Run(ctx, args.Run)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	def, err := e.c.Definitions.Of(run)
	if err != nil {
		return nil, nil, Permanent(err)
	}
	run.Version = def.Version
	if run.Cursor >= len(def.Steps) {
		return nil, nil, Permanent(fmt.Errorf("run %s stands at step %d, but process %s has %d", run.ID, run.Cursor+1, def.Name, len(def.Steps)))
	}
	return &Execution{Run: run, Memo: map[string]any{}}, def, nil
}

// step runs the step at the run's cursor and stores what came of it. It
// returns true when the next step may follow at once.
func (e *Engine) step(ctx context.Context, job *queue.Job, x *Execution, def *Definition) bool {
	ref := def.Steps[x.Run.Cursor]
	step := e.c.Steps[ref.Step]
	attempt := x.Run.Attempt + 1
	record := &StepRecord{ID: e.c.IDs.Next(), RunID: x.Run.ID, Step: ref.Step, Attempt: attempt, StartedAt: e.c.Now()}
	result, err := runStep(ctx, step, x)
	if err == nil {
		record.EndedAt, record.Outcome, record.Detail = e.c.Now(), "done", result.Detail
		err = e.checkpoint(ctx, job, x, def, result, record)
	}
	e.c.Observe.StepDone(x.Run, ref.Step, e.c.Now().Sub(record.StartedAt), err)
	if err == nil {
		return true
	}
	if errors.Is(err, queue.ErrLeaseLost) {
		e.c.Observe.Trouble(fmt.Sprintf("store step %s of run %s", ref.Step, x.Run.ID), err)
		return false // somebody else has it now
	}
	record.EndedAt, record.Detail = e.c.Now(), err.Error()
	if stored := e.failed(ctx, job, x, step, record, attempt, err); stored != nil && !errors.Is(stored, queue.ErrLeaseLost) {
		// Nothing could be stored: the lease runs out and the step is run again.
		e.c.Observe.Trouble(fmt.Sprintf("store the failure of step %s of run %s", ref.Step, x.Run.ID), stored)
	}
	return false
}

// runStep turns a panic into an error: one document that trips a fault of ours
// must not take the station down.
func runStep(ctx context.Context, s Step, x *Execution) (r Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("step %s panicked: %v\n%s", s.Name(), p, debug.Stack())
		}
	}()
	return s.Run(ctx, x)
}

// checkpoint stores the effects of a step, the run's new cursor and the step's
// record in one database transaction; with the last step the job is finished.
func (e *Engine) checkpoint(ctx context.Context, job *queue.Job, x *Execution, def *Definition, result Result, record *StepRecord) error {
	next := *x.Run
	next.Cursor++
	next.Attempt, next.Error, next.State, next.UpdatedAt = 0, "", RunReady, e.c.Now()
	last := next.Cursor == len(def.Steps)
	if last {
		next.State = RunDone
	}
	err := e.c.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		hold := tx.HoldJob
		if last {
			hold = tx.FinishJob
		}
		if err := hold(ctx, job); err != nil {
			return err
		}
		if result.Commit != nil {
			if err := result.Commit(ctx, tx); err != nil {
				return err
			}
		}
		if err := tx.UpdateRun(ctx, &next); err != nil {
			return err
		}
		return tx.InsertStepRecord(ctx, record)
	})
	if err == nil {
		*x.Run = next
	}
	return err
}

// failed stores a failed attempt: the job waits for its next try, or the run
// is given up and the job becomes a dead letter.
func (e *Engine) failed(ctx context.Context, job *queue.Job, x *Execution, step Step, record *StepRecord, attempt int, reason error) error {
	next := *x.Run
	next.Attempt, next.Error, next.UpdatedAt = attempt, reason.Error(), e.c.Now()
	at, again := e.c.Retry.next(x.Run, attempt, e.c.Now(), reason)
	return e.c.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		if again {
			next.State, record.Outcome = RunWaiting, "retry"
			if err := tx.RetryJob(ctx, job, at, reason.Error()); err != nil {
				return err
			}
			if r, ok := step.(Retrier); ok {
				if err := r.Retried(ctx, tx, x, reason, at); err != nil {
					return err
				}
			}
		} else {
			next.State, record.Outcome = RunFailed, "failed"
			if err := tx.BuryJob(ctx, job, reason.Error()); err != nil {
				return err
			}
			if f, ok := step.(Failer); ok {
				if err := f.Failed(ctx, tx, x, reason); err != nil {
					return err
				}
			}
		}
		if err := tx.UpdateRun(ctx, &next); err != nil {
			return err
		}
		return tx.InsertStepRecord(ctx, record)
	})
}

// giveBack returns a job whose run could not even be loaded.
func (e *Engine) giveBack(ctx context.Context, job *queue.Job, reason error) {
	err := e.c.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		if isPermanent(reason) || errors.Is(reason, tracking.ErrNotFound) {
			return tx.BuryJob(ctx, job, reason.Error())
		}
		return tx.RetryJob(ctx, job, e.c.Now().Add(e.c.Retry.First), reason.Error())
	})
	if err != nil {
		e.c.Observe.Trouble(fmt.Sprintf("give back job %d", job.ID), err)
	}
}

// heartbeat extends the lease of a job while it is worked: a large transfer
// may take hours, and yet a dead worker's jobs are free again within a lease.
func (e *Engine) heartbeat(ctx context.Context, job *queue.Job) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(e.c.Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := e.c.Store.Extend(ctx, job, e.c.Lease); err != nil && ctx.Err() == nil {
				e.c.Observe.Trouble(fmt.Sprintf("extend the lease of job %d", job.ID), err)
				if errors.Is(err, queue.ErrLeaseLost) {
					return
				}
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}
