package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

// noon is the present of these tests.
func noon() time.Time { return time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC) }

// fakeStore answers what the commands ask. Everything else of the interface is
// nil and would fail loudly.
type fakeStore struct {
	processes.Store
	documents []tracking.DocumentRow // newest first
	asked     []tracking.DocumentQuery
	view      *tracking.DocumentView
	lanes     []queue.Lane
	paused    map[string]bool
	dead      []*queue.Job
	revived   []int64
	events    []tracking.Event // of what people asked for
	closed    bool
}

func (s *fakeStore) IDs() *tracking.IDs { return tracking.NewIDs(noon, 1) }

// fakeTx keeps events.
type fakeTx struct {
	processes.Tx
	s *fakeStore
}

func (tx fakeTx) AppendEvent(_ context.Context, e *tracking.Event) error {
	tx.s.events = append(tx.s.events, *e)
	return nil
}

func (s *fakeStore) Update(ctx context.Context, fn func(context.Context, processes.Tx) error) error {
	return fn(ctx, fakeTx{s: s})
}

func (s *fakeStore) Close() error { s.closed = true; return nil }

func (s *fakeStore) Documents(_ context.Context, q tracking.DocumentQuery) (*tracking.DocumentPage, error) {
	s.asked = append(s.asked, q)
	rows := s.documents
	if q.Before != 0 {
		rows = rows[slices.IndexFunc(rows, func(d tracking.DocumentRow) bool { return d.ID < q.Before }):]
	}
	p := &tracking.DocumentPage{Documents: rows}
	if len(rows) > q.Limit {
		p.Documents = rows[:q.Limit]
		p.Next = rows[q.Limit-1].ID
	}
	return p, nil
}

func (s *fakeStore) DocumentView(_ context.Context, id tracking.ID) (*tracking.DocumentView, error) {
	if s.view == nil || s.view.Document.ID != id {
		return nil, fmt.Errorf("document %s: %w", id, tracking.ErrNotFound)
	}
	return s.view, nil
}

func (s *fakeStore) Lanes(context.Context) ([]queue.Lane, error) { return s.lanes, nil }

func (s *fakeStore) PauseLane(_ context.Context, lane string, paused bool) error {
	s.paused[lane] = paused
	return nil
}

func (s *fakeStore) DeadJobs(_ context.Context, limit int) ([]*queue.Job, error) {
	return s.dead[:min(limit, len(s.dead))], nil
}

func (s *fakeStore) ReviveJob(_ context.Context, id int64) error {
	for _, j := range s.dead {
		if j.ID == id {
			s.revived = append(s.revived, id)
			return nil
		}
	}
	return fmt.Errorf("job: %w", tracking.ErrNotFound)
}

// house is a station in a folder of the test, and the store behind it.
type house struct {
	t     *testing.T
	dir   string
	store *fakeStore
}

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "station")
	_, err := config.Create(dir, config.New{Name: "buyer", AS2ID: "BUYER", Identifier: "ZZ:BUYER", AS2Address: "127.0.0.1:0", AdminAddress: "127.0.0.1:0", KeyType: certs.P256}, noon(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &house{t, dir, &fakeStore{paused: map[string]bool{}}}
}

// result is what a command line led to.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command line against the house; a nil house has no store.
func (h *house) run(args ...string) result {
	var out, words bytes.Buffer
	env := &Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &words, Now: noon, Random: rand.Reader,
		LookupEnv: func(name string) (string, bool) {
			if h == nil || name != "TRADEPOST_CONFIG" {
				return "", false
			}
			return filepath.Join(h.dir, "tradepost.yaml"), true
		},
		OpenStore: func(context.Context, *config.Config) (Store, error) {
			if h == nil {
				return nil, errors.New("no store here")
			}
			return h.store, nil
		},
		ConsoleLink: func(_ context.Context, _ *config.Config, _ Store, user string) (string, error) {
			return "/login?token=" + user, nil
		},
	}
	code := Run(context.Background(), env, args)
	if strings.Contains(words.String(), "panic") || strings.Contains(words.String(), "goroutine") {
		panic(words.String())
	}
	return result{code, out.String(), words.String()}
}

