package sqlstore

import (
	"context"

	"tradepost/tracking"
)

// issueColumns lists what scanIssue reads, of table alias s.
const issueColumns = `s.severity, s.level, s.ack, s.segment, s.ordinal, s.element, s.component, s.path, s.byte_offset, s.line, s.value, s.text, s.reporter`

func scanIssue(r Rows) (tracking.Issue, error) {
	var s tracking.Issue
	err := r.Scan(&s.Severity, &s.Level, &s.Ack, &s.Segment, &s.Ordinal, &s.Element, &s.Component, &s.Path, &s.Offset, &s.Line, &s.Value, &s.Text, &s.Reporter)
	return s, err
}

// InsertIssues implements tracking.Tx.
func (t *tx) InsertIssues(ctx context.Context, interchange, document tracking.ID, issues []tracking.Issue) error {
	for _, s := range issues {
		err := t.exec(ctx, "insert issue", `insert into issue (id, interchange_id, document_id, severity, level, ack, segment, ordinal, element, component, path, byte_offset, line, value, text, reporter)
			values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			t.ids.Next(), interchange, document, s.Severity, s.Level, s.Ack, s.Segment, s.Ordinal, s.Element, s.Component, s.Path, s.Offset, s.Line, s.Value, s.Text, s.Reporter)
		if err != nil {
			return err
		}
	}
	return nil
}
