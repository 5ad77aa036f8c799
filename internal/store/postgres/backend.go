package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"tradepost/internal/store"
	"tradepost/internal/store/sqlstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"
)

// backend implements sqlstore.Backend.
type backend struct {
	pool    *pgxpool.Pool
	version string
	node    node

	announce  chan struct{} // this process has work to tell of
	announced chan struct{} // another process told of work
	stop      context.CancelFunc
	running   sync.WaitGroup
}

// Dialect implements sqlstore.Backend. Transactions commit in another order
// than they begin, so a row is settled only when every transaction that began
// before its own has ended.
func (b *backend) Dialect() sqlstore.Dialect {
	return sqlstore.Dialect{
		Lock:       ` for no key update`,
		LockOf:     ` for no key update of %s`,
		SkipLocked: ` for no key update skip locked`,
		CommitSeq:  `pg_current_xact_id()::text::bigint`,
		Settled:    `e.commit_seq < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`,
	}
}

// Limits of the attempts at one Update.
const (
	conflictAttempts   = 12                     // deadlocks and the like
	connectionAttempts = 4                      // connections that broke before the commit
	connectionPause    = 200 * time.Millisecond // doubles
	commitTime         = 30 * time.Second       // for the answer to a commit
)

// Update implements sqlstore.Backend. fn is called again after a deadlock or
// another conflict, and when the connection broke before the commit was sent.
func (b *backend) Update(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	if err := b.node.usable(); err != nil {
		return err
	}
	conflicts, breaks := 0, 0
	for {
		err := b.attempt(ctx, fn)
		var pause time.Duration
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case isConflict(err):
			if conflicts++; conflicts >= conflictAttempts {
				return fmt.Errorf("given up after %d conflicts: %w", conflicts, err)
			}
			pause = time.Duration(rand.Int64N(int64(time.Millisecond) << min(conflicts, 7))) //nolint:gosec // no secret
		case isBroken(err):
			if breaks++; breaks >= connectionAttempts {
				return err
			}
			pause = connectionPause << (breaks - 1)
		default:
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// brokenError tells that the connection broke before the commit was sent, so
// that nothing took effect.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "the connection to the database broke: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

func isBroken(err error) bool {
	var e *brokenError
	return errors.As(err, &e)
}

// isEnd tells that the server ended the connection: it is going down, an
// administrator or a time-out did it, or the protocol broke.
func isEnd(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return strings.HasPrefix(e.Code, "57P0") || strings.HasPrefix(e.Code, "08") || e.Code == "25P03"
}

// isConflict tells that the same work may succeed when it is done again: a
// serialization failure, a deadlock, or a plan that a migration made stale.
func isConflict(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == "40001" || e.Code == "40P01" || e.Code == "0A000" && e.Message == "cached plan must not change result type"
}

// attempt runs fn in one transaction.
func (b *backend) attempt(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	pooled, err := b.pool.Acquire(ctx)
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, puddle.ErrClosedPool) {
			err = &brokenError{err}
		}
		return err
	}
	defer pooled.Release()
	conn := pooled.Conn()
	done := false
	defer func() {
		if !done { // fn failed, panicked, or ended its goroutine
			rollback(conn)
		}
	}()
	c := newTxConn(conn, "begin")
	err = fn(ctx, c)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.flush(ctx)
	}
	if err != nil {
		return broken(ctx, conn, err)
	}
	done, err = commit(ctx, c)
	return err
}

// commit commits. done is true when the transaction has ended on the server.
// From here on the caller's context has no say: it could only make the outcome
// unknown.
func commit(ctx context.Context, c *txConn) (done bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	results, err := c.send(ctx, statement{what: "commit", sql: "commit"})
	if err == nil {
		var tag pgconn.CommandTag
		if tag, err = results.Exec(); err == nil && tag.String() != "COMMIT" {
			err = fmt.Errorf("the server answered the commit with %s", tag)
		}
		if end := results.Close(); err == nil {
			err = end
		}
	}
	if err == nil {
		return true, nil
	}
	var said *pgconn.PgError
	if isEnd(err) || !errors.As(err, &said) && c.conn.IsClosed() {
		return false, fmt.Errorf("%w: %w", store.ErrCommitUnknown, err)
	}
	return false, err
}

// rollback ends a transaction that is open. When that fails the pool drops the
// connection, and the server rolls back.
func rollback(conn *pgx.Conn) {
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "rollback"); err != nil {
		_ = conn.Close(ctx)
	}
}

// View implements sqlstore.Backend. A connection that broke is tried again
// once on a fresh one.
func (b *backend) View(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	err := b.view(ctx, fn)
	if isBroken(err) || isConflict(err) {
		err = b.view(ctx, fn)
	}
	return err
}

func (b *backend) view(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	pooled, err := b.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer pooled.Release()
	conn := pooled.Conn()
	defer rollback(conn)
	err = fn(ctx, newTxConn(conn, "begin isolation level repeatable read read only"))
	return broken(ctx, conn, err)
}

// broken marks an error before the commit that came of a lost connection.
func broken(ctx context.Context, conn *pgx.Conn, err error) error {
	if err != nil && ctx.Err() == nil && (conn.IsClosed() || isEnd(err)) {
		return &brokenError{err}
	}
	return err
}

// Ping implements sqlstore.Backend.
func (b *backend) Ping(ctx context.Context) error {
	if err := b.node.usable(); err != nil {
		return err
	}
	var readOnly bool
	err := b.pool.QueryRow(ctx, `select pg_is_in_recovery() or current_setting('transaction_read_only')::bool`).Scan(&readOnly)
	if err == nil && readOnly {
		err = errors.New("the database takes no writes: it is a standby or read-only")
	}
	return err
}

// Engine implements sqlstore.Backend.
func (b *backend) Engine() string { return "PostgreSQL " + b.version }

// Close implements sqlstore.Backend.
func (b *backend) Close() error {
	if b.stop != nil { // nil when opening failed half way
		b.stop()
		b.running.Wait()
	}
	err := b.giveNode()
	b.pool.Close()
	return err
}
