package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tradepost/processes/queue"
	"tradepost/tracking"
)

// claimLimit bounds one Claim.
const claimLimit = 100

// Claim implements queue.Store. The clock is the database's.
func (s *Store) Claim(ctx context.Context, owner string, n int, lease time.Duration) ([]*queue.Job, error) {
	const what = "claim jobs"
	n = min(n, claimLimit)
	if n <= 0 {
		return nil, nil
	}
	due, err := s.anyDue(ctx)
	if err != nil || !due {
		return nil, err
	}
	var jobs []*queue.Job
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		jobs = nil
		names, err := selectAll(ctx, t.c, what, `select name from lane where due_at <= now_ms() and not paused order by due_at limit ?`+t.dialect.SkipLocked, scanName, n)
		if err != nil || len(names) == 0 {
			return err
		}
		lanes := anyOf(names)
		jobs, err = selectAll(ctx, t.c, what, `update job set state = 'claimed', attempt = attempt + 1, fence = fence + 1, owner = ?, lease_until = now_ms() + ?
			where id in (select (`+headOf+`lane.name order by seq limit 1) from lane where lane.name in (`+list(len(lanes))+`))
			returning `+jobColumns, scanJob, append([]any{owner, lease}, lanes...)...)
		if err != nil {
			return err
		}
		return t.exec(ctx, what, setDue+` where name in (`+list(len(lanes))+`)`, lanes...)
	})
	return jobs, err
}

// anyDue tells, without writing, whether a Claim could find something.
func (s *Store) anyDue(ctx context.Context) (bool, error) {
	var due bool
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		var err error
		_, due, err = selectOne(ctx, c, "look for due lanes", `select 1 from lane where due_at <= now_ms() and not paused limit 1`, scanInt)
		return err
	})
	return due, err
}

func scanName(r Rows) (string, error) {
	var name string
	err := r.Scan(&name)
	return name, err
}

// Extend implements queue.Store.
func (s *Store) Extend(ctx context.Context, j *queue.Job, lease time.Duration) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		what := fmt.Sprintf("extend the lease of job %d of lane %s", j.ID, j.Lane)
		if err := t.lockLane(ctx, what, j.Lane); err != nil {
			return err
		}
		until, found, err := selectOne(ctx, t.c, what, `update job set lease_until = now_ms() + ? where `+held+` returning lease_until`, scanTime, lease, j.ID, j.Owner, j.Fence)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%s: %w", what, queue.ErrLeaseLost)
		}
		j.LeaseUntil = until
		return t.exec(ctx, what, setDue+` where name = ?`, j.Lane)
	})
}

func scanTime(r Rows) (time.Time, error) {
	var t time.Time
	err := r.Scan(asTime{&t})
	return t, err
}

// Release implements queue.Store.
func (s *Store) Release(ctx context.Context, owner string) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		const what = "release jobs"
		names, err := selectAll(ctx, t.c, what, `select name from lane where name in (select lane from job where owner = ? and state = 'claimed') order by name`+t.dialect.Lock, scanName, owner)
		if err != nil {
			return err
		}
		for _, name := range names {
			err := t.exec(ctx, what, `update job set state = 'ready', owner = '', lease_until = 0 where lane = ? and owner = ? and state = 'claimed'`, name, owner)
			if err != nil {
				return err
			}
			if err := t.exec(ctx, what, setDue+` where name = ?`, name); err != nil {
				return err
			}
			t.work = true
		}
		return nil
	})
}

// Lanes implements queue.Store, in the order of their names.
func (s *Store) Lanes(ctx context.Context) ([]queue.Lane, error) {
	var lanes []queue.Lane
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		const what = "lanes"
		var err error
		lanes, err = selectAll(ctx, c, what, `select lane.name, lane.paused,
			coalesce((select count(*) from job where job.lane = lane.name and job.state <> 'dead'), 0) as waiting,
			coalesce((select count(*) from job where job.lane = lane.name and job.state = 'dead'), 0) as dead
			from lane where lane.paused or exists (select 1 from job where job.lane = lane.name) order by lane.name`,
			func(r Rows) (l queue.Lane, err error) {
				err = r.Scan(&l.Name, &l.Paused, &l.Waiting, &l.Dead)
				return l, err
			})
		if err != nil {
			return err
		}
		heads, err := selectAll(ctx, c, what, `select `+jobColumns+` from job where id in (select (`+headOf+`lane.name order by seq limit 1) from lane)`, scanJob)
		if err != nil {
			return err
		}
		head := make(map[string]*queue.Job, len(heads))
		for _, j := range heads {
			head[j.Lane] = j
		}
		for i := range lanes {
			lanes[i].Head = head[lanes[i].Name]
		}
		return nil
	})
	return lanes, err
}

// PauseLane implements queue.Store. A lane may be paused before it has a job.
func (s *Store) PauseLane(ctx context.Context, lane string, paused bool) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		t.work = !paused
		return t.exec(ctx, "pause lane "+lane, `insert into lane (name, seq, paused, due_at) values (?, 0, ?, null)
			on conflict (name) do update set paused = excluded.paused`, lane, paused)
	})
}

// DeadJobs implements queue.Store.
func (s *Store) DeadJobs(ctx context.Context, limit int) ([]*queue.Job, error) {
	var jobs []*queue.Job
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		var err error
		jobs, err = selectAll(ctx, c, "dead letters", `select `+jobColumns+` from job where state = 'dead' order by id desc limit ?`, scanJob, pageLimit(limit))
		return err
	})
	return jobs, err
}

// ReviveJob implements queue.Store. The job's attempts are counted anew.
func (s *Store) ReviveJob(ctx context.Context, id int64) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		what := fmt.Sprintf("revive job %d", id)
		lane, found, err := selectOne(ctx, t.c, what, `select lane from job where id = ? and state = 'dead'`, scanName, id)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%s: no dead letter has this id: %w", what, tracking.ErrNotFound)
		}
		seq, err := t.nextSeq(ctx, what, lane, s.now())
		if err != nil {
			return err
		}
		_, found, err = selectOne(ctx, t.c, what, `update job set state = 'ready', seq = ?, attempt = 0, run_at = now_ms() where id = ? and state = 'dead' returning id`, scanInt, seq, id)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%s: somebody else was faster: %w", what, tracking.ErrNotFound)
		}
		t.work = true
		return t.exec(ctx, what, setDue+` where name = ?`, lane)
	})
}
