// Package postgres opens a store that several gateways may share: PostgreSQL
// 13 or newer through its native protocol (PostgreSQL documentation, chapter
// "Frontend/Backend Protocol").
//
// Transactions run at READ COMMITTED with row locks. The statements of an
// Update whose outcome nobody waits for travel together with the next that is
// waited for, or with the commit, so that an Update costs few round trips.
// Leases and due times go by the database's clock. NOTIFY tells the other
// gateways that there is work; that is a hint, and they look by themselves
// every second.
package postgres

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"tradepost/internal/store/sqlstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Options are what may be set about a store; the zero value is good.
type Options struct {
	Now  func() time.Time // the clock of ids; nil is time.Now
	Poll time.Duration    // see sqlstore.Config
	// Connections bounds the pool; zero is 16. pool_max_conns in the address
	// has precedence.
	Connections int32
	// Beside is for whoever works beside a station: a database of an older
	// program is left as it is, with *store.OlderVersionError.
	Beside bool
}

// The oldest PostgreSQL that has what the store needs, as server_version_num.
const oldestServer = 130000

// Open opens the database at an address such as
// "postgres://tradepost@db.example:5432/tradepost?sslmode=verify-full" and
// brings it up to date. Errors never hold the password. It returns
// *store.NewerVersionError when a newer program has migrated the database.
func Open(ctx context.Context, address string, opts Options) (*sqlstore.Store, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Connections == 0 {
		opts.Connections = 16
	}
	cfg, err := configure(address, opts)
	if err != nil {
		return nil, err
	}
	known, err := Migrations()
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, cfg, opts, known)
	if err != nil {
		where := fmt.Sprintf("%s on %s:%d", cfg.ConnConfig.Database, cfg.ConnConfig.Host, cfg.ConnConfig.Port)
		return nil, withoutPassword(fmt.Errorf("open the database %s: %w", where, err), cfg.ConnConfig.Password)
	}
	return s, nil
}

// configure reads an address. What the parser says of a wrong one may quote
// any part of it, so it is not passed on.
func configure(address string, opts Options) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New("the address of the database cannot be read; it is not shown here because it may hold a password. " +
			"It should look like postgres://user:password@host:5432/name?sslmode=verify-full, with % codes for special characters in the password")
	}
	if !strings.Contains(address, "pool_max_conns") {
		cfg.MaxConns = opts.Connections
	}
	set := func(name, value string) {
		if _, ok := cfg.ConnConfig.RuntimeParams[name]; !ok {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	set("application_name", "tradepost")
	// A gateway that stands still must not hold on to a lane for ever.
	set("idle_in_transaction_session_timeout", "60s")
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		// What Update returned from must be durable, whatever the server's default.
		_, err := conn.Exec(ctx, `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`)
		return err
	}
	return cfg, nil
}

func open(ctx context.Context, cfg *pgxpool.Config, opts Options, known []sqlstore.Migration) (*sqlstore.Store, error) {
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	b := &backend{pool: pool}
	schema, err := b.prepare(ctx, known, opts)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return sqlstore.New(b, sqlstore.Config{Now: opts.Now, Node: b.node.number, Schema: schema, Poll: opts.Poll}), nil
}

// prepare examines and migrates the database and begins what runs beside.
func (b *backend) prepare(ctx context.Context, known []sqlstore.Migration, opts Options) (schema int, err error) {
	var number int
	var encoding, namespace string
	err = b.pool.QueryRow(ctx, `select current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding'), coalesce(current_schema(), '')`).
		Scan(&number, &b.version, &encoding, &namespace)
	switch {
	case err != nil:
		return 0, err
	case number < oldestServer:
		return 0, fmt.Errorf("the server is PostgreSQL %s; 13 or newer is needed", b.version)
	case encoding != "UTF8":
		return 0, fmt.Errorf("the database has the encoding %s: make it with encoding UTF8", encoding)
	case namespace == "":
		return 0, errors.New("no schema of the search_path exists: make one, or name another in the address")
	}
	if opts.Beside {
		if err := sqlstore.Current(ctx, migrator{b}, known); err != nil {
			return 0, err
		}
	}
	if schema, err = sqlstore.Migrate(ctx, migrator{b}, known, opts.Now); err != nil {
		return schema, err
	}
	if err := b.takeNode(ctx, owner()); err != nil {
		return schema, err
	}
	b.begin(namespace)
	return schema, nil
}

// owner names this process for people who look at table node.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s %d %s", host, os.Getpid(), rand.Text()[:8])
}

// Migrations returns the migrations of this database in order.
func Migrations() ([]sqlstore.Migration, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	return sqlstore.LoadMigrations(files)
}

// quietError is an error whose text holds no password.
type quietError struct {
	text string
	err  error
}

func (e *quietError) Error() string { return e.text }
func (e *quietError) Unwrap() error { return e.err }

func withoutPassword(err error, password string) error {
	if password == "" || !strings.Contains(err.Error(), password) {
		return err
	}
	return &quietError{strings.ReplaceAll(err.Error(), password, "***"), err}
}
