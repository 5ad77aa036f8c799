package sqlstore

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"tradepost/tracking"
)

// Transmissions implements tracking.Reader.
func (s *Store) Transmissions(ctx context.Context, q tracking.TransmissionQuery) (*tracking.TransmissionPage, error) {
	w, err := transmissionWhere(q)
	if err != nil {
		return nil, err
	}
	limit := pageLimit(q.Limit)
	page := &tracking.TransmissionPage{Transmissions: []tracking.Transmission{}}
	err = s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		if err := w.before(ctx, c, "transmission", "t", q.Before); err != nil {
			return err
		}
		rows, err := selectAll(ctx, c, "list transmissions", `select `+transmissionColumns+` from transmission t`+w.String()+` order by t.created_at desc, t.id desc limit ?`,
			scanTransmission, append(w.args, limit+1)...)
		if err != nil {
			return err
		}
		if len(rows) > limit {
			rows = rows[:limit]
			page.Next = rows[limit-1].ID
		}
		for _, t := range rows {
			page.Transmissions = append(page.Transmissions, *t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func transmissionWhere(q tracking.TransmissionQuery) (*where, error) {
	w := new(where)
	if text := strings.TrimSpace(q.Text); text != "" {
		if utf8.RuneCountInString(text) < 2 {
			return nil, &tracking.QueryError{Field: "text", Problem: "type at least 2 characters of a Message-ID or file name, or an id"}
		}
		parts := []string{
			`select id from transmission where filename >= ? and filename < ? and filename <> ''`,
			`select id from transmission where message_id >= ? and message_id < ? and message_id <> ''`,
			// A Message-ID stands in angle brackets (RFC 5322), which people leave out.
			`select id from transmission where message_id >= ? and message_id < ? and message_id <> ''`,
		}
		args := []any{text, afterPrefix(text), text, afterPrefix(text), "<" + text, afterPrefix("<" + text)}
		if id, err := tracking.ParseID(text); err == nil {
			parts, args = append(parts, `select id from transmission where id = ?`), append(args, id)
		}
		w.and(`t.id in (`+strings.Join(parts, " union ")+`)`, args...)
	}
	w.equal("t.partner", q.Partner)
	w.equal("t.direction", string(q.Direction))
	w.equal("t.connector", q.Connector)
	oneOf(w, "t.state", q.States)
	if len(q.States) > 0 && !slices.Contains(q.States, tracking.TransmissionProcessed) && !slices.Contains(q.States, tracking.TransmissionDelivered) {
		w.and("t.state <> 'processed' and t.state <> 'delivered'") // says nothing new; lets a small index serve
	}
	w.between("t.created_at", q.Since, q.Until)
	return w, nil
}
