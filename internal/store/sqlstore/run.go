package sqlstore

import (
	"context"

	"tradepost/processes"
	"tradepost/tracking"
)

// runColumns lists what scanRun reads, of table alias r.
const runColumns = `r.id, r.process, r.version, r.parent_id, r.transmission_id, r.document_id, r.partner, r.state, r.step_index, r.vars, r.attempt, r.error, r.created_at, r.updated_at`

func scanRun(rows Rows) (*processes.Run, error) {
	r := new(processes.Run)
	err := rows.Scan((*int64)(&r.ID), &r.Process, &r.Version, (*int64)(&r.Parent), (*int64)(&r.TransmissionID), (*int64)(&r.DocumentID), &r.Partner,
		(*string)(&r.State), &r.Cursor, asRaw{&r.Vars}, &r.Attempt, &r.Error, asTime{&r.CreatedAt}, asTime{&r.UpdatedAt})
	return r, err
}

// InsertRun implements processes.Tx.
func (t *tx) InsertRun(ctx context.Context, r *processes.Run) error {
	return t.exec(ctx, "insert run "+r.ID.String(), `insert into run (id, process, version, parent_id, transmission_id, document_id, partner, state, step_index, vars, attempt, error, created_at, updated_at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Process, r.Version, r.Parent, r.TransmissionID, r.DocumentID, r.Partner, r.State, r.Cursor, r.Vars, r.Attempt, r.Error, r.CreatedAt, r.UpdatedAt)
}

// UpdateRun implements processes.Tx.
func (t *tx) UpdateRun(ctx context.Context, r *processes.Run) error {
	const what = "update run"
	err := t.execOne(ctx, what, r.ID, `update run set process = ?, version = ?, parent_id = ?, partner = ?, state = ?, step_index = ?, vars = ?, attempt = ?, error = ?, created_at = ?, updated_at = ?
		where id = ?`,
		r.Process, r.Version, r.Parent, r.Partner, r.State, r.Cursor, r.Vars, r.Attempt, r.Error, r.CreatedAt, r.UpdatedAt, r.ID)
	if err != nil {
		return err
	}
	return t.settle(ctx, what, "run", r.ID, "transmission_id, document_id", r.TransmissionID, r.DocumentID)
}

// Run implements processes.Tx.
func (t *tx) Run(ctx context.Context, id tracking.ID) (*processes.Run, error) {
	r, found, err := selectOne(ctx, t.c, "run", `select `+runColumns+` from run r where r.id = ?`+t.dialect.Lock, scanRun, id)
	if err == nil && !found {
		return nil, notFound("run", id)
	}
	return r, err
}

// stepColumns lists what scanStep reads, of table alias p.
const stepColumns = `p.id, p.run_id, p.step, p.attempt, p.started_at, p.ended_at, p.outcome, p.detail`

func scanStep(rows Rows) (processes.StepRecord, error) {
	var s processes.StepRecord
	err := rows.Scan((*int64)(&s.ID), (*int64)(&s.RunID), &s.Step, &s.Attempt, asTime{&s.StartedAt}, asTime{&s.EndedAt}, &s.Outcome, &s.Detail)
	return s, err
}

// InsertStepRecord implements processes.Tx. The step's run is there already.
func (t *tx) InsertStepRecord(ctx context.Context, s *processes.StepRecord) error {
	return t.exec(ctx, "insert step record "+s.ID.String(),
		`insert into run_step (id, run_id, step, attempt, started_at, ended_at, outcome, detail) values (?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, s.RunID, s.Step, s.Attempt, s.StartedAt, s.EndedAt, s.Outcome, s.Detail)
}

// runLimit bounds how many runs Runs returns.
const runLimit = 1000

// Runs implements processes.Store: the runs that have either the transmission
// or the document as their subject; a zero id selects none.
func (s *Store) Runs(ctx context.Context, transmission, document tracking.ID) ([]processes.RunView, error) {
	var views []processes.RunView
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		const what = "runs"
		runs, err := selectAll(ctx, c, what, `select `+runColumns+` from run r where r.id in (
			select id from run where transmission_id = ? and transmission_id <> 0
			union select id from run where document_id = ? and document_id <> 0)
			order by r.id limit ?`, scanRun, transmission, document, runLimit)
		if err != nil || len(runs) == 0 {
			return err
		}
		views = make([]processes.RunView, len(runs))
		at := make(map[tracking.ID]int, len(runs))
		ids := make([]tracking.ID, len(runs))
		for i, r := range runs {
			views[i] = processes.RunView{Run: *r, Steps: []processes.StepRecord{}}
			at[r.ID], ids[i] = i, r.ID
		}
		args := anyOf(ids)
		steps, err := selectAll(ctx, c, what, `select `+stepColumns+` from run_step p where p.run_id in (`+list(len(args))+`) order by p.id`, scanStep, args...)
		for _, p := range steps {
			v := &views[at[p.RunID]]
			v.Steps = append(v.Steps, p)
		}
		return err
	})
	return views, err
}
