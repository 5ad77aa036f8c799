// Package api is the REST interface of a station under /api/v1, on the private
// admin listener: documents, transmissions, their exact bytes, events as a
// list and as a stream, counts, lanes and dead letters, and outside sign-in
// the health checks /livez and /readyz. docs/openapi.yaml describes it; a test
// holds the two together.
//
// Answers are the JSON forms of package tracking. Errors are problem details
// (RFC 9457). The console links here for everything that is not a page, and
// takes the words of its filters from here, so that an address in one means
// the same in the other.
package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"tradepost/internal/api/problem"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

// Opener gives the bytes of payloads; every tracking.Archive is one.
type Opener interface {
	// Open returns the uncompressed bytes, or tracking.ErrNotFound (wrapped).
	Open(ctx context.Context, p tracking.Payload) (io.ReadCloser, error)
}

// Runs lists runs; every processes.Store is one.
type Runs interface {
	Runs(ctx context.Context, transmission, document tracking.ID) ([]processes.RunView, error)
}

// Queue looks into the queue; every queue.Store is one.
type Queue interface {
	Lanes(ctx context.Context) ([]queue.Lane, error)
	DeadJobs(ctx context.Context, limit int) ([]*queue.Job, error)
}

// Check is the outcome of one named check of the station's health.
type Check struct {
	Name   string `json:"name"` // "store", "queue", "listener as2"
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"` // what was found, and what to do where it is not OK
}

// Config is what an API needs. Data, Archive, Runs and Queue are required.
type Config struct {
	Data    tracking.Reader
	Archive Opener
	Runs    Runs
	Queue   Queue
	// Checks runs the checks behind /readyz; nil means that there are none and
	// the station is ready.
	Checks func(ctx context.Context) []Check
	// Location is the time zone of dates without one in parameters; nil: UTC.
	Location *time.Location
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: nothing is logged
	// Poll is how often an event stream looks for new events, 1 second when
	// zero; Streams is how many may be open at once, 64 when zero.
	Poll    time.Duration
	Streams int
	// Stop ends the event streams when it is closed, for a clean shutdown.
	Stop <-chan struct{}
}

type service struct {
	cfg     Config
	streams chan struct{} // one slot an open stream
}

// New checks cfg and returns the handler of /api/v1, /livez and /readyz.
func New(cfg Config) (http.Handler, error) {
	s, err := newService(cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.HandleFunc(r.method+" "+r.path, r.handler)
	}
	// What no route takes is answered here, so that errors are problems as well.
	mux.HandleFunc("/", s.elsewhere)
	return mux, nil
}

func newService(cfg Config) (*service, error) {
	if cfg.Data == nil || cfg.Archive == nil || cfg.Runs == nil || cfg.Queue == nil {
		return nil, errors.New("api: Config needs Data, Archive, Runs and Queue")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Poll <= 0 {
		cfg.Poll = time.Second
	}
	if cfg.Streams <= 0 {
		cfg.Streams = 64
	}
	return &service{cfg: cfg, streams: make(chan struct{}, cfg.Streams)}, nil
}

type route struct {
	method, path string
	handler      http.HandlerFunc
}

// routes is the whole interface; docs/openapi.yaml lists the same.
func (s *service) routes() []route {
	return []route{
		{"GET", "/livez", s.live},
		{"GET", "/readyz", s.ready},
		{"GET", "/api/v1/summary", s.summary},
		{"GET", "/api/v1/documents", s.documents},
		{"GET", "/api/v1/documents/{id}", s.document},
		{"GET", "/api/v1/documents/{id}/content", s.documentContent},
		{"GET", "/api/v1/documents/{id}/runs", s.documentRuns},
		{"GET", "/api/v1/transmissions", s.transmissions},
		{"GET", "/api/v1/transmissions/{id}", s.transmission},
		{"GET", "/api/v1/transmissions/{id}/content", s.transmissionContent},
		{"GET", "/api/v1/transmissions/{id}/wire", s.transmissionWire},
		{"GET", "/api/v1/transmissions/{id}/attachments/{number}", s.attachment},
		{"GET", "/api/v1/transmissions/{id}/receipts/{receipt}", s.receipt},
		{"GET", "/api/v1/transmissions/{id}/runs", s.transmissionRuns},
		{"GET", "/api/v1/events", s.events},
		{"GET", "/api/v1/events/stream", s.stream},
		{"GET", "/api/v1/lanes", s.lanes},
		{"GET", "/api/v1/dead-letters", s.deadLetters},
	}
}

// elsewhere answers paths and methods that no route takes.
func (s *service) elsewhere(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem.Write(w, problem.Details{Status: http.StatusMethodNotAllowed, Detail: r.Method + " is not taken here; this version of the interface only reads (GET)"})
		return
	}
	problem.Write(w, problem.Details{Status: http.StatusNotFound, Detail: "there is no such resource; docs/openapi.yaml lists them all"})
}

// fail turns an error into a problem.
func (s *service) fail(w http.ResponseWriter, r *http.Request, err error) {
	var param *ParamError
	var query *tracking.QueryError
	switch {
	case errors.As(err, &query):
		name := query.Field
		if name == "text" {
			name = "q"
		}
		problem.Write(w, problem.Details{Status: http.StatusBadRequest, Detail: "parameter " + name + ": " + query.Problem, Parameter: name})
	case errors.As(err, &param):
		problem.Write(w, problem.Details{Status: http.StatusBadRequest, Detail: param.Error(), Parameter: param.Name})
	case errors.Is(err, tracking.ErrNotFound):
		problem.Write(w, problem.Details{Status: http.StatusNotFound, Detail: err.Error()})
	case r.Context().Err() != nil: // the client has gone; nobody reads an answer
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		incident := rand.Text()[:10]
		s.cfg.Log.ErrorContext(r.Context(), "answer a request", "method", r.Method, "path", r.URL.Path, "incident", incident, "err", err)
		problem.Write(w, problem.Details{
			Status: http.StatusInternalServerError, Incident: incident,
			Detail: "the station could not answer; its log tells why under this incident",
		})
	}
}

// id reads the {id} of the path.
func pathID(r *http.Request, name string) (tracking.ID, error) {
	v := r.PathValue(name)
	id, err := tracking.ParseID(v)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", tracking.ErrNotFound, err)
	}
	return id, nil
}

// allow refuses parameters that the resource does not know, because a
// misspelt filter would otherwise select everything.
func allow(r *http.Request, names ...string) error {
	for name := range r.URL.Query() {
		if !slices.Contains(names, name) {
			return &ParamError{Name: name, Text: "is not known here; known are " + strings.Join(names, ", ")}
		}
	}
	return nil
}
