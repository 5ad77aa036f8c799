package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"

	"tradepost/internal/store"
)

// Migration is one step of the schema, as it lies in a file like
// 0001_first.sql.
type Migration struct {
	Version  int    // 1, 2, 3 ... without gaps, the same on every database
	Name     string // "first"
	SQL      string
	Checksum string // SHA-256 of SQL, hex
}

// LoadMigrations reads the migrations of a folder in their order.
func LoadMigrations(files fs.FS) ([]Migration, error) {
	entries, err := fs.ReadDir(files, ".") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	form := regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)
	var all []Migration
	for _, e := range entries {
		part := form.FindStringSubmatch(e.Name())
		if part == nil {
			return nil, fmt.Errorf("migration %q: the name must look like 0001_first.sql", e.Name())
		}
		version, err := strconv.Atoi(part[1])
		if err != nil || version != len(all)+1 {
			return nil, fmt.Errorf("migration %q: number %04d was expected", e.Name(), len(all)+1)
		}
		text, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		sum := sha256.Sum256(text)
		all = append(all, Migration{Version: version, Name: part[2], SQL: string(text), Checksum: hex.EncodeToString(sum[:])})
	}
	return all, nil
}

// Migrator is what a database offers to migrations.
type Migrator interface {
	// Applied returns the checksums of the applied migrations in order, none on
	// an empty database. It locks nothing.
	Applied(ctx context.Context) ([]string, error)
	// Apply runs fn in one transaction that no other migration, of this or
	// another process, runs beside; schema_version is there.
	Apply(ctx context.Context, fn func(ctx context.Context, s Script) error) error
}

// Script is the transaction of one migration.
type Script interface {
	// Applied is as Migrator.Applied, inside the transaction.
	Applied(ctx context.Context) ([]string, error)
	// Run runs several statements of SQL.
	Run(ctx context.Context, sql string) error
	// Record notes the migration in schema_version.
	Record(ctx context.Context, m Migration, at int64) error
}

// SchemaVersionTable is the table of applied migrations, for both databases.
const SchemaVersionTable = `create table if not exists schema_version (
	version integer primary key,
	name text not null,
	checksum text not null,
	applied_at bigint not null
)`

// Migrate brings a database to the newest of the known migrations, each in one
// transaction, and returns its version. It returns *store.NewerVersionError
// when the database is ahead of this program and *store.ChangedMigrationError
// when it was migrated by something else; it changes nothing then.
func Migrate(ctx context.Context, db Migrator, known []Migration, now func() time.Time) (int, error) {
	applied, err := db.Applied(ctx)
	for err == nil {
		if err := compatible(applied, known); err != nil {
			return len(applied), err
		}
		if len(applied) == len(known) {
			return len(known), nil
		}
		err = db.Apply(ctx, func(ctx context.Context, s Script) error {
			var err error
			if applied, err = s.Applied(ctx); err != nil {
				return err
			}
			if err := compatible(applied, known); err != nil || len(applied) == len(known) {
				return err
			}
			next := known[len(applied)]
			if err := s.Run(ctx, next.SQL); err != nil {
				return fmt.Errorf("migration %04d_%s: %w", next.Version, next.Name, err)
			}
			return s.Record(ctx, next, now().UnixMilli())
		})
		if err == nil {
			applied, err = db.Applied(ctx)
		}
	}
	return len(applied), fmt.Errorf("bring the database up to date: %w", err)
}

// Current returns *store.OlderVersionError when a database is behind the known
// migrations, so that whoever works beside a running station does not change
// its schema under it. An empty database is not behind: Migrate makes it.
func Current(ctx context.Context, db Migrator, known []Migration) error {
	applied, err := db.Applied(ctx)
	if err == nil && 0 < len(applied) && len(applied) < len(known) {
		err = &store.OlderVersionError{Have: len(applied), Need: len(known)}
	}
	return err
}

func compatible(applied []string, known []Migration) error {
	if len(applied) > len(known) {
		return &store.NewerVersionError{Have: len(applied), Know: len(known)}
	}
	for i, sum := range applied {
		if sum != known[i].Checksum {
			return &store.ChangedMigrationError{Version: known[i].Version, Name: known[i].Name}
		}
	}
	return nil
}
