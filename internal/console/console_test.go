package console_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/edi/schema"
	"tradepost/internal/api"
	"tradepost/internal/auth"
	"tradepost/internal/console"
	"tradepost/internal/console/sample"
	"tradepost/processes"
	"tradepost/tracking"
)

// station is a whole admin listener over a sample store: sign-in, REST
// interface and console.
type station struct {
	*sample.Store
	auth *auth.Auth
	url  string
	log  *logged
}

// logged keeps what the console wrote to its log.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// tokens is an auth.Store in memory.
type tokens struct{ list sync.Map }

func (s *tokens) SaveToken(_ context.Context, hash []byte, kind string, _ time.Time) error {
	s.list.Store(kind+string(hash), "")
	return nil
}

func (s *tokens) UseToken(_ context.Context, hash []byte, kind string) (bool, error) {
	_, ok := s.list.LoadAndDelete(kind + string(hash))
	return ok, nil
}

func (s *tokens) SaveSession(_ context.Context, hash []byte, user string, _ time.Time) error {
	s.list.Store("session"+string(hash), user)
	return nil
}

func (s *tokens) Session(_ context.Context, hash []byte) (string, bool, error) {
	user, ok := s.list.Load("session" + string(hash))
	name, _ := user.(string)
	return name, ok, nil
}

func (s *tokens) DeleteSession(_ context.Context, hash []byte) error {
	s.list.Delete("session" + string(hash))
	return nil
}

func config(s *sample.Store) console.Config {
	return console.Config{
		Data: s, Archive: s, Runs: s, Queue: s, Now: sample.Now, Version: "1.0", Segments: console.NewSegments(schema.Shipped()),
		Operations: &doings{},
		Directory: func(context.Context) (*console.Directory, error) {
			return &console.Directory{Station: s.Station, Partners: s.Partners, Partnerships: s.Partnerships, Connections: s.Connections, Certificates: s.Certificates}, s.Err
		},
		Run: func(_ context.Context, id tracking.ID) (*processes.Run, error) {
			for i := range s.RunList {
				if s.RunList[i].ID == id {
					return &s.RunList[i].Run, nil
				}
			}
			return nil, fmt.Errorf("run %s: %w", id, tracking.ErrNotFound)
		},
		Status: func(context.Context) (*console.Status, error) {
			return &console.Status{
				Started: sample.Now().Add(-75 * time.Hour), Config: "station.yaml",
				Listeners: []console.Listener{
					{Name: "as2", Address: "0.0.0.0:4080", Use: "partners' AS2", Public: true, TLS: "TLS 1.2 and up"},
					{Name: "admin", Address: "127.0.0.1:8080", Use: "console, API, metrics"},
				},
				Checks: []api.Check{
					{Name: "store", OK: true, Detail: "writes in 2 ms"},
					{Name: "queue", OK: true, Detail: "oldest due job is 2 s old"},
					{Name: "keys", OK: true, Detail: "readable, valid until 5 September 2028"},
					{Name: "archive", OK: true, Detail: "41 GB free"},
				},
				Store:    []console.Fact{{Name: "Kind", Value: "SQLite, embedded"}, {Name: "Place", Value: "data/tradepost.db"}, {Name: "Schema", Value: "version 3"}, {Name: "Size", Value: "18 MB"}},
				Versions: []console.Fact{{Name: "tradepost", Value: "1.0"}, {Name: "Go", Value: runtime.Version()}},
			}, s.Err
		},
	}
}

