package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"tradepost/internal/store/sqlstore"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Bounds of what shares one SQLite transaction: nobody waits long for others.
const (
	groupLimit = 256
	groupTime  = 20 * time.Millisecond
)

var (
	errClosed = errors.New("the database is closed")
	errAbrupt = errors.New("the function of the update did not return")
)

// request is one Update that waits for, or has, its turn. Its function runs in
// the goroutine that called Update, while the writer waits for it.
type request struct {
	turn   chan struct{} // the writer: run your function now
	result chan error    // the caller: this came of it
	done   chan struct{} // the writer: err is the outcome
	err    error

	mu   sync.Mutex
	came bool // its turn came
	gone bool // its caller gave up before
}

func newRequest() *request {
	return &request{turn: make(chan struct{}, 1), result: make(chan error, 1), done: make(chan struct{})}
}

// take marks that the turn of r comes; it is false when nobody waits any more.
func (r *request) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.came = !r.gone
	return r.came
}

// give marks that the caller gives up; it is false when the turn came already.
func (r *request) give() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = !r.came
	return r.gone
}

// call has the caller run its function.
func (r *request) call() error {
	r.turn <- struct{}{}
	return <-r.result
}

func (r *request) finish(err error) {
	r.err = err
	close(r.done)
}

// answer runs fn for the writer. The writer is answered also when fn panics or
// ends its goroutine.
func (r *request) answer(fn func() error) {
	err := errAbrupt
	defer func() { r.result <- err }()
	err = fn()
}

// writer runs the Updates of a process, one after the other, on the one
// connection that writes.
type writer struct {
	conn     *sql.Conn
	busy     time.Duration
	stmts    map[string]*sql.Stmt
	requests chan *request
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once
	ended    error // of close
	lost     error // after which SQLite may have rolled back the present transaction by itself
}

func newWriter(conn *sql.Conn, busy time.Duration) *writer {
	w := &writer{
		conn:     conn,
		busy:     busy,
		stmts:    map[string]*sql.Stmt{},
		requests: make(chan *request),
		closing:  make(chan struct{}),
		closed:   make(chan struct{}),
	}
	go w.work()
	return w
}

// update waits for a turn, runs fn in it, and returns when its effects are
// durable or undone.
func (w *writer) update(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	r := newRequest()
	select {
	case w.requests <- r:
	case <-w.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return r.wait(ctx, func() error { return fn(ctx, writeConn{w}) })
}

// wait runs fn when the turn of r has come, and again when the transaction broke
// for others' sake; it returns the outcome.
func (r *request) wait(ctx context.Context, fn func() error) error {
	cancelled := ctx.Done()
	for {
		select {
		case <-r.turn:
			r.answer(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return fn()
			})
		case <-r.done:
			return r.err
		case <-cancelled:
			if r.give() {
				return ctx.Err()
			}
			cancelled = nil // what has begun ends soon: wait for the truth
		}
	}
}

// close lets the present group finish and ends the writer.
func (w *writer) close() error {
	w.once.Do(func() {
		close(w.closing)
		<-w.closed
		var errs []error
		for _, s := range w.stmts {
			errs = append(errs, s.Close())
		}
		w.ended = errors.Join(append(errs, w.conn.Close())...)
	})
	return w.ended
}

func (w *writer) work() {
	defer close(w.closed)
	for {
		select {
		case <-w.closing:
			return
		case r := <-w.requests:
			w.group(r)
		}
	}
}

// group runs first, and whoever else waits by then, in one transaction.
func (w *writer) group(first *request) {
	if !first.take() {
		return
	}
	members, alone, broken := w.together(first, w.next)
	if broken == nil || alone {
		for _, r := range members {
			r.finish(broken)
		}
		return
	}
	// The transaction broke for all of them. Each gets one of its own, so that
	// one that cannot be committed harms nobody else.
	for _, r := range members {
		members, _, broken := w.together(r, func() *request { return nil })
		for _, r := range members {
			r.finish(broken)
		}
	}
}

// together runs first, and the requests that next brings, in one transaction,
// each in a savepoint. A request that fails is undone alone and finished. The
// others are returned, and broken is nil when they are committed. It was alone
// when nobody else took part, who could have broken the transaction.
func (w *writer) together(first *request, next func() *request) (members []*request, alone bool, broken error) {
	alone = true
	if err := w.begin(); err != nil {
		return []*request{first}, alone, err
	}
	deadline := time.Now().Add(groupTime)
	for r := first; r != nil; r = next() {
		if r != first {
			if !r.take() {
				continue
			}
			alone = false
		}
		ok, err := w.member(r)
		if ok {
			members = append(members, r)
		}
		if broken = err; broken != nil || len(members) >= groupLimit || time.Now().After(deadline) {
			break
		}
	}
	if broken == nil && len(members) > 0 {
		broken = w.run("commit")
	}
	if broken != nil || len(members) == 0 {
		// SQLite may have rolled back already, which makes the error of this one
		// of no interest; whatever else is wrong shows at the next begin.
		_ = w.run("rollback")
	}
	return members, alone, broken
}

// next returns a request that waits already, or nil.
func (w *writer) next() *request {
	select {
	case r := <-w.requests:
		return r
	default:
		return nil
	}
}

// member runs one request in a savepoint. It is ok, and to be finished by the
// caller, unless its function failed and it was undone. broken means that the
// whole transaction is lost.
func (w *writer) member(r *request) (ok bool, broken error) {
	if err := w.run("savepoint member"); err != nil {
		return true, err
	}
	err := r.call()
	if err == nil {
		err = w.lost // its function went on after it
	}
	if err != nil {
		defer r.finish(err)
		if err := w.run("rollback to member"); err != nil {
			return false, err
		}
		return false, w.run("release member")
	}
	return true, w.run("release member")
}

// begin takes the write lock of the file.
func (w *writer) begin() error {
	w.lost = nil
	err := w.run("begin immediate")
	if isBusy(err) {
		return fmt.Errorf("another process has been writing to the database for more than %s: %w", w.busy, err)
	}
	return err
}

// run runs a statement without arguments or rows.
func (w *writer) run(sql string) error {
	stmt, err := w.prepare(sql)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(context.Background())
	return err
}

// preparedLimit bounds the statements that are kept prepared.
const preparedLimit = 400

func (w *writer) prepare(sql string) (*sql.Stmt, error) {
	if stmt, ok := w.stmts[sql]; ok {
		return stmt, nil
	}
	if len(w.stmts) >= preparedLimit {
		for text, stmt := range w.stmts {
			delete(w.stmts, text)
			if err := stmt.Close(); err != nil {
				return nil, err
			}
		}
	}
	stmt, err := w.conn.PrepareContext(context.Background(), sql)
	if err != nil {
		return nil, err
	}
	w.stmts[sql] = stmt
	return stmt, nil
}

// writeConn is the transaction of one member. Statements do not listen to the
// context, because an interrupted one would undo the whole group.
type writeConn struct{ w *writer }

func (c writeConn) Exec(ctx context.Context, what, sql string, args []any, check func(int64) error) error {
	stmt, err := c.prepare(ctx, sql)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	res, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, c.failed(err))
	}
	if check == nil {
		return nil
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return check(n)
}

func (c writeConn) Query(ctx context.Context, sql string, args []any) (sqlstore.Rows, error) {
	stmt, err := c.prepare(ctx, sql)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, c.failed(err)
	}
	return rows, nil
}

// prepare refuses when there may be no transaction any more: a statement would
// be one of its own, and stay.
func (c writeConn) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.w.lost != nil {
		return nil, c.w.lost
	}
	return c.w.prepare(text)
}

// failed notes the errors with which SQLite may roll back by itself
// (sqlite.org/lang_transaction.html, section 3).
func (c writeConn) failed(err error) error {
	var e *modernc.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT:
			c.w.lost = err
		}
	}
	return err
}

// isBusy tells that another process holds the lock.
func isBusy(err error) bool {
	var e *modernc.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