// expect checks exit code and a part of what was said.
func (r result) expect(t *testing.T, code int, says string) result {
	t.Helper()
	if r.code != code || !strings.Contains(r.stderr, says) {
		t.Errorf("exit code %d, want %d; it said\n%s\nwant %q", r.code, code, r.stderr, says)
	}
	return r
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"bogus":                              `there is no command "bogus" in ` + "`tradepost`",
		"docment":                            "did you mean `tradepost document`?",
		"document bogus":                     `there is no command "bogus" in ` + "`tradepost document`",
		"document list --bogus":              "unknown flag: --bogus",
		"document list extra":                "extra",
		"document list -o xml":               "-o xml is not known: write one of table, json, jsonl, csv",
		"document list --state lost":         "--state lost: write one of received, invalid",
		"document list --ack maybe":          "--ack maybe: write one of none",
		"document list --key PO":             "--key PO: write NAME=VALUE",
		"document list --since yesterday":    "--since yesterday: write 24h",
		"document list --direction sideways": "--direction sideways: write inbound or outbound",
		"document list --limit -1":           "--limit -1",
		"document list --before x":           "--before: \"x\" is not an id",
		"document show":                      "the ID of a document",
		"document show a b":                  "one argument too many",
		"queue pause":                        "the name of a LANE",
		"queue retry":                        "or --all",
		"queue retry --all x":                "or --all",
		"init a b":                           "one argument too many",
		"init --partner-url http://x":        "--partner-url needs --partner NAME",
		"init --partner x":                   "--partner needs --partner-url and --partner-certificate",
		"init --key-type p-256":              "few partners can encrypt",
		"version extra":                      "extra",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			r := (*house)(nil).run(strings.Fields(line)...).expect(t, ExitUsage, says)
			if !strings.Contains(r.stderr, "--help`") {
				t.Errorf("no way to the help in %q", r.stderr)
			}
			if r.stdout != "" {
				t.Errorf("standard output carries %q", r.stdout)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{context.Background(), nil, ExitOK},
		{context.Background(), errors.New("x"), ExitFailed},
		{context.Background(), fmt.Errorf("x: %w", &ExitError{Code: ExitRefused}), ExitRefused},
		{context.Background(), fmt.Errorf("x: %w", tracking.ErrNotFound), ExitNotFound},
		{context.Background(), &config.Error{}, ExitConfig},
		{context.Background(), context.Canceled, ExitFailed},
		{over, fmt.Errorf("x: %w", context.Canceled), ExitInterrupted},
		{over, errors.New("x"), ExitFailed},
	} {
		if got := exitCode(c.ctx, c.err); got != c.want {
			t.Errorf("exitCode(%v) = %d, want %d", c.err, got, c.want)
		}
	}
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	if err := alive(ctx, "http://127.0.0.1:1"); exitCode(ctx, err) != ExitUnreachable {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	var v versionInfo
	r := (*house)(nil).run("version", "-o", "json").expect(t, ExitOK, "")
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || v.Go == "" || v.Version == "" {
		t.Errorf("%s: %v", r.stdout, err)
	}
	if r := (*house)(nil).run("version"); !strings.HasPrefix(r.stdout, "tradepost ") || r.stdout != (*house)(nil).run("--version").stdout {
		t.Errorf("version prints %q", r.stdout)
	}
	if r := (*house)(nil).run("completion", "bash"); r.code != ExitOK || !strings.Contains(r.stdout, "bash completion") {
		t.Errorf("completion bash: %d", r.code)
	}
}

func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run("document", "list", "-c", "nowhere.yaml").expect(t, ExitConfig, "tradepost init")
	file := filepath.Join(h.dir, "tradepost.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("as2_id"), []byte("as2id"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run("document", "list").expect(t, ExitConfig, "did you mean as2_id?")
	r := h.run("doctor", "-o", "json").expect(t, ExitConfig, `unknown key "as2id"`)
	if !strings.Contains(r.stdout, `"check": "config"`) || !strings.Contains(r.stdout, `"status": "fail"`) {
		t.Errorf("doctor prints %s", r.stdout)
	}
}

// documentRow is a document of a list.
func documentRow(n int) tracking.DocumentRow {
	return tracking.DocumentRow{Document: tracking.Document{
		ID: tracking.ID(1000 + n), Direction: tracking.Outbound, Partner: "supplier", Type: "850", Control: fmt.Sprintf("%04d", n),
		State: tracking.DocumentDelivered, Ack: tracking.AckAccepted, CreatedAt: noon().Add(-time.Duration(n) * time.Minute),
		Keys: []tracking.Key{{Name: "PO", Value: "45000\x1b[31m"}},
	}, InterchangeControl: "000000001", GroupControl: "1"}
}

func TestDocumentList(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.documents = []tracking.DocumentRow{documentRow(3), documentRow(2), documentRow(1)}
	r := h.run("document", "list").expect(t, ExitOK, "")
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "ID") || !strings.Contains(lines[1], "0003") {
		t.Errorf("table:\n%s", r.stdout)
	}
	if strings.Contains(r.stdout, "\x1b") {
		t.Error("a foreign key reaches the terminal with its escape sequence")
	}
	if !h.store.closed {
		t.Error("the store was left open")
	}
	h.run("document", "list", "--limit", "2").expect(t, ExitOK, "--before "+documentRow(2).ID.String())

	var rows []map[string]any
	if err := json.Unmarshal([]byte(h.run("document", "list", "-o", "json").stdout), &rows); err != nil || len(rows) != 3 {
		t.Fatalf("json: %d rows, %v", len(rows), err)
	}
	if rows[0]["id"] != documentRow(3).ID.String() || rows[0]["interchangeControl"] != "000000001" || rows[0]["state"] != "delivered" {
		t.Errorf("json row %v", rows[0])
	}
	if n := strings.Count(h.run("document", "list", "-o", "jsonl").stdout, "\n"); n != 3 {
		t.Errorf("jsonl has %d lines, want 3", n)
	}
	records, err := csv.NewReader(strings.NewReader(h.run("document", "list", "-o", "csv").stdout)).ReadAll()
	if err != nil || len(records) != 4 || records[0][1] != "time" || records[1][1] != "2026-03-31T11:57:00Z" {
		t.Errorf("csv %v, %v", records, err)
	}

	h.store.documents = nil
	h.run("document", "list").expect(t, ExitOK, "no document matches")
	if got := h.run("document", "list", "-o", "json").stdout; got != "[]\n" {
		t.Errorf("an empty list is %q, want []", got)
	}
}

