package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// tx implements processes.Tx over one database transaction.
type tx struct {
	c       Conn
	dialect Dialect
	ids     *tracking.IDs
	now     func() time.Time
	work    bool // something was done that may let a worker go on
}

var _ processes.Tx = (*tx)(nil)

// exec runs a statement whose rows nobody reads.
func (t *tx) exec(ctx context.Context, what, sql string, args ...any) error {
	return t.execCheck(ctx, what, sql, nil, args...)
}

// execOne runs a statement that must change the row of id.
func (t *tx) execOne(ctx context.Context, what string, id tracking.ID, sql string, args ...any) error {
	return t.execCheck(ctx, what, sql, func(changed int64) error {
		if changed != 1 {
			return notFound(what, id)
		}
		return nil
	}, args...)
}

func (t *tx) execCheck(ctx context.Context, what, sql string, check func(int64) error, args ...any) error {
	bound, err := bind(args)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return t.c.Exec(ctx, what, sql, bound, check)
}

// settle stores columns that hardly ever change, when one of them did. They are
// those with indexes: SQLite writes every index of a column that an update
// names, changed or not.
func (t *tx) settle(ctx context.Context, what, table string, id tracking.ID, columns string, values ...any) error {
	names := strings.Split(columns, ", ")
	sql := `update ` + table + ` set ` + strings.Join(names, " = ?, ") + ` = ? where id = ? and (` + strings.Join(names, " <> ? or ") + ` <> ?)`
	return t.exec(ctx, what, sql, slices.Concat(values, []any{id}, values)...)
}

// notFound says that id names nothing.
func notFound(what string, id tracking.ID) error {
	return fmt.Errorf("%s %s: %w", what, id, tracking.ErrNotFound)
}

// selectAll runs a query and scans its rows.
func selectAll[T any](ctx context.Context, c Conn, what, sql string, scan func(Rows) (T, error), args ...any) ([]T, error) {
	bound, err := bind(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	rows, err := c.Query(ctx, sql, bound)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if err := rows.Close(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}

// selectOne runs a query and scans its first row; found is false when there is
// none.
func selectOne[T any](ctx context.Context, c Conn, what, sql string, scan func(Rows) (T, error), args ...any) (v T, found bool, err error) {
	all, err := selectAll(ctx, c, what, sql, scan, args...)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// scanID scans a row of one id.
func scanID(r Rows) (tracking.ID, error) {
	var id int64
	err := r.Scan(&id)
	return tracking.ID(id), err
}

// scanInt scans a row of one number.
func scanInt(r Rows) (int64, error) {
	var n int64
	err := r.Scan(&n)
	return n, err
}
