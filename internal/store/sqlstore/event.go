package sqlstore

import (
	"context"

	"tradepost/tracking"
)

// eventColumns lists what scanEvent reads, of table alias e.
const eventColumns = `e.id, e.at, e.kind, e.transmission_id, e.interchange_id, e.document_id, e.partner, e.text, e.actor`

func scanEvent(r Rows) (tracking.Event, error) {
	var e tracking.Event
	err := r.Scan((*int64)(&e.ID), asTime{&e.At}, (*string)(&e.Kind), (*int64)(&e.TransmissionID), (*int64)(&e.InterchangeID), (*int64)(&e.DocumentID), &e.Partner, &e.Text, &e.Actor)
	return e, err
}

// AppendEvent implements tracking.Tx.
func (t *tx) AppendEvent(ctx context.Context, e *tracking.Event) error {
	what := "append event " + e.ID.String()
	err := t.exec(ctx, what, `insert into event (id, commit_seq, at, kind, transmission_id, interchange_id, document_id, partner, text, actor)
		values (?, `+t.dialect.CommitSeq+`, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID, e.At, e.Kind, e.TransmissionID, e.InterchangeID, e.DocumentID, e.Partner, e.Text, e.Actor)
	if err != nil || e.Kind != tracking.EventAckOverdue || e.DocumentID == 0 {
		return err
	}
	return t.exec(ctx, what, `update document set overdue_at = ? where id = ?`, e.At, e.DocumentID)
}

// Events implements tracking.Reader. Ids are made before the commit, so an
// event with a lower id may become visible after one with a higher id; the
// order here is that of the commits, and a follower misses none.
func (s *Store) Events(ctx context.Context, after tracking.ID, limit int) ([]tracking.Event, error) {
	var events []tracking.Event
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		const what = "events"
		settled := s.dialect.Settled
		seq, found, err := selectOne(ctx, c, what, `select commit_seq from event where id = ?`, scanInt, after)
		if err != nil {
			return err
		}
		if found || after == 0 {
			events, err = selectAll(ctx, c, what, `select `+eventColumns+` from event e
				where (e.commit_seq, e.id) > (?, ?) and `+settled+` order by e.commit_seq, e.id limit ?`, scanEvent, seq, after, pageLimit(limit))
			return err
		}
		// No event has this id: it stands for a moment.
		events, err = selectAll(ctx, c, what, `select `+eventColumns+` from event e
			where e.commit_seq >= (select coalesce(min(f.commit_seq), 0) from event f where f.id > ?)
			and e.id > ? and `+settled+` order by e.commit_seq, e.id limit ?`, scanEvent, after, after, pageLimit(limit))
		return err
	})
	return events, err
}
