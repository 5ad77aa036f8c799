package api_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradepost/internal/api"
	"tradepost/internal/api/problem"
	"tradepost/internal/console/sample"
	"tradepost/tracking"
)

func start(t *testing.T, s *sample.Store, change ...func(*api.Config)) string {
	t.Helper()
	cfg := api.Config{Data: s, Archive: s, Runs: s, Queue: s, Now: sample.Now, Poll: 2 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	h, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func get(t *testing.T, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

// read gets url, expects 200 and reads the JSON strictly into v.
func read(t *testing.T, url string, v any) {
	t.Helper()
	resp, body := get(t, url)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d %s %s", url, resp.StatusCode, resp.Header.Get("Content-Type"), body)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%s: %v in %s", url, err, body)
	}
}

func refused(t *testing.T, url string, status int, detail string) problem.Details {
	t.Helper()
	resp, body := get(t, url)
	var p problem.Details
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%s: %v in %s", url, err, body)
	}
	if resp.StatusCode != status || p.Status != status || !strings.Contains(p.Detail, detail) ||
		resp.Header.Get("Content-Type") != problem.ContentType || p.Title != http.StatusText(status) {
		t.Fatalf("%s: %d %s, want %d with %q", url, resp.StatusCode, body, status, detail)
	}
	return p
}

func document(t *testing.T, s *sample.Store, key string) tracking.Document {
	t.Helper()
	for _, d := range s.DocumentList {
		for _, k := range d.Keys {
			if k.Value == key {
				return d
			}
		}
	}
	t.Fatalf("the sample has no document with the key %s", key)
	return tracking.Document{}
}

func TestDocumentsAreFoundByTheWordsOfTheURL(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	invalid := document(t, s, "BG-77120")
	for _, c := range []struct {
		query string
		want  int // how many; -1 = some
		check func(tracking.DocumentRow) bool
	}{
		{"q=4500012345", 3, nil},
		{"q=45000123", 4, nil},
		{"key=PO%3D4500012345", 3, nil},
		{"key=Invoice%3DINV-30951", 1, func(d tracking.DocumentRow) bool { return d.Type == "810" }},
		{"q=" + invalid.ID.String(), 1, func(d tracking.DocumentRow) bool { return d.ID == invalid.ID }},
		{"state=invalid", 1, func(d tracking.DocumentRow) bool { return d.Errors == 4 }},
		{"state=invalid,failed", 2, nil},
		{"state=invalid&state=failed", 2, nil},
		{"state=troubled", 3, nil},
		{"state=troubled&partner=Bluegate+Stores", 2, nil},
		{"ack=overdue", 1, func(d tracking.DocumentRow) bool { return d.Type == "810" }},
		{"ack=rejected&direction=outbound", 1, nil},
		{"partner=Fjord+Detalj+AS", 1, func(d tracking.DocumentRow) bool { return d.Standard == "EDIFACT" }},
		{"type=940&since=24h", -1, func(d tracking.DocumentRow) bool { return d.Partner == "Juniper Logistics" }},
		{"since=2026-11-05&until=2026-11-05&limit=1000", -1, func(d tracking.DocumentRow) bool { return d.CreatedAt.Day() == 5 }},
		{"until=2026-11-03", 0, nil},
		{"since=today&type=850&limit=3", 3, nil},
	} {
		var page tracking.DocumentPage
		read(t, base+"/api/v1/documents?"+c.query, &page)
		if c.want >= 0 && len(page.Documents) != c.want || c.want < 0 && len(page.Documents) == 0 {
			t.Errorf("%s: %d documents, want %d", c.query, len(page.Documents), c.want)
		}
		for _, d := range page.Documents {
			if c.check != nil && !c.check(d) {
				t.Errorf("%s gives document %s %s %s %s", c.query, d.ID, d.Type, d.Partner, d.State)
			}
		}
	}
}

func TestPagesFollowEachOtherWithoutGapsOrRepeats(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	var ids []tracking.ID
	next := ""
	for {
		var page tracking.DocumentPage
		read(t, base+"/api/v1/documents?limit=7"+next, &page)
		for _, d := range page.Documents {
			ids = append(ids, d.ID)
		}
		if page.Next == 0 {
			break
		}
		next = "&before=" + page.Next.String()
	}
	if len(ids) != len(s.DocumentList) || !slices.IsSortedFunc(ids, func(a, b tracking.ID) int { return int(b - a) }) {
		t.Errorf("%d documents in pages, the store has %d", len(ids), len(s.DocumentList))
	}
}

