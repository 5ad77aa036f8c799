// Package console is the station's web pages for people, on the private admin
// listener: what needs somebody today, the documents and their life cycle,
// transmissions with their evidence, partners, the queue and the state of the
// station. What people do there (resend, release, pause, resume, retry) is done
// by package processes, after a question and with a reason, and stands in the
// history with their name.
//
// Pages are rendered on the server from html/template, have addresses that can
// be kept and sent on, work without JavaScript, and load nothing from anywhere
// else. Downloads, exports and the live event stream are the REST interface of
// package api, which must be mounted beside it.
package console

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"tradepost/internal/api"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// Directory is whom the station trades with, as configured now.
type Directory struct {
	Station      partners.Station
	Partners     []partners.Partner
	Partnerships []partners.Partnership
	Connections  []partners.Connection
	// Certificates are those of every partner by its name, and the station's own
	// under "", the one in use first.
	Certificates map[string][]tracking.Certificate
}

// Listener is an address the station listens on.
type Listener struct {
	Name    string // "as2", "admin"
	Address string
	Use     string // who comes in by it, in a few words
	Public  bool   // meant for partners
	TLS     string // "TLS 1.2 and up", "" without
	Problem string // why it does not listen; "" when it does
}

// Fact is a name and a value to show.
type Fact struct{ Name, Value string }

// Status is the state of the station's machinery.
type Status struct {
	Started   time.Time
	Listeners []Listener
	Checks    []api.Check
	Store     []Fact // kind, place, schema version, size
	Versions  []Fact // of the program, Go, commit
	Config    string // file the configuration was read from
}

// Config is what the console needs. Data, Archive, Runs, Queue and Directory
// are required.
type Config struct {
	Data    tracking.Reader
	Archive api.Opener
	Runs    api.Runs
	Queue   api.Queue
	// Directory returns the station and its partners.
	Directory func(ctx context.Context) (*Directory, error)
	// Status returns the state of the machinery; nil shows a page without it.
	Status func(ctx context.Context) (*Status, error)
	// Run finds a run, so that jobs can be linked to their document; nil links
	// none.
	Run func(ctx context.Context, id tracking.ID) (*processes.Run, error)
	// Operations does what people ask for; nil shows no buttons.
	Operations Operations
	// Segments reads documents; nil shows them as plain bytes.
	Segments Segments
	// SignIn tells a person without a session how to get a one-time link, for
	// example "Run `tradepost user link` on the station's machine."
	SignIn   string
	Version  string           // of the program
	Location *time.Location   // time zone of what is shown; nil: UTC
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: nothing is logged
}

// Console is the handler of all pages and of /static/.
type Console struct {
	cfg    Config
	mux    *http.ServeMux
	pages  map[string]*template.Template
	assets *assets
}

// New checks cfg, reads the embedded templates and returns the handler.
func New(cfg Config) (*Console, error) {
	if cfg.Data == nil || cfg.Archive == nil || cfg.Runs == nil || cfg.Queue == nil || cfg.Directory == nil {
		return nil, errors.New("console: Config needs Data, Archive, Runs, Queue and Directory")
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SignIn == "" {
		cfg.SignIn = "Ask whoever runs the station for a one-time link; the station also prints one when it starts."
	}
	c := &Console{cfg: cfg, mux: http.NewServeMux()}
	var err error
	if c.assets, err = newAssets(); err != nil {
		return nil, err
	}
	if c.pages, err = c.parse(); err != nil {
		return nil, err
	}
	for pattern, h := range c.routes() {
		c.mux.HandleFunc(pattern, h)
	}
	return c, nil
}

// routes lists every address of the console.
func (c *Console) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /{$}":                  c.page(c.today),
		"GET /documents":            c.page(c.documents),
		"GET /documents/{id}":       c.page(c.documentReadable),
		"GET /documents/{id}/{tab}": c.page(c.documentTab),

		"GET /documents/{id}/resend":   c.page(c.resend),
		"POST /documents/{id}/resend":  c.page(c.resend),
		"GET /documents/{id}/release":  c.page(c.release),
		"POST /documents/{id}/release": c.page(c.release),
		"GET /queue/pause":             c.page(c.pause),
		"POST /queue/pause":            c.page(c.pause),
		"GET /queue/resume":            c.page(c.resume),
		"POST /queue/resume":           c.page(c.resume),
		"GET /queue/retry":             c.page(c.retry),
		"POST /queue/retry":            c.page(c.retry),

		"GET /transmissions":      c.page(c.transmissions),
		"GET /transmissions/{id}": c.page(c.transmission),
		"GET /partners":           c.page(c.partners),
		"GET /queue":              c.page(c.queue),
		"GET /status":             c.page(c.status),
		"GET /static/{file}":      c.assets.serve,
		"GET /favicon.ico":        c.assets.favicon,
		"/":                       c.page(nowhere),
	}
}

// ServeHTTP answers a request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }
