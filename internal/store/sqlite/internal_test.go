package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/internal/store"
	"tradepost/internal/store/sqlstore"
	"tradepost/processes"
	"tradepost/tracking"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// connected opens a backend without migrations.
func connected(t *testing.T, path string) *backend {
	t.Helper()
	b := &backend{}
	if err := b.connect(context.Background(), path, Options{Now: time.Now, BusyTimeout: time.Second, Readers: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// tables lists the tables of a database.
func tables(t *testing.T, b *backend) string {
	t.Helper()
	var names []string
	err := b.View(context.Background(), func(ctx context.Context, c sqlstore.Conn) error {
		var err error
		names, err = texts(ctx, c, `select name from sqlite_master where type = 'table' order by name`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestMigrationFails(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := connected(t, filepath.Join(t.TempDir(), "x.db"))
	migration := func(n int, sql string) sqlstore.Migration {
		return sqlstore.Migration{Version: n, Name: fmt.Sprint("m", n), SQL: sql, Checksum: sql}
	}
	first, bad := migration(1, `create table a (x int); create table b (x int)`), migration(2, `create table c (x int); create table a (x int)`)
	version, err := sqlstore.Migrate(ctx, migrator{b}, []sqlstore.Migration{first, bad}, time.Now)
	if err == nil || version != 1 || !strings.Contains(err.Error(), "0002_m2") {
		t.Errorf("Migrate: version %d, %v", version, err)
	}
	if got := tables(t, b); got != "a b schema_version" {
		t.Errorf("after a migration that failed: %s", got)
	}
	good := migration(2, `create table c (x int)`)
	version, err = sqlstore.Migrate(ctx, migrator{b}, []sqlstore.Migration{first, good}, time.Now)
	if err != nil || version != 2 {
		t.Errorf("Migrate again: version %d, %v", version, err)
	}
	if got := tables(t, b); got != "a b c schema_version" {
		t.Errorf("after it was put right: %s", got)
	}
}

// TestBeside: who works beside a station leaves its older database as it is, and
// makes one where there is none.
func TestBeside(t *testing.T) {
	t.Parallel()
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.db")
	for _, step := range []struct {
		beside bool
		known  []sqlstore.Migration
		schema int // 0: it is older
	}{
		{true, known[:1], 1}, {true, known, 0}, {true, known[:1], 1}, {false, known, len(known)}, {true, known, len(known)},
	} {
		s, err := open(t.Context(), path, Options{Now: time.Now, Beside: step.beside}, step.known)
		var older *store.OlderVersionError
		switch {
		case step.schema == 0:
			if !errors.As(err, &older) || older.Have != 1 || older.Need != len(known) {
				t.Fatalf("an older database: %v", err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			if got := s.Info().Schema; got != step.schema {
				t.Errorf("schema %d, want %d", got, step.schema)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestFull fills the database to its last page under many writers: what is
// said to be stored is, and the store goes on when there is room again.
func TestFull(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := connected(t, filepath.Join(t.TempDir(), "x.db"))
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Migrate(ctx, migrator{b}, known, time.Now); err != nil {
		t.Fatal(err)
	}
	pages := func(n int) {
		if _, err := b.writer.conn.ExecContext(ctx, fmt.Sprintf("pragma max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	s := sqlstore.New(b, sqlstore.Config{})
	defer func() {
		// Stops the reminder of s; the backend is closed once more by the test.
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}()
	pages(200)
	var mu sync.Mutex
	stored := map[tracking.ID]bool{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				d := &tracking.Document{ID: s.IDs().Next(), Error: strings.Repeat("x", 3000), CreatedAt: time.Now()}
				err := s.Update(ctx, func(ctx context.Context, tx processes.Tx) error { return tx.InsertDocument(ctx, d) })
				var full *modernc.Error
				if errors.As(err, &full) && full.Code()&0xff == sqlite3.SQLITE_FULL {
					return
				}
				if err != nil {
					t.Errorf("Update: %v", err)
					return
				}
				mu.Lock()
				stored[d.ID] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	pages(100000)
	last := &tracking.Document{ID: s.IDs().Next(), CreatedAt: time.Now()}
	if err := s.Update(ctx, func(ctx context.Context, tx processes.Tx) error { return tx.InsertDocument(ctx, last) }); err != nil {
		t.Errorf("with room again: %v", err)
	}
	stored[last.ID] = true
	page, err := s.Documents(ctx, tracking.DocumentQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Documents) != len(stored) {
		t.Errorf("%d documents are stored, %d were said to be", len(page.Documents), len(stored))
	}
	for _, d := range page.Documents {
		if !stored[d.ID] {
			t.Errorf("document %s is stored, but its Update failed", d.ID)
		}
	}
}

// TestFullHarmsOneOnly: two Updates share a transaction, and the second fills
// the database, upon which SQLite rolls back both. The first is stored all the
// same, and nothing that the second does afterwards.
func TestFullHarmsOneOnly(t *testing.T) {
	t.Parallel()
	b := connected(t, filepath.Join(t.TempDir(), "x.db"))
	for _, sql := range []string{"create table a (x)", "pragma max_page_count = 20"} {
		if err := b.writer.run(sql); err != nil {
			t.Fatal(err)
		}
	}
	// A writer that finds both waiting. The one of the backend is idle meanwhile.
	w := &writer{conn: b.writer.conn, stmts: map[string]*sql.Stmt{}, requests: make(chan *request, 1)}
	insert := func(text string) error {
		return writeConn{w}.Exec(t.Context(), "insert", "insert into a values (?)", []any{text}, nil)
	}
	small, large := newRequest(), newRequest()
	outcome := map[*request]chan error{small: make(chan error, 1), large: make(chan error, 1)}
	go func() { outcome[small] <- small.wait(t.Context(), func() error { return insert("small") }) }()
	go func() {
		outcome[large] <- large.wait(t.Context(), func() error {
			err := insert(strings.Repeat("x", 1<<20))
			if err == nil {
				return errors.New("it is not full")
			}
			if insert("after it") == nil {
				t.Error("a statement after the transaction was lost")
			}
			return nil // as if nothing were
		})
	}()
	w.requests <- large
	w.group(small)
	if late := w.next(); late != nil { // on a slow machine the first one's time is up before
		w.group(late)
	}
	if err := <-outcome[small]; err != nil {
		t.Errorf("the small one: %v", err)
	}
	var full *modernc.Error
	if err := <-outcome[large]; !errors.As(err, &full) || full.Code()&0xff != sqlite3.SQLITE_FULL {
		t.Errorf("the large one: %v", err)
	}
	var texts []string
	err := b.View(t.Context(), func(ctx context.Context, c sqlstore.Conn) error {
		rows, err := c.Query(ctx, "select x from a", nil)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			texts = append(texts, s)
		}
		return rows.Err()
	})
	if err != nil || !slices.Equal(texts, []string{"small"}) {
		t.Errorf("stored: %.20q, %v", texts, err)
	}
	for _, stmt := range w.stmts {
		_ = stmt.Close()
	}
}

// explaining notes the plan of every query of a view.
type explaining struct {
	*backend
	plans *[]string
}

type explainingConn struct {
	sqlstore.Conn
	plans *[]string
}

func (e explaining) View(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	return e.backend.View(ctx, func(ctx context.Context, c sqlstore.Conn) error { return fn(ctx, explainingConn{c, e.plans}) })
}

func (c explainingConn) Query(ctx context.Context, sql string, args []any) (sqlstore.Rows, error) {
	rows, err := c.Conn.Query(ctx, "explain query plan "+sql, args)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return nil, err
		}
		*c.plans = append(*c.plans, detail)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	return c.Conn.Query(ctx, sql, args)
}

// TestPlans keeps the questions of people from reading whole tables.
func TestPlans(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := connected(t, filepath.Join(t.TempDir(), "x.db"))
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Migrate(ctx, migrator{b}, known, time.Now); err != nil {
		t.Fatal(err)
	}
	var plans []string
	s := sqlstore.New(explaining{b, &plans}, sqlstore.Config{})
	defer s.Close()
	d := &tracking.Document{ID: s.IDs().Next(), Partner: "p", SourceID: 1, InterchangeID: 2, GroupID: 3, Keys: []tracking.Key{{Name: "PO", Value: "45"}}, CreatedAt: time.Now()}
	m := &tracking.Transmission{ID: s.IDs().Next(), CreatedAt: time.Now()}
	err = s.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		return errors.Join(tx.InsertDocument(ctx, d), tx.InsertTransmission(ctx, m))
	})
	if err != nil {
		t.Fatal(err)
	}
	documents := func(q tracking.DocumentQuery) func() error {
		return func() error { _, err := s.Documents(ctx, q); return err }
	}
	transmissions := func(q tracking.TransmissionQuery) func() error {
		return func() error { _, err := s.Transmissions(ctx, q); return err }
	}
	for _, c := range []struct {
		name string
		ask  func() error
		uses string // an index that must serve
	}{
		{"partner", documents(tracking.DocumentQuery{Partner: "p"}), "document_partner "},
		{"partner and type", documents(tracking.DocumentQuery{Partner: "p", Type: "850"}), "document_partner_type "},
		{"type", documents(tracking.DocumentQuery{Type: "850"}), "document_type "},
		{"failed", documents(tracking.DocumentQuery{States: []tracking.DocumentState{tracking.DocumentFailed}}), "document_troubled"},
		{"troubled of a partner", documents(tracking.DocumentQuery{Partner: "p", States: []tracking.DocumentState{tracking.DocumentFailed, tracking.DocumentInvalid}}), "document_partner_troubled"},
		{"rejected", documents(tracking.DocumentQuery{Acks: []tracking.AckState{tracking.AckRejected}}), "document_troubled"},
		{"overdue", documents(tracking.DocumentQuery{Overdue: true}), "document_awaited"},
		{"control", documents(tracking.DocumentQuery{Control: "1"}), "interchange_control"},
		{"key", documents(tracking.DocumentQuery{KeyName: "PO", KeyValue: "45"}), "document_key_value"},
		{"text", documents(tracking.DocumentQuery{Text: "45"}), "document_key_value"},
		{"since", documents(tracking.DocumentQuery{Since: time.Now()}), "document_created"},
		{"document", func() error { _, err := s.DocumentView(ctx, d.ID); return err }, "event_document"},
		{"transmission", func() error { _, err := s.TransmissionView(ctx, m.ID); return err }, "event_transmission"},
		{"transmissions of a partner", transmissions(tracking.TransmissionQuery{Partner: "p"}), "transmission_partner"},
		{"transmissions in a state", transmissions(tracking.TransmissionQuery{States: []tracking.TransmissionState{tracking.TransmissionFailed}}), "transmission_notable"},
		{"transmissions by text", transmissions(tracking.TransmissionQuery{Text: "abc"}), "transmission_message"},
		{"runs", func() error { _, err := s.Runs(ctx, m.ID, d.ID); return err }, "run_document"},
		{"events", func() error { _, err := s.Events(ctx, 0, 10); return err }, "event_commit"},
		{"summary", func() error { _, err := s.Summary(ctx, time.Now().Add(-time.Hour), time.Now()); return err }, "document_created"},
		{"claim", func() error { _, err := s.Claim(ctx, "w", 1, time.Minute); return err }, "lane_due"},
	} {
		plans = nil
		if err := c.ask(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		all := strings.Join(plans, "\n")
		if !strings.Contains(all+" ", c.uses) {
			t.Errorf("%s does not use %s:\n%s", c.name, c.uses, all)
		}
		for _, p := range plans {
			for _, table := range []string{"document", "d", "x", "transmission", "t", "event", "e", "interchange", "i", "interchange_group", "g", "document_key", "issue", "s", "acknowledgement", "a", "receipt", "r", "run"} {
				if p == "SCAN "+table {
					t.Errorf("%s reads a whole table: %s in\n%s", c.name, p, all)
				}
			}
		}
	}
}