func TestWrongParametersAreNamed(t *testing.T) {
	t.Parallel()
	base := start(t, sample.Day())
	for query, want := range map[string]struct{ name, text string }{
		"stat=invalid":                  {"stat", "is not known here; known are q, partner"},
		"state=broken":                  {"state", `"broken" is none of received, invalid`},
		"ack=late":                      {"ack", `"late" is none of`},
		"state=troubled,failed":         {"state", "cannot be combined"},
		"ack=overdue,rejected":          {"ack", "cannot be combined"},
		"direction=in":                  {"direction", "neither inbound nor outbound"},
		"key=4500":                      {"key", "is not NAME=VALUE"},
		"since=yesterday":               {"since", "is no moment"},
		"since=-3h":                     {"since", "is no moment"},
		"until=99999d":                  {"until", "is no moment"},
		"before=zzz":                    {"before", "is no id"},
		"limit=0":                       {"limit", "is not a number from 1 to 1000"},
		"limit=1001":                    {"limit", "is not a number from 1 to 1000"},
		"format=xml":                    {"format", "is none of json, jsonl, csv"},
		"q=" + strings.Repeat("x", 201): {"q", "longer than 200"},
	} {
		p := refused(t, base+"/api/v1/documents?"+query, 400, want.text)
		if p.Parameter != want.name {
			t.Errorf("%s: the problem names the parameter %q", query, p.Parameter)
		}
	}
	refused(t, base+"/api/v1/transmissions?state=invalid", 400, `"invalid" is none of received, processed`)
	refused(t, base+"/api/v1/transmissions?type=850", 400, "is not known here")
	refused(t, base+"/api/v1/events?after=x", 400, "is no id")
	refused(t, base+"/api/v1/events?limit=x", 400, "is not a number")
	refused(t, base+"/api/v1/events/stream?limit=3", 400, "is not known here")
	refused(t, base+"/api/v1/summary?since=60d", 400, "31 days")
	refused(t, base+"/api/v1/dead-letters?limit=x", 400, "is not a number")
	refused(t, base+"/api/v1/lanes?x=1", 400, "is not known here")
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	d := document(t, s, "4500012345")
	unknown := tracking.ID(77).String()
	refused(t, base+"/api/v1/documents/"+unknown, 404, "document "+unknown+": not found")
	refused(t, base+"/api/v1/documents/nonsense", 404, `"nonsense" is not an id`)
	refused(t, base+"/api/v1/documents/"+unknown+"/content", 404, "not found")
	refused(t, base+"/api/v1/documents/"+unknown+"/runs", 404, "not found")
	refused(t, base+"/api/v1/transmissions/"+unknown, 404, "transmission "+unknown)
	refused(t, base+"/api/v1/transmissions/"+d.SourceID.String()+"/attachments/1", 404, "has 0 attachments")
	refused(t, base+"/api/v1/transmissions/"+d.SourceID.String()+"/receipts/"+unknown, 404, "has no receipt")
	refused(t, base+"/api/v1/transmissions/"+d.SourceID.String()+"/wire?form=raw", 400, "neither body nor stored")
	refused(t, base+"/api/v1/nothing", 404, "there is no such resource")

	delete(s.Payloads, d.Payload.SHA256)
	refused(t, base+"/api/v1/documents/"+d.ID.String()+"/content", 404, d.Payload.SHA256)
	for i := range s.TransmissionList {
		if s.TransmissionList[i].State == tracking.TransmissionRefused && s.TransmissionList[i].Content.None() {
			refused(t, base+"/api/v1/transmissions/"+s.TransmissionList[i].ID.String()+"/content", 404, "there are no bytes")
		}
	}

	resp, err := http.Post(base+"/api/v1/documents", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST gets %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}

func TestSingleViewsHaveTheFormOfTracking(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	d := document(t, s, "BG-77120")
	var v tracking.DocumentView
	read(t, base+"/api/v1/documents/"+d.ID.String(), &v)
	if len(v.Issues) != 5 || v.Issues[0].Ack != "AK403=7" || v.Source == nil || len(v.Acknowledgements) != 2 || len(v.Events) == 0 {
		t.Errorf("the document's view: %+v", v)
	}
	var tv tracking.TransmissionView
	read(t, base+"/api/v1/transmissions/"+d.SourceID.String(), &tv)
	if tv.Transmission.Evidence.Digest != "sha-256" || len(tv.Receipts) != 1 || len(tv.Documents) != 1 {
		t.Errorf("the transmission's view: %+v", tv)
	}
	var runs struct {
		Runs []json.RawMessage `json:"runs"`
	}
	read(t, base+"/api/v1/documents/"+d.ID.String()+"/runs", &runs)
	read(t, base+"/api/v1/transmissions/"+d.SourceID.String()+"/runs", &runs)
	if len(runs.Runs) != 1 {
		t.Errorf("%d runs", len(runs.Runs))
	}
	var page tracking.TransmissionPage
	read(t, base+"/api/v1/transmissions?state=refused", &page)
	if len(page.Transmissions) != 2 {
		t.Errorf("%d refused transmissions, want 2", len(page.Transmissions))
	}
	var sum tracking.Summary
	read(t, base+"/api/v1/summary", &sum)
	if sum.Invalid != 1 || sum.Failed != 1 || sum.Rejected != 1 || sum.Overdue != 1 || sum.Refused != 2 || sum.Duplicates != 1 || len(sum.Hours) != 25 {
		t.Errorf("the summary: %+v", sum)
	}
	var lanes struct{ Lanes []json.RawMessage }
	read(t, base+"/api/v1/lanes", &lanes)
	var dead struct{ DeadLetters []json.RawMessage }
	read(t, base+"/api/v1/dead-letters", &dead)
	if len(lanes.Lanes) != 4 || len(dead.DeadLetters) != 1 {
		t.Errorf("%d lanes, %d dead letters", len(lanes.Lanes), len(dead.DeadLetters))
	}
}

func TestEmptyListsAreListsInJSON(t *testing.T) {
	t.Parallel()
	base := start(t, &sample.Store{})
	for path, want := range map[string]string{
		"/api/v1/documents":     `{"documents":[]}`,
		"/api/v1/transmissions": `{"transmissions":[]}`,
		"/api/v1/events":        `{"events":[],"next":""}`,
		"/api/v1/lanes":         `{"lanes":[]}`,
		"/api/v1/dead-letters":  `{"deadLetters":[]}`,
		"/readyz":               `{"checks":[],"ok":true}`,
	} {
		_, body := get(t, base+path)
		if got := strings.TrimSpace(string(body)); got != want {
			t.Errorf("%s gives %s, want %s", path, got, want)
		}
	}
}

func TestDownloadsAreExact(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	d := document(t, s, "4500012345")
	content := s.Payloads[d.Payload.SHA256]
	var receipt tracking.Receipt
	for _, r := range s.ReceiptList {
		if r.TransmissionID == d.SourceID {
			receipt = r
		}
	}
	at := base + "/api/v1/transmissions/" + d.SourceID.String()
	for url, want := range map[string]struct {
		body, name string
	}{
		base + "/api/v1/documents/" + d.ID.String() + "/content": {string(content[d.Offset : d.Offset+d.Length]), "850-" + d.ID.String() + ".edi"},
		at + "/content":                         {string(content), d.SourceID.String() + ".content"},
		at + "/receipts/" + receipt.ID.String(): {string(s.Payloads[receipt.Body.SHA256]), receipt.ID.String() + ".receipt"},
	} {
		resp, body := get(t, url)
		if string(body) != want.body {
			t.Errorf("%s: %d bytes, want %d", url, len(body), len(want.body))
		}
		h := resp.Header
		if h.Get("Content-Type") != "application/octet-stream" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
			h.Get("Content-Disposition") != "attachment; filename="+want.name || h.Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("%s: headers %v", url, h)
		}
	}
	_, stored := get(t, at+"/wire?form=stored")
	if !strings.HasPrefix(string(stored), "AS2-Version: 1.2\r\nAS2-From: KESTREL\r\n") || !strings.Contains(string(stored), "\r\n\r\n0\x80") {
		t.Errorf("the stored form of the wire begins %q", stored[:60])
	}
	_, stored = get(t, at+"/receipts/"+receipt.ID.String()+"?form=stored")
	if !strings.Contains(string(stored), "\r\n\r\n--b1\r\n") {
		t.Errorf("the stored form of the receipt is %q", stored)
	}
	resp, _ := get(t, at+"/content")
	if !strings.HasPrefix(resp.Header.Get("Repr-Digest"), "sha-256=:") {
		t.Errorf("Repr-Digest is %q", resp.Header.Get("Repr-Digest"))
	}
}

