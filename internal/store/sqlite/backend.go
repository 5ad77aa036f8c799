package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tradepost/internal/store/sqlstore"
)

// backend implements sqlstore.Backend.
type backend struct {
	busy    time.Duration
	version string
	writeDB *sql.DB
	writer  *writer
	readDB  *sql.DB
}

// Dialect implements sqlstore.Backend. There is one writer, so nothing needs a
// lock, and what is committed is in the order of commit_seq.
func (b *backend) Dialect() sqlstore.Dialect {
	return sqlstore.Dialect{
		CommitSeq: `(select coalesce(max(commit_seq), 0) + 1 from event)`,
		Settled:   `true`,
	}
}

// Update implements sqlstore.Backend.
func (b *backend) Update(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	return b.writer.update(ctx, fn)
}

// View implements sqlstore.Backend.
func (b *backend) View(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	tx, err := b.readDB.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	err = fn(ctx, readConn{tx})
	return errors.Join(err, ignoreDone(tx.Rollback()))
}

// ignoreDone takes away the error of ending a transaction that its context has
// ended already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// Announce implements sqlstore.Backend: other processes find out by looking.
func (b *backend) Announce() {}

// Announced implements sqlstore.Backend.
func (b *backend) Announced() <-chan struct{} { return nil }

// Ping implements sqlstore.Backend.
func (b *backend) Ping(ctx context.Context) error {
	if err := b.writer.update(ctx, func(context.Context, sqlstore.Conn) error { return nil }); err != nil {
		return err
	}
	return b.readDB.PingContext(ctx)
}

// Engine implements sqlstore.Backend.
func (b *backend) Engine() string { return "SQLite " + b.version }

// Close implements sqlstore.Backend.
func (b *backend) Close() error {
	var errs []error
	if b.readDB != nil {
		errs = append(errs, b.readDB.Close())
	}
	if b.writer != nil {
		errs = append(errs, b.writer.close())
	}
	if b.writeDB != nil {
		errs = append(errs, b.writeDB.Close())
	}
	return errors.Join(errs...)
}

// readConn is a snapshot.
type readConn struct{ tx *sql.Tx }

func (c readConn) Exec(_ context.Context, what, _ string, _ []any, _ func(int64) error) error {
	return fmt.Errorf("%s: this is a view, which cannot write", what)
}

func (c readConn) Query(ctx context.Context, sql string, args []any) (sqlstore.Rows, error) {
	return c.tx.QueryContext(ctx, sql, args...)
}

// migrator implements sqlstore.Migrator.
type migrator struct{ b *backend }

func (m migrator) Applied(ctx context.Context) ([]string, error) {
	var sums []string
	err := m.b.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		var err error
		sums, err = applied(ctx, c)
		return err
	})
	return sums, err
}

func (m migrator) Apply(ctx context.Context, fn func(ctx context.Context, s sqlstore.Script) error) error {
	return m.b.Update(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		s := script{m.b.writer.conn, c}
		if err := s.Run(ctx, sqlstore.SchemaVersionTable); err != nil {
			return err
		}
		return fn(ctx, s)
	})
}

// script implements sqlstore.Script.
type script struct {
	conn *sql.Conn
	c    sqlstore.Conn
}

func (s script) Applied(ctx context.Context) ([]string, error) { return applied(ctx, s.c) }

func (s script) Run(_ context.Context, text string) error {
	_, err := s.conn.ExecContext(context.Background(), text)
	return err
}

func (s script) Record(ctx context.Context, m sqlstore.Migration, at int64) error {
	return s.c.Exec(ctx, "record migration", `insert into schema_version (version, name, checksum, applied_at) values (?, ?, ?, ?)`,
		[]any{int64(m.Version), m.Name, m.Checksum, at}, nil)
}

// applied reads the checksums of the applied migrations.
func applied(ctx context.Context, c sqlstore.Conn) ([]string, error) {
	tables, err := texts(ctx, c, `select name from sqlite_master where type = 'table' and name = 'schema_version'`)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	return texts(ctx, c, `select checksum from schema_version order by version`)
}

// texts reads a column of text.
func texts(ctx context.Context, c sqlstore.Conn, query string) ([]string, error) {
	rows, err := c.Query(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}
