package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tradepost/processes/queue"
)

// A lane's row says in due_at from when on its head can be claimed: the head's
// run_at while it is ready, the end of its lease while it is claimed, null when
// the lane has no job to work. Whoever changes a job locks the lane's row first
// and in a statement of its own: under READ COMMITTED the next statement then
// sees everything that was committed before the lock was granted, which the
// locking statement itself does not.

// jobColumns lists what scanJob reads, of table job without an alias.
const jobColumns = `id, lane, seq, kind, args, state, attempt, run_at, lease_until, owner, fence, last_error, created_at`

func scanJob(r Rows) (*queue.Job, error) {
	j := new(queue.Job)
	err := r.Scan(&j.ID, &j.Lane, &j.Seq, &j.Kind, asRaw{&j.Args}, (*string)(&j.State), &j.Attempt, asTime{&j.RunAt}, asTime{&j.LeaseUntil}, &j.Owner, &j.Fence, &j.LastError, asTime{&j.CreatedAt})
	return j, err
}

// headOf selects the job that holds the lane named by the column after it.
const headOf = `select id from job where state <> 'dead' and job.lane = `

// setDue recomputes due_at; a where clause follows.
const setDue = `update lane set due_at = (select case job.state when 'ready' then job.run_at else job.lease_until end
	from job where job.state <> 'dead' and job.lane = lane.name order by job.seq limit 1)`

// held is the condition under which a worker still holds a job.
const held = `id = ? and state = 'claimed' and owner = ? and fence = ?`

// Enqueue implements queue.Tx.
func (t *tx) Enqueue(ctx context.Context, j *queue.Job) error {
	what := fmt.Sprintf("enqueue job %d in lane %s", j.ID, j.Lane)
	seq, err := t.nextSeq(ctx, what, j.Lane, j.RunAt)
	if err != nil {
		return err
	}
	j.Seq, j.State = seq, queue.Ready
	t.work = true
	due, args := t.due(j.RunAt)
	args = append([]any{j.ID, j.Lane, j.Seq, j.Kind, j.Args, j.State, j.Attempt}, args...)
	return t.exec(ctx, what, `insert into job (id, lane, seq, kind, args, state, attempt, run_at, lease_until, owner, fence, last_error, created_at)
		values (?, ?, ?, ?, ?, ?, ?, `+due+`, 0, '', ?, ?, ?)`, append(args, j.Fence, j.LastError, j.CreatedAt)...)
}

// due is the column form of a time before which a job must not run. What the
// application's clock calls due is due by the database's clock too, also when
// that one is behind.
func (t *tx) due(at time.Time) (expr string, args []any) {
	if at.After(t.now()) {
		return `?`, []any{at}
	}
	return `case when ? < now_ms() then ? else now_ms() end`, []any{at, at}
}

// nextSeq locks the lane, takes its next number, and makes the lane due at
// runAt when nothing else holds it.
func (t *tx) nextSeq(ctx context.Context, what, lane string, runAt time.Time) (int64, error) {
	due, args := t.due(runAt)
	seq, found, err := selectOne(ctx, t.c, what, `insert into lane (name, seq, paused, due_at) values (?, 1, false, `+due+`)
		on conflict (name) do update set seq = lane.seq + 1, due_at = coalesce(lane.due_at, excluded.due_at)
		returning seq`, scanInt, append([]any{lane}, args...)...)
	if err == nil && !found {
		err = fmt.Errorf("%s: the lane gave no number", what)
	}
	return seq, err
}

// lockLane locks a lane until the transaction ends. SQLite has one writer.
func (t *tx) lockLane(ctx context.Context, what, lane string) error {
	if t.dialect.Lock == "" {
		return nil
	}
	return t.exec(ctx, what, `select name from lane where name = ?`+t.dialect.Lock, lane)
}

// changeHeld locks the lane of j, then runs a statement that returns the id of
// the job when the caller still held it.
func (t *tx) changeHeld(ctx context.Context, j *queue.Job, verb, sql string, args ...any) error {
	what := fmt.Sprintf("%s job %d of lane %s", verb, j.ID, j.Lane)
	if err := t.lockLane(ctx, what, j.Lane); err != nil {
		return err
	}
	_, found, err := selectOne(ctx, t.c, what, sql, scanInt, args...)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s: %w", what, queue.ErrLeaseLost)
	}
	return nil
}

// HoldJob implements queue.Tx.
func (t *tx) HoldJob(ctx context.Context, j *queue.Job) error {
	return t.changeHeld(ctx, j, "hold", `select id from job where `+held, j.ID, j.Owner, j.Fence)
}

// FinishJob implements queue.Tx.
func (t *tx) FinishJob(ctx context.Context, j *queue.Job) error {
	return t.leave(ctx, j, "finish", `delete from job where `+held+` returning id`, j.ID, j.Owner, j.Fence)
}

// RetryJob implements queue.Tx.
func (t *tx) RetryJob(ctx context.Context, j *queue.Job, at time.Time, reason string) error {
	return t.leave(ctx, j, "retry", `update job set state = 'ready', run_at = ?, owner = '', lease_until = 0, last_error = ? where `+held+` returning id`,
		at, reason, j.ID, j.Owner, j.Fence)
}

// BuryJob implements queue.Tx.
func (t *tx) BuryJob(ctx context.Context, j *queue.Job, reason string) error {
	return t.leave(ctx, j, "bury", `update job set state = 'dead', owner = '', lease_until = 0, last_error = ? where `+held+` returning id`,
		reason, j.ID, j.Owner, j.Fence)
}

// leave changes a held job so that its worker holds it no longer.
func (t *tx) leave(ctx context.Context, j *queue.Job, verb, sql string, args ...any) error {
	if err := t.changeHeld(ctx, j, verb, sql, args...); err != nil {
		return err
	}
	t.work = true
	return t.exec(ctx, verb+" job", setDue+` where name = ?`, j.Lane)
}
