package postgres

import (
	"context"

	"tradepost/internal/store/sqlstore"

	"github.com/jackc/pgx/v5"
)

// migrationLock is the key of the advisory lock that migrations of one
// database hold, whatever schema they are in.
const migrationLock = 0x7472616465706f73 // "tradepos"

// migrator implements sqlstore.Migrator.
type migrator struct{ b *backend }

// querier is a connection or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (m migrator) Applied(ctx context.Context) ([]string, error) { return applied(ctx, m.b.pool) }

func applied(ctx context.Context, q querier) ([]string, error) {
	var there bool
	err := q.QueryRow(ctx, `select exists (select 1 from pg_tables where schemaname = current_schema() and tablename = 'schema_version')`).Scan(&there)
	if err != nil || !there {
		return nil, err
	}
	rows, err := q.Query(ctx, `select checksum from schema_version order by version`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (m migrator) Apply(ctx context.Context, fn func(ctx context.Context, s sqlstore.Script) error) error {
	return pgx.BeginFunc(ctx, m.b.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlstore.SchemaVersionTable); err != nil {
			return err
		}
		return fn(ctx, script{tx})
	})
}

// script implements sqlstore.Script.
type script struct{ tx pgx.Tx }

func (s script) Applied(ctx context.Context) ([]string, error) { return applied(ctx, s.tx) }

// Run runs several statements, which only the simple protocol takes.
func (s script) Run(ctx context.Context, sql string) error {
	return s.tx.Conn().PgConn().Exec(ctx, sql).Close()
}

func (s script) Record(ctx context.Context, m sqlstore.Migration, at int64) error {
	_, err := s.tx.Exec(ctx, `insert into schema_version (version, name, checksum, applied_at) values ($1, $2, $3, $4)`, m.Version, m.Name, m.Checksum, at)
	return err
}