func TestHostileNamesStayOutOfHeadersAndFormulas(t *testing.T) {
	t.Parallel()
	s, doc, tr := sample.Hostile()
	base := start(t, s)
	for _, path := range []string{
		"/api/v1/documents/" + doc.String() + "/content", "/api/v1/transmissions/" + tr.String() + "/content",
		"/api/v1/transmissions/" + tr.String() + "/attachments/1", "/api/v1/transmissions/" + tr.String() + "/wire?form=stored",
	} {
		resp, body := get(t, base+path)
		if resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
		for name, values := range resp.Header {
			if v := strings.Join(values, ""); strings.ContainsAny(v, "\r\n\x1b\x07") || strings.Contains(v, "passwd") || strings.Contains(v, "<") || name == "Set-Cookie" || name == "Y" {
				t.Errorf("%s: header %s: %q", path, name, v)
			}
		}
	}
	_, stored := get(t, base+"/api/v1/transmissions/"+tr.String()+"/wire?form=stored")
	if head, _, _ := strings.Cut(string(stored), "\r\n\r\n"); strings.Contains(head, "\nSet-Cookie") {
		t.Error("a line end inside a header value makes a line of its own")
	}
	var view tracking.DocumentView
	read(t, base+"/api/v1/documents/"+doc.String(), &view)

	s.DocumentList[0].Partner = `=HYPERLINK("http://evil.example")`
	s.DocumentList[0].Error = "@sum, \"quoted\"\nnext"
	_, body := get(t, base+"/api/v1/documents?format=csv")
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 1+len(s.DocumentList) {
		t.Fatalf("the CSV has %d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("the cell %.40q is a formula", cell)
			}
		}
	}
}

