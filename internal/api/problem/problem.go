// Package problem writes errors as problem details for HTTP APIs (RFC 9457).
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of a problem (RFC 9457 section 3).
const ContentType = "application/problem+json"

// Details is one problem. Type stays empty, which RFC 9457 section 4.2.1 reads
// as "about:blank": the status says which kind of problem it is.
type Details struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Detail    string `json:"detail,omitempty"`    // what, where and what to do next
	Parameter string `json:"parameter,omitempty"` // the query parameter at fault
	Incident  string `json:"incident,omitempty"`  // also in the log, for a status of 500
	// RetryAfter is sent as the Retry-After header, in seconds.
	RetryAfter time.Duration `json:"-"`
}

// Write sends d; an empty Title becomes the text of the status. It sets no
// header that is there already except Content-Type.
func Write(w http.ResponseWriter, d Details) {
	if d.Title == "" {
		d.Title = http.StatusText(d.Status)
	}
	body, err := json.Marshal(d)
	if err != nil { // a struct of strings and an int always marshals
		body = []byte(`{"title":"Internal Server Error","status":500}`)
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Disposition")
	h.Del("Content-Length")
	if d.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(d.RetryAfter.Round(time.Second)/time.Second), 10))
	}
	w.WriteHeader(d.Status)
	_, _ = w.Write(append(body, '\n'))
}
