package sqlstore

import "context"

// Conn is one database transaction as the SQL of this package sees it.
// Placeholders are question marks; arguments are int64, string, bool or nil.
type Conn interface {
	// Exec runs a statement whose rows nobody reads. A backend may hold it back
	// and send it together with the next Query or the commit, so its error may
	// come from there; what names it in that error. check, when it is not nil,
	// is told how many rows were changed, and its error ends the transaction.
	Exec(ctx context.Context, what, sql string, args []any, check func(changed int64) error) error
	// Query runs a statement and returns its rows, which the caller reads to
	// the end and closes before the next statement.
	Query(ctx context.Context, sql string, args []any) (Rows, error)
}

// Rows are the rows of one Query.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Dialect holds the few pieces of SQL in which databases differ.
type Dialect struct {
	// Lock follows a select whose rows stay locked until the transaction ends,
	// LockOf the same for a join, with the alias to lock filled in for %s.
	Lock, LockOf string
	// SkipLocked follows a select that passes over rows that are locked.
	SkipLocked string
	// CommitSeq is an expression for a number that never falls from one
	// committed transaction to the next, Settled a condition on the column
	// commit_seq that holds for rows before which no other row can appear.
	CommitSeq, Settled string
}

// Backend is one open database.
type Backend interface {
	Dialect() Dialect
	// Update runs fn in one read-write transaction and commits it; see
	// processes.Store.Update for what it promises.
	Update(ctx context.Context, fn func(ctx context.Context, c Conn) error) error
	// View runs fn over one consistent snapshot.
	View(ctx context.Context, fn func(ctx context.Context, c Conn) error) error
	// Announce tells other processes on the same database that there may be
	// work; Announced gets a value when one of them did. Either may do nothing.
	Announce()
	Announced() <-chan struct{}
	// Ping asks the database whether it is there and can be written.
	Ping(ctx context.Context) error
	// Engine names the database software and its version.
	Engine() string
	Close() error
}
