package postgres

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/internal/store"
	"tradepost/internal/store/postgrestest"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"

	"github.com/jackc/pgx/v5"
)

// raw runs SQL on a database beside its store.
func raw(t testing.TB, address string, statements ...string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// with sets parameters of an address.
func with(t *testing.T, address string, set map[string]string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, value := range set {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t/w0rd"
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, address := range []string{
		"postgres://u:" + secret + "@127.0.0.1:1/x",                  // a slash that should be %2F
		"postgres://u:" + url.QueryEscape(secret) + "@127.0.0.1:1/x", // nobody listens
		"postgres://u:" + secret + "@[::1:99/x",
		"postgres://u:" + secret + "@host:port/x?sslmode=maybe",
		"postgres://u@127.0.0.1:1/x?password=" + url.QueryEscape(secret),
		"host=127.0.0.1 port=1 user=u password=" + secret,
		"host=127.0.0.1 port=nine user=u password=" + secret,
		"password=" + secret + " ====",
		secret,
	} {
		s, err := Open(ctx, address, Options{})
		if err == nil {
			t.Errorf("%s was opened", address)
			_ = s.Close()
			continue
		}
		if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "w0rd") {
			t.Errorf("%s: the error shows the password: %v", address, err)
		}
	}
}

func testOpenAtOnce(t *testing.T, server *postgrestest.Server) {
	address := server.Address(t)
	ctx := context.Background()
	var mu sync.Mutex
	nodes := map[tracking.ID]bool{}
	var open, done sync.WaitGroup
	open.Add(8)
	for range 8 {
		done.Go(func() {
			s, err := Open(ctx, address, Options{Connections: 2})
			if err != nil {
				t.Errorf("Open: %v", err)
				open.Done()
				return
			}
			id := s.IDs().Next()
			mu.Lock()
			nodes[id>>12&1023] = true
			mu.Unlock()
			open.Done()
			open.Wait() // all of them are open at the same time
			if info := s.Info(); info.Schema < 1 || !strings.HasPrefix(info.Engine, "PostgreSQL ") {
				t.Errorf("Info: %+v", info)
			}
			if err := errors.Join(s.Ping(ctx), s.Close()); err != nil {
				t.Errorf("Ping and Close: %v", err)
			}
			if err := s.PauseLane(ctx, "l", true); err == nil {
				t.Error("a closed store was written")
			}
		})
	}
	done.Wait()
	if len(nodes) != 8 {
		t.Errorf("8 stores have %d node numbers", len(nodes))
	}
}

func testOpenAnothersDatabase(t *testing.T, server *postgrestest.Server) {
	for name, c := range map[string]struct {
		change string
		check  func(err error) bool
	}{
		"newer": {
			`insert into schema_version select max(version) + 1, 'next', 'x', 0 from schema_version`,
			func(err error) bool {
				var e *store.NewerVersionError
				return errors.As(err, &e) && e.Know > 0 && e.Have == e.Know+1
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
		address := server.Address(t)
		openStore(t, address)
		raw(t, address, c.change)
		if _, err := Open(context.Background(), address, Options{}); !c.check(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(context.Background(), with(t, server.Address(t), map[string]string{"search_path": "nowhere"}), Options{}); err == nil || !strings.Contains(err.Error(), "search_path") {
		t.Errorf("a schema that is not there: %v", err)
	}
}

func testNodeNumbersAreScarce(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	address := server.Address(t)
	if err := openStore(t, address).Ping(ctx); err != nil {
		t.Fatal(err)
	}
	raw(t, address, `insert into node select n, 'other', now_ms() + 3600000 from generate_series(1, 1023) n`)
	if _, err := Open(ctx, address, Options{}); err == nil || !strings.Contains(err.Error(), "1024") {
		t.Errorf("with all numbers lent: %v", err)
	}
	// Of those whose time is over, the one that rested longest goes first.
	raw(t, address, `update node set until = now_ms() - 5000 where number in (7, 9)`, `update node set until = now_ms() - 9000 where number = 8`)
	if got := openStore(t, address).IDs().Next() >> 12 & 1023; got != 8 {
		t.Errorf("node %d was lent, want 8", got)
	}
}

func testNotify(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	address := server.Address(t)
	here := openStore(t, address)
	there, err := Open(ctx, address, Options{Poll: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	// Listening begins a moment after Open, so work is made until it is heard.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for i := int64(1); ; i++ {
		j := &queue.Job{ID: i, Lane: "l", Kind: "run", CreatedAt: time.Now()}
		if err := here.Update(ctx, func(ctx context.Context, tx processes.Tx) error { return tx.Enqueue(ctx, j) }); err != nil {
			t.Fatal(err)
		}
		select {
		case <-there.Wake():
			return
		case <-tick.C:
		case <-deadline:
			t.Fatal("work of another process did not wake")
		}
	}
}

// testConnectionsBreak ends the server's side of connections under writers:
// they go on, and nothing that was committed is lost or done twice.
func testConnectionsBreak(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	address := with(t, server.Address(t), map[string]string{"application_name": "victim"})
	s := openStore(t, address)
	stop := make(chan struct{})
	var mu sync.Mutex
	committed, unknown, tried := map[tracking.ID]bool{}, 0, 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				d := &tracking.Document{ID: s.IDs().Next(), CreatedAt: time.Now()}
				err := s.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
					if _, err := tx.NextControl(ctx, "scope"); err != nil {
						return err
					}
					return tx.InsertDocument(ctx, d)
				})
				mu.Lock()
				tried++
				switch {
				case err == nil:
					committed[d.ID] = true
				case errors.Is(err, store.ErrCommitUnknown):
					unknown++
				default:
					t.Errorf("Update: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	for range 10 {
		raw(t, with(t, address, map[string]string{"application_name": "killer"}),
			`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim' and datname = current_database() order by random() limit 3`)
	}
	close(stop)
	wg.Wait()
	if err := s.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
	n := 0
	for q := (tracking.DocumentQuery{Limit: 1000}); ; {
		page, err := s.Documents(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Documents {
			delete(committed, d.ID)
			n++
		}
		if q.Before = page.Next; page.Next == 0 {
			break
		}
	}
	if len(committed) != 0 {
		t.Errorf("%d committed documents are gone", len(committed))
	}
	t.Logf("%d updates, %d documents, %d commits of unknown outcome", tried, n, unknown)
}
