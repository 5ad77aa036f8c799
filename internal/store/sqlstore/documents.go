package sqlstore

import (
	"context"
	"strings"
	"unicode/utf8"

	"tradepost/tracking"
)

// rowColumns lists what scanDocumentRow reads, of rowTables.
const rowColumns = documentColumns + `, coalesce(i.control, ''), coalesce(g.control, '')`

const rowTables = ` from document d left join interchange i on i.id = d.interchange_id left join interchange_group g on g.id = d.group_id`

func scanDocumentRow(r Rows) (tracking.DocumentRow, error) {
	var d tracking.DocumentRow
	err := r.Scan(append(documentFields(&d.Document), &d.InterchangeControl, &d.GroupControl)...)
	return d, err
}

// Documents implements tracking.Reader.
func (s *Store) Documents(ctx context.Context, q tracking.DocumentQuery) (*tracking.DocumentPage, error) {
	w, err := s.documentWhere(q)
	if err != nil {
		return nil, err
	}
	limit := pageLimit(q.Limit)
	page := &tracking.DocumentPage{}
	err = s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		if err := w.before(ctx, c, "document", "d", q.Before); err != nil {
			return err
		}
		// The page is found before its rows are put together: what is sorted is small.
		rows, err := documentRows(ctx, c, "list documents", ` where d.id in (select d.id from document d`+w.String()+` order by d.created_at desc, d.id desc limit ?)
			order by d.created_at desc, d.id desc`, append(w.args, limit+1)...)
		if err != nil {
			return err
		}
		if len(rows) > limit {
			rows = rows[:limit]
			page.Next = rows[limit-1].ID
		}
		page.Documents = rows
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// documentRows reads rows with their keys.
func documentRows(ctx context.Context, c Conn, what, rest string, args ...any) ([]tracking.DocumentRow, error) {
	rows, err := selectAll(ctx, c, what, `select `+rowColumns+rowTables+rest, scanDocumentRow, args...)
	if err != nil {
		return nil, err
	}
	docs := make([]*tracking.Document, len(rows))
	for i := range rows {
		docs[i] = &rows[i].Document
	}
	if rows == nil {
		rows = []tracking.DocumentRow{}
	}
	return rows, loadKeys(ctx, c, docs)
}

func (s *Store) documentWhere(q tracking.DocumentQuery) (*where, error) {
	w := new(where)
	if text := strings.TrimSpace(q.Text); text != "" {
		if utf8.RuneCountInString(text) < 2 {
			return nil, &tracking.QueryError{Field: "text", Problem: "type at least 2 characters of a business key or control number, or an id"}
		}
		searchDocuments(w, text)
	}
	w.equal("d.partner", q.Partner)
	w.equal("d.direction", string(q.Direction))
	w.equal("d.type", q.Type)
	oneOf(w, "d.state", q.States)
	oneOf(w, "d.ack", q.Acks)
	// These say nothing new; they let the small indexes over rare rows serve.
	if q.Troubled || only(q.States, tracking.DocumentInvalid, tracking.DocumentFailed) || only(q.Acks, tracking.AckRejected) {
		w.and("d.troubled")
	}
	if q.Overdue {
		now := q.Now
		if now.IsZero() {
			now = s.now()
		}
		w.and("d.ack = 'awaited' and d.ack_due > 0 and d.ack_due < ?", now)
	} else if only(q.Acks, tracking.AckAwaited) {
		w.and("d.ack = 'awaited'")
	}
	if q.Control != "" {
		numbers := controlSpellings(q.Control)
		in, args := list(len(numbers)), anyOf(numbers)
		w.and(`d.id in (select id from document where control in (`+in+`)
			union select x.id from interchange_group y join document x on x.group_id = y.id and x.group_id <> 0 where y.control in (`+in+`)
			union select x.id from interchange y join document x on x.interchange_id = y.id and x.interchange_id <> 0 where y.control in (`+in+`))`,
			append(append(append([]any{}, args...), args...), args...)...)
	}
	if q.KeyName != "" && q.KeyValue == "" {
		return nil, &tracking.QueryError{Field: "keyName", Problem: "give the value of the business key too"}
	}
	if q.KeyValue != "" {
		if q.KeyName != "" {
			w.and(`d.id in (select document_id from document_key where value = ? and name = ?)`, indexed(q.KeyValue), indexed(q.KeyName))
		} else {
			w.and(`d.id in (select document_id from document_key where value = ?)`, indexed(q.KeyValue))
		}
	}
	w.between("d.created_at", q.Since, q.Until)
	return w, nil
}

// searchDocuments adds the condition of the search box: an id, a business key
// or a control number, or the beginning of one.
func searchDocuments(w *where, text string) {
	var parts []string
	var args []any
	add := func(sql string, a ...any) {
		parts, args = append(parts, sql), append(args, a...)
	}
	if id, err := tracking.ParseID(text); err == nil {
		add(`select id from document where id = ?`, id)
	}
	for _, prefix := range spellings(text) {
		end := afterPrefix(prefix)
		add(`select document_id from document_key where value >= ? and value < ?`, prefix, end)
		add(`select id from document where control >= ? and control < ?`, prefix, end)
		add(`select x.id from interchange_group y join document x on x.group_id = y.id and x.group_id <> 0 where y.control >= ? and y.control < ?`, prefix, end)
		add(`select x.id from interchange y join document x on x.interchange_id = y.id and x.interchange_id <> 0 where y.control >= ? and y.control < ?`, prefix, end)
	}
	if padded := controlSpellings(text); len(padded) > 1 {
		add(`select x.id from interchange y join document x on x.interchange_id = y.id and x.interchange_id <> 0 where y.control = ?`, padded[1])
	}
	w.and(`d.id in (`+strings.Join(parts, " union ")+`)`, args...)
}

// isa13Length is the fixed length of an X12 interchange control number.
const isa13Length = 9

// controlSpellings are the forms in which a control number that a person typed
// may be stored: as typed, and with the leading zeros of ISA13.
func controlSpellings(typed string) []string {
	typed = strings.TrimSpace(typed)
	if len(typed) >= isa13Length {
		return []string{typed}
	}
	for _, c := range typed {
		if c < '0' || c > '9' {
			return []string{typed}
		}
	}
	return []string{typed, strings.Repeat("0", isa13Length-len(typed)) + typed}
}
