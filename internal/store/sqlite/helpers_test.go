package sqlite_test

import (
	"time"

	"tradepost/internal/store/sqlstore"
	"tradepost/processes/queue"
)

// newJob is due at a time.
func newJob(s *sqlstore.Store, at time.Time) *queue.Job {
	return &queue.Job{ID: int64(s.IDs().Next()), Lane: "process/buyer", Kind: "run", RunAt: at, CreatedAt: at}
}
