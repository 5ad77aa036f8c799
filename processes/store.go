package processes

import (
	"context"
	"encoding/json"
	"time"

	"tradepost/processes/queue"
	"tradepost/tracking"
)

// RunState is where a run stands.
type RunState string

// States of a run.
const (
	RunReady   RunState = "ready"   // its job waits in the queue or is being worked
	RunWaiting RunState = "waiting" // a step failed for now; it will be tried again
	RunDone    RunState = "done"
	RunFailed  RunState = "failed" // given up; its job is a dead letter
)

// Run is one execution of a process over one subject. Cursor and Vars are its
// checkpoint: they are stored in the same database transaction as the effects
// of the step that moved them.
type Run struct {
	ID             tracking.ID     `json:"id"`
	Process        string          `json:"process"`
	Version        int             `json:"version"`         // of the process, noted when the run begins
	Parent         tracking.ID     `json:"parent,omitzero"` // the run that enqueued it
	TransmissionID tracking.ID     `json:"transmissionId,omitzero"`
	DocumentID     tracking.ID     `json:"documentId,omitzero"`
	Partner        string          `json:"partner"`
	State          RunState        `json:"state"`
	Cursor         int             `json:"cursor"` // index of the next step
	Vars           json.RawMessage `json:"vars,omitempty"`
	Attempt        int             `json:"attempt"` // of the present step
	Error          string          `json:"error,omitempty"`
	CreatedAt      time.Time       `json:"createdAt"`
	UpdatedAt      time.Time       `json:"updatedAt"`
}

// StepRecord tells how one attempt at one step of a run went.
type StepRecord struct {
	ID        tracking.ID `json:"id"`
	RunID     tracking.ID `json:"runId"`
	Step      string      `json:"step"`
	Attempt   int         `json:"attempt"`
	StartedAt time.Time   `json:"startedAt"`
	EndedAt   time.Time   `json:"endedAt"`
	Outcome   string      `json:"outcome"` // "done", "retry", "failed"
	Detail    string      `json:"detail,omitempty"`
}

// Tx is everything that one database transaction of the gateway can hold:
// documents, runs and queue together.
type Tx interface {
	tracking.Tx
	tracking.CertificateTx
	queue.Tx

	InsertRun(ctx context.Context, r *Run) error
	UpdateRun(ctx context.Context, r *Run) error
	Run(ctx context.Context, id tracking.ID) (*Run, error)
	InsertStepRecord(ctx context.Context, s *StepRecord) error
}

// Store is the gateway's database. Update runs fn in one database transaction
// and commits when fn returns nil; when Update returns nil the effects are
// durable. fn may be called again after a serialization conflict, so it must
// change nothing but the database and what it overwrites. Other Updates may be
// committed together with this one, but fail apart from it.
type Store interface {
	Update(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	tracking.Reader
	tracking.CertificateReader
	queue.Store
	// Runs lists the runs of a transmission or document with their steps, oldest first.
	Runs(ctx context.Context, transmission, document tracking.ID) ([]RunView, error)
}

// RunView is a run with its step records.
type RunView struct {
	Run
	Steps []StepRecord `json:"steps"`
}