func TestExportsHoldEveryDocument(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	all := len(s.DocumentList)
	for query, want := range map[string]int{"": all, "&limit=5": 5, "&type=856&partner=Bluegate+Stores": -1, "&state=invalid": 1} {
		resp, body := get(t, base+"/api/v1/documents?format=csv"+query)
		rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
		if err != nil || want >= 0 && len(rows) != want+1 || len(rows) < 2 {
			t.Errorf("csv %s: %d rows, want %d, %v", query, len(rows), want+1, err)
		}
		if rows[0][0] != "id" || !strings.Contains(resp.Header.Get("Content-Disposition"), `filename="documents-20261105-143210.csv"`) {
			t.Errorf("csv head %v, %v", rows[0], resp.Header)
		}
		_, body = get(t, base+"/api/v1/documents?format=jsonl"+query)
		lines := strings.Count(string(body), "\n")
		if lines != len(rows)-1 {
			t.Errorf("jsonl %s: %d lines, csv has %d", query, lines, len(rows)-1)
		}
		var d tracking.DocumentRow
		if err := json.Unmarshal(body[:bytes.IndexByte(body, '\n')], &d); err != nil || d.ID == 0 {
			t.Errorf("jsonl %s: %v", query, err)
		}
	}
}

// slow answers the first page and breaks at the second.
type slow struct {
	*sample.Store
	calls int
}

func (s *slow) Documents(ctx context.Context, q tracking.DocumentQuery) (*tracking.DocumentPage, error) {
	s.calls++
	if s.calls > 1 {
		return nil, errors.New("disk on fire")
	}
	q.Limit = 3
	return s.Store.Documents(ctx, q)
}

func TestABrokenExportDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s, func(c *api.Config) { c.Data = &slow{Store: s} })
	resp, err := http.Get(base + "/api/v1/documents?format=csv")
	if err != nil {
		return // broken before the headers went out: just as clear
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the client cannot tell that the list is cut off")
	}
}