func TestDocumentListAsksForWhatTheFlagsSay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run(strings.Fields("document list --partner supplier --type 850 --key PO=45=1 --state failed,invalid --ack rejected --since 24h --until 2026-03-31T10:00:00Z --control 7 --direction inbound --overdue --search 45 --limit 10")...).expect(t, ExitOK, "")
	want := tracking.DocumentQuery{
		Text: "45", Partner: "supplier", Type: "850", KeyName: "PO", KeyValue: "45=1", Control: "7", Direction: tracking.Inbound, Overdue: true,
		States: []tracking.DocumentState{tracking.DocumentFailed, tracking.DocumentInvalid}, Acks: []tracking.AckState{tracking.AckRejected},
		Since: noon().Add(-24 * time.Hour), Until: time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC), Now: noon(), Limit: 10,
	}
	if diff := cmp.Diff([]tracking.DocumentQuery{want}, h.store.asked); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
}

func TestDocumentListReadsEveryPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for n := range 2500 {
		h.store.documents = append(h.store.documents, documentRow(2500-n))
	}
	for limit, pages := range map[string]int{"0": 3, "1500": 2, "1000": 1} {
		h.store.asked = nil
		got := strings.Count(h.run("document", "list", "-o", "jsonl", "--limit", limit).stdout, "\n")
		want := map[string]int{"0": 2500, "1500": 1500, "1000": 1000}[limit]
		if got != want || len(h.store.asked) != pages {
			t.Errorf("--limit %s: %d documents in %d pages, want %d in %d", limit, got, len(h.store.asked), want, pages)
		}
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("here", 2*60*60)
	now := noon().In(zone)
	for text, want := range map[string]time.Time{
		"":                     {},
		"90m":                  noon().Add(-90 * time.Minute),
		"7d":                   noon().AddDate(0, 0, -7),
		"2026-03-30":           time.Date(2026, 3, 30, 0, 0, 0, 0, zone),
		"2026-03-30 14:00":     time.Date(2026, 3, 30, 14, 0, 0, 0, zone),
		"2026-03-30T14:00:05":  time.Date(2026, 3, 30, 14, 0, 5, 0, zone),
		"2026-03-30T14:00:00Z": time.Date(2026, 3, 30, 14, 0, 0, 0, time.UTC),
	} {
		if got, err := moment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1h", "30.3.2026", "1", "d"} {
		if got, err := moment(text, now); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestDocumentShow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	at := func(ms int) time.Time { return noon().Add(time.Duration(ms) * time.Millisecond) }
	d := documentRow(1).Document
	d.Keys[0].Value = "4500012345"
	h.store.view = &tracking.DocumentView{
		Document:    d,
		Interchange: &tracking.Interchange{Standard: "X12", Version: "00401", Control: "000000001", Sender: tracking.Identifier{Qualifier: "ZZ", ID: "BUYER"}, Receiver: tracking.Identifier{Qualifier: "ZZ", ID: "SUPPLIER"}},
		Delivery: &tracking.Transmission{
			ID: 77, Direction: tracking.Outbound, Connector: "as2", Connection: "supplier-as2", State: tracking.TransmissionDelivered, MessageID: "<1@buyer>",
			Evidence: tracking.Evidence{Signed: true, Digest: "sha-256", Encrypted: true, Cipher: "aes-256-cbc", MIC: "q1w2", MICAlg: "sha-256"},
		},
		Receipts: []tracking.Receipt{{TransmissionID: 77, Disposition: "automatic-action/MDN-sent-automatically; processed", MIC: "q1w2", MICMatches: true}},
		Issues: []tracking.Issue{
			{Severity: "error", Ack: "AK403=7", Segment: "BEG", Element: 1, Ordinal: 2, Offset: 188, Value: "QQ", Text: "no such code"},
			{Severity: "error", Ack: "AK403=7", Segment: "PO1", Element: 3, Ordinal: 17, Value: "DZ", Text: "no such unit", Reporter: "partner"},
			{Severity: "error", Ack: "AK502=5", Text: "segments in error", Reporter: "partner"},
		},
		// A 997 judges the group and the document: it is told once, with both.
		Acknowledgements: []tracking.Acknowledgement{
			{ID: 1, Type: "997", Direction: tracking.Inbound, CarrierID: 78, GroupID: 5, Status: tracking.AckPartial, Code: "P", At: at(300)},
			{ID: 2, Type: "997", Direction: tracking.Inbound, CarrierID: 78, DocumentID: d.ID, Status: tracking.AckRejected, Code: "R", At: at(300)},
		},
		Events: []tracking.Event{{At: at(0), Kind: tracking.EventDocReceived, Text: "taken from the back office"}, {At: at(250), Kind: tracking.EventDelivered, Text: "the receipt is in"}, {At: at(4275075), Kind: tracking.EventResent, Text: "carried again", Actor: "kim"}},
	}
	r := h.run("document", "show", strings.ToLower(d.ID.String())).expect(t, ExitOK, "")
	for _, part := range []string{
		"850 0001 to supplier: delivered", "PO=4500012345", "X12 00401 000000001, ZZ:BUYER -> ZZ:SUPPLIER",
		"+250ms", "the receipt is in", "+1h11m15s  document.resent            carried again (kim)", `error AK403=7 BEG01 (segment 2, byte 188) "QQ": no such code`,
		`error AK403=7 PO103 (segment 17) "DZ": no such unit [says the partner]`, "error AK502=5: segments in error [says the partner]",
		"Acknowledgement: the partner's 997 " + tracking.ID(78).String() + "\n  its group    partially-accepted (code P) at 2026-03-31 12:00:00\n  document     rejected (code R) at 2026-03-31 12:00:00\n",
		"signed sha-256, encrypted aes-256-cbc", "q1w2 , matches", "<1@buyer>",
	} {
		if !strings.Contains(r.stdout, part) {
			t.Errorf("%q is missing in\n%s", part, r.stdout)
		}
	}
	if n := strings.Count(r.stdout, "Acknowledgement: "); n != 1 {
		t.Errorf("one acknowledgement is told %d times:\n%s", n, r.stdout)
	}
	h.store.view.Acknowledgements[1].CarrierID, h.store.view.Acknowledgements[1].DocumentID = d.ID, 79
	if r := h.run("document", "show", d.ID.String()); !strings.Contains(r.stdout, "What it says of others\n  document     "+tracking.ID(79).String()+" rejected (code R)") {
		t.Errorf("it does not say what it judges:\n%s", r.stdout)
	}
	var view map[string]any
	if err := json.Unmarshal([]byte(h.run("document", "show", d.ID.String(), "-o", "json").stdout), &view); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"document", "interchange", "delivery", "receipts", "acknowledgements", "issues", "events"} {
		if _, ok := view[field]; !ok {
			t.Errorf("the JSON view has no %s", field)
		}
	}
	h.run("document", "show", tracking.ID(5).String()).expect(t, ExitNotFound, "there is no document")
	h.run("document", "show", "4711").expect(t, ExitNotFound, "ids have 13 letters")
}

