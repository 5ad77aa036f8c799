package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"tradepost/tracking"
)

// reply writes v as JSON.
func (s *service) reply(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

func (s *service) documents(w http.ResponseWriter, r *http.Request) {
	q, err := ParseDocuments(r.URL.Query(), s.cfg.Now(), s.cfg.Location)
	if err == nil {
		err = allow(r, append(DocumentParams(), "format")...)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	switch format := r.URL.Query().Get("format"); format {
	case "", "json":
		page, err := s.cfg.Data.Documents(r.Context(), q)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if page.Documents == nil {
			page.Documents = []tracking.DocumentRow{}
		}
		s.reply(w, r, page)
	case "csv", "jsonl":
		s.export(w, r, q, format)
	default:
		s.fail(w, r, &ParamError{Name: "format", Value: format, Text: "is none of json, jsonl, csv"})
	}
}

func (s *service) document(w http.ResponseWriter, r *http.Request) {
	v, err := s.documentView(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.reply(w, r, v)
}

func (s *service) documentView(r *http.Request) (*tracking.DocumentView, error) {
	id, err := pathID(r, "id")
	if err == nil {
		err = allow(r)
	}
	if err != nil {
		return nil, err
	}
	return s.cfg.Data.DocumentView(r.Context(), id)
}

func (s *service) transmissions(w http.ResponseWriter, r *http.Request) {
	q, err := ParseTransmissions(r.URL.Query(), s.cfg.Now(), s.cfg.Location)
	if err == nil {
		err = allow(r, TransmissionParams()...)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page, err := s.cfg.Data.Transmissions(r.Context(), q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if page.Transmissions == nil {
		page.Transmissions = []tracking.Transmission{}
	}
	s.reply(w, r, page)
}

func (s *service) transmission(w http.ResponseWriter, r *http.Request) {
	v, err := s.transmissionView(r)
	if err == nil {
		err = allow(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.reply(w, r, v)
}

func (s *service) transmissionView(r *http.Request) (*tracking.TransmissionView, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return nil, err
	}
	return s.cfg.Data.TransmissionView(r.Context(), id)
}

func (s *service) documentRuns(w http.ResponseWriter, r *http.Request) {
	v, err := s.documentView(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.runs(w, r, 0, v.Document.ID)
}

func (s *service) transmissionRuns(w http.ResponseWriter, r *http.Request) {
	v, err := s.transmissionView(r)
	if err == nil {
		err = allow(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.runs(w, r, v.Transmission.ID, 0)
}

func (s *service) runs(w http.ResponseWriter, r *http.Request, transmission, document tracking.ID) {
	runs, err := s.cfg.Runs.Runs(r.Context(), transmission, document)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.reply(w, r, map[string]any{"runs": orEmpty(runs)})
}

// summary counts since the parameter "since", by default the last 24 hours.
func (s *service) summary(w http.ResponseWriter, r *http.Request) {
	now := s.cfg.Now()
	p := params{v: r.URL.Query(), now: now, zone: s.cfg.Location, err: allow(r, "since")}
	since := p.time("since", false)
	if since.IsZero() {
		since = now.Add(-24 * time.Hour)
	}
	if now.Sub(since) > 31*24*time.Hour {
		p.fail("since", r.URL.Query().Get("since"), "is more than 31 days ago; counts by the hour go no further")
	}
	if p.err != nil {
		s.fail(w, r, p.err)
		return
	}
	sum, err := s.cfg.Data.Summary(r.Context(), since, now)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.reply(w, r, sum)
}

func (s *service) lanes(w http.ResponseWriter, r *http.Request) {
	if err := allow(r); err != nil {
		s.fail(w, r, err)
		return
	}
	lanes, err := s.cfg.Queue.Lanes(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.reply(w, r, map[string]any{"lanes": orEmpty(lanes)})
}

func (s *service) deadLetters(w http.ResponseWriter, r *http.Request) {
	p := params{v: r.URL.Query(), err: allow(r, "limit")}
	limit := p.limit()
	if limit == 0 {
		limit = 50
	}
	if p.err != nil {
		s.fail(w, r, p.err)
		return
	}
	jobs, err := s.cfg.Queue.DeadJobs(r.Context(), limit)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.reply(w, r, map[string]any{"deadLetters": orEmpty(jobs)})
}

// live tells that the process answers; nothing more, so that a store in
// trouble does not get the process killed.
func (s *service) live(w http.ResponseWriter, r *http.Request) {
	s.reply(w, r, map[string]any{"ok": true})
}

// ready runs the named checks: 200 when all are well, else 503. It needs no
// sign-in and therefore tells names and outcomes only.
func (s *service) ready(w http.ResponseWriter, r *http.Request) {
	checks := s.check(r.Context())
	ok := true
	for i := range checks {
		ok = ok && checks[i].OK
		checks[i].Detail = ""
	}
	if !ok {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	s.reply(w, r, map[string]any{"ok": ok, "checks": orEmpty(checks)})
}

func (s *service) check(ctx context.Context) []Check {
	if s.cfg.Checks == nil {
		return nil
	}
	return append([]Check(nil), s.cfg.Checks(ctx)...)
}

// orEmpty makes a missing list an empty one in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