func start(t *testing.T, s *sample.Store, change ...func(*console.Config)) *station {
	t.Helper()
	log := &logged{}
	cfg := config(s)
	cfg.Log = newLog(log)
	for _, f := range change {
		f(&cfg)
	}
	pages, err := console.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	rest, err := api.New(api.Config{Data: s, Archive: s, Runs: s, Queue: s, Now: cfg.Now, Stop: stop, Poll: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := auth.New(auth.Config{Store: &tokens{}, Station: fmt.Sprintf("sample %p", s), Pages: pages})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", rest)
	mux.Handle("/livez", rest)
	mux.Handle("/readyz", rest)
	mux.Handle("/", pages)
	srv := httptest.NewServer(guard.Require(mux))
	t.Cleanup(func() { close(stop); srv.Close() })
	return &station{Store: s, auth: guard, url: srv.URL, log: log}
}

// signIn returns a client with a session.
func (s *station) signIn(t *testing.T) *http.Client {
	t.Helper()
	link, err := s.auth.LoginLink(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	resp, err := c.PostForm(s.url+"/login", u.Query())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatalf("signing in ends with %d", resp.StatusCode)
	}
	return c
}

// page fetches a page and expects a status.
func (s *station) page(t *testing.T, c *http.Client, path string, status int) string {
	t.Helper()
	resp, err := c.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s: %d, want %d\n%s\n%s", path, resp.StatusCode, status, b, s.log)
	}
	return string(b)
}

// document is the sample's document with a key.
func document(t *testing.T, s *sample.Store, typ, key string) tracking.Document {
	t.Helper()
	for _, d := range s.DocumentList {
		for _, k := range d.Keys {
			if k.Value == key && d.Type == typ {
				return d
			}
		}
	}
	t.Fatalf("the sample has no %s with the key %s", typ, key)
	return tracking.Document{}
}

// addresses are all pages worth looking at, by a name for their picture.
func addresses(t *testing.T, s *sample.Store) map[string]string {
	t.Helper()
	at := func(typ, key, tab string) string { return "/documents/" + document(t, s, typ, key).ID.String() + tab }
	var refused, duplicate tracking.ID
	for _, tr := range s.TransmissionList {
		switch {
		case tr.State == tracking.TransmissionRefused && tr.Direction == tracking.Inbound:
			refused = tr.ID
		case tr.State == tracking.TransmissionDuplicate:
			duplicate = tr.ID
		}
	}
	return map[string]string{
		"today": "/", "today-week": "/?period=7d",
		"documents": "/documents", "documents-filtered": "/documents?q=4500012345&direction=outbound&since=24h", "documents-none": "/documents?q=nothing",
		"document-readable": at("850", "4500012345", ""), "document-segments-invalid": at("850", "BG-77120", "/segments"), "document-readable-invalid": at("850", "BG-77120", ""),
		"document-raw": at("856", "4500012345", "/raw"), "document-evidence": at("856", "4500012345", "/evidence"), "document-history": at("940", "4500012391", "/history"),
		"document-despatch": at("856", "4500012345", ""), "document-edifact": at("ORDERS", "ORD-55871", ""), "document-rejected": at("856", "BG-76980", "/segments"),
		"document-overdue": at("810", "INV-30940", ""), "document-refused": at("850", "PO-2211", "/evidence"), "document-retry": at("940", "4500012391", ""),
		"document-arriving": at("850", "4500012402", ""),
		"transmissions":     "/transmissions", "transmission-refused": "/transmissions/" + refused.String(), "transmission-duplicate": "/transmissions/" + duplicate.String(),
		"document-resend": at("856", "4500012345", "/resend"), "queue-pause": "/queue/pause?lane=" + url.QueryEscape(s.LaneList[0].Name),
		"partners": "/partners", "queue": "/queue", "status": "/status", "not-found": "/documents/0000000000000",
	}
}

func TestEveryPageOpens(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	for name, path := range addresses(t, s.Store) {
		status := 200
		if name == "not-found" {
			status = 404
		}
		body := s.page(t, c, path, status)
		if !strings.Contains(body, "</html>") || strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "%!") {
			t.Errorf("%s is not drawn whole", path)
		}
	}
	if s.log.String() != "" {
		t.Errorf("the log says %s", s.log)
	}
}
