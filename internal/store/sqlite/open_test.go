package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/internal/store"
	"tradepost/internal/store/sqlite"
	"tradepost/processes"
	"tradepost/tracking"
)

// raw runs SQL on a database beside its store.
func raw(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// insert stores a document and returns its id.
func insert(t *testing.T, s processes.Store, id tracking.ID) error {
	t.Helper()
	return s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
		return tx.InsertDocument(ctx, &tracking.Document{ID: id, Partner: "buyer", CreatedAt: time.Now()})
	})
}

func TestOpenAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a folder", "what? 100%25 #1 & more.db")
	if _, err := sqlite.Open(context.Background(), path, sqlite.Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "make the folder") {
		t.Errorf("Open in a folder that is not there: %v", err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	var ids []tracking.ID
	for range 3 {
		s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(context.Background()); err != nil {
			t.Errorf("Ping: %v", err)
		}
		if info := s.Info(); info.Schema < 1 || !strings.HasPrefix(info.Engine, "SQLite 3.") {
			t.Errorf("Info: %+v", info)
		}
		id := s.IDs().Next()
		if err := insert(t, s, id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		for _, id := range ids {
			if _, err := s.DocumentView(context.Background(), id); err != nil {
				t.Errorf("document %s: %v", id, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := insert(t, s, s.IDs().Next()); err == nil {
			t.Error("a closed store was written")
		}
		if _, err := s.DocumentView(context.Background(), id); err == nil {
			t.Error("a closed store was read")
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, want 0600", info.Mode().Perm())
	}
	if left, _ := filepath.Glob(path + "-*"); len(left) != 0 {
		t.Errorf("beside the closed file: %v", left)
	}
}

func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tradepost.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			for range 5 {
				if err := insert(t, s, s.IDs().Next()); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
	page, err := openFile(t, path).Documents(context.Background(), tracking.DocumentQuery{})
	if err != nil || len(page.Documents) != 40 {
		t.Errorf("%d documents, %v, want 40", len(page.Documents), err)
	}
}

func TestOpenAnothersDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		check  func(err error) bool
	}{
		"newer": {
			`insert into schema_version select max(version) + 1, 'next', 'x', 0 from schema_version`,
			func(err error) bool {
				var e *store.NewerVersionError
				return errors.As(err, &e) && e.Know > 0 && e.Have == e.Know+1 && strings.Contains(e.Error(), "newer program")
			},
		},
		"changed": {
			`update schema_version set checksum = 'x' where version = 1`,
			func(err error) bool {
				var e *store.ChangedMigrationError
				return errors.As(err, &e) && e.Version == 1
			},
		},
	} {
		path := filepath.Join(t.TempDir(), "tradepost.db")
		s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		raw(t, path, c.change)
		if _, err := sqlite.Open(context.Background(), path, sqlite.Options{}); !c.check(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := filepath.Join(t.TempDir(), "tradepost.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("ISA*00*          ~", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(context.Background(), path, sqlite.Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is no database: %v", err)
	}
}

func TestAnotherProcessWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tradepost.db")
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	must := func(sql string) {
		t.Helper()
		if _, err := conn.ExecContext(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	must("begin immediate")
	if err := insert(t, s, s.IDs().Next()); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("while another process writes: %v", err)
	}
	if _, err := s.Documents(context.Background(), tracking.DocumentQuery{}); err != nil {
		t.Errorf("reading while another process writes: %v", err)
	}
	must("rollback")
	if err := insert(t, s, s.IDs().Next()); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// besideFile names the database to the child process of TestBesideAServer.
const besideFile = "TRADEPOST_TEST_BESIDE_FILE"

// TestBesideAServer has a command of another process read and write while this
// one serves.
func TestBesideAServer(t *testing.T) {
	if path := os.Getenv(besideFile); path != "" {
		s := openFile(t, path)
		page, err := s.Documents(context.Background(), tracking.DocumentQuery{})
		if err != nil || len(page.Documents) == 0 {
			t.Errorf("the command lists %v, %v", page, err)
		}
		if err := s.PauseLane(context.Background(), "deliver/buyer", true); err != nil {
			t.Errorf("the command pauses a lane: %v", err)
		}
		for range 20 {
			if err := insert(t, s, s.IDs().Next()); err != nil {
				t.Errorf("the command writes: %v", err)
			}
		}
		return
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tradepost.db")
	s := openFile(t, path)
	if err := insert(t, s, s.IDs().Next()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var server sync.WaitGroup
	written := 1
	server.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := insert(t, s, s.IDs().Next()); err != nil {
				t.Errorf("the server writes: %v", err)
				return
			}
			written++
		}
	})
	cmd := exec.Command(os.Args[0], "-test.run=^TestBesideAServer$") //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), besideFile+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("the command: %v\n%s", err, out)
	}
	close(stop)
	server.Wait()
	lanes, err := s.Lanes(context.Background())
	if err != nil || len(lanes) != 1 || !lanes[0].Paused {
		t.Errorf("the server sees the lanes %+v, %v", lanes, err)
	}
	n := 0
	for q := (tracking.DocumentQuery{Limit: 1000}); ; {
		page, err := s.Documents(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Documents)
		if q.Before = page.Next; page.Next == 0 {
			break
		}
	}
	if n != written+20 {
		t.Errorf("%d documents are there, want %d", n, written+20)
	}
}

// TestClock has the store's clock decide over leases and due times.
func TestClock(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "tradepost.db"), sqlite.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	job := newJob(s, clock().Add(time.Hour))
	if err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error { return tx.Enqueue(ctx, job) }); err != nil {
		t.Fatal(err)
	}
	claims := func(want int) {
		t.Helper()
		jobs, err := s.Claim(context.Background(), "w", 1, time.Minute)
		if err != nil || len(jobs) != want {
			t.Errorf("at %v: %d jobs, %v, want %d", clock(), len(jobs), err, want)
		}
	}
	advance := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	claims(0)
	advance(time.Hour)
	claims(1)
	advance(59 * time.Second)
	claims(0)
	advance(time.Second)
	claims(1)
}