func TestQueue(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run("queue", "list").expect(t, ExitOK, "no work is waiting")
	h.run("queue", "list", "--dead").expect(t, ExitOK, "no dead letters")
	dead := []*queue.Job{{ID: 9, Lane: "deliver/back-office", LastError: "gave up"}, {ID: 4, Lane: "deliver/back-office"}}
	h.store.dead = dead
	h.store.lanes = []queue.Lane{{Name: "process/gone", Waiting: 2, Head: &queue.Job{Attempt: 3, RunAt: noon(), LastError: "refused"}}}

	if r := h.run("queue", "list"); !strings.Contains(r.stdout, "refused") || !strings.Contains(r.stdout, "2026-03-31 12:00:00") {
		t.Errorf("queue list:\n%s", r.stdout)
	}
	if r := h.run("queue", "list", "--dead", "-o", "jsonl"); !strings.Contains(r.stdout, `"id":"`+tracking.ID(9).String()+`"`) {
		t.Errorf("dead letters:\n%s", r.stdout)
	}
	h.run("queue", "pause", "deliver/back-office", "--user", "kim", "--comment", "their disk is full").expect(t, ExitOK, "is paused")
	if len(h.store.events) != 1 || h.store.events[0].Kind != tracking.EventLanePaused || h.store.events[0].Actor != "kim" || h.store.events[0].Text != "lane deliver/back-office paused: their disk is full" {
		t.Errorf("who paused the lane and why is not recorded: %+v", h.store.events)
	}
	h.run("queue", "resume", "process/gone").expect(t, ExitOK, "is open")
	if diff := cmp.Diff(map[string]bool{"deliver/back-office": true, "process/gone": false}, h.store.paused); diff != "" {
		t.Errorf("lanes (-want +got):\n%s", diff)
	}
	h.run("queue", "pause", "deliver/typo").expect(t, ExitNotFound, "lanes are deliver/back-office, process/back-office, process/gone")

	h.run("queue", "retry", tracking.ID(4).String()).expect(t, ExitOK, "1 put back")
	h.run("queue", "retry", tracking.ID(5).String()).expect(t, ExitNotFound, "there is no dead letter")
	h.run("queue", "retry", "--all").expect(t, ExitOK, "2 put back")
	if diff := cmp.Diff([]int64{4, 4, 9}, h.store.revived); diff != "" {
		t.Errorf("put back (-want +got), oldest first:\n%s", diff)
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run("console").expect(t, ExitUnreachable, "tradepost serve --config")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(h.dir, "tradepost.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(server.URL, "http://")
	if err := os.WriteFile(file, bytes.Replace(text, []byte(`admin: "127.0.0.1:0"`), []byte(`admin: "`+address+`"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := h.run("console", "--user", "kim").expect(t, ExitOK, ""); r.stdout != server.URL+"/login?token=kim\n" {
		t.Errorf("link %q", r.stdout)
	}
}

func TestInit(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "My Station")
	partner := newHouse(t)
	cert := filepath.Join(partner.dir, "keys", "station.crt")
	args := []string{
		"init", dir, "--partner", "supplier", "--partner-certificate", cert, "--partner-url", "http://127.0.0.1:9/as2",
		"--partner-as2-id", `Sup "Plier"`, "--partner-contact", "Kim: #1", "--send", "850,860",
	}
	r := (*house)(nil).run(args...).expect(t, ExitOK, "AS2 id        MY-STATION")
	file := filepath.Join(dir, "tradepost.yaml")
	if r.stdout != file+"\n" {
		t.Errorf("standard output %q, want the path of the configuration", r.stdout)
	}
	c, err := config.Load(file, config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	p := c.Directory.Partners()[0]
	if p.AS2ID != `Sup "Plier"` || p.Contact != "Kim: #1" || p.Identifiers[0].String() != "ZZ:SUPPLIER" {
		t.Errorf("partner %+v", p)
	}
	if got := c.Directory.Partnerships()[0].Outbound; len(got) != 2 || got[1].Type != "860" {
		t.Errorf("outbound %+v", got)
	}
	for name, mode := range map[string]os.FileMode{"keys/station.key": 0o600, "keys/admin.token": 0o600, "tradepost.yaml": 0o600, "backoffice/in": 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, %v; want %v", name, info.Mode().Perm(), err, mode)
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, "keys/station.key"))
	if err != nil {
		t.Fatal(err)
	}
	(*house)(nil).run(args...).expect(t, ExitFailed, "nothing is ever overwritten")
	if after, err := os.ReadFile(filepath.Join(dir, "keys/station.key")); err != nil || !bytes.Equal(before, after) {
		t.Error("the key was overwritten")
	}
}

func TestInitRefusesBeforeItWrites(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"bad name":                {"--name", "a b"},
		"bad identifier":          {"--identifier", "ZZZZZ:A"},
		"bad address":             {"--as2-address", "here"},
		"no partner certificate":  {"--partner", "x", "--partner-url", "http://x", "--partner-certificate", "gone.crt"},
		"a partner with our name": {"--name", "x", "--partner", "x", "--partner-url", "http://x", "--partner-certificate", filepath.Join(newHouse(t).dir, "keys/station.crt")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "new")
			if r := (*house)(nil).run(append([]string{"init", dir}, args...)...); r.code == ExitOK {
				t.Errorf("it was accepted: %s", r.stderr)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}

func TestDoctorCommand(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.run("doctor").expect(t, ExitOK, "")
	if !strings.Contains(r.stdout, "ok    keys") || !strings.Contains(r.stdout, "-> add a partner") {
		t.Errorf("doctor prints\n%s", r.stdout)
	}
	if err := os.RemoveAll(filepath.Join(h.dir, "backoffice")); err != nil {
		t.Fatal(err)
	}
	r = h.run("doctor", "-o", "jsonl").expect(t, ExitFailed, "see the lines marked fail")
	if !strings.Contains(r.stdout, `"check":"folders","status":"fail"`) {
		t.Errorf("doctor prints\n%s", r.stdout)
	}
}