func TestTroubleInTheStoreShowsAnIncidentAndNothingElse(t *testing.T) {
	t.Parallel()
	base := start(t, &sample.Store{Err: errors.New("pg: password wrong for db.internal")})
	for _, path := range []string{"/api/v1/documents", "/api/v1/documents/" + tracking.ID(5).String(), "/api/v1/transmissions", "/api/v1/summary", "/api/v1/events", "/api/v1/lanes", "/api/v1/dead-letters"} {
		p := refused(t, base+path, 500, "its log tells why")
		if len(p.Incident) != 10 || strings.Contains(p.Detail, "password") {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	checks := []api.Check{{Name: "store", OK: true, Detail: "secret path"}, {Name: "keys", OK: true}}
	base := start(t, sample.Day(), func(c *api.Config) { c.Checks = func(context.Context) []api.Check { return checks } })
	resp, body := get(t, base+"/livez")
	if resp.StatusCode != 200 || strings.TrimSpace(string(body)) != `{"ok":true}` {
		t.Errorf("/livez: %d %s", resp.StatusCode, body)
	}
	resp, body = get(t, base+"/readyz")
	if resp.StatusCode != 200 || strings.Contains(string(body), "secret") || !strings.Contains(string(body), `{"name":"store","ok":true}`) {
		t.Errorf("/readyz: %d %s", resp.StatusCode, body)
	}
	checks[1].OK = false
	resp, body = get(t, base+"/readyz")
	if resp.StatusCode != 503 || !strings.Contains(string(body), `"ok":false`) {
		t.Errorf("/readyz with a failed check: %d %s", resp.StatusCode, body)
	}
}

func TestMomentsInParameters(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("UTC+2", 2*3600)
	now := time.Date(2026, 11, 5, 23, 30, 0, 0, time.UTC) // already the 6th in the zone
	for s, want := range map[string]string{
		"2026-11-05": "2026-11-04T22:00:00Z", "2026-11-05T14:03": "2026-11-05T12:03:00Z", "2026-11-05T14:03:09": "2026-11-05T12:03:09Z",
		"2026-11-05T14:03:00Z": "2026-11-05T14:03:00Z", "2026-11-05T14:03:00+05:00": "2026-11-05T09:03:00Z",
		"today": "2026-11-05T22:00:00Z", "90m": "2026-11-05T22:00:00Z", "7d": "2026-10-29T23:30:00Z",
	} {
		got, err := api.ParseTime(s, now, zone)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s is %s, %v; want %s", s, got.UTC().Format(time.RFC3339), err, want)
		}
	}
}

func TestSlicesLieInsideTheirPayload(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	p := document(t, s, "4500012345").Payload
	for _, c := range []struct{ offset, length int64 }{{-1, 1}, {0, p.Size + 1}, {p.Size, 1}, {p.Size + 1, -1}, {1 << 62, 1 << 62}, {1, 1<<63 - 1}} {
		if _, err := api.OpenSlice(t.Context(), s, p, c.offset, c.length); err == nil {
			t.Errorf("bytes %d+%d of %d were given", c.offset, c.length, p.Size)
		}
	}
	lying := p
	lying.Size += 100 // the archive holds less than the row says
	if _, err := api.OpenSlice(t.Context(), s, lying, p.Size+50, 10); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("beyond the end of what is kept: %v", err)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := api.New(api.Config{}); err == nil || !strings.Contains(err.Error(), "Data, Archive, Runs and Queue") {
		t.Errorf("New without anything: %v", err)
	}
}

// FuzzQueries sends arbitrary query strings: never a panic or a 500.
func FuzzQueries(f *testing.F) {
	for _, s := range []string{"q=1", "since=24h", "limit=9999999999999999999", "key==", "state=,,,", "%zz", "before=7ZZZZZZZZZZZZ"} {
		f.Add(s)
	}
	s := sample.Day()
	h, err := api.New(api.Config{Data: s, Archive: s, Runs: s, Queue: s, Now: sample.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/api/v1/documents", "/api/v1/transmissions"} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.URL = &url.URL{Path: path, RawQuery: query}
			h.ServeHTTP(w, r)
			if w.Code != 200 && w.Code != 400 {
				t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
		}
	})
}
