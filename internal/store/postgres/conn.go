package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tradepost/internal/store/sqlstore"

	"github.com/jackc/pgx/v5"
)

// statement is one statement of a transaction.
type statement struct {
	what  string
	sql   string
	args  []any
	check func(changed int64) error
}

// txConn implements sqlstore.Conn over one transaction. It sends nothing before
// it must: "begin" goes with the first statement that is waited for.
type txConn struct {
	conn *pgx.Conn
	held []statement
}

func newTxConn(conn *pgx.Conn, begin string) *txConn {
	return &txConn{conn: conn, held: []statement{{what: "begin", sql: begin}}}
}

// Exec implements sqlstore.Conn: it holds the statement back.
func (c *txConn) Exec(ctx context.Context, what, sql string, args []any, check func(int64) error) error {
	c.held = append(c.held, statement{what, numbered(sql), args, check})
	return ctx.Err()
}

// Query implements sqlstore.Conn.
func (c *txConn) Query(ctx context.Context, sql string, args []any) (sqlstore.Rows, error) {
	results, err := c.send(ctx, statement{sql: numbered(sql), args: args})
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // says the same
		return nil, err
	}
	return &txRows{rows, results}, nil
}

// send sends what was held back and last, and reads the results but the last
// one.
func (c *txConn) send(ctx context.Context, last statement) (pgx.BatchResults, error) {
	batch := new(pgx.Batch)
	for _, s := range c.held {
		batch.Queue(s.sql, s.args...)
	}
	batch.Queue(last.sql, last.args...)
	held := c.held
	c.held = nil
	results := c.conn.SendBatch(ctx, batch)
	for _, s := range held {
		tag, err := results.Exec()
		if err == nil && s.check != nil {
			err = s.check(tag.RowsAffected())
		} else if err != nil {
			err = fmt.Errorf("%s: %w", s.what, err)
		}
		if err != nil {
			_ = results.Close() // says the same
			return nil, err
		}
	}
	return results, nil
}

// flush sends what was held back when its results must be seen before the
// commit: the server would commit whatever a check says of them.
func (c *txConn) flush(ctx context.Context) error {
	if !slices.ContainsFunc(c.held, func(s statement) bool { return s.check != nil }) {
		return nil
	}
	last := c.held[len(c.held)-1]
	c.held = c.held[:len(c.held)-1]
	results, err := c.send(ctx, last)
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if end := results.Close(); err == nil {
		err = end
	}
	if err != nil {
		return fmt.Errorf("%s: %w", last.what, err)
	}
	if last.check != nil {
		return last.check(tag.RowsAffected())
	}
	return nil
}

// txRows implements sqlstore.Rows.
type txRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r *txRows) Close() error {
	r.Rows.Close()
	return r.results.Close()
}

// numbered turns question marks into the numbered placeholders of PostgreSQL.
// The SQL of package sqlstore has none in its literals.
func numbered(sql string) string {
	var b strings.Builder
	b.Grow(len(sql) + 32)
	n := 0
	for {
		at := strings.IndexByte(sql, '?')
		if at < 0 {
			b.WriteString(sql)
			return b.String()
		}
		n++
		fmt.Fprintf(&b, "%s$%d", sql[:at], n)
		sql = sql[at+1:]
	}
}
