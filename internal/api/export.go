package api

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tradepost/tracking"
)

// export writes every document that q selects, page by page, as CSV (RFC 4180)
// or as a JSON object a line. A given limit bounds the whole.
func (s *service) export(w http.ResponseWriter, r *http.Request, q tracking.DocumentQuery, format string) {
	left := q.Limit
	q.Limit = MaxLimit
	if left > 0 {
		q.Limit = min(left, MaxLimit)
	}
	page, err := s.cfg.Data.Documents(r.Context(), q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var write func(*tracking.DocumentRow) error
	var flush func() error
	name := "documents-" + s.cfg.Now().UTC().Format("20060102-150405")
	if format == "csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		table := csv.NewWriter(w)
		table.UseCRLF = true
		_ = table.Write(csvHeader()) // an error stays in the writer until Flush
		write = func(d *tracking.DocumentRow) error { return table.Write(csvRow(d)) }
		flush = func() error { table.Flush(); return table.Error() }
	} else {
		w.Header().Set("Content-Type", "application/x-ndjson")
		lines := json.NewEncoder(w)
		write = func(d *tracking.DocumentRow) error { return lines.Encode(d) }
		flush = func() error { return nil }
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+"."+format+`"`)
	for {
		for i := range page.Documents {
			if err := write(&page.Documents[i]); err != nil {
				return // the client has gone
			}
		}
		if err := flush(); err != nil {
			return
		}
		if left > 0 {
			if left -= len(page.Documents); left <= 0 {
				return
			}
			q.Limit = min(left, MaxLimit)
		}
		if page.Next == 0 || len(page.Documents) == 0 {
			return
		}
		q.Before = page.Next
		page, err = s.cfg.Data.Documents(r.Context(), q)
		if err != nil {
			// The status has gone out; breaking the connection is the only way
			// left to say that the list is not complete.
			s.cfg.Log.ErrorContext(r.Context(), "export documents", "err", err)
			panic(http.ErrAbortHandler)
		}
	}
}

func csvHeader() []string {
	return []string{
		"id", "createdAt", "direction", "partner", "standard", "type", "version", "state", "ack", "ackDue", "ackAt",
		"interchangeControl", "groupControl", "control", "keys", "segments", "errors", "warnings", "test", "error",
	}
}

func csvRow(d *tracking.DocumentRow) []string {
	keys := make([]string, len(d.Keys))
	for i, k := range d.Keys {
		keys[i] = k.Name + "=" + k.Value
	}
	row := []string{
		d.ID.String(), csvTime(d.CreatedAt), string(d.Direction), d.Partner, d.Standard, d.Type, d.Version, string(d.State),
		string(d.Ack), csvTime(d.AckDue), csvTime(d.AckAt), d.InterchangeControl, d.GroupControl, d.Control,
		strings.Join(keys, " "), strconv.Itoa(d.Segments), strconv.Itoa(d.Errors), strconv.Itoa(d.Warnings),
		strconv.FormatBool(d.Test), d.Error,
	}
	for i, cell := range row {
		row[i] = csvCell(cell)
	}
	return row
}

// csvCell disarms what a spreadsheet would run as a formula: partners choose
// these texts.
func csvCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
