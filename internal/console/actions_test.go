package console_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"tradepost/internal/console"
	"tradepost/internal/console/sample"
	"tradepost/processes"
	"tradepost/tracking"
)

// doings keeps what people asked for.
type doings struct {
	mu   sync.Mutex
	list []string
	err  error
}

func (d *doings) add(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.list = append(d.list, fmt.Sprintf(format, args...))
	}
	return d.err
}

// take returns what was asked for since the last call.
func (d *doings) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.list
	d.list = nil
	return strings.Join(list, "; ")
}

func (d *doings) Resend(_ context.Context, r processes.Request) (tracking.ID, error) {
	return 0, d.add("resend %s %s %q", r.Document, r.Actor, r.Comment)
}

func (d *doings) Release(_ context.Context, r processes.Request) (tracking.ID, error) {
	return 0, d.add("release %s %s %q", r.Document, r.Actor, r.Comment)
}

func (d *doings) PauseLane(_ context.Context, lane string, paused bool, r processes.LaneRequest) error {
	return d.add("pause %s %t %s %q", lane, paused, r.Actor, r.Comment)
}

func (d *doings) Retry(_ context.Context, ids []int64, r processes.LaneRequest) (int, error) {
	return len(ids), d.add("retry %v %s %q", ids, r.Actor, r.Comment)
}

// post sends a form and returns where it ended, its status and what is there.
func (s *station) post(t *testing.T, c *http.Client, path string, form url.Values, header ...string) (end string, status int, page string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Request.URL.RequestURI(), resp.StatusCode, string(b)
}

func withDoings(d *doings) func(*console.Config) {
	return func(c *console.Config) { c.Operations = d }
}

func TestWhatIsDoneToADocumentIsAskedFirst(t *testing.T) {
	t.Parallel()
	did := &doings{}
	s := start(t, sample.Day(), withDoings(did))
	c := s.signIn(t)
	why := url.Values{"comment": {"  their disk\n was full "}}
	for _, x := range []struct {
		typ, key, verb, ask string
	}{
		{"856", "4500012345", "resend", "Kestrel Markets has proven that it received this document. Tell them before they get it twice."},
		{"850", "4500012345", "resend", "The back office gets the document of Kestrel Markets again"},
		{"850", "PO-2211", "resend", "It goes to Orchard Packaging."},
		{"850", "BG-77120", "release", "This document breaks its guide. It goes on as it is, on your responsibility."},
	} {
		d := document(t, s.Store, x.typ, x.key)
		base := "/documents/" + d.ID.String()
		link := base + "/" + x.verb
		if page := s.page(t, c, base, 200); !strings.Contains(page, `href="`+link+`"`) {
			t.Errorf("%s %s offers no %s", x.typ, x.key, x.verb)
		}
		page := s.page(t, c, link, 200)
		says(t, "the question", page, x.ask, x.key, "Cancel")
		if !strings.Contains(page, `<form method="post" action="`+link+`">`) {
			t.Errorf("the question leads nowhere:\n%s", page)
		}
		if end, status, page := s.post(t, c, link, nil); status != 422 || end != link || !strings.Contains(page, "Say why") {
			t.Errorf("without a reason: %d at %s", status, end)
		}
		if got := did.take(); got != "" {
			t.Errorf("before the answer was done: %s", got)
		}
		if end, status, _ := s.post(t, c, link, why); status != 200 || end != base+"/history" {
			t.Errorf("the answer ends with %d at %s", status, end)
		}
		if got, want := did.take(), fmt.Sprintf("%s %s anna %q", x.verb, d.ID, "their disk was full"); got != want {
			t.Errorf("done was %s, want %s", got, want)
		}
	}
}

func TestNobodyElseActsInAPersonsName(t *testing.T) {
	t.Parallel()
	did := &doings{}
	s := start(t, sample.Day(), withDoings(did))
	c := s.signIn(t)
	link := "/documents/" + document(t, s.Store, "850", "PO-2211").ID.String() + "/resend"
	why := url.Values{"comment": {"x"}}
	if _, status, _ := s.post(t, http.DefaultClient, link, why); status != 401 {
		t.Errorf("without a session: %d", status)
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		if _, status, page := s.post(t, c, link, why, header...); status != 403 || !strings.Contains(page, "Not from another site") {
			t.Errorf("%s: %d", header, status)
		}
	}
	// An address alone does nothing, however it is asked for.
	for _, verb := range []string{"/queue/pause?lane=deliver%2Fas2-juniper&comment=x", link + "?comment=x"} {
		s.page(t, c, verb, 200)
	}
	if _, status, _ := s.post(t, c, link+"?comment=x", nil); status != 422 {
		t.Errorf("a reason in the address counts: %d", status)
	}
	if got := did.take(); got != "" {
		t.Errorf("done was %s", got)
	}
}

