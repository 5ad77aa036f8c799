package sqlstore

import (
	"context"
	"fmt"
	"time"

	"tradepost/tracking"
)

// RememberControl implements tracking.Tx.
func (t *tx) RememberControl(ctx context.Context, scope, control string, interchange tracking.ID, at, since time.Time) (tracking.ID, error) {
	const what = "remember control number"
	_, fresh, err := selectOne(ctx, t.c, what, `insert into control_seen (scope, control, interchange_id, seen_at) values (?, ?, ?, ?)
		on conflict (scope, control) do update set interchange_id = excluded.interchange_id, seen_at = excluded.seen_at
		where control_seen.seen_at < ? returning interchange_id`, scanID, indexed(scope), indexed(control), interchange, at, since)
	if err != nil || fresh {
		return 0, err
	}
	first, err := t.ControlSeen(ctx, scope, control, since)
	if err == nil && first == 0 {
		err = fmt.Errorf("%s %s of %s: the earlier record vanished", what, control, scope)
	}
	return first, err
}

// ControlSeen implements tracking.Tx.
func (t *tx) ControlSeen(ctx context.Context, scope, control string, since time.Time) (tracking.ID, error) {
	first, _, err := selectOne(ctx, t.c, "control number seen", `select interchange_id from control_seen where scope = ? and control = ? and seen_at >= ?`,
		scanID, indexed(scope), indexed(control), since)
	return first, err
}

// NextControl implements tracking.Tx.
func (t *tx) NextControl(ctx context.Context, scope string) (int64, error) {
	n, found, err := selectOne(ctx, t.c, "next control number", `insert into control_out (scope, last) values (?, 1)
		on conflict (scope) do update set last = control_out.last + 1 returning last`, scanInt, indexed(scope))
	if err == nil && !found {
		err = fmt.Errorf("next control number of %s: none came back", scope)
	}
	return n, err
}
