// Package sqlite opens the embedded store: one SQLite file in write-ahead log
// mode (sqlite.org/wal.html) with synchronous=FULL, so that what Update
// returned from survives a power cut.
//
// A process has one writing connection. Updates that come together share one
// SQLite transaction, each in a savepoint of its own, and so share the cost of
// making it durable; an Update that fails is rolled back alone. Readers have
// connections of their own and see a snapshot. Other processes, such as a
// command line command beside a serving gateway, may use the same file.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tradepost/internal/store/sqlstore"
	"tradepost/tracking"

	modernc "modernc.org/sqlite"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Options are what may be set about an embedded store; the zero value is good.
type Options struct {
	Now  func() time.Time // the clock of ids, leases and due times; nil is time.Now
	Poll time.Duration    // see sqlstore.Config
	// BusyTimeout is how long a write waits for another process that writes;
	// zero is 10 seconds.
	BusyTimeout time.Duration
	// Readers is the number of reading connections; zero is 4.
	Readers int
	// Beside is for whoever works beside a station: a database of an older
	// program is left as it is, with *store.OlderVersionError.
	Beside bool
}

// Open opens, or makes, the database in the file path and brings it up to
// date. The folder must be there. It returns *store.NewerVersionError when a
// newer program has migrated the file.
func Open(ctx context.Context, path string, opts Options) (*sqlstore.Store, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.BusyTimeout == 0 {
		opts.BusyTimeout = 10 * time.Second
	}
	if opts.Readers == 0 {
		opts.Readers = 4
	}
	known, err := Migrations()
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path, opts, known)
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, opts Options, known []sqlstore.Migration) (*sqlstore.Store, error) {
	node, err := tracking.RandomNode(rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	b := &backend{busy: opts.BusyTimeout}
	if err := b.connect(ctx, path, opts); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if opts.Beside {
		if err := sqlstore.Current(ctx, migrator{b}, known); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	schema, err := sqlstore.Migrate(ctx, migrator{b}, known, opts.Now)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return sqlstore.New(b, sqlstore.Config{Now: opts.Now, Node: node, Schema: schema, Poll: opts.Poll}), nil
}

// Migrations returns the migrations of this database in order.
func Migrations() ([]sqlstore.Migration, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	return sqlstore.LoadMigrations(files)
}

// create makes an empty file that only its owner may read, since documents are
// nobody else's business; SQLite gives the files beside it the same mode.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: make the folder %s first", err, filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// connector opens connections with a driver of its own, whose now_ms() is the
// store's clock.
type connector struct {
	driver *modernc.Driver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// dsn names the file and how it is used.
func dsn(path string, busy time.Duration, pragmas ...string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	q := url.Values{"_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()),
		"journal_mode(wal)",
		"synchronous(full)",
		"foreign_keys(on)",
		"temp_store(memory)",
		"cache_size(-32768)",           // 32 MiB
		"journal_size_limit(67108864)", // a grown log is cut back to 64 MiB
		"trusted_schema(off)",
	}, pragmas...)}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String(), nil
}

// connect opens the writing connection and the readers.
func (b *backend) connect(ctx context.Context, path string, opts Options) error {
	clock := new(modernc.Driver)
	err := clock.RegisterScalarFunction("now_ms", 0, func(*modernc.FunctionContext, []driver.Value) (driver.Value, error) {
		return opts.Now().UnixMilli(), nil
	})
	if err != nil {
		return err
	}
	write, err := dsn(path, opts.BusyTimeout)
	if err != nil {
		return err
	}
	read, err := dsn(path, opts.BusyTimeout, "query_only(on)")
	if err != nil {
		return err
	}
	b.writeDB = sql.OpenDB(connector{clock, write})
	b.writeDB.SetMaxOpenConns(1)
	conn, err := b.writeDB.Conn(ctx)
	if err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, `select sqlite_version()`).Scan(&b.version); err != nil {
		return errors.Join(err, conn.Close())
	}
	b.readDB = sql.OpenDB(connector{clock, read})
	b.readDB.SetMaxOpenConns(opts.Readers)
	b.readDB.SetMaxIdleConns(opts.Readers)
	b.writer = newWriter(conn, opts.BusyTimeout)
	return nil
}