func TestWhatIsNotPossibleIsSaid(t *testing.T) {
	t.Parallel()
	did := &doings{}
	s := start(t, sample.Day(), withDoings(did))
	c := s.signIn(t)
	arriving := "/documents/" + document(t, s.Store, "850", "4500012402").ID.String()
	if page := s.page(t, c, arriving, 200); strings.Contains(page, "/resend") || strings.Contains(page, "/release") {
		t.Error("a document on its way offers an operation")
	}
	says(t, "a resend of what is on its way", s.page(t, c, arriving+"/resend", 409), "Not now", "there is nothing to resend now")
	s.page(t, c, "/documents/0000000000000/resend", 404)
	s.page(t, c, "/queue/pause?lane=nowhere", 404)
	s.page(t, c, "/queue/retry?job=0000000000001", 404)
	s.page(t, c, "/queue/retry?job=x", 404)

	link := "/documents/" + document(t, s.Store, "850", "PO-2211").ID.String() + "/resend"
	for name, comment := range map[string]string{"too long": strings.Repeat("x", 501), "far too long": strings.Repeat("x", 1<<20), "no text": "a\x00b", "no UTF-8": "\xff"} {
		if _, status, _ := s.post(t, c, link, url.Values{"comment": {comment}}); status != 422 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if got := did.take(); got != "" {
		t.Errorf("done was %s", got)
	}
	// What the operation itself refuses, and what breaks.
	why := url.Values{"comment": {"x"}}
	did.err = &processes.RefusedError{Reason: "transmission 1 waits for its receipt"}
	if _, status, page := s.post(t, c, link, why); status != 409 || !strings.Contains(words(page), "Transmission 1 waits for its receipt. Nothing was done.") {
		t.Errorf("refused: %d %s", status, words(page))
	}
	did.err = errors.New("the disk is full")
	if _, status, page := s.post(t, c, link, why); status != 500 || !strings.Contains(page, "Look whether it was done before you ask again") || strings.Contains(page, "disk") {
		t.Errorf("broken: %d %s", status, words(page))
	}

	// A console without operations shows, and changes nothing.
	quiet := start(t, sample.Day(), func(c *console.Config) { c.Operations = nil })
	c = quiet.signIn(t)
	if page := quiet.page(t, c, strings.TrimSuffix(link, "/resend"), 200); strings.Contains(page, "/resend") {
		t.Error("a console without operations offers one")
	}
	quiet.page(t, c, link, 404)
	if page := quiet.page(t, c, "/queue", 200); strings.Contains(page, "/queue/") {
		t.Error("a queue without operations offers one")
	}
	quiet.page(t, c, "/queue/retry", 404)
}

func TestLanesAndDeadLettersAreHandled(t *testing.T) {
	t.Parallel()
	did := &doings{}
	day := sample.Day()
	day.LaneList[0].Paused = true
	paused, open := day.LaneList[0].Name, day.LaneList[1].Name
	dead := tracking.ID(day.DeadList[0].ID)
	s := start(t, day, withDoings(did))
	c := s.signIn(t)
	page := html.UnescapeString(s.page(t, c, "/queue", 200))
	for _, x := range []struct{ link, did string }{
		{"/queue/resume?lane=" + url.QueryEscape(paused), fmt.Sprintf("pause %s false anna %q", paused, "")},
		{"/queue/pause?lane=" + url.QueryEscape(open), fmt.Sprintf("pause %s true anna %q", open, "")},
		{"/queue/retry?job=" + dead.String(), fmt.Sprintf("retry [%d] anna %q", int64(dead), "")},
	} {
		if !strings.Contains(page, `href="`+x.link+`"`) {
			t.Errorf("the queue has no button to %s", x.link)
		}
		s.page(t, c, x.link, 200)
		if got := did.take(); got != "" {
			t.Errorf("before the answer was done: %s", got)
		}
		if end, status, _ := s.post(t, c, x.link, nil); status != 200 || end != "/queue" {
			t.Errorf("%s ends with %d at %s", x.link, status, end)
		}
		if got := did.take(); got != x.did {
			t.Errorf("done was %s, want %s", got, x.did)
		}
	}
	s.page(t, c, "/queue/retry", 200)
	s.post(t, c, "/queue/retry", url.Values{"comment": {"again"}})
	if got := did.take(); got != `retry [] anna "again"` {
		t.Errorf("done was %s", got)
	}
}
